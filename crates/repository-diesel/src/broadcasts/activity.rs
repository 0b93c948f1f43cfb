//! How many recipients of a broadcast were active within seven days after it, counted part by part.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Nullable, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{
    ActiveDay, ActiveUsers, BroadcastActivity, RecipientState, SkipReason, activity_days,
    was_active_after,
};

use super::sender::lock_as;
use crate::{
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{
            active_days, broadcast_activity, broadcast_recipients, broadcasts, telegram_users,
        },
        statement::statement,
        timestamp::UtcMicros,
    },
    row::hour::active_day,
};

statement! {
    /// Adds a part, unless another process has counted it.
    struct Add {
        broadcast: i64 as BigInt,
        after: i64 as BigInt,
        counted_to: i64 as BigInt,
        sent: i64 as BigInt,
        sent_active: i64 as BigInt,
        held_out: i64 as BigInt,
        held_out_active: i64 as BigInt,
        counted_at: Option<UtcMicros> as Nullable<Timestamp>,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_activity AS known
            (broadcast, counted_to, sent, sent_active, held_out, held_out_active, counted_at)
        VALUES
            (:broadcast, :counted_to, :sent, :sent_active, :held_out, :held_out_active, :counted_at)
        ON CONFLICT (broadcast) DO UPDATE
        SET counted_to = excluded.counted_to, sent = known.sent + excluded.sent,
            sent_active = known.sent_active + excluded.sent_active,
            held_out = known.held_out + excluded.held_out,
            held_out_active = known.held_out_active + excluded.held_out_active,
            counted_at = excluded.counted_at
        WHERE known.counted_to = :after AND known.counted_at IS NULL",
}

/// See [`BroadcastRepository::uncounted_activity`](rollcall_repository::BroadcastRepository::uncounted_activity).
pub(super) fn uncounted(
    connection: &mut AnyConnection,
    at: DateTime<Utc>,
) -> QueryResult<Option<i64>> {
    // See `activity_known_at`.
    let day = at.date_naive().checked_sub_days(Days::new(7)).unwrap_or(NaiveDate::MIN);
    let ended_before = UtcMicros::from(day.and_time(NaiveTime::MIN).and_utc());
    broadcasts::table
        .left_join(broadcast_activity::table.on(broadcast_activity::broadcast.eq(broadcasts::id)))
        .filter(broadcasts::started_at.is_not_null())
        .filter(broadcasts::ended_at.assume_not_null().lt(ended_before))
        .filter(broadcast_activity::counted_at.is_null())
        .order(broadcasts::id)
        .select(broadcasts::id)
        .first(connection)
        .optional()
}

/// The id, the state, the reason, the time and the arm of a recipient.
type Row = (i64, String, Option<String>, Option<UtcMicros>, Option<String>);

/// A part of the recipients that was looked at.
#[derive(Debug)]
pub(super) struct Part {
    broadcast: i64,
    after: i64,
    /// The last recipient of the part; `None` if none is left.
    last: Option<i64>,
    activity: BroadcastActivity,
}

/// Looks at the next recipients of a broadcast. Needs no lock.
pub(super) fn look(
    connection: &mut AnyConnection,
    broadcast: i64,
    limit: u32,
) -> Result<Part, Failure> {
    let after: Option<i64> = broadcast_activity::table
        .find(broadcast)
        .select(broadcast_activity::counted_to)
        .first(connection)
        .optional()?;
    let after = after.unwrap_or_default();
    let rows: Vec<Row> = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::telegram_id.gt(after))
        .order(broadcast_recipients::telegram_id)
        .limit(limit.into())
        .select((
            broadcast_recipients::telegram_id,
            broadcast_recipients::state,
            broadcast_recipients::reason,
            broadcast_recipients::at,
            broadcast_recipients::arm,
        ))
        .load(connection)?;
    let last = rows.last().map(|(id, ..)| *id);
    let held_out = (RecipientState::Skipped.name(), Some(SkipReason::HeldOut.name()));
    let looked_at = rows.into_iter().filter_map(|(id, state, reason, at, arm)| {
        let is_held_out = (state.as_str(), reason.as_deref()) == held_out;
        // Of an experiment, all whose message went out count: the held-out part has users, too, that
        // Telegram would have refused the message for.
        let went_out = arm.is_some() && state != RecipientState::Queued.name();
        let counts = is_held_out || went_out || state == RecipientState::Sent.name();
        Some((id, is_held_out, DateTime::from(at?))).filter(|_| counts)
    });
    let looked_at: Vec<(i64, bool, DateTime<Utc>)> = looked_at.collect();
    let activity = count(connection, &looked_at)?;
    Ok(Part { broadcast, after, last, activity })
}

