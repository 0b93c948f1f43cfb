//! Who can be reached, and the histories of users.

use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{Obstacle, ReachChange, StartPayload, TelegramId};

use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{reach_history, starts, telegram_users},
    timestamp::UtcMicros,
};

/// What `reach_history` holds for the way being free again.
const UNBLOCKED: &str = "unblocked";

/// A change of a user's reach, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = reach_history)]
pub(crate) struct ReachRow {
    telegram_id: i64,
    at: UtcMicros,
    change: &'static str,
}

pub(crate) fn reach_row(id: TelegramId, change: ReachChange) -> ReachRow {
    ReachRow {
        telegram_id: id.get(),
        at: change.at.into(),
        change: change.obstacle.map_or(UNBLOCKED, Obstacle::name),
    }
}

/// See [`UserRepository::mark_unreachable`](rollcall_repository::UserRepository::mark_unreachable).
pub(crate) fn mark_unreachable(
    connection: &mut AnyConnection,
    id: TelegramId,
    obstacle: Obstacle,
    at: DateTime<Utc>,
) -> Result<bool, Failure> {
    Ok(connection.transaction(|connection| {
        let reachable = telegram_users::table
            .find(id.get())
            .filter(
                telegram_users::obstacle.is_null().or(telegram_users::obstacle.ne(obstacle.name())),
            )
            .filter(telegram_users::last_seen.le(UtcMicros::from(at)));
        let marked = diesel::update(reachable)
            .set((
                telegram_users::obstacle.eq(obstacle.name()),
                telegram_users::blocked_at.eq(UtcMicros::from(at)),
            ))
            .execute(connection)?;
        if marked > 0 {
            let row = reach_row(id, ReachChange { at, obstacle: Some(obstacle) });
            diesel::insert_into(reach_history::table).values(row).execute(connection)?;
        }
        QueryResult::Ok(marked > 0)
    })?)
}

/// See [`UserRepository::reach_history`](rollcall_repository::UserRepository::reach_history).
pub(crate) fn history(
    connection: &mut AnyConnection,
    id: TelegramId,
    limit: u32,
) -> Result<Vec<ReachChange>, Failure> {
    let rows: Vec<(UtcMicros, String)> = reach_history::table
        .select((reach_history::at, reach_history::change))
        .filter(reach_history::telegram_id.eq(id.get()))
        .order((reach_history::at.desc(), reach_history::change))
        .limit(limit.into())
        .load(connection)?;
    let change = |(at, change): (UtcMicros, String)| {
        let obstacle = match Obstacle::from_name(&change) {
            None if change != UNBLOCKED => {
                return Err(Failure::Corrupt {
                    table: "reach_history",
                    column: "change",
                    key: format!("({id}, {})", at.to_text()),
                    reason: "no change has this name".to_owned(),
                });
            }
            obstacle => obstacle,
        };
        Ok(ReachChange { at: at.into(), obstacle })
    };
    rows.into_iter().map(change).collect()
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
    let start = |(at, payload): (UtcMicros, String)| match payload.parse() {
        Ok(payload) => Ok((at.into(), payload)),
        Err(error) => Err(Failure::Corrupt {
            table: "starts",
            column: "payload",
            key: format!("({id}, {})", at.to_text()),
            reason: format!("{error}"),
        }),
    };
    rows.into_iter().map(start).collect()
}
