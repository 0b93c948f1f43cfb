//! The facts about users that the figures are counted from.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rollcall_domain::{ActiveDay, Facts, Origin, ReachabilityChange, SourceLabel, Sums};

use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{active_days, reach_history, starts, telegram_users},
        timestamp::UtcMicros,
    },
    row::{history::reach_change, hour::active_day, user::label_of},
};

/// The columns of a user that count in the figures.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
pub(crate) struct CountedUser {
    pub(crate) telegram_id: i64,
    created_at: UtcMicros,
    active_day: NaiveDate,
    first_hour: Option<i32>,
    source: Option<String>,
    source_label: Option<i32>,
    language_code: Option<String>,
    has_private_chat: bool,
    obstacle: Option<String>,
}

/// A row of `reach_history`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reach_history)]
pub(crate) struct ReachRow {
    pub(crate) telegram_id: i64,
    at: UtcMicros,
    change: String,
}

impl ReachRow {
    pub(crate) fn into_change(self) -> Result<ReachabilityChange, Failure> {
        reach_change(self.telegram_id, self.at, &self.change)
    }
}

/// A row of `starts`, with the label that it counts under.
#[derive(Queryable, Selectable)]
#[diesel(table_name = starts)]
pub(crate) struct StartRow {
    pub(crate) telegram_id: i64,
    at: UtcMicros,
    label: Option<i32>,
}

impl StartRow {
    pub(crate) fn counted(&self) -> (DateTime<Utc>, SourceLabel) {
        (self.at.into(), label_of(self.label))
    }
}

/// The facts of other tables about one user, each sorted by time.
#[derive(Default)]
pub(crate) struct Past {
    /// The days of activity before the latest.
    pub(crate) days: Vec<ActiveDay>,
    pub(crate) reach_changes: Vec<ReachabilityChange>,
    pub(crate) starts: Vec<(DateTime<Utc>, SourceLabel)>,
}

/// Adds what a user counts in each figure that is counted from users.
pub(crate) fn add_user(user: &CountedUser, mut past: Past, sums: &mut Sums) {
    past.days.push(active_day(user.active_day, user.first_hour));
    let facts = Facts {
        origin: Origin::new(
            user.created_at.into(),
            user.source.as_ref().map(|_| label_of(user.source_label)),
        ),
        language_code: user.language_code.as_deref(),
        is_reachable: user.has_private_chat && user.obstacle.is_none(),
        days: &past.days,
        reach_changes: &past.reach_changes,
        starts: &past.starts,
    };
    facts.add_to(sums);
}

/// Adds what one user counts.
pub(crate) fn add_user_with_id(
    connection: &mut AnyConnection,
    id: i64,
    sums: &mut Sums,
) -> Result<(), Failure> {
    let user: CountedUser =
        telegram_users::table.find(id).select(CountedUser::as_select()).first(connection)?;
    let changes: Vec<ReachRow> = reach_history::table
        .filter(reach_history::telegram_id.eq(id))
        .select(ReachRow::as_select())
        .load(connection)?;
    let started: Vec<StartRow> = starts::table
        .filter(starts::telegram_id.eq(id))
        .select(StartRow::as_select())
        .load(connection)?;
    let days: Vec<(NaiveDate, Option<i32>)> = active_days::table
        .filter(active_days::telegram_id.eq(id))
        .order(active_days::day)
        .select((active_days::day, active_days::first_hour))
        .load(connection)?;
    let past = Past {
        days: days.into_iter().map(|(day, hour)| active_day(day, hour)).collect(),
        reach_changes: changes.into_iter().map(ReachRow::into_change).collect::<Result<_, _>>()?,
        starts: started.iter().map(StartRow::counted).collect(),
    };
    add_user(&user, past, sums);
    Ok(())
}
