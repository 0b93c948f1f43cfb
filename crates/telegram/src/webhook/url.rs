use std::{fmt, str::FromStr};

use reqwest::Url;

/// Where Telegram delivers updates: the setting `WEBHOOK_URL`.
///
/// Its path or query may be private, so neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// The path of the requests; at least `/`.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The port of the requests.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Whether the requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address, with its path.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidWebhookUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidWebhookUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url)) } else { Err(InvalidWebhookUrl) }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(…)")
    }
}

/// The text is not an address for updates. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an address for updates; expected a URL such as https://bot.example.org/webhook")]
pub struct InvalidWebhookUrl;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_path() {
        for (url, path) in [
            ("https://bot.example.org", "/"),
            ("https://bot.example.org/", "/"),
            ("http://127.0.0.1:8080/a/b/?c=d", "/a/b/"),
            ("https://bot.example.org:8443/{a} :b", "/%7Ba%7D%20:b"),
        ] {
            assert_eq!(url.parse::<WebhookUrl>().unwrap().path(), path);
        }
        for bad in [
            "",
            "bot.example.org/x",
            "/x",
            "ftp://h/x",
            "https://",
            "https://u:p@h/x",
            "https://h/#x",
        ] {
            assert_eq!(bad.parse::<WebhookUrl>(), Err(InvalidWebhookUrl), "{bad}");
        }
    }
}
