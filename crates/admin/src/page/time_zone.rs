//! The time zone of the viewer. A script in the pages sends the name of the browser's own; without
//! scripts it is chosen by its distance from UTC.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::{App, Settings, request::cookie};

/// Inhabited zones between the whole hours, in minutes east of UTC.
const BETWEEN_HOURS: [(i32, Tz); 12] = [
    (-570, Tz::Pacific__Marquesas),
    (-210, Tz::America__St_Johns),
    (-150, Tz::America__St_Johns),
    (210, Tz::Asia__Tehran),
    (270, Tz::Asia__Kabul),
    (330, Tz::Asia__Kolkata),
    (345, Tz::Asia__Kathmandu),
    (390, Tz::Asia__Yangon),
    (525, Tz::Australia__Eucla),
    (570, Tz::Australia__Darwin),
    (630, Tz::Australia__Adelaide),
    (765, Tz::Pacific__Chatham),
];
const HOURS: std::ops::RangeInclusive<i32> = -12..=14;

/// The zone whose days filters mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewerZone(pub(crate) Tz);

impl FromRequestParts<App> for ViewerZone {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(of(&app.settings, &parts.headers))
    }
}

/// The zone in the cookie, or UTC.
pub(crate) fn of(settings: &Settings, headers: &HeaderMap) -> ViewerZone {
    let kept = cookie::read(settings, cookie::ZONE, headers);
    ViewerZone(kept.and_then(|kept| read(&kept)).unwrap_or(Tz::UTC))
}

/// A zone by its name, or by the minutes that it is east of UTC.
pub(crate) fn read(text: &str) -> Option<Tz> {
    match text.parse::<i32>() {
        Ok(minutes) => zones().into_iter().find(|(it, _)| *it == minutes).map(|(_, zone)| zone),
        Err(_) => TZ_VARIANTS.into_iter().find(|zone| zone.name() == text),
    }
}

/// The zones to choose from: minutes east of UTC, and the name.
pub(crate) fn choices() -> Vec<(i32, String)> {
    let name = |minutes: i32| {
        let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
        (minutes, offset_name(offset))
    };
    zones().into_iter().map(|(minutes, _)| name(minutes)).collect()
}

/// How far a zone is from UTC at a moment, such as UTC+05:30.
pub(crate) fn distance(zone: Tz, at: DateTime<Utc>) -> String {
    offset_name(zone.offset_from_utc_datetime(&at.naive_utc()).fix())
}

/// The name of a zone. Those that have only a distance from UTC in their name, with the opposite sign,
/// are named as people write it.
pub(crate) fn name(zone: Tz) -> String {
    match zone.name().strip_prefix("Etc/GMT") {
        Some(_) => distance(zone, DateTime::UNIX_EPOCH),
        None => zone.name().to_owned(),
    }
}

fn offset_name(offset: FixedOffset) -> String {
    match offset.local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => format!("UTC{offset}"),
    }
}

/// Minutes east of UTC, and a zone that is so far from it.
fn zones() -> Vec<(i32, Tz)> {
    let whole = |hours: i32| {
        // The signs in these names are those of POSIX: west is positive.
        let zone = match hours {
            0 => Some(Tz::UTC),
            hours => format!("Etc/GMT{:+}", -hours).parse().ok(),
        };
        Some((hours * 60, zone?))
    };
    let mut zones: Vec<_> = HOURS.filter_map(whole).chain(BETWEEN_HOURS).collect();
    zones.sort_unstable_by_key(|(minutes, _)| *minutes);
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_as_far_from_utc_as_they_say() {
        let at = ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"];
        let at = at.map(|at| at.parse::<DateTime<Utc>>().unwrap());
        for ((minutes, zone), (choice, name)) in zones().into_iter().zip(choices()) {
            assert_eq!(minutes, choice);
            let is_so_far = at.iter().any(|at| distance(zone, *at) == name);
            assert!(is_so_far, "{zone}: {name}");
        }
        assert_eq!(zones().len(), 39);
    }

    #[test]
    fn a_zone_is_read_by_its_name_or_minutes() {
        assert_eq!(read("Europe/Berlin"), Some(Tz::Europe__Berlin));
        assert_eq!(read("330"), Some(Tz::Asia__Kolkata));
        assert_eq!(read("-300").map(name).as_deref(), Some("UTC-05:00"));
        assert_eq!(read("Europe/Berlin").map(name).as_deref(), Some("Europe/Berlin"));
        for odd in ["", "1", "europe/berlin", "99999999999", "<b>"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
