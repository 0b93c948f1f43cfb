//! The header `Retry-After`.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The delay in a `Retry-After` header at `now` (RFC 9110, 10.2.3): seconds, or until a date.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    (until.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_given_in_seconds_or_by_a_date() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let seconds = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Mon, 23 Nov 2026 12:00:30 GMT"), Some(30));
        for odd in ["", "soon", "-1", "Mon, 23 Nov 2026 11:00:00 GMT"] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}
