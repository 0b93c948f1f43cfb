//! The setting `PUBLIC_URL`.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use axum::http::Uri;

/// The address for browsers: an origin as they send it, and the prefix of all paths. Displayed as
/// both, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    prefix: String,
}

impl PublicUrl {
    /// The origin, such as `https://bot.example.org` (RFC 6454: without the scheme's own port).
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers come by https.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// What every path begins with, such as `/rollcall`; "" where that is nothing.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = read_public_url(text).ok_or(
            "it is not an address that browsers can open; expected a URL such as \
             https://bot.example.org or https://example.org/rollcall",
        )?;
        if url.prefix.ends_with("/admin") {
            return Err("it ends in /admin, which is added automatically; expected a URL such as \
                        https://bot.example.org or https://example.org/rollcall");
        }
        Ok(url)
    }
}

impl Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

fn read_public_url(text: &str) -> Option<PublicUrl> {
    let uri: Uri = text.parse().ok().filter(|_| !text.contains(['?', '#', '@']))?;
    let own_port = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let mut origin = format!("{}://{host}", uri.scheme_str()?);
    match uri.authority()?.as_str().get(host.len()..)? {
        "" => {}
        // A port that is none is not read as one.
        _ => match uri.port_u16()? {
            port if port == own_port => {}
            port => origin.push_str(&format!(":{port}")),
        },
    }
    let prefix = uri.path().trim_end_matches('/');
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    };
    let is_fine = prefix.is_empty() || prefix.split('/').skip(1).all(is_plain);
    is_fine.then(|| PublicUrl { origin, prefix: prefix.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_and_what_paths_begin_with() {
        for (url, origin, prefix) in [
            ("https://bot.example.org", "https://bot.example.org", ""),
            ("https://Bot.Example.org:443/", "https://bot.example.org", ""),
            ("http://[::1]:8080/roll-call/x/", "http://[::1]:8080", "/roll-call/x"),
        ] {
            let read: PublicUrl = url.parse().unwrap();
            assert_eq!((read.origin(), read.prefix()), (origin, prefix));
        }
        for url in [
            "bot.example.org",
            "ftp://example.org",
            "https://",
            "https://user@example.org",
            "https://example.org:x",
            "https://example.org/?a",
            "https://example.org/#a",
            "https://example.org//a",
            "https://example.org/../a",
            "https://example.org/{a}",
        ] {
            let message = "it is not an address that browsers can open; expected a URL such as https://bot.example.org or https://example.org/rollcall";
            assert_eq!(url.parse::<PublicUrl>(), Err(message), "{url}");
        }
    }

    #[test]
    fn what_is_added_by_itself_does_not_belong_into_it() {
        for url in ["https://bot.example.org/admin", "https://example.org/rollcall/admin/"] {
            let error = url.parse::<PublicUrl>().unwrap_err();
            assert!(
                error.starts_with("it ends in /admin, which is added automatically;"),
                "{error}"
            );
        }
        assert!("https://example.org/administration".parse::<PublicUrl>().is_ok());
    }
}
