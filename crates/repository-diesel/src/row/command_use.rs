//! Rows of `command_uses`.

use chrono::NaiveDate;
use diesel::prelude::*;
use rollcall_domain::DaysOfUse;

use crate::base::schema::command_uses;

/// The days of a row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = command_uses)]
pub(crate) struct StoredDays {
    first_day: NaiveDate,
    last_day: NaiveDate,
    days: i32,
    recent_days: i64,
}

impl From<StoredDays> for DaysOfUse {
    fn from(StoredDays { first_day, last_day, days, recent_days }: StoredDays) -> Self {
        Self {
            first: first_day,
            last: last_day,
            number: u32::try_from(days).unwrap_or_default(),
            recent: recent_days.cast_unsigned(),
        }
    }
}
