use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use sha2::Sha256;

/// Where events are delivered: the setting `EVENTS_URL`.
///
/// Its path, query or password may be private, so `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct EventsUrl(Url);

impl EventsUrl {
    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl FromStr for EventsUrl {
    type Err = InvalidEventsUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidEventsUrl)?;
        let is_http = matches!(url.scheme(), "http" | "https");
        if is_http && url.has_host() && url.fragment().is_none() {
            Ok(Self(url))
        } else {
            Err(InvalidEventsUrl)
        }
    }
}

impl fmt::Debug for EventsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventsUrl(…)")
    }
}

/// The text is no address for events. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a web address; expected a URL such as https://example.org/events")]
pub struct InvalidEventsUrl;

/// The secret with which events are signed: the setting `EVENTS_SECRET`.
///
/// A secret: `Debug` does not show it.
#[derive(Clone)]
pub struct EventsSecret(Hmac<Sha256>);

const PREFIX: &str = "whsec_";
/// How many bytes a secret has (Standard Webhooks, "Signature scheme").
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

impl EventsSecret {
    /// The value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl FromStr for EventsSecret {
    type Err = InvalidEventsSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidEventsSecret)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidEventsSecret)?;
        if !LENGTH.contains(&key.len()) {
            return Err(InvalidEventsSecret);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| InvalidEventsSecret)
    }
}

impl fmt::Debug for EventsSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventsSecret(…)")
    }
}

/// The text is no secret for events. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a secret for events; expected whsec_ and 24 to 64 random bytes in base64, such as the \
     output of: echo whsec_$(openssl rand -base64 32)"
)]
pub struct InvalidEventsSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // Made with Python's hmac and base64.
        let secret: EventsSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn settings_are_checked_and_not_shown() {
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        for wrong in ["", "hunter2", "whsec_", "whsec_!", "whsec_aHVudGVyMg==", &short] {
            assert_eq!(wrong.parse::<EventsSecret>().err(), Some(InvalidEventsSecret), "{wrong}");
        }
        assert!("https://u:hunter2@example.org/x?y=1".parse::<EventsUrl>().is_ok());
        for wrong in ["", "example.org", "ftp://example.org", "http://", "http://h/#x"] {
            assert_eq!(wrong.parse::<EventsUrl>(), Err(InvalidEventsUrl), "{wrong}");
        }
        let url: EventsUrl = "https://u:hunter2@example.org/x".parse().unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
    }
}
