//! Edits the messages that show how far broadcasts are.
//!
//! Every process looks at all of them, and the first one that finds a message due edits it. So it does
//! not matter which process sends the broadcast, and which one is restarted.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use chrono::TimeDelta;
use rollcall_domain::{
    Backoff, Broadcast, BroadcastState, RecipientState, RecipientSums, TelegramId, TelegramUser,
    error_chain,
};
use rollcall_service::{BroadcastError, Outage, ProgressMessage, ServiceError};
use rollcall_telegram::{Destination, MessagePlace, SendError};
use tokio::time::{Instant, sleep};

use super::progress::{Standing, progress};
use crate::{
    conversation::{Asker, Conversation},
    reply::{Screen, edit_only},
};

/// How often the messages are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The longest pause while the database cannot be used.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often the owners are looked up.
const OWNERS_EVERY: Duration = Duration::from_secs(60);
/// The time between two edits of a message, and that of a broadcast that takes long.
const EDIT_EVERY: (TimeDelta, TimeDelta) = (TimeDelta::seconds(4), TimeDelta::seconds(28));
/// After this time, a broadcast takes long.
const LONG: TimeDelta = TimeDelta::minutes(10);

impl Conversation {
    /// Edits the messages that show how far broadcasts are, and keeps the known owners up to date. Runs
    /// until it is dropped; call it once.
    pub async fn watch_broadcasts(&self) -> Infallible {
        let mut outage = Outage::new(
            "cannot look at the progress of broadcasts",
            Backoff::new(LOOK_EVERY, LONGEST_PAUSE),
        );
        let mut owners_at = Instant::now() + OWNERS_EVERY;
        loop {
            let pause = match self.show_all().await {
                Ok(()) => {
                    outage.end();
                    LOOK_EVERY
                }
                Err(error) => outage.record(&error),
            };
            sleep(pause).await;
            if owners_at <= Instant::now() {
                self.look_up_owners().await;
                owners_at = Instant::now() + OWNERS_EVERY;
            }
        }
    }

    async fn show_all(&self) -> Result<(), ServiceError> {
        for message in self.composing.progress_messages().await? {
            self.show(message).await?;
        }
        Ok(())
    }

    /// Edits a message, if it is time to and it would change.
    async fn show(&self, message: ProgressMessage) -> Result<(), ServiceError> {
        let broadcast = match self.broadcasts.find(message.broadcast).await {
            Ok(broadcast) => broadcast,
            Err(BroadcastError::Service(error)) => return Err(error),
            Err(_) => return self.composing.end_progress(message).await,
        };
        let sums = self.broadcasts.sums(broadcast.id).await?;
        let pace = self.pace(&broadcast, &sums);
        let has_ended = broadcast.state.has_ended();
        if !has_ended && !self.composing.is_due(&message) {
            return Ok(());
        }
        if broadcast.state == BroadcastState::Draft {
            // The process ended before it could start it.
            return self.composing.end_progress(message).await;
        }
        let asker = self.asker_of(message.owner).await?;
        let zone = asker.preferences.zone();
        let standing = Standing { broadcast: &broadcast, sums: &sums, pace, zone };
        let screen = progress(asker.locale(), &standing);
        let shown = hash(&screen);
        // Messages may still be going out after a broadcast was cancelled.
        let is_last = has_ended && sums.of(RecipientState::Claimed) == 0;
        // The process that wanted to show the end may have ended before it did.
        if message.shown == Some(shown) && !is_last {
            return Ok(());
        }
        let interval = self.interval(&broadcast);
        let Some(message) = self.composing.claim_progress(message, interval, shown).await? else {
            return Ok(());
        };
        self.edit_progress(message, &screen, is_last).await
    }

    async fn edit_progress(
        &self,
        message: ProgressMessage,
        screen: &Screen,
        is_last: bool,
    ) -> Result<(), ServiceError> {
        let begun = self.clock.now();
        let destination = Destination::user(message.owner, None);
        let place = MessagePlace { destination, message_id: message.message_id };
        match edit_only(&self.outbox, place, screen).await {
            Ok(()) if is_last => self.composing.end_progress(message).await,
            // Another process may have shown something newer before, and even the end.
            Ok(()) if self.composing.is_due(&message) => {
                let ProgressMessage { owner, broadcast, message_id, .. } = message;
                self.composing.show_progress(owner, broadcast, message_id, TimeDelta::zero()).await
            }
            Ok(()) => Ok(()),
            // It was deleted, or the owner has blocked the bot.
            Err(error) if error.is_of_lost_message() => self.composing.end_progress(message).await,
            Err(error @ SendError::Unreachable { .. }) => {
                self.not_sent(message.owner, error, begun).await;
                self.composing.end_progress(message).await
            }
            Err(error) => {
                log::warn!(error = error_chain(&error); "the progress of a broadcast was not shown");
                match error {
                    SendError::Call(error) if !error.is_transient() => {
                        self.composing.end_progress(message).await
                    }
                    _ => self.composing.retry_progress(message).await,
                }
            }
        }
    }

    /// How many recipients get an outcome each second, while a broadcast is being sent.
    pub(super) fn pace(&self, broadcast: &Broadcast, sums: &RecipientSums) -> Option<f64> {
        if broadcast.state != BroadcastState::Sending {
            return None;
        }
        self.paces.note(broadcast.id, sums.settled(), self.clock.now())
    }

    fn interval(&self, broadcast: &Broadcast) -> TimeDelta {
        let since = broadcast.started_at.map(|at| self.clock.now() - at);
        if since.is_some_and(|since| since >= LONG) { EDIT_EVERY.1 } else { EDIT_EVERY.0 }
    }

    /// An owner; the bot writes to them without being asked.
    async fn asker_of(&self, owner: TelegramId) -> Result<Asker, ServiceError> {
        let user = self.users.get_user_by_telegram_id(owner).await?;
        let user = user.unwrap_or_else(|| TelegramUser::new(owner, self.clock.now()));
        Ok(self.asker(&user).await.unwrap_or_else(|(error, asker)| {
            log::warn!(error = error_chain(&error); "could not look up the language of an owner");
            asker
        }))
    }
}

/// A hash of what a message shows, which all processes of this version agree on.
fn hash(screen: &Screen) -> i64 {
    let mut hasher = DefaultHasher::new();
    screen.text.hash(&mut hasher);
    for button in screen.buttons.iter().flatten() {
        (&button.label, button.action.data()).hash(&mut hasher);
    }
    hasher.finish().cast_signed()
}
