//! Step 7: updates that could not be read in full are kept.

use diesel::{prelude::*, upsert::excluded};
use rollcall_domain::{QuarantinedUpdate, TelegramId};

use crate::base::{
    schema::quarantine,
    timestamp::UtcMicros,
    transaction::{Transaction, alike},
};

/// A quarantined update, as a row to insert. JSON has U+0000 only as an escape, so its text fits into
/// every database.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = quarantine, treat_none_as_default_value = false)]
struct NewUpdate<'a> {
    update_id: i64,
    received_at: UtcMicros,
    reason: &'a str,
    registered: bool,
    payload: &'a str,
    telegram_id: Option<i64>,
    undelivered: bool,
}

impl<'a> From<&'a QuarantinedUpdate> for NewUpdate<'a> {
    fn from(update: &'a QuarantinedUpdate) -> Self {
        Self {
            update_id: update.update_id,
            received_at: update.received_at.into(),
            reason: &update.reason,
            registered: update.registered,
            payload: &update.payload,
            telegram_id: update.telegram_id.map(TelegramId::get),
            undelivered: update.undelivered,
        }
    }
}

/// Quarantines updates. Of one that is quarantined already, only `registered`, the user and
/// `undelivered` are updated, and the payload of one that is to be delivered: it is whole.
pub(super) fn keep(
    connection: &mut Transaction<'_>,
    updates: &[&QuarantinedUpdate],
) -> QueryResult<()> {
    alike!(connection => {
        for update in updates {
            let insert = diesel::insert_into(quarantine::table)
                .values(NewUpdate::from(*update))
                .on_conflict(quarantine::update_id)
                .do_update();
            let facts = (
                quarantine::registered
                    .eq(quarantine::registered.or(excluded(quarantine::registered))),
                quarantine::telegram_id.eq(excluded(quarantine::telegram_id)),
                quarantine::undelivered
                    .eq(quarantine::undelivered.or(excluded(quarantine::undelivered))),
            );
            match update.undelivered {
                true => insert
                    .set((facts, quarantine::payload.eq(excluded(quarantine::payload))))
                    .execute(connection)?,
                false => insert.set(facts).execute(connection)?,
            };
        }
    });
    Ok(())
}
