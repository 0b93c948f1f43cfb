//! Step 7: updates that could not be read in full are kept.

use diesel::{prelude::*, upsert::excluded};
use rollcall_domain::{QuarantinedUpdate, TelegramId};

use crate::base::{
    error::Failure,
    free_text::{Cell, FreeText},
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

impl<'a> NewUpdate<'a> {
    fn new(update: &'a QuarantinedUpdate, payload: &'a str) -> Self {
        Self {
            update_id: update.update_id,
            received_at: update.received_at.into(),
            reason: &update.reason,
            registered: update.registered,
            payload,
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
    free_text: &FreeText,
) -> Result<(), Failure> {
    alike!(connection => {
        for update in updates {
            let payload = free_text.seal(Cell::payload(update.update_id), &update.payload)?;
            let insert = diesel::insert_into(quarantine::table)
                .values(NewUpdate::new(update, &payload))
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
