use std::{fmt, str::FromStr};

use reqwest::Url;

/// The webhook of the bot behind: the setting `FORWARD_URL`.
///
/// Its path, query or password may be private, so neither `Debug` nor `Display` shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct ForwardUrl(Url);

impl ForwardUrl {
    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }

    /// The scheme, the host and the port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether Telegram delivers the updates to this very address.
    pub fn is(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| url == self.0)
    }
}

impl FromStr for ForwardUrl {
    type Err = InvalidForwardUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidForwardUrl)?;
        let is_http = matches!(url.scheme(), "http" | "https");
        if is_http && url.has_host() && url.fragment().is_none() {
            Ok(Self(url))
        } else {
            Err(InvalidForwardUrl)
        }
    }
}

impl fmt::Debug for ForwardUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForwardUrl({}/…)", self.origin())
    }
}

/// The text is no address of a bot. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not the address of a bot's webhook; expected a URL such as http://127.0.0.1:3000/hook"
)]
pub struct InvalidForwardUrl;

/// The secret by which the bot behind knows its updates: the setting `FORWARD_SECRET`.
///
/// A secret: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ForwardSecret(String);

/// The longest secret that Telegram accepts (Bot API, "setWebhook").
const LONGEST_SECRET: usize = 256;

impl ForwardSecret {
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl FromStr for ForwardSecret {
    type Err = InvalidForwardSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(1..=LONGEST_SECRET).contains(&text.len()) || !text.bytes().all(fits) {
            return Err(InvalidForwardSecret);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for ForwardSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardSecret(…)")
    }
}

/// The text is no secret of a webhook. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a webhook's secret; expected the secret_token of the bot behind, 1 to {LONGEST_SECRET} characters of A-Z a-z 0-9 _ -"
)]
pub struct InvalidForwardSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_not_shown() {
        for good in ["http://127.0.0.1:3000/hook", "https://ada:pw@bot.example.org/123:hunter2?x=1"]
        {
            let url: ForwardUrl = good.parse().unwrap();
            let shown = format!("{url:?} {}", url.origin());
            assert!(!shown.contains("hunter2") && !shown.contains("pw"), "{shown}");
            assert!(url.is(good));
        }
        for wrong in ["", "127.0.0.1:3000", "ftp://example.org", "http://", "http://h/#x"] {
            assert_eq!(wrong.parse::<ForwardUrl>(), Err(InvalidForwardUrl), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_as_telegram_takes_them() {
        let longest = "x".repeat(256);
        for good in ["a", "A-z_9", longest.as_str()] {
            assert!(good.parse::<ForwardSecret>().is_ok());
        }
        for wrong in ["", "a b", "ä", &"x".repeat(257)] {
            assert_eq!(wrong.parse::<ForwardSecret>(), Err(InvalidForwardSecret));
        }
        assert!(!format!("{:?}", "hunter2".parse::<ForwardSecret>()).contains("hunter2"));
    }
}
