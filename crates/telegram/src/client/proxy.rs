use std::{fmt, str::FromStr};

use reqwest::{Proxy, Url};

use super::api_url::is_loopback;

/// The default port of SOCKS proxies (RFC 1928).
const SOCKS_PORT: u16 = 1080;
/// The maximum length of a SOCKS proxy's user name and password together: the client's buffer.
const LONGEST_SOCKS_CREDENTIALS: usize = 160;

/// A proxy on the way to a server: `http://`, `https://`, `socks5://` or `socks5h://`, with user
/// name and password if it asks for them. With `socks5h` the proxy looks up the server's name, with
/// `socks5` this machine does.
///
/// A secret: `Debug` and `Display` show scheme, host and port only.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// The whole URL, user name and password included: a secret.
    pub fn with_credentials(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the proxy is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The proxy in reqwest's form, for every request.
    pub(crate) fn to_proxy(&self) -> reqwest::Result<Proxy> {
        Proxy::all(self.0.clone())
    }
}

impl FromStr for ProxyUrl {
    type Err = InvalidProxyUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, _) = text.split_once("://").ok_or(InvalidProxyUrl::Form)?;
        // The error shows the scheme, so it must not be part of a secret.
        if scheme.len() > 16 || !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(InvalidProxyUrl::Form);
        }
        let mut url = Url::parse(text).map_err(|_| InvalidProxyUrl::Form)?;
        let is_socks = match url.scheme() {
            "http" | "https" => false,
            "socks5" | "socks5h" => true,
            _ => return Err(InvalidProxyUrl::UnknownScheme(scheme.to_owned())),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidProxyUrl::Form)?;
        // The client ignores a proxy whose host it cannot read, and would connect directly.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        if !host.bytes().all(is_plain)
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(InvalidProxyUrl::Form);
        }
        let credentials = url.username().len() + url.password().unwrap_or_default().len();
        if is_socks && credentials > LONGEST_SOCKS_CREDENTIALS {
            return Err(InvalidProxyUrl::LongCredentials);
        }
        if is_socks && url.port().is_none() {
            url.set_port(Some(SOCKS_PORT)).map_err(|()| InvalidProxyUrl::Form)?;
        }
        Ok(Self(url))
    }
}

/// Without user name and password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        match self.0.port_or_known_default() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not the address of a proxy. Does not show the text, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxyUrl {
    /// Not the URL of a proxy.
    #[error("it is not the address of a proxy; {EXPECTED}")]
    Form,
    /// An unsupported kind of proxy.
    #[error("the scheme {0}:// is not supported; {EXPECTED}")]
    UnknownScheme(String),
    /// Longer than the client's buffer.
    #[error(
        "user name and password are too long for a SOCKS proxy; \
         expected up to {LONGEST_SOCKS_CREDENTIALS} characters together"
    )]
    LongCredentials,
}

const EXPECTED: &str = "expected http://, https://, socks5:// or socks5h:// with a host and a \
                        port, such as socks5h://127.0.0.1:1080 or http://user:password@host:3128";

#[cfg(test)]
mod tests {
    use hyper_util::client::proxy::matcher::Matcher;

    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_credentials() {
        for (text, shown) in [
            ("http://proxy.example.org", "http://proxy.example.org:80"),
            ("HTTP://Proxy.Example.org:3128/", "http://proxy.example.org:3128"),
            ("https://ada:hunter2@proxy.example.org", "https://proxy.example.org:443"),
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://ada:hun@ter2@[::1]:9050", "socks5h://[::1]:9050"),
            ("SOCKS5H://hunter2@tor", "socks5h://tor:1080"),
        ] {
            let proxy: ProxyUrl = text.parse().unwrap();
            assert_eq!(format!("{proxy} {proxy:?}"), format!("{shown} {shown}"));
        }
    }

    #[test]
    fn invalid_proxies_are_refused_and_not_shown() {
        let unknown = |scheme: &str| InvalidProxyUrl::UnknownScheme(scheme.to_owned());
        for (text, expected) in [
            ("socks4://h:1", unknown("socks4")),
            ("socks://h:1", unknown("socks")),
            ("ftp://ada:hunter2@h", unknown("ftp")),
            ("", InvalidProxyUrl::Form),
            ("127.0.0.1:1080", InvalidProxyUrl::Form),
            ("hunter2:hunter2@h://x", InvalidProxyUrl::Form),
            ("http://", InvalidProxyUrl::Form),
            ("socks5://", InvalidProxyUrl::Form),
            ("socks5:///path", InvalidProxyUrl::Form),
            ("http://h:port", InvalidProxyUrl::Form),
            ("http://h:99999", InvalidProxyUrl::Form),
            ("http://ada:hun/ter2@h", InvalidProxyUrl::Form),
            ("http://h/path", InvalidProxyUrl::Form),
            ("http://h/?query", InvalidProxyUrl::Form),
            ("socks5h://h#hunter2", InvalidProxyUrl::Form),
            ("socks5://прокси.рф", InvalidProxyUrl::Form),
            ("socks5://a b", InvalidProxyUrl::Form),
        ] {
            let error = text.parse::<ProxyUrl>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("ter2"), "{error}");
        }
        let long = format!("ada:{}", "x".repeat(LONGEST_SOCKS_CREDENTIALS));
        let parse = |scheme| format!("{scheme}://{long}@h").parse::<ProxyUrl>();
        assert_eq!(parse("socks5"), Err(InvalidProxyUrl::LongCredentials));
        assert!(parse("http").is_ok());
    }

    /// The client ignores a proxy that it cannot read, and connects directly.
    #[test]
    fn the_client_reads_every_proxy_that_is_accepted() {
        for scheme in ["http", "https", "socks5", "socks5h"] {
            for host in ["h", "a-b_c.example.org", "127.0.0.1", "[::1]"] {
                for byte in 0x20..0x7f_u8 {
                    let password = format!("hun{}ter2", char::from(byte));
                    let text = format!("{scheme}://ada:{password}@{host}:9");
                    let Ok(proxy) = text.parse::<ProxyUrl>() else {
                        assert!(b"/?#\\".contains(&byte), "{text}");
                        continue;
                    };
                    let read = Matcher::builder().all(proxy.with_credentials()).build();
                    let read = read.intercept(&"https://x".parse().unwrap()).expect(&text);
                    assert_eq!(read.uri().authority().unwrap().as_str(), format!("{host}:9"));
                    match read.raw_auth() {
                        Some(auth) => assert_eq!(auth, ("ada", password.as_str())),
                        None => assert!(read.basic_auth().is_some(), "{text}"),
                    }
                }
            }
        }
    }

    #[test]
    fn an_escaped_password_is_decoded() {
        let proxy: ProxyUrl = "socks5://ada:100%25%40%3A%2F@h".parse().unwrap();
        let read = Matcher::builder().all(proxy.with_credentials()).build();
        let read = read.intercept(&"https://x".parse().unwrap()).unwrap();
        assert_eq!(read.raw_auth(), Some(("ada", "100%@:/")));
    }
}
