use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    Connection,
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use rollcall_domain::{
    Admin, AdminAccount, AdminName, AuditAction, AuditEntry, Role, SignInFailures, SignInLimit,
    TelegramId,
};
use rollcall_repository::{
    AdminRepository, AuditFilter, Digest, Disabling, Expiry, NewAuditEntry, RepositoryError,
    StoredAccount, StoredSession,
};

use crate::{
    Database,
    connection::AnyConnection,
    error::Failure,
    schema::{admin_accounts, admin_links, admin_sessions, audit_log, sign_in_failures},
    timestamp::UtcMicros,
};

/// The store of admins, in the tables `admin_accounts`, `admin_sessions`, `admin_links`,
/// `sign_in_failures` and `audit_log`.
///
/// Every transaction begins with a statement that writes: on SQLite, one that reads first may find
/// that somebody else wrote meanwhile, and has to be done again.
#[derive(Clone, Debug)]
pub struct DieselAdminRepository {
    database: Database,
}

impl DieselAdminRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Does `work` in a transaction; where it answers that it changed something, `entry` is added to
    /// the audit log.
    async fn change<T, W>(
        &self,
        what: &'static str,
        entry: &NewAuditEntry,
        work: W,
    ) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<Change<T>, Failure> + Send + 'static,
    {
        let entry = entry.clone();
        self.database
            .write(what, move |connection| {
                connection.transaction(|connection| match work(connection)? {
                    Change::Made(answer) => {
                        add_entry(connection, &entry)?;
                        Ok(answer)
                    }
                    Change::None(answer) => Ok(answer),
                })
            })
            .await
    }
}

/// What a change answers, and whether it was one.
enum Change<T> {
    Made(T),
    None(T),
}

impl Change<bool> {
    /// A change that affects a row, or none.
    fn of(rows: usize) -> Self {
        if rows > 0 { Self::Made(true) } else { Self::None(false) }
    }
}

#[async_trait]
impl AdminRepository for DieselAdminRepository {
    async fn create_account(
        &self,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let StoredAccount { account, password_hash } = account.clone();
        self.change("create an admin's account", entry, move |connection| {
            let row = (
                admin_accounts::name.eq(account.name.as_str()),
                admin_accounts::role.eq(account.role.name()),
                admin_accounts::password_hash.eq(&password_hash),
                admin_accounts::is_disabled.eq(account.is_disabled),
                admin_accounts::created_at.eq(UtcMicros::from(account.created_at)),
                admin_accounts::last_signed_in_at
                    .eq(account.last_signed_in_at.map(UtcMicros::from)),
            );
            let insert = diesel::insert_into(admin_accounts::table).values(row);
            Ok(Change::of(match connection {
                AnyConnection::Sqlite(connection) => {
                    insert.on_conflict_do_nothing().execute(connection)?
                }
                AnyConnection::Postgres(connection) => {
                    insert.on_conflict_do_nothing().execute(connection)?
                }
            }))
        })
        .await
    }

    async fn account(&self, name: &AdminName) -> Result<Option<StoredAccount>, RepositoryError> {
        let name = name.clone();
        self.database
            .read("find an admin's account", move |connection| {
                let row: Option<AccountRow> =
                    admin_accounts::table.find(name.as_str()).first(connection).optional()?;
                row.map(AccountRow::into_account).transpose()
            })
            .await
    }

    async fn accounts(&self, limit: u32) -> Result<Vec<AdminAccount>, RepositoryError> {
        self.database
            .read("list the admins' accounts", move |connection| {
                let rows: Vec<AccountRow> = admin_accounts::table
                    .order(admin_accounts::name)
                    .limit(limit.into())
                    .load(connection)?;
                rows.into_iter().map(|row| Ok(row.into_account()?.account)).collect()
            })
            .await
    }

