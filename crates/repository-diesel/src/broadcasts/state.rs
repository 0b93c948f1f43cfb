//! Changing the state of a broadcast.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{Broadcast, BroadcastState, PauseReason};

use crate::base::{connection::AnyConnection, schema::broadcasts, timestamp::UtcMicros};

/// Stores a new state, with the times that follow from it.
pub(super) fn set_state(
    connection: &mut AnyConnection,
    broadcast: &mut Broadcast,
    state: BroadcastState,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    broadcast.state = state;
    match state {
        BroadcastState::Preparing => _ = broadcast.started_at.get_or_insert(at),
        BroadcastState::Sending => _ = broadcast.prepared_at.get_or_insert(at),
        _ if state.has_ended() => broadcast.ended_at = Some(at),
        _ => {}
    }
    diesel::update(broadcasts::table.find(broadcast.id))
        .set((
            broadcasts::state.eq(state.name()),
            broadcasts::reason.eq(state.reason().map(PauseReason::name)),
            broadcasts::started_at.eq(broadcast.started_at.map(UtcMicros::from)),
            broadcasts::prepared_at.eq(broadcast.prepared_at.map(UtcMicros::from)),
            broadcasts::ended_at.eq(broadcast.ended_at.map(UtcMicros::from)),
        ))
        .execute(connection)?;
    Ok(())
}
