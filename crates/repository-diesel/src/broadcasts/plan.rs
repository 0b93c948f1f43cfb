//! Creating and listing broadcasts, and the changes that owners make.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{dsl::max, prelude::*};
use rollcall_domain::{
    Admin, AuditAction, Broadcast, BroadcastPlan, BroadcastState, LabelName, PauseReason,
    RecipientState, TelegramId,
};
use rollcall_repository::{BroadcastChange, ChangedBroadcast, NewAuditEntry, Recipient};

use super::{
    origin, pictures, presses,
    row::{BroadcastRow, find},
    sender::lock,
    state::set_state,
    sums::{read_arm, recipient_state},
};
use crate::{
    admin::audit::entry::add_entry,
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{broadcast_categories, broadcast_recipients, broadcasts},
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
};

/// Who changes a broadcast, and when.
#[derive(Clone)]
pub(super) struct Author {
    pub(super) by: Option<Admin>,
    pub(super) at: DateTime<Utc>,
}

impl Author {
    pub(super) fn entry(&self, action: AuditAction, new: String) -> NewAuditEntry {
        let admin = self.by.clone();
        NewAuditEntry { at: self.at, admin, action, about: None, old: None, new: Some(new) }
    }
}

/// See [`BroadcastRepository::create_broadcast`](rollcall_repository::BroadcastRepository::create_broadcast).
/// Runs in a transaction.
pub(super) fn create(
    connection: &mut AnyConnection,
    plan: &BroadcastPlan,
    author: &Author,
) -> Result<Option<Broadcast>, Failure> {
    // Gives each broadcast a number of its own.
    lock(connection)?;
    let pictures = plan.stored_pictures();
    if !has_category(connection, &plan.category)? || !pictures::are_stored(connection, &pictures)? {
        return Ok(None);
    }
    let last: Option<i64> = broadcasts::table.select(max(broadcasts::id)).first(connection)?;
    let id = last.unwrap_or_default() + 1;
    let by = author.by.as_ref().map(Admin::to_string);
    let row = BroadcastRow::of_plan(id, plan, by, author.at.into());
    diesel::insert_into(broadcasts::table).values(&row).execute(connection)?;
    pictures::add_uses(connection, &pictures, id)?;
    let filter = plan.filter.summary();
    let new = format!("{}; filter {filter}", title(id, &plan.name));
    add_entry(connection, &author.entry(AuditAction::CreatedBroadcast, new))?;
    Ok(Some(row.into_broadcast()?))
}

pub(super) fn has_category(
    connection: &mut AnyConnection,
    category: &LabelName,
) -> QueryResult<bool> {
    let category = broadcast_categories::table.find(category.as_str());
    diesel::select(diesel::dsl::exists(category)).get_result(connection)
}

/// See [`BroadcastRepository::has_broadcasts`](rollcall_repository::BroadcastRepository::has_broadcasts).
pub(super) fn exist(connection: &mut AnyConnection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(broadcasts::table.select(broadcasts::id)))
        .get_result(connection)
}

pub(super) fn title(id: i64, name: &str) -> String {
    format!("{id} {name}")
}

