//! `/.well-known/security.txt`: where to report a fault (RFC 9116).

use std::{fmt, str::FromStr};

use axum::{Router, http::header, routing::get};
use chrono::{SecondsFormat, TimeDelta};
use rollcall_domain::{Clock, SystemClock};

/// Its path.
pub(crate) const SECURITY_TXT: &str = "/.well-known/security.txt";
/// How long what it says may be believed (RFC 9116 recommends less than a year).
const GOOD_FOR: TimeDelta = TimeDelta::days(180);

/// Where faults are reported: the setting `SECURITY_CONTACT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityContact(String);

impl FromStr for SecurityContact {
    type Err = InvalidSecurityContact;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_known = ["https://", "mailto:", "tel:"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_known && is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidSecurityContact) }
    }
}

impl fmt::Display for SecurityContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a contact; expected a URI such as mailto:security@example.org or https://example.org/security"
)]
pub struct InvalidSecurityContact;

/// Serves the file; nothing without a contact.
pub(crate) fn security_txt(contact: Option<&SecurityContact>) -> Router {
    let Some(contact) = contact.cloned() else { return Router::new() };
    let file = async move || {
        let expires = (SystemClock.now() + GOOD_FOR).to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("Contact: {contact}\nExpires: {expires}\n");
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
    };
    Router::new().route(SECURITY_TXT, get(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_uri() {
        for good in ["mailto:a@example.org", "https://example.org/security", "tel:+49-30-1234"] {
            assert_eq!(good.parse::<SecurityContact>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "a@example.org",
            "mailto:",
            "http://example.org",
            "https://a b",
            "mailto:a\nExpires: x",
        ] {
            assert_eq!(bad.parse::<SecurityContact>(), Err(InvalidSecurityContact), "{bad}");
        }
    }
}
