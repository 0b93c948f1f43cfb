use std::{fmt, str::FromStr};

#[cfg(feature = "admin")]
use rollcall_service::MiniAppKey;
use subtle::ConstantTimeEq;

/// The bot's token, as @BotFather gives it: the setting `TELEGRAM_BOT_TOKEN`.
///
/// A secret: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct BotToken(String);

impl BotToken {
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// The key that Telegram signs the data of the bot's Mini Apps with.
    #[cfg(feature = "admin")]
    pub fn mini_app_key(&self) -> Option<MiniAppKey> {
        MiniAppKey::of_token(self.secret())
    }

    /// Whether a text is this token. The comparison takes constant time.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// A text without the token's secret part. Some servers repeat the path of a request in their errors,
    /// and the path contains the token.
    pub(crate) fn redact(&self, text: &str) -> String {
        let (_, secret) = self.0.split_once(':').unwrap_or(("", &self.0));
        text.replace(secret, "…")
    }
}

impl FromStr for BotToken {
    type Err = InvalidToken;

    /// Checks only the form. Only Telegram knows whether the token is valid.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, secret) = text.split_once(':').ok_or(InvalidToken)?;
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        // The token becomes part of a URL's path.
        let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '?' | '#' | '%' | '\\');
        if !digits || secret.is_empty() || !secret.chars().all(fits) {
            return Err(InvalidToken);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(…)")
    }
}

/// The text is not a bot token. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a bot token; expected <digits>:<secret>, as @BotFather gives it")]
pub struct InvalidToken;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_of_a_token_is_checked() {
        for good in ["1:x", "123456789:AAF-x_y", "42:TEST"] {
            assert!(good.parse::<BotToken>().is_ok(), "{good}");
        }
        for bad in
            ["", ":", "1:", ":x", "abc:x", "123456", "1:a b", "1:a/../b", "1:x?y", "1:ключ", "1:\n"]
        {
            assert_eq!(bad.parse::<BotToken>(), Err(InvalidToken), "{bad}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: BotToken = "123:hunter2".parse().unwrap();
        assert_eq!(format!("{token:?}"), "BotToken(…)");
        assert!(!InvalidToken.to_string().contains("hunter2"));
    }
}