    async fn set_password(
        &self,
        name: &AdminName,
        password_hash: &str,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (name, password_hash) = (name.clone(), password_hash.to_owned());
        self.change("change an admin's password", entry, move |connection| {
            let changed = diesel::update(admin_accounts::table.find(name.as_str()))
                .set(admin_accounts::password_hash.eq(&password_hash))
                .execute(connection)?;
            end_sessions(connection, name.as_str())?;
            Ok(Change::of(changed))
        })
        .await
    }

    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<Disabling, RepositoryError> {
        let name = name.clone();
        self.change("disable or enable an admin", entry, move |connection| {
            // Their rows are locked: of two owners who disable each other at once, the second is to
            // see what the first one did.
            diesel::update(admin_accounts::table.filter(is_enabled_owner()))
                .set(admin_accounts::is_disabled.eq(false))
                .execute(connection)?;
            let owners: Vec<String> = admin_accounts::table
                .filter(is_enabled_owner())
                .select(admin_accounts::name)
                .limit(2)
                .load(connection)?;
            if is_disabled && owners == [name.as_str()] {
                return Ok(Change::None(Disabling::LastOwner));
            }
            let other = admin_accounts::table
                .find(name.as_str())
                .filter(admin_accounts::is_disabled.ne(is_disabled));
            let changed = diesel::update(other)
                .set(admin_accounts::is_disabled.eq(is_disabled))
                .execute(connection)?;
            if changed > 0 {
                end_sessions(connection, name.as_str())?;
                return Ok(Change::Made(Disabling::Done));
            }
            let known: i64 =
                admin_accounts::table.find(name.as_str()).count().get_result(connection)?;
            let is_known = known > 0;
            Ok(Change::None(if is_known { Disabling::Done } else { Disabling::NoSuchAccount }))
        })
        .await
    }

    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Option<TimeDelta>, RepositoryError> {
        let mut keys = keys.to_vec();
        // Everybody locks them in one order.
        keys.sort_unstable_by_key(|(key, _)| *key);
        self.database
            .write("count an attempt to sign in", move |connection| {
                connection.transaction(|connection| attempt(connection, &keys, now))
            })
            .await
    }

