//! Changing the plans of drafts.

use diesel::prelude::*;
use rollcall_domain::{AuditAction, Broadcast, BroadcastPlan, BroadcastState};
use rollcall_repository::{ChangedBroadcast, DraftChange, NewAuditEntry};

use super::{
    plan::{Author, has_category, title},
    row::find,
    sender::lock,
};
use crate::{
    admin::audit::entry::add_entry,
    base::{connection::AnyConnection, error::Failure, schema::broadcasts, timestamp::UtcMicros},
};

/// See [`BroadcastRepository::change_draft`](rollcall_repository::BroadcastRepository::change_draft).
/// Runs in a transaction.
pub(super) fn change(
    connection: &mut AnyConnection,
    id: i64,
    change: &DraftChange,
    author: &Author,
) -> Result<Option<ChangedBroadcast>, Failure> {
    lock(connection)?;
    if let DraftChange::Category { category, .. } = change
        && !has_category(connection, category)?
    {
        return Ok(None);
    }
    let Some(mut broadcast) = find(connection, id)? else {
        return Ok(Some(ChangedBroadcast::Missing));
    };
    if broadcast.state != BroadcastState::Draft {
        return Ok(Some(ChangedBroadcast::Refused(broadcast)));
    }
    let old = describe(&broadcast, change);
    apply(&mut broadcast.plan, change);
    let plan = &broadcast.plan;
    diesel::update(broadcasts::table.find(id))
        .set((
            broadcasts::category.eq(plan.category.as_str()),
            broadcasts::has_opt_out_button.eq(plan.has_opt_out_button),
            broadcasts::starts_at.eq(plan.starts_at.map(UtcMicros::from)),
            broadcasts::local_time
                .eq(plan.times.local_time.map(|local| UtcMicros::from(local.and_utc()))),
            broadcasts::rate.eq(plan.rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX))),
            broadcasts::is_paid.eq(plan.is_paid),
        ))
        .execute(connection)?;
    let new = describe(&broadcast, change);
    let entry = author.entry(AuditAction::ChangedBroadcast, new);
    add_entry(connection, &NewAuditEntry { old: Some(old), ..entry })?;
    Ok(Some(ChangedBroadcast::Changed(broadcast)))
}

fn apply(plan: &mut BroadcastPlan, change: &DraftChange) {
    match change {
        DraftChange::Category { category, has_opt_out_button } => {
            plan.category = category.clone();
            plan.has_opt_out_button = *has_opt_out_button;
        }
        DraftChange::StartsAt(at) => {
            plan.starts_at = *at;
            plan.times.local_time = None;
        }
        DraftChange::Speed { rate, is_paid } => {
            plan.rate = *rate;
            plan.is_paid = *is_paid;
        }
    }
}

/// A broadcast with what a change concerns, for the audit log.
fn describe(broadcast: &Broadcast, change: &DraftChange) -> String {
    let plan = &broadcast.plan;
    let what = match change {
        DraftChange::Category { .. } => format!("category {}", plan.category),
        DraftChange::StartsAt(_) => match plan.starts_at {
            Some(at) => format!("for {at}"),
            None => "without a time".to_owned(),
        },
        DraftChange::Speed { .. } => {
            let paid = if plan.is_paid { "paid" } else { "unpaid" };
            match plan.rate {
                Some(rate) => format!("{paid}, at most {rate} a second"),
                None => paid.to_owned(),
            }
        }
    };
    format!("{}; {what}", title(broadcast.id, &plan.name))
}
