//! Which part of a list has not been searched yet, where a page ended before it was full.

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Cursor, SortKey, UserSort, day_of};

use crate::page::text::grouped;

/// The users beyond a place, in words. Days of joining are those of a time zone.
pub(super) fn beyond(place: Cursor, sort: UserSort, zone: Tz) -> String {
    let grows = sort.descending == place.backwards;
    match place.key {
        SortKey::FirstSeen => {
            let at = DateTime::from_timestamp_micros(place.value).unwrap_or_default();
            format!("users first seen {}", bound(day_of(zone, at), grows))
        }
        SortKey::LastSeen => {
            let days = TimeDelta::try_days(place.value).unwrap_or_default();
            let day = NaiveDate::default().checked_add_signed(days).unwrap_or_default();
            format!("users last seen {}", bound(day, grows))
        }
        SortKey::ActiveDays => {
            let days = grouped(u64::try_from(place.value).unwrap_or_default());
            format!("users with {days} active days or {}", if grows { "more" } else { "fewer" })
        }
        SortKey::Id => {
            format!("users with ids {} {}", if grows { "from" } else { "up to" }, place.telegram_id)
        }
    }
}

fn bound(day: NaiveDate, grows: bool) -> String {
    format!("on {day} or {}", if grows { "later" } else { "earlier" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_list_is_named_by_its_order() {
        let beyond = |sort: &str, value: i64, backwards: bool| {
            let sort = UserSort::from_name(sort).unwrap();
            let place = Cursor { key: sort.key, backwards, value, telegram_id: 7 };
            super::beyond(place, sort, Tz::Asia__Tokyo)
        };
        let evening = DateTime::parse_from_rfc3339("2026-02-03T20:00:00Z").unwrap();
        let evening = evening.timestamp_micros();
        for (sort, value, backwards, words) in [
            ("-first_seen", evening, false, "users first seen on 2026-02-04 or earlier"),
            ("-first_seen", evening, true, "users first seen on 2026-02-04 or later"),
            ("first_seen", evening, false, "users first seen on 2026-02-04 or later"),
            ("-last_seen", 20_000, false, "users last seen on 2024-10-04 or earlier"),
            ("active_days", 1_000, false, "users with 1,000 active days or more"),
            ("-active_days", 3, false, "users with 3 active days or fewer"),
            ("-id", 7, false, "users with ids up to 7"),
            ("id", 7, false, "users with ids from 7"),
            ("last_seen", i64::MAX, false, "users last seen on 1970-01-01 or later"),
        ] {
            assert_eq!(beyond(sort, value, backwards), words, "{sort}");
        }
    }
}
