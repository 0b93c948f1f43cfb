use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::TelegramId;

use crate::RepositoryError;

/// Which bot a database belongs to.
#[async_trait]
pub trait BotRepository: Send + Sync {
    /// Gives the database to `bot` if it belongs to nobody yet, at the time `at`; answers whose it
    /// is then. Of several bots that ask at once, exactly one gets it.
    async fn claim(
        &self,
        bot: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<TelegramId, RepositoryError>;

    /// The bot that the database belongs to; `None` where no bot has claimed it yet.
    async fn owner(&self) -> Result<Option<TelegramId>, RepositoryError>;
}