/// Counts those who were active: the id of each user, whether they were held out, and when.
fn count(
    connection: &mut AnyConnection,
    recipients: &[(i64, bool, DateTime<Utc>)],
) -> QueryResult<BroadcastActivity> {
    let days = recipients.iter().map(|(.., at)| activity_days(*at));
    let Some((first, last)) = days.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))) else {
        return Ok(BroadcastActivity::default());
    };
    let ids: Vec<i64> = recipients.iter().map(|(id, ..)| *id).collect();
    let seen: Vec<(i64, UtcMicros)> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(&ids))
        .order(telegram_users::telegram_id)
        .select((telegram_users::telegram_id, telegram_users::last_seen))
        .load(connection)?;
    let earlier: Vec<(i64, NaiveDate, Option<i32>)> = active_days::table
        .filter(active_days::telegram_id.eq_any(&ids))
        .filter(active_days::day.between(first, last))
        .order(active_days::telegram_id)
        .select((active_days::telegram_id, active_days::day, active_days::first_hour))
        .load(connection)?;
    let mut activity = BroadcastActivity::default();
    for (id, is_held_out, at) in recipients {
        // Users who are erased just now have no row.
        let Ok(place) = seen.binary_search_by_key(id, |(id, _)| *id) else { continue };
        let Some((_, last_seen)) = seen.get(place) else { continue };
        let from = earlier.partition_point(|(other, ..)| other < id);
        let its = earlier.iter().skip(from).take_while(|(other, ..)| other == id);
        let its = its.map(|(_, day, hour)| -> ActiveDay { active_day(*day, *hour) });
        let is_active = was_active_after(*at, (*last_seen).into(), its);
        let part = if *is_held_out { &mut activity.held_out } else { &mut activity.sent };
        part.add(is_active);
    }
    Ok(activity)
}

/// Adds a part. Returns whether it was the last one; `None` if `holder` has lost the lease. Runs in a
/// transaction.
pub(super) fn add(
    connection: &mut AnyConnection,
    holder: &str,
    Part { broadcast, after, last, activity }: &Part,
    at: DateTime<Utc>,
) -> Result<Option<bool>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let number = |users: u64| i64::try_from(users).unwrap_or(i64::MAX);
    let add = Add {
        broadcast: *broadcast,
        after: *after,
        counted_to: last.unwrap_or(*after),
        sent: number(activity.sent.users),
        sent_active: number(activity.sent.active),
        held_out: number(activity.held_out.users),
        held_out_active: number(activity.held_out.active),
        counted_at: last.is_none().then(|| at.into()),
    };
    either!(connection => add.execute(connection)?);
    Ok(Some(last.is_none()))
}

/// See [`BroadcastRepository::activity`](rollcall_repository::BroadcastRepository::activity).
pub(super) fn read(
    connection: &mut AnyConnection,
    broadcast: i64,
) -> QueryResult<Option<BroadcastActivity>> {
    let row: Option<(i64, i64, i64, i64)> = broadcast_activity::table
        .find(broadcast)
        .filter(broadcast_activity::counted_at.is_not_null())
        .select((
            broadcast_activity::sent,
            broadcast_activity::sent_active,
            broadcast_activity::held_out,
            broadcast_activity::held_out_active,
        ))
        .first(connection)
        .optional()?;
    let number = |stored: i64| u64::try_from(stored).unwrap_or_default();
    let part = |users, active| ActiveUsers { users: number(users), active: number(active) };
    Ok(row.map(|(sent, sent_active, held_out, held_out_active)| BroadcastActivity {
        sent: part(sent, sent_active),
        held_out: part(held_out, held_out_active),
    }))
}
