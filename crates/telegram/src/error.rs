use rollcall_domain::InvalidTelegramId;
use rollcall_service::ServiceError;

use crate::client::CallError;

/// Why a bot stops.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// Telegram does not accept the token.
    #[error(
        "Telegram does not accept the bot token: it is wrong, or was revoked; @BotFather gives a new one"
    )]
    BadToken(#[source] CallError),
    /// A call to Telegram failed.
    #[error("a call to Telegram failed")]
    Call(#[source] CallError),
    /// Telegram refuses the webhook.
    #[error("the webhook cannot be set")]
    Webhook(#[source] CallError),
    /// Telegram returned an invalid id for the bot.
    #[error("Telegram returned an invalid id for the bot")]
    InvalidId(#[from] InvalidTelegramId),
    /// Updates cannot be forwarded: the client for that cannot be created.
    #[error("updates cannot be forwarded")]
    Forward(#[source] reqwest::Error),
    /// What the bot behind has chosen cannot be used.
    #[error("the webhook that the bot behind has set cannot be used: {0}")]
    Subscription(String),
    /// Users can no longer be registered.
    #[error("users can no longer be registered")]
    Service(#[from] ServiceError),
}

impl From<CallError> for BotError {
    fn from(error: CallError) -> Self {
        if error.is_bad_token() { Self::BadToken(error) } else { Self::Call(error) }
    }
}
