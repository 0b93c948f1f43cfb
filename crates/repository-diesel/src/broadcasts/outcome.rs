//! Changing the states of recipients, together with their sums.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Nullable, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{Broadcast, BroadcastState, OnUnknown, RecipientState, TelegramId};
use rollcall_repository::RecipientOutcome;

use super::{row::find, sender::lock_as, state::set_state, sums::Changes, waiting};
use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{broadcast_recipients, broadcast_sums, broadcasts},
    statement::{rows, statement},
    timestamp::UtcMicros,
};

/// How many recipients one statement changes.
const AT_ONCE: usize = 1_000;

rows! {
    /// A new state of a recipient.
    pub(super) struct NewState<'a>, NewStates {
        telegram_id: i64 as BigInt,
        state: &'a str as Text,
        reason: Option<&'a str> as Nullable<Text>,
        message_id: Option<i64> as Nullable<BigInt>,
        at: Option<UtcMicros> as Nullable<Timestamp>,
    }
}

statement! {
    struct SetOne<'a> -> Nullable<Text> {
        broadcast: i64 as BigInt,
        before: &'a str as Text,
        new: NewState<'a>,
    }
    Sqlite => "
        UPDATE broadcast_recipients
        SET state = :state, reason = :reason, message_id = :message_id, at = :at,
            due_at = CASE WHEN :state IN ('queued', 'claimed') THEN due_at END,
            arm = CASE WHEN :before <> 'queued' THEN arm END
        WHERE telegram_id = :telegram_id AND broadcast = :broadcast AND state = :before
        RETURNING arm",
}

statement! {
    struct SetAll<'a> -> (Text, Nullable<Text>, Nullable<Text>) {
        broadcast: i64 as BigInt,
        before: &'a str as Text,
        new: NewStates<'a>,
    }
    Pg => "
        UPDATE broadcast_recipients AS recipient
        SET state = new.state, reason = new.reason, message_id = new.message_id, at = new.at,
            due_at = CASE WHEN new.state IN ('queued', 'claimed') THEN due_at END,
            arm = CASE WHEN :before <> 'queued' THEN arm END
        FROM unnest(:telegram_id, :state, :reason, :message_id, :at)
            AS new (telegram_id, state, reason, message_id, at)
        WHERE recipient.telegram_id = new.telegram_id AND recipient.broadcast = :broadcast
            AND recipient.state = :before
        RETURNING recipient.state, recipient.reason, recipient.arm",
}

fn row(outcome: &RecipientOutcome) -> NewState<'_> {
    NewState {
        telegram_id: outcome.telegram_id.get(),
        state: outcome.state.name(),
        reason: outcome.reason.as_deref(),
        message_id: outcome.message_id,
        at: (outcome.state != RecipientState::Queued).then_some(outcome.at.into()),
    }
}

/// Gives recipients that have the state `before` their new ones.
pub(super) fn set(
    connection: &mut AnyConnection,
    broadcast: i64,
    before: RecipientState,
    new: &[RecipientOutcome],
) -> QueryResult<()> {
    let mut changes = Changes::default();
    for part in new.chunks(AT_ONCE) {
        match connection {
            AnyConnection::Sqlite(connection) => {
                for it in part {
                    let set = SetOne { broadcast, before: before.name(), new: row(it) };
                    let changed: Vec<Option<String>> = set.load(connection)?;
                    for arm in changed {
                        changes.moved(broadcast, before, it.state, it.reason.as_deref(), 1);
                        changes.moved_in_arm(broadcast, arm.as_deref(), before, it.state);
                    }
                }
            }
            AnyConnection::Postgres(connection) => {
                let new = part.iter().map(row).collect();
                let set = SetAll { broadcast, before: before.name(), new };
                let changed: Vec<(String, Option<String>, Option<String>)> =
                    set.load(connection)?;
                for (state, reason, arm) in changed {
                    if let Some(state) = RecipientState::from_name(&state) {
                        changes.moved(broadcast, before, state, reason.as_deref(), 1);
                        changes.moved_in_arm(broadcast, arm.as_deref(), before, state);
                    }
                }
            }
        }
    }
    changes.store(connection)
}

