//! Erasing users from broadcasts. The sums keep what became of the messages.

use diesel::prelude::*;
use rollcall_domain::{RecipientState, SkipReason};

use super::{sender::lock, sums::Changes};
use crate::base::{
    connection::AnyConnection,
    schema::{
        broadcast_presses, broadcast_progress, broadcast_recipients, broadcast_requests, opt_outs,
    },
};

/// Deletes what is stored of users.
pub(crate) fn erase(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    diesel::delete(opt_outs::table.filter(opt_outs::telegram_id.eq_any(ids)))
        .execute(connection)?;
    diesel::delete(broadcast_requests::table.filter(broadcast_requests::telegram_id.eq_any(ids)))
        .execute(connection)?;
    diesel::delete(broadcast_progress::table.filter(broadcast_progress::telegram_id.eq_any(ids)))
        .execute(connection)?;
    // Also without recipients: another transaction may be adding the users as such. It holds the lock,
    // or will find that they do not exist.
    lock(connection)?;
    let of_users =
        broadcast_recipients::table.filter(broadcast_recipients::telegram_id.eq_any(ids));
    let open = [RecipientState::Queued, RecipientState::Claimed];
    let rows: Vec<(i64, String, Option<String>)> = of_users
        .clone()
        .filter(broadcast_recipients::state.eq_any(open.map(RecipientState::name)))
        .select((
            broadcast_recipients::broadcast,
            broadcast_recipients::state,
            broadcast_recipients::arm,
        ))
        .load(connection)?;
    let mut changes = Changes::default();
    for (broadcast, state, arm) in rows {
        if let Some(state) = RecipientState::from_name(&state) {
            let reason = Some(SkipReason::Erased.name());
            changes.moved(broadcast, state, RecipientState::Skipped, reason, 1);
            let arm = arm.as_deref();
            changes.moved_in_arm(broadcast, arm, state, RecipientState::Skipped);
        }
    }
    diesel::delete(of_users).execute(connection)?;
    diesel::delete(broadcast_presses::table.filter(broadcast_presses::telegram_id.eq_any(ids)))
        .execute(connection)?;
    changes.store(connection)
}
