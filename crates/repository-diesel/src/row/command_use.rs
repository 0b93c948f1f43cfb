//! Rows of `command_uses`.

use chrono::NaiveDate;
use diesel::prelude::*;
use rollcall_domain::{CommandUse, DaysOfUse, TelegramId};

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

/// A row to insert.
#[derive(Insertable)]
#[diesel(table_name = command_uses, treat_none_as_default_value = false)]
pub(crate) struct NewUse<'a> {
    telegram_id: i64,
    command: &'a str,
    first_day: NaiveDate,
    last_day: NaiveDate,
    days: i32,
    recent_days: i64,
}

impl<'a> NewUse<'a> {
    pub(crate) fn of(id: TelegramId, CommandUse { command, days }: &'a CommandUse) -> Self {
        Self {
            telegram_id: id.get(),
            command,
            first_day: days.first,
            last_day: days.last,
            days: i32::try_from(days.number).unwrap_or(i32::MAX),
            recent_days: days.recent.cast_signed(),
        }
    }
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
