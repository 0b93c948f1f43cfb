//! Recipients whose time has not come: they stay queued, with the time at which they are due.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{Broadcast, RecipientState, TelegramId};
use rollcall_repository::Rest;

use crate::base::{
    connection::{AnyConnection, either},
    schema::{broadcast_recipients, broadcast_sums, preferences},
    statement::{rows, statement},
    timestamp::UtcMicros,
};

/// How many recipients one claim looks at: most of them may have to wait.
const LOOK_AT: usize = 500;
/// How many recipients with a due time are read at once to find the claimed ones.
const PAGE: i64 = 1_000;

rows! {
    /// When a recipient is due.
    struct Due, Dues {
        telegram_id: i64 as BigInt,
        due_at: UtcMicros as Timestamp,
    }
}

statement! {
    struct SetOne {
        broadcast: i64 as BigInt,
        new: Due,
    }
    Sqlite => "
        UPDATE broadcast_recipients SET due_at = :due_at
        WHERE telegram_id = :telegram_id AND broadcast = :broadcast AND state = 'queued'",
}

statement! {
    struct SetAll {
        broadcast: i64 as BigInt,
        new: Dues,
    }
    Pg => "
        UPDATE broadcast_recipients AS recipient SET due_at = new.due_at
        FROM unnest(:telegram_id, :due_at) AS new (telegram_id, due_at)
        WHERE recipient.telegram_id = new.telegram_id AND recipient.broadcast = :broadcast
            AND recipient.state = 'queued'",
}

statement! {
    /// The recipients with a due time after one of them, by that time.
    struct WithDueTime -> (Timestamp, BigInt, Text) {
        broadcast: i64 as BigInt,
        due_at: UtcMicros as Timestamp,
        telegram_id: i64 as BigInt,
        size: i64 as BigInt,
    }
    Sqlite | Pg => "
        SELECT due_at, telegram_id, state FROM broadcast_recipients
        WHERE broadcast = :broadcast AND due_at IS NOT NULL
            AND (due_at, telegram_id) > (:due_at, :telegram_id)
        ORDER BY due_at, telegram_id
        LIMIT :size",
}

/// Recipients that were looked at.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Those whose turn it is.
    pub(super) ids: Vec<i64>,
    /// How many of them, the first ones, have waited for their time.
    pub(super) waited: usize,
    /// The last one that was looked at in the order of ids.
    pub(super) last: Option<i64>,
    pub(super) rest: Rest,
}

/// Looks at recipients of a broadcast that some have to wait for: those whose time has come, and then
/// those after an id. Stores the due times of the ones that wait.
pub(super) fn look(
    connection: &mut AnyConnection,
    broadcast: &Broadcast,
    after: i64,
    limit: usize,
    at: DateTime<Utc>,
) -> QueryResult<Looked> {
    let expires_at = broadcast.expires_at();
    let is_expired = expires_at.is_some_and(|end| end <= at);
    let due = due(connection, broadcast.id, (!is_expired).then_some(at))?;
    let size = i64::try_from(LOOK_AT - due.len()).unwrap_or_default();
    let next = next_without(connection, broadcast.id, after, size)?;
    if due.is_empty() && next.is_empty() {
        let first = self::next(connection, broadcast.id)?;
        let waits = |due| Rest::Waits(expires_at.map_or(due, |end| end.min(due)));
        let none = if broadcast.is_testing() { Rest::Undecided } else { Rest::Nothing };
        return Ok(Looked { rest: first.map_or(none, waits), ..Looked::default() });
    }
    let zones = match is_expired {
        true => BTreeMap::new(),
        false => zones(connection, due.iter().chain(&next))?,
    };
    let mut looked = Looked { rest: Rest::More, ..Looked::default() };
    let mut waiting = Vec::new();
    let due = due.into_iter().map(|id| (id, true));
    for (id, has_waited) in due.chain(next.into_iter().map(|id| (id, false))) {
        if looked.ids.len() >= limit {
            break;
        }
        if !has_waited {
            looked.last = Some(id);
        }
        if waits_for_winner(broadcast, id) {
            continue;
        }
        let zone = zones.get(&id).copied().unwrap_or(broadcast.plan.zone);
        let due_at = broadcast.plan.times.due(zone, at);
        if due_at > at && !is_expired {
            waiting.push(Due { telegram_id: id, due_at: due_at.into() });
            continue;
        }
        looked.ids.push(id);
        looked.waited += usize::from(has_waited);
    }
    wait(connection, broadcast.id, waiting)?;
    Ok(looked)
}

