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
    /// Telegram cannot be asked.
    #[error("Telegram cannot be asked")]
    Call(#[source] CallError),
    /// Telegram refuses to bring updates to the webhook.
    #[error("the webhook cannot be set")]
    Webhook(#[source] CallError),
    /// Telegram answered with an id that no account can have.
    #[error("Telegram gave the bot an id that cannot be")]
    InvalidId(#[from] InvalidTelegramId),
    /// Nobody can be registered any more.
    #[error("users can no longer be registered")]
    Service(#[from] ServiceError),
}

impl From<CallError> for BotError {
    fn from(error: CallError) -> Self {
        if error.is_bad_token() { Self::BadToken(error) } else { Self::Call(error) }
    }
}
