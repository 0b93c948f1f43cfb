use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{TelegramId, UpdateSubscription};

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

    /// What the bot behind has chosen about its updates; the default if it has chosen nothing.
    async fn subscription(&self) -> Result<UpdateSubscription, RepositoryError>;

    /// Stores what the bot behind has chosen about its updates.
    async fn set_subscription(
        &self,
        subscription: &UpdateSubscription,
    ) -> Result<(), RepositoryError>;
}
