use std::{fmt, str::FromStr};

use subtle::ConstantTimeEq;

/// Telegram accepts shorter secrets, but they could be guessed.
const SHORTEST_SECRET: usize = 16;
/// The longest secret that Telegram accepts.
const LONGEST_SECRET: usize = 256;

/// The secret that proves that a request comes from Telegram: the setting `WEBHOOK_SECRET`.
///
/// A secret: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// The time that this takes reveals only the length.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidWebhookSecret;

    /// Checks the form (Bot API, `secret_token` of "setWebhook"), and that it is long enough.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&text.len()) || !text.bytes().all(fits) {
            return Err(InvalidWebhookSecret);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The text is not a webhook secret. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a safe webhook secret; expected {SHORTEST_SECRET} to {LONGEST_SECRET} characters of \
     A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints"
)]
pub struct InvalidWebhookSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_the_characters_and_length_of_the_bot_api() {
        for good in ["0123456789abcdef", "ABCDwxyz0189_-_-", &"x".repeat(256)] {
            assert!(good.parse::<WebhookSecret>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789.abcdef",
            "ключключключключ",
            "0123456789abcdef\n",
            "hunter2!hunter2!",
            &"x".repeat(257),
        ] {
            assert_eq!(bad.parse::<WebhookSecret>(), Err(InvalidWebhookSecret), "{bad}");
        }
    }

    #[test]
    fn only_the_whole_secret_is_the_secret() {
        let secret: WebhookSecret = "hunter2-hunter2-".parse().unwrap();
        assert!(secret.is(b"hunter2-hunter2-"));
        for wrong in [
            &b""[..],
            b"h",
            b"hunter2-hunter2",
            b"hunter2-hunter3-",
            b"Hunter2-hunter2-",
            b"hunter2-hunter2- ",
            b"\xff",
        ] {
            assert!(!secret.is(wrong));
        }
    }
}
