use std::time::Duration;

use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{Url, WebauthnError},
};

/// The host where passkeys work without https: the browser's own machine.
const LOCALHOST: &str = "localhost";
/// The name of this program in authenticators.
const NAME: &str = "Rollcall";

/// An origin where passkeys can be used. WebAuthn requires a host name, and https except on
/// `localhost` (WebAuthn Level 3, sections 5.1.3 and 13.4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeySite {
    origin: Url,
    host: String,
}

impl PasskeySite {
    /// The site of an origin in the form of browsers, such as `https://bot.example.org`; `None` if
    /// passkeys cannot be used there.
    pub fn new(origin: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        let host = url.domain()?.to_owned();
        let is_secure = match url.scheme() {
            "https" => true,
            "http" => host == LOCALHOST,
            _ => false,
        };
        let is_origin = url.origin().ascii_serialization() == origin;
        (is_secure && is_origin).then_some(Self { origin: url, host })
    }

    /// The origin, without the default port.
    pub fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// The host. A passkey is valid for all its ports.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn webauthn(&self, timeout: Duration) -> Result<Webauthn, WebauthnError> {
        let builder = WebauthnBuilder::new(&self.host, &self.origin)?;
        builder.rp_name(NAME).timeout(timeout).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_https_or_localhost() {
        for (origin, host) in [
            ("https://bot.example.org", "bot.example.org"),
            ("https://bot.example.org:8443", "bot.example.org"),
            ("http://localhost:8080", "localhost"),
            ("https://localhost", "localhost"),
            ("https://intranet", "intranet"),
        ] {
            let site = PasskeySite::new(origin).unwrap();
            assert_eq!((&*site.origin(), site.host()), (origin, host));
            assert!(site.webauthn(Duration::from_secs(1)).is_ok(), "{origin}");
        }
        for odd in [
            "",
            "null",
            "localhost",
            "http://bot.example.org",
            "http://localhost.example.org",
            "http://127.0.0.1:8080",
            "https://192.0.2.1",
            "https://[2001:db8::1]",
            "https://bot.example.org/admin",
            "https://user@bot.example.org",
            "ftp://localhost",
            "file:///etc/passwd",
        ] {
            assert_eq!(PasskeySite::new(odd), None, "{odd}");
        }
    }
}
