use chrono::{Datelike, Days, NaiveDate};

/// The Monday of a day's week (ISO 8601).
pub fn week(day: NaiveDate) -> NaiveDate {
    let days = Days::new(day.weekday().num_days_from_monday().into());
    day.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}

/// The first day of a day's month.
pub fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The day `days` days after another.
pub(super) fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}
