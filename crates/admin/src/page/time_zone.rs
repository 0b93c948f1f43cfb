//! The time zone of the pages in browsers without scripts. A script uses the browser's own zone.

use axum::http::HeaderMap;
use chrono::{FixedOffset, Offset, Utc};

use crate::{Settings, request::cookie};

/// Inhabited zones between the whole hours, in minutes east of UTC.
const BETWEEN_HOURS: [i32; 12] = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765];
const HOURS: std::ops::RangeInclusive<i32> = -12..=14;

/// The zone in the cookie, or UTC.
pub(crate) fn of(settings: &Settings, headers: &HeaderMap) -> FixedOffset {
    let offset = cookie::read(settings, cookie::ZONE, headers).and_then(|it| it.parse().ok());
    let offset = offset.filter(|offset| offsets().contains(offset)).unwrap_or(0);
    zone(offset)
}

/// The zones to choose from: minutes east of UTC, and the name.
pub(crate) fn choices() -> Vec<(i32, String)> {
    offsets().into_iter().map(|offset| (offset, name(zone(offset)))).collect()
}

/// The name of a zone, such as UTC+05:30.
pub(crate) fn name(zone: FixedOffset) -> String {
    match zone.local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => format!("UTC{zone}"),
    }
}

fn zone(minutes: i32) -> FixedOffset {
    FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix())
}

pub(crate) fn offsets() -> Vec<i32> {
    let mut offsets: Vec<i32> = HOURS.map(|hours| hours * 60).chain(BETWEEN_HOURS).collect();
    offsets.sort_unstable();
    offsets
}
