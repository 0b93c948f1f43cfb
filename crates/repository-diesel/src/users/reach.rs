//! Which users can be reached, and their histories.

use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{
    ReachabilityChange, StartPayload, Sums, TelegramId, UnreachableReason, add_reachability_change,
};

use super::lock::lock;
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{reach_history, starts, telegram_users},
        timestamp::UtcMicros,
        transaction::Transaction,
    },
    registration::histories::add_reach_row,
    row::{
        columns::UserRow,
        history::{NewReachChange, reach_change},
        user::origin,
    },
    statistics::add::add_sums,
};

/// See [`UserRepository::mark_unreachable`](rollcall_repository::UserRepository::mark_unreachable).
pub(crate) fn mark_unreachable(
    connection: &mut AnyConnection,
    id: TelegramId,
    obstacle: UnreachableReason,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    connection.transaction(|connection| {
        if !lock(connection, id.get())? {
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
        let mut transaction = Transaction::from(connection);
        if add_reach_row(&mut transaction, NewReachChange::of(id, &change))? {
            add_reachability_change(&change, &mut sums);
        }
        if user.reachability.is_reachable() {
            origin(&user, source_label).add_reachable(-1, &mut sums);
        }
        add_sums(&mut transaction, &sums)?;
        Ok(true)
    })
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
