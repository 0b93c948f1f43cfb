//! All that is known of one user.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rollcall_domain::{
    CommandUse, ProfileChange, ProfileField, ReachabilityChange, StartPayload, TelegramId,
    UserDetail,
};

use super::notes;
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::FreeText,
        schema::{
            active_days, command_uses, profile_changes, reach_history, starts, telegram_users,
        },
        timestamp::UtcMicros,
    },
    labels::users::labels_of,
    row::{columns::UserRow, command_use::StoredDays, history::reach_change},
};

/// How many entries of each history are read.
const HISTORY: u32 = 100;

/// See [`DirectoryRepository::user`](rollcall_repository::DirectoryRepository::user).
pub(super) fn user(
    connection: &mut AnyConnection,
    id: TelegramId,
    since: NaiveDate,
    free_text: &FreeText,
) -> Result<Option<UserDetail>, Failure> {
    let row: Option<DetailRow> = telegram_users::table
        .find(id.get())
        .select(DetailRow::as_select())
        .first(connection)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let mut days = past_days(connection, id, since)?;
    if row.active_day >= since {
        days.push((row.active_day, count(row.day_interactions)));
    }
    Ok(Some(UserDetail {
        user: row.user.into_user()?,
        active_days: count(row.active_days),
        days,
        reach_history: reach_history(connection, id)?,
        starts: starts(connection, id)?,
        uses: uses(connection, id)?,
        profile_changes: profile_changes(connection, id)?,
        note: notes::read(connection, id, free_text)?,
        labels: labels_of(connection, &[id.get()])?.remove(&id).unwrap_or_default(),
    }))
}

/// The days of activity before the latest.
fn past_days(
    connection: &mut AnyConnection,
    id: TelegramId,
    since: NaiveDate,
) -> QueryResult<Vec<(NaiveDate, u32)>> {
    let rows: Vec<(NaiveDate, i32)> = active_days::table
        .filter(active_days::telegram_id.eq(id.get()))
        .filter(active_days::day.ge(since))
        .order(active_days::day)
        .select((active_days::day, active_days::interactions))
        .load(connection)?;
    Ok(rows.into_iter().map(|(day, interactions)| (day, count(interactions))).collect())
}

/// When and why a user became unreachable, or reachable again; the latest first.
fn reach_history(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<Vec<ReachabilityChange>, Failure> {
    let rows: Vec<(UtcMicros, String)> = reach_history::table
        .select((reach_history::at, reach_history::change))
        .filter(reach_history::telegram_id.eq(id.get()))
        .order((reach_history::at.desc(), reach_history::change))
        .limit(HISTORY.into())
        .load(connection)?;
    rows.into_iter().map(|(at, change)| reach_change(id.get(), at, &change)).collect()
}

/// The deep links that a user opened, and when; the latest first.
fn starts(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<Vec<(DateTime<Utc>, StartPayload)>, Failure> {
    let rows: Vec<(UtcMicros, String)> = starts::table
        .select((starts::at, starts::payload))
        .filter(starts::telegram_id.eq(id.get()))
        .order((starts::at.desc(), starts::payload))
        .limit(HISTORY.into())
        .load(connection)?;
    rows.into_iter().map(|(at, payload)| start(id.get(), at, &payload)).collect()
}

/// The start that a row of `starts` describes.
fn start(id: i64, at: UtcMicros, payload: &str) -> Result<(DateTime<Utc>, StartPayload), Failure> {
    match payload.parse() {
        Ok(payload) => Ok((at.into(), payload)),
        Err(error) => Err(Failure::Corrupt {
            table: "starts",
            column: "payload",
            key: format!("({id}, {})", at.to_text()),
            reason: format!("{error}"),
        }),
    }
}

/// The commands and families of buttons that a user used; the latest first.
fn uses(connection: &mut AnyConnection, id: TelegramId) -> QueryResult<Vec<CommandUse>> {
    let rows: Vec<(String, StoredDays)> = command_uses::table
        .filter(command_uses::telegram_id.eq(id.get()))
        .order((command_uses::last_day.desc(), command_uses::command))
        .limit(HISTORY.into())
        .select((command_uses::command, StoredDays::as_select()))
        .load(connection)?;
    let of = |(command, days): (String, StoredDays)| CommandUse { command, days: days.into() };
    Ok(rows.into_iter().map(of).collect())
}

fn profile_changes(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<Vec<ProfileChange>, Failure> {
    let rows: Vec<ChangeRow> = profile_changes::table
        .filter(profile_changes::telegram_id.eq(id.get()))
        .order((profile_changes::at.desc(), profile_changes::field))
        .limit(HISTORY.into())
        .select(ChangeRow::as_select())
        .load(connection)?;
    let change = |ChangeRow { at, field, old_value, new_value }| {
        let field = ProfileField::from_name(&field).ok_or_else(|| Failure::Corrupt {
            table: "profile_changes",
            column: "field",
            key: format!("({id}, {})", at.to_text()),
            reason: "no part of a profile has this name".to_owned(),
        })?;
        Ok(ProfileChange { at: at.into(), field, old: old_value, new: new_value })
    };
    rows.into_iter().map(change).collect()
}

/// The row of a user, with its days of activity.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
struct DetailRow {
    #[diesel(embed)]
    user: UserRow,
    active_days: i32,
    active_day: NaiveDate,
    day_interactions: i32,
}

/// A change of a user's profile.
#[derive(Queryable, Selectable)]
#[diesel(table_name = profile_changes)]
struct ChangeRow {
    at: UtcMicros,
    field: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

/// A stored count, which is never negative.
fn count(number: i32) -> u32 {
    number.try_into().unwrap_or_default()
}
