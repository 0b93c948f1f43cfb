//! Recording and deleting events, within other transactions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{UserEvent, UserEventKinds};

use crate::base::{
    connection::AnyConnection,
    schema::user_events,
    timestamp::UtcMicros,
    transaction::{Transaction, alike},
};

/// A row to insert.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = user_events, treat_none_as_default_value = false)]
struct NewEvent {
    telegram_id: i64,
    at: UtcMicros,
    event: &'static str,
    recorded_at: UtcMicros,
}

/// Records the events of these kinds. The rows of their users are locked.
pub(crate) fn record(
    connection: &mut Transaction<'_>,
    kinds: UserEventKinds,
    events: impl Iterator<Item = UserEvent>,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let mut events: Vec<UserEvent> = events.filter(|event| kinds.has(event.kind)).collect();
    events.sort_unstable();
    for UserEvent { telegram_id, at, kind } in events {
        let event = NewEvent {
            telegram_id: telegram_id.get(),
            at: at.into(),
            event: kind.name(),
            recorded_at: now.into(),
        };
        alike!(connection => diesel::insert_into(user_events::table)
            .values(event)
            .on_conflict_do_nothing()
            .execute(connection)?);
    }
    Ok(())
}

/// Deletes the events of a user.
pub(crate) fn erase(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(user_events::table.filter(user_events::telegram_id.eq(id)))
        .execute(connection)?;
    Ok(())
}
