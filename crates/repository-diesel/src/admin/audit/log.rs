use async_trait::async_trait;
use diesel::{
    Connection,
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use rollcall_domain::{AuditAction, AuditEntry, TelegramId};
use rollcall_repository::{
    AuditChain, AuditFilter, AuditLogRepository, Digest, NewAuditEntry, RepositoryError,
};

use crate::{
    admin::{
        audit::entry::{add_entries, open_values},
        audit::verify::Verification,
        store::{DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection, error::Failure, free_text::FreeText, schema::audit_log,
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl AuditLogRepository for DieselAdminRepository {
    async fn audit(&self, entry: &NewAuditEntry) -> Result<(), RepositoryError> {
        self.audit_all(std::slice::from_ref(entry)).await
    }

    async fn audit_all(&self, entries: &[NewAuditEntry]) -> Result<(), RepositoryError> {
        let entries = entries.to_vec();
        let free_text = self.database.free_text().clone();
        self.database
            .write("add to the audit log", move |connection| {
                connection.transaction(|connection| add_entries(connection, &entries, &free_text))
            })
            .await
    }

    async fn verify_audit_log(
        &self,
        expected: Option<Digest>,
    ) -> Result<AuditChain, RepositoryError> {
        let free_text = self.database.free_text().clone();
        self.database
            .run_long_read(move |connection| {
                let free_text = free_text.clone();
                let mut verification = Verification::begin(connection, expected, free_text)?;
                while verification.go_on(connection)? {}
                Ok(verification.end())
            })
            .await
    }

    async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, RepositoryError> {
        let (filter, before) = (filter.clone(), before.unwrap_or(i64::MAX));
        let free_text = self.database.free_text().clone();
        self.database
            .read("read the audit log", move |connection| {
                let rows: Vec<EntryRow> = if filter == AuditFilter::all() {
                    audit_log::table
                        .select(EntryRow::as_select())
                        .filter(audit_log::id.lt(before))
                        .order(audit_log::id.desc())
                        .limit(limit.into())
                        .load(connection)?
                } else {
                    filtered_log(connection, &filter, before, limit)?
                };
                rows.into_iter().map(|row| row.into_entry(&free_text)).collect()
            })
            .await
    }
}

/// Removes the values of the entries about deleted users.
pub(crate) fn empty_entries(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        diesel::update(audit_log::table.filter(audit_log::about.eq(id)))
            .set((
                audit_log::old_value.eq(None::<String>),
                audit_log::new_value.eq(None::<String>),
                // Without the salt, the values cannot be guessed from their hash, which stays.
                audit_log::salt.eq(None::<Vec<u8>>),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// The entries that a filter keeps. Sorted by `-id`, as the indexes are that make each page cheap.
fn filtered_log(
    connection: &mut AnyConnection,
    filter: &AuditFilter,
    before: i64,
    limit: u32,
) -> QueryResult<Vec<EntryRow>> {
    let is_before = sql::<Bool>("-id > ").bind::<BigInt, _>(before.saturating_neg());
    let mut query = audit_log::table.select(EntryRow::as_select()).filter(is_before).into_boxed();
    if let Some(user) = filter.about {
        query = query.filter(audit_log::about.eq(user.get()));
    }
    if let Some(admin) = &filter.by {
        query = query.filter(audit_log::admin.eq(admin.to_string()));
    }
    if let Some(action) = filter.action {
        query = query.filter(audit_log::action.eq(action.name()));
    }
    query.order(sql::<BigInt>("-id")).limit(limit.into()).load(connection)
}

/// The columns of `audit_log` that an entry shows.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
struct EntryRow {
    id: i64,
    at: UtcMicros,
    admin: Option<String>,
    action: String,
    about: Option<i64>,
    old_value: Option<String>,
    new_value: Option<String>,
    values_hash: Option<Vec<u8>>,
}

impl EntryRow {
    fn into_entry(self, free_text: &FreeText) -> Result<AuditEntry, Failure> {
        let hash = self.values_hash.as_deref();
        let (old, new) = open_values(free_text, self.old_value, self.new_value, hash)?;
        let corrupt = |column, reason| corrupt("audit_log", column, &self.id.to_string(), reason);
        let admin = self.admin.as_deref().map(str::parse).transpose();
        let about = self.about.map(TelegramId::try_from).transpose();
        Ok(AuditEntry {
            id: self.id,
            at: self.at.into(),
            admin: admin.map_err(|error| corrupt("admin", format!("{error}")))?,
            action: AuditAction::from_name(&self.action)
                .ok_or_else(|| corrupt("action", "no action has this name".to_owned()))?,
            about: about.map_err(|error| corrupt("about", error.to_string()))?,
            old,
            new,
        })
    }
}
