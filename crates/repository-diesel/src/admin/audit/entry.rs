use diesel::{prelude::*, result::Error as DieselError};
use rollcall_domain::AuditAction;
use rollcall_repository::{Digest, NewAuditEntry};

use crate::{
    admin::audit::chain::{Chained, SALT_BYTES},
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::{Cell, FreeText},
        schema::{audit_head, audit_log},
    },
};

/// Adds entries to the audit log, in an open transaction. No other transaction adds any before this
/// one ends, because each entry follows the previous one. The values of notes are free texts; their hash is
/// that of the texts before they are encrypted, so changing the key leaves the chain as it is.
pub(crate) fn add_entries(
    connection: &mut AnyConnection,
    entries: &[NewAuditEntry],
    free_text: &FreeText,
) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut newest = lock_head(connection)?;
    for entry in entries {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt)
            .map_err(|error| DieselError::SerializationError(error.to_string().into()))?;
        let chained = Chained::new(entry, salt, newest);
        newest = chained.hash;
        let seal = |column, value: Option<String>| match value {
            Some(value) if entry.action == AuditAction::ChangedNote => {
                let cell = Cell::audit(column, &chained.values_hash.0);
                free_text.seal(cell, &value).map(Some)
            }
            value => Ok(value),
        };
        let row = (
            audit_log::at.eq(chained.at),
            audit_log::admin.eq(chained.admin),
            audit_log::action.eq(chained.action),
            audit_log::about.eq(chained.about),
            audit_log::old_value.eq(seal(OLD, chained.old)?),
            audit_log::new_value.eq(seal(NEW, chained.new)?),
            audit_log::salt.eq(chained.salt.to_vec()),
            audit_log::values_hash.eq(chained.values_hash.0.to_vec()),
            audit_log::hash.eq(chained.hash.0.to_vec()),
        );
        diesel::insert_into(audit_log::table).values(row).execute(connection)?;
    }
    diesel::update(audit_head::table)
        .set(audit_head::hash.eq(newest.0.to_vec()))
        .execute(connection)?;
    Ok(())
}

/// Adds one entry without free texts; see [`add_entries`].
pub(crate) fn add_entry(
    connection: &mut AnyConnection,
    entry: &NewAuditEntry,
) -> Result<(), Failure> {
    add_entries(connection, std::slice::from_ref(entry), &FreeText::Plain)
}

/// The columns of the values.
pub(crate) const OLD: &str = "old_value";
pub(crate) const NEW: &str = "new_value";

/// The values of an entry as they were before they were encrypted. One that is older than the chain has no
/// hash, and was not encrypted.
pub(crate) fn open_values(
    free_text: &FreeText,
    old: Option<String>,
    new: Option<String>,
    values_hash: Option<&[u8]>,
) -> Result<(Option<String>, Option<String>), Failure> {
    let Some(hash) = values_hash else { return Ok((old, new)) };
    let open = |column, value: Option<String>| {
        value.map(|value| free_text.open(Cell::audit(column, hash), value)).transpose()
    };
    Ok((open(OLD, old)?, open(NEW, new)?))
}

/// The hash of the newest entry, locked until the transaction ends.
pub(crate) fn lock_head(connection: &mut AnyConnection) -> QueryResult<Digest> {
    diesel::update(audit_head::table)
        .set(audit_head::hash.eq(audit_head::hash))
        .execute(connection)?;
    let hash: Vec<u8> = audit_head::table.select(audit_head::hash).first(connection)?;
    digest(&hash)
}

/// A stored hash.
pub(crate) fn digest(bytes: &[u8]) -> QueryResult<Digest> {
    let hash = bytes.try_into().map(Digest);
    hash.map_err(|_| DieselError::DeserializationError("a hash that is not of 32 bytes".into()))
}
