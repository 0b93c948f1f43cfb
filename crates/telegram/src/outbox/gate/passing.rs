//! The turns of the calls of the bot behind: after our own messages, and before broadcasts.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Gate, in_time, lock, reach};

/// How long a call may wait for its turn in all. Clients begin to give up after five seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How long a call may wait for the pace of its chat. Then Telegram decides: its own limits for a chat are
/// less strict for a moment.
const LONGEST_PACE: Duration = Duration::from_secs(2);

impl Gate {
    /// Waits for the turn of a call of the bot behind that sends something, to this chat if that is known.
    /// Our own messages take their turns in advance, so they go first. Broadcasts take only turns that
    /// nobody else wants.
    ///
    /// # Errors
    /// If it would have to wait too long: after how long to try again. Nothing is to be sent then.
    pub(in crate::outbox) async fn pass(&self, chat_id: Option<i64>) -> Result<(), Duration> {
        let Some(all) = &self.all else { return Ok(()) };
        let give_up = Instant::now() + LONGEST_WAIT;
        if let Some(chat_id) = chat_id {
            self.pass_chat(self.current(chat_id), give_up).await?;
        }
        let passed = async {
            // The semaphore is never closed.
            let _turn = self.passing_turns.acquire().await.ok();
            loop {
                let held_until = *lock(&self.held_until);
                reach(held_until).await;
                let turn = lock(all).take();
                reach(turn).await;
                if *lock(&self.held_until) <= Instant::now() {
                    return;
                }
            }
        };
        let too_long = |_| Duration::from_secs(1);
        timeout_at(give_up, passed).await.map_err(too_long)
    }

    /// Waits for a chat, without keeping it from others while the call is on its way.
    async fn pass_chat(&self, chat_id: i64, give_up: Instant) -> Result<(), Duration> {
        let latest = Instant::now() + LONGEST_PACE;
        let chat = self.chat(chat_id);
        let Ok(mut chat) = timeout_at(latest, chat.lock_owned()).await else { return Ok(()) };
        if chat.held_until > give_up {
            return Err(chat.held_until.saturating_duration_since(Instant::now()));
        }
        reach(chat.held_until).await;
        if let Some(bucket) = &mut chat.bucket {
            let token_at = bucket.token_at();
            reach(token_at.min(latest)).await;
            // One that does not wait for its token takes none, so that our own messages need not make up
            // for it.
            if token_at <= latest {
                bucket.take();
            }
        }
        Ok(())
    }

    /// Notes that Telegram asks to wait after a call of the bot behind, which gets that answer itself.
    pub(in crate::outbox) fn refused_passing(&self, chat_id: Option<i64>, wait: Duration) {
        match chat_id {
            Some(chat_id) => self.refused_bulk(self.current(chat_id), wait),
            None => self.hold_all(in_time(wait)),
        }
    }
}
