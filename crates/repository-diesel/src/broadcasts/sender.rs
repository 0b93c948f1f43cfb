//! The lease of the process that sends.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_repository::SenderLease;

use super::origin;
use crate::base::{connection::AnyConnection, error::Failure, schema::broadcast_sender};

/// Makes this transaction the only one that changes broadcasts, until it ends.
pub(super) fn lock(connection: &mut AnyConnection) -> QueryResult<()> {
    diesel::update(broadcast_sender::table)
        .set(broadcast_sender::claims.eq(broadcast_sender::claims))
        .execute(connection)?;
    Ok(())
}

/// The same, if `holder` has the lease. Returns whether it does.
pub(super) fn lock_as(connection: &mut AnyConnection, holder: &str) -> QueryResult<bool> {
    let its = broadcast_sender::table.filter(broadcast_sender::holder.eq(holder));
    let locked = diesel::update(its)
        .set(broadcast_sender::claims.eq(broadcast_sender::claims))
        .execute(connection)?;
    Ok(locked > 0)
}

/// The lease as it is.
pub(super) fn read(connection: &mut AnyConnection) -> Result<SenderLease, Failure> {
    let (holder, renewals) = broadcast_sender::table
        .select((broadcast_sender::holder, broadcast_sender::renewals))
        .first(connection)?;
    Ok(SenderLease { holder, renewals })
}

/// See [`BroadcastRepository::take_sender_lease`](rollcall_repository::BroadcastRepository::take_sender_lease).
/// Runs in a transaction.
pub(super) fn take(
    connection: &mut AnyConnection,
    holder: &str,
    seen: &SenderLease,
    database: &origin::Place,
    at: DateTime<Utc>,
) -> Result<bool, Failure> {
    lock(connection)?;
    if read(connection)? != *seen {
        return Ok(false);
    }
    diesel::update(broadcast_sender::table)
        .set((
            broadcast_sender::holder.eq(holder),
            broadcast_sender::renewals.eq(broadcast_sender::renewals + 1),
        ))
        .execute(connection)?;
    // A server's database may be restored while this process runs, and then names it as the holder.
    if *database == origin::Place::Server || seen.holder.as_deref() != Some(holder) {
        origin::check(connection, database, at)?;
    }
    Ok(true)
}

/// See [`BroadcastRepository::end_sender_lease`](rollcall_repository::BroadcastRepository::end_sender_lease).
pub(super) fn end(connection: &mut AnyConnection, holder: &str) -> QueryResult<()> {
    let its = broadcast_sender::table.filter(broadcast_sender::holder.eq(holder));
    diesel::update(its).set(broadcast_sender::holder.eq(None::<String>)).execute(connection)?;
    Ok(())
}
