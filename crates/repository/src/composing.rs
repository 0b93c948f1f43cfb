use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Filter, TelegramId};

use crate::error::RepositoryError;

/// What the bot knows about broadcasts that owners compose in their chat with it.
#[async_trait]
pub trait ComposingRepository: Send + Sync {
    /// Stores that the next message of an owner becomes a broadcast, in place of an earlier request.
    async fn put_broadcast_request(
        &self,
        owner: TelegramId,
        request: &BroadcastRequest,
    ) -> Result<(), RepositoryError>;

    /// The request of an owner.
    async fn broadcast_request(
        &self,
        owner: TelegramId,
    ) -> Result<Option<BroadcastRequest>, RepositoryError>;

    /// Deletes the request of an owner, and returns it. Only one of several concurrent calls gets it.
    async fn take_broadcast_request(
        &self,
        owner: TelegramId,
    ) -> Result<Option<BroadcastRequest>, RepositoryError>;

    /// Notes that an album was refused. Returns whether it is another one than the last: each picture of
    /// an album is a message.
    async fn note_refused_album(
        &self,
        owner: TelegramId,
        album: &str,
    ) -> Result<bool, RepositoryError>;

    /// Stores the message that shows how far a broadcast is, in place of another one in this chat.
    async fn put_progress_message(&self, message: ProgressMessage) -> Result<(), RepositoryError>;

    /// Up to `limit` messages that show how far broadcasts are.
    async fn progress_messages(&self, limit: u32) -> Result<Vec<ProgressMessage>, RepositoryError>;

    /// Sets what a message shows and when it is looked at again, if it still is as it was `seen`. Only one
    /// of several concurrent calls returns true.
    async fn postpone_progress_message(
        &self,
        seen: ProgressMessage,
        next_at: DateTime<Utc>,
        shown: Option<i64>,
    ) -> Result<bool, RepositoryError>;

    /// Deletes the record of a message, unless another message has replaced it.
    async fn delete_progress_message(
        &self,
        message: ProgressMessage,
    ) -> Result<(), RepositoryError>;
}

/// An owner's request to send a message to the users of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRequest {
    /// Selects the recipients.
    pub filter: Filter,
    /// The time zone of the filter's days.
    pub zone: Tz,
    /// When the owner asked.
    pub at: DateTime<Utc>,
}

/// A message in an owner's chat that shows how far a broadcast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgressMessage {
    /// The owner.
    pub owner: TelegramId,
    /// The number of the broadcast.
    pub broadcast: i64,
    /// The number of the message in the owner's chat.
    pub message_id: i64,
    /// When it is looked at again.
    pub next_at: DateTime<Utc>,
    /// A hash of what it shows; `None` if that is not known.
    pub shown: Option<i64>,
}
