use diesel::{prelude::*, result::Error as DieselError};
use rollcall_repository::{Digest, NewAuditEntry};

use crate::{
    admin::audit::chain::{Chained, SALT_BYTES},
    base::{
        connection::AnyConnection,
        schema::{audit_head, audit_log},
    },
};

/// Adds entries to the audit log, in an open transaction. No other transaction adds any before this
/// one ends, because each entry follows the previous one.
pub(crate) fn add_entries(
    connection: &mut AnyConnection,
    entries: &[NewAuditEntry],
) -> QueryResult<()> {
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
        let row = (
            audit_log::at.eq(chained.at),
            audit_log::admin.eq(chained.admin),
            audit_log::action.eq(chained.action),
            audit_log::about.eq(chained.about),
            audit_log::old_value.eq(chained.old),
            audit_log::new_value.eq(chained.new),
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

/// Adds one entry; see [`add_entries`].
pub(crate) fn add_entry(connection: &mut AnyConnection, entry: &NewAuditEntry) -> QueryResult<()> {
    add_entries(connection, std::slice::from_ref(entry))
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