/// See [`BroadcastRepository::settle_recipients`](rollcall_repository::BroadcastRepository::settle_recipients).
/// Runs in a transaction.
pub(super) fn settle(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    outcomes: &[RecipientOutcome],
    settled_to: Option<TelegramId>,
) -> Result<Option<()>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    set(connection, broadcast, RecipientState::Claimed, outcomes)?;
    if let Some(settled_to) = settled_to {
        let settled_to = settled_to.get();
        diesel::update(broadcasts::table.find(broadcast))
            .filter(broadcasts::settled_to.lt(settled_to))
            .set(broadcasts::settled_to.eq(settled_to))
            .execute(connection)?;
    }
    Ok(Some(()))
}

/// See [`BroadcastRepository::recover_recipients`](rollcall_repository::BroadcastRepository::recover_recipients).
/// Runs in a transaction.
pub(super) fn recover(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    are_unsent: bool,
    at: DateTime<Utc>,
) -> Result<Option<u64>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let Some(known) = find(connection, broadcast)? else { return Ok(Some(0)) };
    let claimed_to: i64 =
        broadcasts::table.find(broadcast).select(broadcasts::claimed_to).first(connection)?;
    let mut claimed: Vec<i64> = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::telegram_id.gt(known.settled_to.map_or(0, TelegramId::get)))
        .filter(broadcast_recipients::telegram_id.le(claimed_to))
        .filter(broadcast_recipients::state.eq(RecipientState::Claimed.name()))
        .order(broadcast_recipients::telegram_id)
        .select(broadcast_recipients::telegram_id)
        .load(connection)?;
    if !known.plan.times.are_any() {
        waiting::add_claimed(connection, broadcast, &mut claimed)?;
    }
    let state = match known.plan.on_unknown {
        _ if are_unsent => RecipientState::Queued,
        OnUnknown::Resend if !known.state.has_ended() => RecipientState::Queued,
        OnUnknown::Resend | OnUnknown::Skip => RecipientState::Unknown,
    };
    let outcome =
        |id| RecipientOutcome { telegram_id: id, state, reason: None, message_id: None, at };
    let outcomes: Vec<RecipientOutcome> =
        claimed.into_iter().filter_map(|id| TelegramId::try_from(id).ok()).map(outcome).collect();
    set(connection, broadcast, RecipientState::Claimed, &outcomes)?;
    Ok(Some(u64::try_from(outcomes.len()).unwrap_or(u64::MAX)))
}

/// See [`BroadcastRepository::finish_broadcast`](rollcall_repository::BroadcastRepository::finish_broadcast).
/// Runs in a transaction.
pub(super) fn finish(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    at: DateTime<Utc>,
) -> Result<Option<bool>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let Some(mut known) = find(connection, broadcast)? else { return Ok(Some(false)) };
    let open = [RecipientState::Queued, RecipientState::Claimed].map(RecipientState::name);
    let rest = broadcast_sums::table
        .filter(broadcast_sums::broadcast.eq(broadcast))
        .filter(broadcast_sums::state.eq_any(open))
        .filter(broadcast_sums::users.gt(0));
    let is_open: bool = diesel::select(diesel::dsl::exists(rest)).get_result(connection)?;
    if is_open || known.state != BroadcastState::Sending {
        return Ok(Some(false));
    }
    set_state(connection, &mut known, BroadcastState::Finished, at)?;
    Ok(Some(true))
}

/// The broadcast, if it has this state.
pub(super) fn in_state(
    connection: &mut AnyConnection,
    broadcast: i64,
    state: BroadcastState,
) -> Result<Option<Broadcast>, Failure> {
    Ok(find(connection, broadcast)?.filter(|it| it.state == state))
}