/// Whether a recipient gets nothing before the winner is decided.
pub(super) fn waits_for_winner(broadcast: &Broadcast, id: i64) -> bool {
    let id = TelegramId::try_from(id).ok();
    let arm = id.and_then(|id| broadcast.plan.experiment.arm(broadcast.id, id, false));
    broadcast.is_testing() && arm.is_none()
}

/// The first queued recipients that have waited until `at`, or at all.
fn due(
    connection: &mut AnyConnection,
    broadcast: i64,
    at: Option<DateTime<Utc>>,
) -> QueryResult<Vec<i64>> {
    let mut due = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::due_at.is_not_null())
        .filter(broadcast_recipients::state.eq(RecipientState::Queued.name()))
        .order((broadcast_recipients::due_at, broadcast_recipients::telegram_id))
        .limit(i64::try_from(LOOK_AT).unwrap_or(i64::MAX))
        .select(broadcast_recipients::telegram_id)
        .into_boxed();
    if let Some(at) = at {
        due = due.filter(broadcast_recipients::due_at.le(UtcMicros::from(at)));
    }
    due.load(connection)
}

/// The next queued recipients in the order of ids that do not wait for a time.
pub(super) fn next_without(
    connection: &mut AnyConnection,
    broadcast: i64,
    after: i64,
    size: i64,
) -> QueryResult<Vec<i64>> {
    broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::telegram_id.gt(after))
        .filter(broadcast_recipients::state.eq(RecipientState::Queued.name()))
        .filter(broadcast_recipients::due_at.is_null())
        .order(broadcast_recipients::telegram_id)
        .limit(size)
        .select(broadcast_recipients::telegram_id)
        .load(connection)
}

/// The time zones that these users have chosen. One that cannot be read counts as none.
fn zones<'a>(
    connection: &mut AnyConnection,
    ids: impl Iterator<Item = &'a i64>,
) -> QueryResult<BTreeMap<i64, Tz>> {
    let chosen: Vec<(i64, String)> = preferences::table
        .filter(preferences::telegram_id.eq_any(ids))
        .filter(preferences::time_zone.is_not_null())
        .select((preferences::telegram_id, preferences::time_zone.assume_not_null()))
        .load(connection)?;
    Ok(chosen.into_iter().filter_map(|(id, zone)| Some((id, zone.parse().ok()?))).collect())
}

fn wait(connection: &mut AnyConnection, broadcast: i64, new: Vec<Due>) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            for new in new {
                SetOne { broadcast, new }.execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) if !new.is_empty() => {
            SetAll { broadcast, new: new.into_iter().collect() }.execute(connection)?;
        }
        AnyConnection::Postgres(_) => {}
    }
    Ok(())
}

/// See [`BroadcastRepository::next_due`](rollcall_repository::BroadcastRepository::next_due).
pub(super) fn next(
    connection: &mut AnyConnection,
    broadcast: i64,
) -> QueryResult<Option<DateTime<Utc>>> {
    let first: Option<UtcMicros> = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::due_at.is_not_null())
        .filter(broadcast_recipients::state.eq(RecipientState::Queued.name()))
        .order((broadcast_recipients::due_at, broadcast_recipients::telegram_id))
        .select(broadcast_recipients::due_at.assume_not_null())
        .first(connection)
        .optional()?;
    Ok(first.map(Into::into))
}

/// Adds the claimed recipients that have waited to `claimed`, which has the other ones. The former are
/// among the first by their due times, so the search ends once as many were found as there are.
pub(super) fn add_claimed(
    connection: &mut AnyConnection,
    broadcast: i64,
    claimed: &mut Vec<i64>,
) -> QueryResult<()> {
    let is_claimed = |state: &str| state == RecipientState::Claimed.name();
    let known: i64 = broadcast_sums::table
        .filter(broadcast_sums::broadcast.eq(broadcast))
        .filter(broadcast_sums::state.eq(RecipientState::Claimed.name()))
        .select(broadcast_sums::users)
        .load::<i64>(connection)?
        .into_iter()
        .sum();
    let known = usize::try_from(known).unwrap_or_default();
    let mut last = (DateTime::<Utc>::UNIX_EPOCH.into(), 0);
    while claimed.len() < known {
        let (due_at, telegram_id) = last;
        let page = WithDueTime { broadcast, due_at, telegram_id, size: PAGE };
        let page: Vec<(UtcMicros, i64, String)> = either!(connection => page.load(connection)?);
        let Some((due_at, telegram_id, _)) = page.last() else { break };
        last = (*due_at, *telegram_id);
        let found = page.into_iter().filter(|(_, _, state)| is_claimed(state));
        claimed.extend(found.map(|(_, id, _)| id));
        claimed.sort_unstable();
        claimed.dedup();
    }
    Ok(())
}