/// See [`BroadcastRepository::broadcasts`](rollcall_repository::BroadcastRepository::broadcasts).
pub(super) fn list(
    connection: &mut AnyConnection,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Broadcast>, Failure> {
    let rows: Vec<BroadcastRow> = broadcasts::table
        .filter(broadcasts::id.lt(before.unwrap_or(i64::MAX)))
        .order(broadcasts::id.desc())
        .limit(limit.into())
        .select(BroadcastRow::as_select())
        .load(connection)?;
    rows.into_iter().map(BroadcastRow::into_broadcast).collect()
}

/// See [`BroadcastRepository::active_broadcasts`](rollcall_repository::BroadcastRepository::active_broadcasts).
pub(super) fn active(
    connection: &mut AnyConnection,
    at: DateTime<Utc>,
) -> Result<Vec<Broadcast>, Failure> {
    let scheduled = broadcasts::state
        .eq(BroadcastState::Scheduled.name())
        .and(broadcasts::starts_at.assume_not_null().le(UtcMicros::from(at)));
    let working = [BroadcastState::Preparing, BroadcastState::Sending].map(BroadcastState::name);
    let rows: Vec<BroadcastRow> = broadcasts::table
        .filter(broadcasts::state.eq_any(working).or(scheduled))
        .order(broadcasts::id)
        .select(BroadcastRow::as_select())
        .load(connection)?;
    rows.into_iter().map(BroadcastRow::into_broadcast).collect()
}

/// See [`BroadcastRepository::change_broadcast`](rollcall_repository::BroadcastRepository::change_broadcast).
/// Runs in a transaction.
pub(super) fn change(
    connection: &mut AnyConnection,
    id: i64,
    change: BroadcastChange,
    author: &Author,
) -> Result<ChangedBroadcast, Failure> {
    use BroadcastState::{Cancelled, Draft, Paused, Preparing, Scheduled, Sending};
    lock(connection)?;
    let Some(mut broadcast) = find(connection, id)? else { return Ok(ChangedBroadcast::Missing) };
    let next = match (change, broadcast.state) {
        (BroadcastChange::Start, Draft | Scheduled) => Preparing,
        (BroadcastChange::Schedule, Draft) if broadcast.plan.starts_at.is_some() => Scheduled,
        (BroadcastChange::Pause, Preparing | Sending) => Paused(PauseReason::Owner),
        (BroadcastChange::Resume, Paused(_)) => match broadcast {
            Broadcast { prepared_at: Some(_), .. } => Sending,
            Broadcast { started_at: Some(_), .. } => Preparing,
            // It was scheduled, and the database restored.
            _ => Scheduled,
        },
        (BroadcastChange::Cancel, state) if !state.has_ended() => Cancelled,
        _ => return Ok(ChangedBroadcast::Refused(broadcast)),
    };
    let action = match change {
        BroadcastChange::Start => AuditAction::StartedBroadcast,
        BroadcastChange::Schedule => AuditAction::ScheduledBroadcast,
        BroadcastChange::Pause => AuditAction::PausedBroadcast,
        BroadcastChange::Resume => AuditAction::ResumedBroadcast,
        BroadcastChange::Cancel => AuditAction::CancelledBroadcast,
    };
    set_state(connection, &mut broadcast, next, author.at)?;
    origin::remember_first(connection)?;
    let new = match (next, broadcast.plan.starts_at) {
        (Scheduled, Some(at)) => format!("{}; for {at}", title(id, &broadcast.plan.name)),
        _ => title(id, &broadcast.plan.name),
    };
    add_entry(connection, &author.entry(action, new))?;
    Ok(ChangedBroadcast::Changed(broadcast))
}

/// A row of `broadcast_recipients`, without its broadcast.
type RecipientRow = (
    i64,
    String,
    Option<String>,
    Option<i64>,
    Option<UtcMicros>,
    Option<UtcMicros>,
    Option<String>,
);

/// See [`BroadcastRepository::recipients`](rollcall_repository::BroadcastRepository::recipients).
pub(super) fn recipients(
    connection: &mut AnyConnection,
    broadcast: i64,
    after: Option<TelegramId>,
    limit: u32,
) -> Result<Vec<Recipient>, Failure> {
    let rows: Vec<RecipientRow> = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::telegram_id.gt(after.map_or(0, TelegramId::get)))
        .order(broadcast_recipients::telegram_id)
        .limit(limit.into())
        .select((
            broadcast_recipients::telegram_id,
            broadcast_recipients::state,
            broadcast_recipients::reason,
            broadcast_recipients::message_id,
            broadcast_recipients::at,
            broadcast_recipients::due_at,
            broadcast_recipients::arm,
        ))
        .load(connection)?;
    let (first, last) = match rows.as_slice() {
        [first, .., last] => (first.0, last.0),
        [one] => (one.0, one.0),
        [] => return Ok(Vec::new()),
    };
    let pressed = presses::first_presses(connection, broadcast, (first, last))?;
    let pressed: BTreeMap<i64, Option<UtcMicros>> = pressed.into_iter().collect();
    let recipient = |(id, state, reason, message_id, at, due_at, arm): RecipientRow| {
        let state = recipient_state(RECIPIENTS, id, &state)?;
        // The message of one that is queued again did not go out.
        let arm = arm.filter(|_| state != RecipientState::Queued);
        Ok(Recipient {
            telegram_id: telegram_id(RECIPIENTS, id)?,
            arm: arm.map(|arm| read_arm(RECIPIENTS, id, &arm)).transpose()?,
            state,
            reason,
            message_id,
            at: at.map(Into::into),
            due_at: due_at.map(Into::into),
            pressed_at: pressed.get(&id).copied().flatten().map(Into::into),
        })
    };
    rows.into_iter().map(recipient).collect()
}

const RECIPIENTS: &str = "broadcast_recipients";
