//! Storing the recipients of a broadcast, part by part.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{BroadcastState, PauseReason, TelegramId};

use super::{outcome::in_state, row::find, sender::lock_as, state::set_state, sums::Changes};
use crate::base::{
    connection::AnyConnection, error::Failure, schema::broadcasts, statement::statement,
};

statement! {
    struct AddJson<'a> {
        broadcast: i64 as BigInt,
        ids: &'a str as Text,
    }
    Sqlite => "
        INSERT INTO broadcast_recipients (telegram_id, broadcast)
        SELECT telegram_id, :broadcast
        FROM json_each(:ids) CROSS JOIN telegram_users ON telegram_id = value
        WHERE true
        ON CONFLICT DO NOTHING",
}

statement! {
    struct AddArray<'a> {
        broadcast: i64 as BigInt,
        ids: &'a [i64] as Array<BigInt>,
    }
    Pg => "
        INSERT INTO broadcast_recipients (telegram_id, broadcast)
        SELECT telegram_id, :broadcast FROM telegram_users WHERE telegram_id = ANY (:ids)
        ON CONFLICT DO NOTHING",
}

/// See [`BroadcastRepository::begin_scheduled`](rollcall_repository::BroadcastRepository::begin_scheduled).
/// Runs in a transaction.
pub(super) fn begin_scheduled(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    at: DateTime<Utc>,
) -> Result<Option<bool>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let found = in_state(connection, broadcast, BroadcastState::Scheduled)?;
    let Some(mut known) = found.filter(|it| it.plan.starts_at.is_some_and(|start| start <= at))
    else {
        return Ok(Some(false));
    };
    set_state(connection, &mut known, BroadcastState::Preparing, at)?;
    Ok(Some(true))
}

/// See [`BroadcastRepository::add_recipients`](rollcall_repository::BroadcastRepository::add_recipients).
/// Returns whether the broadcast is still being prepared. Runs in a transaction.
pub(super) fn add(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    ids: &[i64],
    last: Option<TelegramId>,
    at: DateTime<Utc>,
) -> Result<Option<bool>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let Some(mut known) = in_state(connection, broadcast, BroadcastState::Preparing)? else {
        return Ok(Some(false));
    };
    let inserted = match connection {
        AnyConnection::Sqlite(connection) => {
            let ids = &serde_json::Value::from(ids).to_string();
            AddJson { broadcast, ids }.execute(connection)?
        }
        AnyConnection::Postgres(connection) => AddArray { broadcast, ids }.execute(connection)?,
    };
    let mut changes = Changes::default();
    changes.added(broadcast, inserted);
    changes.store(connection)?;
    match last {
        Some(last) => {
            diesel::update(broadcasts::table.find(broadcast))
                .set(broadcasts::prepared_to.eq(last.get()))
                .execute(connection)?;
        }
        None => set_state(connection, &mut known, BroadcastState::Sending, at)?,
    }
    Ok(Some(last.is_some()))
}

/// See [`BroadcastRepository::pause_broadcast`](rollcall_repository::BroadcastRepository::pause_broadcast).
/// Runs in a transaction.
pub(super) fn pause(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    reason: PauseReason,
) -> Result<Option<()>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let is_active =
        |it: &BroadcastState| matches!(it, BroadcastState::Preparing | BroadcastState::Sending);
    if let Some(mut known) = find(connection, broadcast)?.filter(|it| is_active(&it.state)) {
        let at = known.created_at;
        set_state(connection, &mut known, BroadcastState::Paused(reason), at)?;
    }
    Ok(Some(()))
}
