use diesel::prelude::*;
use rollcall_domain::TelegramId;
use rollcall_repository::NewAuditEntry;

use crate::{connection::AnyConnection, schema::audit_log, timestamp::UtcMicros};

/// Adds to the audit log.
pub(super) fn add_entry(connection: &mut AnyConnection, entry: &NewAuditEntry) -> QueryResult<()> {
    let row = (
        audit_log::at.eq(UtcMicros::from(entry.at)),
        audit_log::admin.eq(entry.admin.as_ref().map(ToString::to_string)),
        audit_log::action.eq(entry.action.name()),
        audit_log::about.eq(entry.about.map(TelegramId::get)),
        audit_log::old_value.eq(entry.old.as_deref().map(storable)),
        audit_log::new_value.eq(entry.new.as_deref().map(storable)),
    );
    diesel::insert_into(audit_log::table).values(row).execute(connection)?;
    Ok(())
}

/// Text as PostgreSQL takes it.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}
