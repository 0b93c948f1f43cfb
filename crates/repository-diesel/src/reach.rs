//! Who can be reached, and the histories of users.

use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{
    ReachabilityChange, StartPayload, Sums, TelegramId, UnreachableReason, add_reachability_change,
};

use crate::{
    activity,
    connection::AnyConnection,
    error::Failure,
    registration::Statements,
    row::{UserRow, origin},
    schema::{reach_history, starts, telegram_users},
    timestamp::UtcMicros,
};

/// A change of a user's reach, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = reach_history, treat_none_as_default_value = false)]
pub(crate) struct ReachRow {
    telegram_id: i64,
    at: UtcMicros,
    change: &'static str,
}

pub(crate) fn reach_row(id: TelegramId, change: ReachabilityChange) -> ReachRow {
    ReachRow { telegram_id: id.get(), at: change.at.into(), change: change.name() }
}

/// See [`UserRepository::mark_unreachable`](rollcall_repository::UserRepository::mark_unreachable).
pub(crate) fn mark_unreachable(
    connection: &mut AnyConnection,
    id: TelegramId,
    obstacle: UnreachableReason,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    connection.transaction(|connection| {
        // Locked by this, whether it changes anything or not.
        let known = diesel::update(telegram_users::table.find(id.get()))
            .set(telegram_users::previous_seen.eq(telegram_users::previous_seen))
            .execute(connection)?;
        if known == 0 {
            return Ok(false);
        }
        let row: UserRow =
            telegram_users::table.find(id.get()).select(UserRow::as_select()).first(connection)?;
        let source_label = row.source_label;
        let user = row.into_user()?;
        if user.reachability.obstacle == Some(obstacle) || user.seen_for_certain(now) > at {
            return Ok(false);
        }
        diesel::update(telegram_users::table.find(id.get()))
            .set((
                telegram_users::obstacle.eq(obstacle.name()),
                telegram_users::blocked_at.eq(UtcMicros::from(at)),
            ))
            .execute(connection)?;
        let change = ReachabilityChange { at, obstacle: Some(obstacle) };
        let mut sums = Sums::default();
        if note_change(connection, id, change)? {
            add_reachability_change(&change, &mut sums);
        }
        if user.reachability.is_reachable() {
            origin(&user, source_label).add_reachable(-1, &mut sums);
        }
        activity::add_sums(connection, &sums)?;
        Ok(true)
    })
}

/// Adds a change to a user's history; answers whether it was not there yet.
fn note_change(
    connection: &mut AnyConnection,
    id: TelegramId,
    change: ReachabilityChange,
) -> QueryResult<bool> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.note_reach(id, change),
        AnyConnection::Postgres(connection) => connection.note_reach(id, change),
    }
}

/// See [`UserRepository::reach_history`](rollcall_repository::UserRepository::reach_history).
pub(crate) fn history(
    connection: &mut AnyConnection,
    id: TelegramId,
    limit: u32,
) -> Result<Vec<ReachabilityChange>, Failure> {
    let rows: Vec<(UtcMicros, String)> = reach_history::table
        .select((reach_history::at, reach_history::change))
        .filter(reach_history::telegram_id.eq(id.get()))
        .order((reach_history::at.desc(), reach_history::change))
        .limit(limit.into())
        .load(connection)?;
    rows.into_iter().map(|(at, change)| reach_change(id.get(), at, &change)).collect()
}

/// The change that a row of `reach_history` holds.
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

/// See [`UserRepository::starts`](rollcall_repository::UserRepository::starts).
pub(crate) fn starts(
    connection: &mut AnyConnection,
    id: TelegramId,
    limit: u32,
) -> Result<Vec<(DateTime<Utc>, StartPayload)>, Failure> {
    let rows: Vec<(UtcMicros, String)> = starts::table
        .select((starts::at, starts::payload))
        .filter(starts::telegram_id.eq(id.get()))
        .order((starts::at.desc(), starts::payload))
        .limit(limit.into())
        .load(connection)?;
    rows.into_iter().map(|(at, payload)| start(id.get(), at, &payload)).collect()
}

/// The start that a row of `starts` holds.
pub(crate) fn start(
    id: i64,
    at: UtcMicros,
    payload: &str,
) -> Result<(DateTime<Utc>, StartPayload), Failure> {
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
