//! Orders of users, and moments and days, as SQL.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Cursor, SortKey, UserSort};

use super::sql::Sql;
use crate::base::timestamp::{UtcMicros, storable};

/// The column of an order.
fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::FirstSeen => "created_at",
        SortKey::LastSeen => "active_day",
        SortKey::ActiveDays => "active_days",
        SortKey::Id => "telegram_id",
    }
}

/// An order of users as SQL.
pub(super) fn order(sort: UserSort) -> String {
    let way = if sort.descending { "DESC" } else { "ASC" };
    match sort.key {
        SortKey::Id => format!("telegram_id {way}"),
        key => format!("{} {way}, telegram_id {way}", column(key)),
    }
}

/// The condition that a user comes after a place in an order.
pub(super) fn after(sort: UserSort, place: Cursor) -> Sql {
    let sign = if sort.descending { "<" } else { ">" };
    let Cursor { value, telegram_id, .. } = place;
    let value = match sort.key {
        SortKey::Id => return Sql::new(format!("telegram_id {sign} {telegram_id}")),
        SortKey::ActiveDays => value.to_string(),
        SortKey::FirstSeen => time(DateTime::from_timestamp_micros(value).unwrap_or_default()),
        SortKey::LastSeen => format!("'{}'", storable(day(value))),
    };
    Sql::new(format!("({}, telegram_id) {sign} ({value}, {telegram_id})", column(sort.key)))
}

/// The day that is this many days after 1970-01-01.
fn day(number: i64) -> NaiveDate {
    let time = number.checked_mul(86_400).and_then(|it| DateTime::from_timestamp(it, 0));
    time.unwrap_or_default().date_naive()
}

/// The number of a day; see [`day`].
pub(super) fn day_number(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

/// A moment as a literal; the first or the last that can be stored, if it is outside of those.
pub(super) fn time(at: DateTime<Utc>) -> String {
    let day = storable(at.date_naive());
    let at = if day == at.date_naive() { at } else { day.and_time(at.time()).and_utc() };
    format!("'{}'", UtcMicros::from(at).to_text())
}
