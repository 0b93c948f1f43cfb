//! Rows of the histories of users: `active_days`, `reach_history` and `starts`.

use chrono::{DateTime, Utc};
use diesel::{
    Insertable,
    pg::Pg,
    sql_types::{BigInt, Date, Integer, Nullable},
    sqlite::Sqlite,
};
use rollcall_domain::{ActiveDay, ReachabilityChange, StartPayload, TelegramId, UnreachableReason};

use super::hour::stored_hour;
use crate::base::{
    error::Failure,
    schema::{active_days, reach_history, starts},
    statement::rows,
    timestamp::{Day, UtcMicros},
};

rows! {
    /// A past day of a user's activity, as a row to insert.
    #[derive(Insertable)]
    #[diesel(table_name = active_days, treat_none_as_default_value = false)]
    pub(crate) struct NewDay, NewDays {
        telegram_id: i64 as BigInt,
        day: Day as Date,
        interactions: i32 as Integer,
        first_hour: Option<i32> as Nullable<Integer>,
    }
}

impl NewDay {
    pub(crate) fn new(
        telegram_id: i64,
        ActiveDay { day, first_hour }: ActiveDay,
        interactions: i32,
    ) -> Self {
        let first_hour = stored_hour(day, first_hour);
        Self { telegram_id, day: day.into(), interactions, first_hour }
    }
}

/// A change of a user's reachability, as a row to insert.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = reach_history, treat_none_as_default_value = false)]
pub(crate) struct NewReachChange {
    telegram_id: i64,
    at: UtcMicros,
    change: &'static str,
}

impl NewReachChange {
    pub(crate) fn of(id: TelegramId, change: &ReachabilityChange) -> Self {
        Self { telegram_id: id.get(), at: change.at.into(), change: change.name() }
    }
}

/// A start by a deep link, as a row to insert.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = starts, treat_none_as_default_value = false)]
pub(crate) struct NewStart<'a> {
    telegram_id: i64,
    at: UtcMicros,
    payload: &'a str,
    label: Option<i32>,
}

impl<'a> NewStart<'a> {
    /// The start of a user, which counts under the label with this number.
    pub(crate) fn of(
        id: TelegramId,
        at: DateTime<Utc>,
        payload: &'a StartPayload,
        label: Option<i32>,
    ) -> Self {
        Self { telegram_id: id.get(), at: at.into(), payload: payload.as_str(), label }
    }
}

/// The change that a row of `reach_history` describes.
pub(crate) fn reach_change(
    id: i64,
    at: UtcMicros,
    change: &str,
) -> Result<ReachabilityChange, Failure> {
    match UnreachableReason::from_name(change) {
        None if change != ReachabilityChange::UNBLOCKED => Err(Failure::Corrupt {
            table: "reach_history",
            column: "change",
            key: format!("({id}, {})", at.to_text()),
            reason: "no change has this name".to_owned(),
        }),
        obstacle => Ok(ReachabilityChange { at: at.into(), obstacle }),
    }
}
