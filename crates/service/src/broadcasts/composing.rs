//! Broadcasts that owners compose in their chat with the bot: which message it waits for, and which
//! messages show how far a broadcast is.

use std::sync::Arc;

use chrono::{SubsecRound, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Filter, TelegramId};
use rollcall_repository::{BroadcastRequest, ComposingRepository, ProgressMessage};

use crate::ServiceError;

/// How long the bot waits for the message of a broadcast.
const WAITS: TimeDelta = TimeDelta::hours(1);
/// How long after its request a late message is answered.
const EXPLAINED: TimeDelta = TimeDelta::days(1);
/// The most progress messages that are looked at.
const MAX_PROGRESS_MESSAGES: u32 = 100;

/// Broadcasts that owners compose in their chat with the bot. Cheap to clone.
#[derive(Clone)]
pub struct ComposingService {
    storage: Arc<dyn ComposingRepository>,
    clock: Arc<dyn Clock>,
}

/// Whether the bot waits for the message of a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It does not.
    No,
    /// It has waited too long, and does not wait any more.
    Expired,
    /// It waits.
    For(BroadcastRequest),
}

impl ComposingService {
    /// Creates a service over `storage`.
    pub fn new(storage: impl ComposingRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self { storage: Arc::new(storage), clock: Arc::new(clock) }
    }

    /// Waits for an hour for a message of an owner, to send it to the users of a filter.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn wait_for_message(
        &self,
        owner: TelegramId,
        filter: Filter,
        zone: Tz,
    ) -> Result<(), ServiceError> {
        let request = BroadcastRequest { filter, zone, at: self.clock.now() };
        self.put_back(owner, &request).await
    }

    /// Waits again for the message of a request that was [taken](Self::take).
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn put_back(
        &self,
        owner: TelegramId,
        request: &BroadcastRequest,
    ) -> Result<(), ServiceError> {
        Ok(self.storage.put_broadcast_request(owner, request).await?)
    }

    /// Whether the bot waits for a message of an owner. That it has waited too long is returned once.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn waiting(&self, owner: TelegramId) -> Result<Waiting, ServiceError> {
        let Some(request) = self.storage.broadcast_request(owner).await? else {
            return Ok(Waiting::No);
        };
        let age = self.clock.now() - request.at;
        if age < WAITS {
            return Ok(Waiting::For(request));
        }
        let taken = self.storage.take_broadcast_request(owner).await?;
        Ok(match taken {
            Some(_) if age < EXPLAINED => Waiting::Expired,
            _ => Waiting::No,
        })
    }

    /// Ends the waiting, and returns what it was for. Only one of several concurrent calls gets it.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn take(&self, owner: TelegramId) -> Result<Option<BroadcastRequest>, ServiceError> {
        let taken = self.storage.take_broadcast_request(owner).await?;
        Ok(taken.filter(|request| self.clock.now() - request.at < WAITS))
    }

    /// Whether an album is another one than the last that an owner sent.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn is_new_album(&self, owner: TelegramId, album: &str) -> Result<bool, ServiceError> {
        Ok(self.storage.note_refused_album(owner, album).await?)
    }

    /// Lets a message in an owner's chat show how far a broadcast is, from a time from now on.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn show_progress(
        &self,
        owner: TelegramId,
        broadcast: i64,
        message_id: i64,
        begins_in: TimeDelta,
    ) -> Result<(), ServiceError> {
        let next_at = self.clock.now() + begins_in;
        let message = ProgressMessage { owner, broadcast, message_id, next_at, shown: None };
        Ok(self.storage.put_progress_message(message).await?)
    }

    /// The messages that show how far broadcasts are.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn progress_messages(&self) -> Result<Vec<ProgressMessage>, ServiceError> {
        Ok(self.storage.progress_messages(MAX_PROGRESS_MESSAGES).await?)
    }

    /// Whether it is time to edit a message.
    pub fn is_due(&self, message: &ProgressMessage) -> bool {
        message.next_at <= self.clock.now()
    }

    /// Takes over to edit a message, which no other process does until `interval` has passed. `shown` is a
    /// hash of what it shows then. Returns what is known about the message then; `None` if another
    /// process was faster.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn claim_progress(
        &self,
        seen: ProgressMessage,
        interval: TimeDelta,
        shown: i64,
    ) -> Result<Option<ProgressMessage>, ServiceError> {
        let (next_at, shown) = (self.clock.now().trunc_subsecs(6) + interval, Some(shown));
        let is_claimed = self.storage.postpone_progress_message(seen, next_at, shown).await?;
        Ok(is_claimed.then_some(ProgressMessage { next_at, shown, ..seen }))
    }

    /// Notes that a message was not edited, so that this is tried again.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn retry_progress(&self, claimed: ProgressMessage) -> Result<(), ServiceError> {
        self.storage.postpone_progress_message(claimed, claimed.next_at, None).await?;
        Ok(())
    }

    /// Lets a message show the progress of its broadcast no longer.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn end_progress(&self, message: ProgressMessage) -> Result<(), ServiceError> {
        Ok(self.storage.delete_progress_message(message).await?)
    }
}