    async fn succeeded(&self, forgotten: Digest, eased: &[Digest]) -> Result<(), RepositoryError> {
        let mut keys: Vec<_> = eased.to_vec();
        keys.push(forgotten);
        keys.sort_unstable();
        self.database
            .write("forget failures to sign in", move |connection| {
                connection.transaction(|connection| {
                    for key in &keys {
                        let row = sign_in_failures::table.find(&key.0[..]);
                        if *key == forgotten {
                            diesel::delete(row).execute(connection)?;
                        } else {
                            let some = row.filter(sign_in_failures::failures.gt(0));
                            diesel::update(some)
                                .set(sign_in_failures::failures.eq(sign_in_failures::failures - 1))
                                .execute(connection)?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn open_session(
        &self,
        token: Digest,
        admin: &Admin,
        password_hash: Option<&str>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (admin, at) = (admin.clone(), UtcMicros::from(entry.at));
        let password_hash = password_hash.map(str::to_owned);
        self.change("begin an admin's session", entry, move |connection| {
            if let Admin::Account(name) = &admin {
                let same = admin_accounts::table
                    .find(name.as_str())
                    .filter(admin_accounts::is_disabled.eq(false))
                    .filter(
                        admin_accounts::password_hash.eq(password_hash.as_deref().unwrap_or("")),
                    );
                let noted = diesel::update(same)
                    .set(admin_accounts::last_signed_in_at.eq(at))
                    .execute(connection)?;
                if noted == 0 {
                    return Ok(Change::None(false));
                }
            }
            let row = (
                admin_sessions::token_hash.eq(&token.0[..]),
                admin_sessions::admin.eq(admin.to_string()),
                admin_sessions::signed_in_at.eq(at),
                admin_sessions::last_used_at.eq(at),
            );
            diesel::insert_into(admin_sessions::table).values(row).execute(connection)?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn session(&self, token: Digest) -> Result<Option<StoredSession>, RepositoryError> {
        self.database
            .read("find an admin's session", move |connection| {
                let row: Option<SessionRow> = admin_sessions::table
                    .left_join(
                        admin_accounts::table.on(admin_accounts::name.eq(admin_sessions::admin)),
                    )
                    .filter(admin_sessions::token_hash.eq(&token.0[..]))
                    .select((
                        admin_sessions::admin,
                        admin_sessions::signed_in_at,
                        admin_sessions::last_used_at,
                        admin_accounts::role.nullable(),
                        admin_accounts::is_disabled.nullable(),
                    ))
                    .first(connection)
                    .optional()?;
                row.map(SessionRow::into_session).transpose()
            })
            .await
    }

    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.database
            .write("note that an admin's session is used", move |connection| {
                let at = UtcMicros::from(at);
                let older = admin_sessions::table
                    .find(&token.0[..])
                    .filter(admin_sessions::last_used_at.lt(at));
                diesel::update(older)
                    .set(admin_sessions::last_used_at.eq(at))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn close_session(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        self.change("end an admin's session", entry, move |connection| {
            let session = admin_sessions::table.find(&token.0[..]);
            Ok(Change::of(diesel::delete(session).execute(connection)?))
        })
        .await
    }

    async fn close_sessions(
        &self,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<usize, RepositoryError> {
        let admin = admin.to_string();
        self.change("end an admin's sessions", entry, move |connection| {
            Ok(Change::Made(end_sessions(connection, &admin)?))
        })
        .await
    }

    async fn create_link(
        &self,
        token: Digest,
        user: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("store a link to sign in with", move |connection| {
                let row = (
                    admin_links::token_hash.eq(&token.0[..]),
                    admin_links::telegram_id.eq(user.get()),
                    admin_links::created_at.eq(UtcMicros::from(at)),
                );
                diesel::insert_into(admin_links::table).values(row).execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn take_link(
        &self,
        token: Digest,
    ) -> Result<Option<(TelegramId, DateTime<Utc>)>, RepositoryError> {
        self.database
            .write("take a link to sign in with", move |connection| {
                let link = admin_links::table.find(&token.0[..]);
                let row: Option<(i64, UtcMicros)> = link
                    .select((admin_links::telegram_id, admin_links::created_at))
                    .first(connection)
                    .optional()?;
                // Who deletes it has it; the row never changes in between.
                let taken = diesel::delete(link).execute(connection)?;
                let Some((id, at)) = row.filter(|_| taken > 0) else { return Ok(None) };
                let corrupt = |reason| corrupt("admin_links", "telegram_id", "(hidden)", reason);
                let id = TelegramId::try_from(id).map_err(|error| corrupt(error.to_string()))?;
                Ok(Some((id, at.into())))
            })
            .await
    }

    async fn audit(&self, entry: &NewAuditEntry) -> Result<(), RepositoryError> {
        let entry = entry.clone();
        self.database
            .write("add to the audit log", move |connection| Ok(add_entry(connection, &entry)?))
            .await
    }

    async fn audit_all(&self, entries: &[NewAuditEntry]) -> Result<(), RepositoryError> {
        let entries = entries.to_vec();
        self.database
            .write("add to the audit log", move |connection| {
                connection.transaction(|connection| {
                    entries.iter().try_for_each(|entry| Ok(add_entry(connection, entry)?))
                })
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
        self.database
            .read("read the audit log", move |connection| {
                let rows: Vec<EntryRow> = if filter == AuditFilter::all() {
                    audit_log::table
                        .filter(audit_log::id.lt(before))
                        .order(audit_log::id.desc())
                        .limit(limit.into())
                        .load(connection)?
                } else {
                    filtered_log(connection, &filter, before, limit)?
                };
                rows.into_iter().map(EntryRow::into_entry).collect()
            })
            .await
    }

    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError> {
        self.database
            .write("forget old sessions", move |connection| {
                let limit = i64::from(limit);
                Ok(forget_sessions(connection, expiry, limit)?
                    + forget_links(connection, expiry.linked_before.into(), limit)?
                    + forget_failures(connection, expiry.failed_before.into(), limit)?)
            })
            .await
    }
}

/// Leaves the entries about users who are erased without their values.
pub(crate) fn empty_entries(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    for id in ids {
        diesel::update(audit_log::table.filter(audit_log::about.eq(id)))
            .set((audit_log::old_value.eq(None::<String>), audit_log::new_value.eq(None::<String>)))
            .execute(connection)?;
    }
    Ok(())
}

/// The entries that a filter keeps. In the order of `-id`, as the indexes have it that make each
/// page cheap.
fn filtered_log(
    connection: &mut AnyConnection,
    filter: &AuditFilter,
    before: i64,
    limit: u32,
) -> QueryResult<Vec<EntryRow>> {
    let is_before = sql::<Bool>("-id > ").bind::<BigInt, _>(before.saturating_neg());
    let mut query = audit_log::table.filter(is_before).into_boxed();
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

fn add_entry(connection: &mut AnyConnection, entry: &NewAuditEntry) -> QueryResult<()> {
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

/// That an account is an owner's, and enabled.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_enabled_owner() -> _ {
    let owner: &'static str = Role::Owner.name();
    admin_accounts::role.eq(owner).and(admin_accounts::is_disabled.eq(false))
}

fn end_sessions(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::delete(admin_sessions::table.filter(admin_sessions::admin.eq(admin)))
        .execute(connection)
}

/// See [`AdminRepository::attempt`].
fn attempt(
    connection: &mut AnyConnection,
    keys: &[(Digest, SignInLimit)],
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>, Failure> {
    let mut failures = Vec::with_capacity(keys.len());
    for (key, limit) in keys {
        failures.push((key, limit, lock_failures(connection, key, now)?));
    }
    let waits = failures.iter().filter_map(|(_, limit, failures)| limit.wait(*failures, now));
    if let Some(longest) = waits.max() {
        return Ok(Some(longest));
    }
    for (key, limit, failures) in failures {
        let failures = limit.add(failures, now);
        diesel::update(sign_in_failures::table.find(&key.0[..]))
            .set((
                sign_in_failures::failures.eq(i32::try_from(failures.count).unwrap_or(i32::MAX)),
                sign_in_failures::last_at.eq(UtcMicros::from(failures.last_at)),
            ))
            .execute(connection)?;
    }
    Ok(None)
}

/// The failures of a key, which nobody else counts until the transaction is over.
fn lock_failures(
    connection: &mut AnyConnection,
    key: &Digest,
    now: DateTime<Utc>,
) -> QueryResult<SignInFailures> {
    let none = (
        sign_in_failures::key_hash.eq(&key.0[..]),
        sign_in_failures::failures.eq(0),
        sign_in_failures::last_at.eq(UtcMicros::from(now)),
    );
    let insert = diesel::insert_into(sign_in_failures::table).values(none);
    match connection {
        AnyConnection::Sqlite(connection) => insert.on_conflict_do_nothing().execute(connection)?,
        AnyConnection::Postgres(connection) => {
            insert.on_conflict_do_nothing().execute(connection)?
        }
    };
    let row = sign_in_failures::table.find(&key.0[..]);
    diesel::update(row)
        .set(sign_in_failures::failures.eq(sign_in_failures::failures))
        .execute(connection)?;
    let (failures, last_at): (i32, UtcMicros) =
        row.select((sign_in_failures::failures, sign_in_failures::last_at)).first(connection)?;
    Ok(SignInFailures { count: failures.try_into().unwrap_or_default(), last_at: last_at.into() })
}

fn forget_sessions(
    connection: &mut AnyConnection,
    expiry: Expiry,
    limit: i64,
) -> QueryResult<usize> {
    let has_expired = || {
        admin_sessions::last_used_at
            .lt(UtcMicros::from(expiry.used_before))
            .or(admin_sessions::signed_in_at.lt(UtcMicros::from(expiry.signed_in_before)))
    };
    let old: Vec<Vec<u8>> = admin_sessions::table
        .select(admin_sessions::token_hash)
        .filter(has_expired())
        .limit(limit)
        .load(connection)?;
    // Looked at again: it may have been used meanwhile.
    let old = admin_sessions::table.filter(admin_sessions::token_hash.eq_any(old));
    diesel::delete(old.filter(has_expired())).execute(connection)
}

fn forget_links(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = admin_links::table
        .select(admin_links::token_hash)
        .filter(admin_links::created_at.lt(before))
        .limit(limit)
        .load(connection)?;
    diesel::delete(admin_links::table.filter(admin_links::token_hash.eq_any(old)))
        .execute(connection)
}

fn forget_failures(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = sign_in_failures::table
        .select(sign_in_failures::key_hash)
        .filter(sign_in_failures::last_at.lt(before))
        .limit(limit)
        .load(connection)?;
    // Looked at again: another one may have come meanwhile.
    let old = sign_in_failures::table.filter(sign_in_failures::key_hash.eq_any(old));
    diesel::delete(old.filter(sign_in_failures::last_at.lt(before))).execute(connection)
}

/// A row of `admin_accounts`, its columns in the table's order.
#[derive(Queryable)]
struct AccountRow {
    name: String,
    role: String,
    password_hash: String,
    is_disabled: bool,
    created_at: UtcMicros,
    last_signed_in_at: Option<UtcMicros>,
}

impl AccountRow {
    fn into_account(self) -> Result<StoredAccount, Failure> {
        let name: AdminName = self
            .name
            .parse()
            .map_err(|error| corrupt("admin_accounts", "name", &self.name, format!("{error}")))?;
        let account = AdminAccount {
            role: role(&self.role, &self.name)?,
            name,
            is_disabled: self.is_disabled,
            created_at: self.created_at.into(),
            last_signed_in_at: self.last_signed_in_at.map(Into::into),
        };
        Ok(StoredAccount { account, password_hash: self.password_hash })
    }
}

/// A session and the account that it belongs to, if it is an account's.
#[derive(Queryable)]
struct SessionRow {
    admin: String,
    signed_in_at: UtcMicros,
    last_used_at: UtcMicros,
    role: Option<String>,
    is_disabled: Option<bool>,
}

impl SessionRow {
    fn into_session(self) -> Result<StoredSession, Failure> {
        let admin: Admin = self
            .admin
            .parse()
            .map_err(|error| corrupt("admin_sessions", "admin", "(hidden)", format!("{error}")))?;
        let enabled = self.role.filter(|_| self.is_disabled == Some(false));
        Ok(StoredSession {
            account_role: enabled.map(|name| role(&name, &self.admin)).transpose()?,
            admin,
            signed_in_at: self.signed_in_at.into(),
            last_used_at: self.last_used_at.into(),
        })
    }
}

/// A row of `audit_log`, its columns in the table's order.
#[derive(Queryable)]
struct EntryRow {
    id: i64,
    at: UtcMicros,
    admin: Option<String>,
    action: String,
    about: Option<i64>,
    old: Option<String>,
    new: Option<String>,
}

impl EntryRow {
    fn into_entry(self) -> Result<AuditEntry, Failure> {
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
            old: self.old,
            new: self.new,
        })
    }
}

/// The role of an account.
fn role(name: &str, account: &str) -> Result<Role, Failure> {
    let unknown = || corrupt("admin_accounts", "role", account, "no role has this name".to_owned());
    Role::from_name(name).ok_or_else(unknown)
}

fn corrupt(table: &'static str, column: &'static str, key: &str, reason: String) -> Failure {
    Failure::Corrupt { table, column, key: key.to_owned(), reason }
}
