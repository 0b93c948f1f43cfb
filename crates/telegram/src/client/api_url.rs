use std::{fmt, net::SocketAddr, str::FromStr};

use reqwest::Url;

use super::token::BotToken;

/// The address of the Bot API: the setting `TELEGRAM_API_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(Url);

impl ApiUrl {
    /// Whether it is Telegram's own server, which is stricter with bots than others are.
    pub fn is_telegrams(&self) -> bool {
        self.0.host_str() == Some("api.telegram.org")
    }

    /// Whether it is the server that listens on this address, on this machine.
    pub fn is_at(&self, address: SocketAddr) -> bool {
        let is_here = address.ip().is_loopback() || address.ip().is_unspecified();
        is_here && self.is_loopback() && self.0.port_or_known_default() == Some(address.port())
    }

    /// Whether requests are encrypted on their way to the server.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The address of one method: `<url>/bot<token>/<method>`. Secret, because it contains the token.
    pub(crate) fn method(&self, token: &BotToken, method: &str) -> String {
        format!("{self}/bot{}/{method}", token.secret())
    }
}

/// Whether the host of a URL is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    // An IPv6 address is in brackets.
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Marks of a token in a path, or of a placeholder such as `<token>`, `{token}` or `$TOKEN`. Lower case,
/// as URLs encode them.
const TOKEN_MARKS: [&str; 5] = [":", "%3a", "%3c", "%7b", "$"];

impl FromStr for ApiUrl {
    type Err = InvalidApiUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidApiUrl::Form)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(InvalidApiUrl::Form);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidApiUrl::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidApiUrl::Parameters);
        }
        let path = url.path().trim_end_matches('/').to_ascii_lowercase();
        if TOKEN_MARKS.iter().any(|mark| path.contains(mark)) {
            return Err(InvalidApiUrl::Token);
        }
        if path.ends_with("/bot") {
            return Err(InvalidApiUrl::Bot);
        }
        let url = Self(url);
        if url.is_telegrams() && !path.is_empty() {
            return Err(InvalidApiUrl::Path);
        }
        Ok(url)
    }
}

/// Without a trailing slash.
impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Why a text is not the address of a Bot API server. Does not show the text, which may contain a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApiUrl {
    /// Not an http or https URL.
    #[error("it is not the address of a Bot API server; {EXPECTED}")]
    Form,
    /// A user name or password before the host.
    #[error("a user name or password is not supported here; {EXPECTED}")]
    Credentials,
    /// A query or fragment.
    #[error("a query or fragment (what follows ? or #) is not supported; {EXPECTED}")]
    Parameters,
    /// It ends in `/bot`.
    #[error("it ends in /bot, which Rollcall adds itself; {EXPECTED}")]
    Bot,
    /// It contains a token or a placeholder for one.
    #[error(
        "it contains a bot token, or a placeholder for one; Rollcall adds the token itself; {EXPECTED}"
    )]
    Token,
    /// A path on Telegram's own server.
    #[error("Telegram's own server has nothing at that path; {EXPECTED}")]
    Path,
}

const EXPECTED: &str = "expected a URL such as https://api.telegram.org";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegrams_own_server_is_recognised_by_its_name() {
        let is_telegrams = |url: &str| url.parse::<ApiUrl>().unwrap().is_telegrams();
        assert!(
            is_telegrams("https://api.telegram.org") && is_telegrams("HTTP://API.Telegram.org/")
        );
        assert!(!is_telegrams("http://localhost:8081/api.telegram.org"));
    }

    #[test]
    fn loopback_hosts_are_recognised() {
        let is_loopback = |url: &str| url.parse::<ApiUrl>().unwrap().is_loopback();
        for own in ["http://localhost", "http://127.0.0.1:8081", "http://[::1]", "http://127.9"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["http://10.0.0.1", "http://localhost.example.org", "http://[fd00::1]"] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn the_address_of_a_method_contains_the_token() {
        let token = "1:x".parse().unwrap();
        let method = |url: &str| url.parse::<ApiUrl>().unwrap().method(&token, "getMe");
        assert_eq!(
            method("http://localhost:8081/prefix/"),
            "http://localhost:8081/prefix/bot1:x/getMe"
        );
        assert_eq!(method("HTTPS://Api.Telegram.org:443"), "https://api.telegram.org/bot1:x/getMe");
        assert_eq!(method("http://[::1]:8081/robots/"), "http://[::1]:8081/robots/bot1:x/getMe");
    }

    #[test]
    fn unsupported_parts_are_refused_by_name() {
        use InvalidApiUrl::{Bot, Credentials, Form, Parameters, Path, Token};
        for (text, expected) in [
            ("", Form),
            ("api.telegram.org", Form),
            ("localhost:8081", Form),
            ("ftp://x", Form),
            ("https://", Form),
            ("socks5://127.0.0.1:1080", Form),
            ("https://x/?y", Parameters),
            ("https://x/#y", Parameters),
            ("https://ada@x", Credentials),
            ("https://123:hunter2@api.telegram.org", Credentials),
            ("https://api.telegram.org/bot", Bot),
            ("https://api.telegram.org/bot/", Bot),
            ("http://localhost:8081/Bot", Bot),
            ("http://localhost:8081/prefix/bot//", Bot),
            ("https://api.telegram.org/file/bot", Bot),
            ("https://api.telegram.org/bot123:hunter2", Token),
            ("https://api.telegram.org/bot123:hunter2/getMe", Token),
            ("http://localhost:8081/bot123%3Ahunter2/", Token),
            ("http://localhost:8081/123:hunter2", Token),
            ("http://localhost:8081/123%3ahunter2/", Token),
            ("https://api.telegram.org/bot<token>/METHOD_NAME", Token),
            ("https://api.telegram.org/bot{token}/{method}", Token),
            ("https://api.telegram.org/bot$TELEGRAM_BOT_TOKEN", Token),
            ("https://api.telegram.org/v1", Path),
        ] {
            let error = text.parse::<ApiUrl>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
