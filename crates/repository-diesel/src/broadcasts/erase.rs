//! Erasing a user from broadcasts. The sums keep what became of the messages.

use diesel::prelude::*;
use rollcall_domain::{RecipientState, SkipReason};

use super::{sender::lock, sums::Changes};
use crate::base::{
    connection::AnyConnection,
    schema::{broadcast_recipients, opt_outs},
};

/// Deletes what is stored of a user.
pub(crate) fn erase(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(opt_outs::table.filter(opt_outs::telegram_id.eq(id))).execute(connection)?;
    let of_user = broadcast_recipients::table.filter(broadcast_recipients::telegram_id.eq(id));
    if !diesel::select(diesel::dsl::exists(of_user)).get_result::<bool>(connection)? {
        return Ok(());
    }
    // In the order of all other changes of recipients.
    lock(connection)?;
    let rows: Vec<(i64, String)> = of_user
        .select((broadcast_recipients::broadcast, broadcast_recipients::state))
        .load(connection)?;
    let mut changes = Changes::default();
    for (broadcast, state) in rows {
        let state = RecipientState::from_name(&state);
        if let Some(open @ (RecipientState::Queued | RecipientState::Claimed)) = state {
            let reason = Some(SkipReason::Erased.name());
            changes.moved(broadcast, open, RecipientState::Skipped, reason, 1);
        }
    }
    diesel::delete(of_user).execute(connection)?;
    changes.store(connection)
}
