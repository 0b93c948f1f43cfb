use std::error::Error;

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
    /// Users can no longer be registered.
    #[error("users can no longer be registered")]
    Service(#[from] ServiceError),
}

impl From<CallError> for BotError {
    fn from(error: CallError) -> Self {
        if error.is_bad_token() { Self::BadToken(error) } else { Self::Call(error) }
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
