//! Waiting for what the bot does.

use std::fmt;

use super::instance::Simulator;
use crate::record::{Request, SentMessage};
use crate::telegram::Progress;

/// The event of a wait did not happen in time, or cannot happen.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("waited for {what}: {reason}")]
pub struct WaitError {
    what: String,
    reason: String,
}

/// Shows the message: `unwrap` and a test's `Result` print this form.
impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Waits for what the bot does, without sleeping. Each wait fails after the builder's
/// [`wait_timeout`](crate::Builder::wait_timeout), with an error that explains why.
impl Simulator {
    /// Waits until `find` finds something; it is called after every change.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, WaitError> {
        let mut changes = self.telegram().watch();
        let check = async {
            loop {
                if let Some(found) = find(self) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let timeout = self.telegram().setup.wait_timeout;
        tokio::time::timeout(timeout, check).await.map_err(|_| {
            let reason = format!("not within {} s: {}", timeout.as_secs_f32(), self.summary());
            WaitError { what: what.to_owned(), reason }
        })
    }

    /// Waits until the bot has confirmed this update, or its webhook accepted it.
    ///
    /// # Errors
    /// If the wait times out, and at once if the bot does not want the update's kind.
    pub async fn wait_until_confirmed(&self, update_id: i64) -> Result<(), WaitError> {
        let wait = self.telegram().wait(|state| match state.queue.refused(update_id) {
            _ if state.queue.is_done(update_id) => Progress::Done(()),
            Some(kind) => Progress::Impossible(format!(
                "it was never queued, because the bot's allowed_updates leave {kind} out"
            )),
            None => Progress::Waiting(format!(
                "{} are pending and the bot has confirmed up to {}",
                state.queue.len(),
                state.queue.confirmed(),
            )),
        });
        wait.await.map_err(|reason| WaitError { what: format!("update {update_id}"), reason })
    }

    /// Waits until no update is pending.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_until_drained(&self) -> Result<(), WaitError> {
        self.wait_for("no pending updates", |sim| (sim.pending() == 0).then_some(())).await
    }

    /// Waits until a getUpdates request waits for updates: the bot is up, and has handled the
    /// earlier ones.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_until_polled(&self) -> Result<(), WaitError> {
        let is_polled = |sim: &Self| sim.telegram().state().is_polled().then_some(());
        self.wait_for("a getUpdates that waits", is_polled).await
    }

    /// Waits for the next message to this chat: the first one that no earlier wait has returned.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_for_message(&self, chat_id: i64) -> Result<SentMessage, WaitError> {
        let wait = self.telegram().wait(|state| match state.messages.next_unseen(chat_id) {
            Some(message) => Progress::Done(message),
            None => Progress::Waiting(format!(
                "the bot sent {} messages, none of them new and to this chat; {} updates are pending",
                state.calls("sendMessage"),
                state.queue.len(),
            )),
        });
        wait.await.map_err(|reason| WaitError { what: format!("a message to {chat_id}"), reason })
    }

    /// Waits until the bot has sent `count` messages in all.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_for_messages(&self, count: u64) -> Result<(), WaitError> {
        let wait = self.telegram().wait(|state| match state.messages.count() {
            sent if sent >= count => Progress::Done(()),
            sent => Progress::Waiting(format!("the bot sent {sent}")),
        });
        wait.await.map_err(|reason| WaitError { what: format!("{count} messages"), reason })
    }

    /// Waits until the bot has edited this message.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_for_edit(&self, message: &SentMessage) -> Result<SentMessage, WaitError> {
        let (chat_id, message_id) = (message.chat_id, message.message_id);
        let wait = self.telegram().wait(|state| match state.messages.get(chat_id, message_id) {
            Some(now) if now.edits > message.edits => Progress::Done(now.clone()),
            _ => Progress::Waiting(format!(
                "the bot called editMessageText {} times in all",
                state.calls("editMessageText"),
            )),
        });
        let what = || format!("an edit of message {message_id} to {chat_id}");
        wait.await.map_err(|reason| WaitError { what: what(), reason })
    }

    /// Waits until a method has been called `count` times in all, and returns the recorded calls.
    ///
    /// # Errors
    /// If the wait times out.
    pub async fn wait_for_requests(
        &self,
        method: &str,
        count: u64,
    ) -> Result<Vec<Request>, WaitError> {
        let wait = self.telegram().wait(|state| match state.calls(method) {
            calls if calls >= count => Progress::Done(
                state.requests(|request| request.method.eq_ignore_ascii_case(method)),
            ),
            calls => Progress::Waiting(format!("it was called {calls} times")),
        });
        wait.await
            .map_err(|reason| WaitError { what: format!("{count} calls of {method}"), reason })
    }

    fn summary(&self) -> String {
        let last = self.requests().into_iter().rev().take(3).map(|request| request.method);
        let last: Vec<String> = last.collect();
        format!("{} updates are pending, the last calls were {last:?}", self.pending())
    }
}
