use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::TelegramId;

use crate::error::RepositoryError;

/// The bot that a database belongs to.
#[async_trait]
pub trait BotRepository: Send + Sync {
    /// Gives the database to `bot` at the time `at`, if no bot has it yet, and notes that `bot` runs on
    /// it, if it is its own; returns its bot. Of several bots that ask at once, one gets it.
    async fn claim(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError>;

    /// Gives the database to `bot`, which runs elsewhere and sends its updates; like
    /// [`BotRepository::claim`] otherwise.
    async fn reserve(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError>;

    /// The bot that the database belongs to; `None` if no bot has claimed it.
    async fn owner(&self) -> Result<Option<TelegramId>, RepositoryError>;

    /// Whether the bot that the database belongs to has run on it.
    async fn has_run(&self) -> Result<bool, RepositoryError>;
}
