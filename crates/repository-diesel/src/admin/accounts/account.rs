use async_trait::async_trait;
use diesel::{dsl::exists, prelude::*};
use rollcall_domain::{AdminAccount, AdminName, Role};
use rollcall_repository::{
    AccountChange, AdminAccountRepository, Digest, NewAuditEntry, RepositoryError, StoredAccount,
};

use crate::{
    admin::{
        accounts::insert::insert_account,
        accounts::invitations::delete_invitations,
        accounts::role::role,
        audit::entry::add_entry,
        sessions::factors::delete_factors,
        sessions::session::{end_other_sessions, end_sessions},
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{admin_accounts, passkeys, second_factors},
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl AdminAccountRepository for DieselAdminRepository {
    async fn create_account(
        &self,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let account = account.clone();
        self.change("create an admin's account", entry, move |connection| {
            Ok(Change::of(insert_account(connection, &account)?))
        })
        .await
    }

    async fn account(&self, name: &AdminName) -> Result<Option<StoredAccount>, RepositoryError> {
        let name = name.clone();
        self.database
            .read("find an admin's account", move |connection| {
                let row: Option<AccountRow> = admin_accounts::table
                    .select((admin_accounts::all_columns, has_factor()))
                    .filter(admin_accounts::name.eq(name.as_str()))
                    .first(connection)
                    .optional()?;
                row.map(AccountRow::into_account).transpose()
            })
            .await
    }

    async fn accounts(&self, limit: u32) -> Result<Vec<AdminAccount>, RepositoryError> {
        self.database
            .read("list the admins' accounts", move |connection| {
                let rows: Vec<AccountRow> = admin_accounts::table
                    .select((admin_accounts::all_columns, has_factor()))
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
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (name, password_hash) = (name.clone(), password_hash.to_owned());
        self.change("change an admin's password", entry, move |connection| {
            let changed = diesel::update(admin_accounts::table.find(name.as_str()))
                .set(admin_accounts::password_hash.eq(&password_hash))
                .execute(connection)?;
            end_other_sessions(connection, name.as_str(), kept)?;
            Ok(Change::of(changed))
        })
        .await
    }

    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError> {
        let name = name.clone();
        self.change("disable or enable an admin", entry, move |connection| {
            if is_last_owner(connection, &name)? && is_disabled {
                return Ok(Change::None(AccountChange::LastOwner));
            }
            let other = admin_accounts::table
                .find(name.as_str())
                .filter(admin_accounts::is_disabled.ne(is_disabled));
            let changed = diesel::update(other)
                .set(admin_accounts::is_disabled.eq(is_disabled))
                .execute(connection)?;
            if changed > 0 {
                end_sessions(connection, name.as_str())?;
                if is_disabled {
                    delete_invitations(connection, name.as_str())?;
                }
                return Ok(Change::Made(AccountChange::Done));
            }
            let is_known = role_of(connection, &name)?.is_some();
            Ok(Change::None(if is_known {
                AccountChange::Done
            } else {
                AccountChange::NoSuchAccount
            }))
        })
        .await
    }

    async fn set_role(
        &self,
        name: &AdminName,
        role: Role,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError> {
        let (name, new) = (name.clone(), entry.clone());
        self.change("change an admin's role", entry, move |connection| {
            let is_last_owner = is_last_owner(connection, &name)?;
            let Some(old) = role_of(connection, &name)? else {
                return Ok(Change::None(AccountChange::NoSuchAccount));
            };
            if old == role {
                return Ok(Change::None(AccountChange::Done));
            }
            if is_last_owner {
                return Ok(Change::None(AccountChange::LastOwner));
            }
            diesel::update(admin_accounts::table.find(name.as_str()))
                .set(admin_accounts::role.eq(role.name()))
                .execute(connection)?;
            if role < Role::Owner {
                delete_invitations(connection, name.as_str())?;
            }
            let old = Some(format!("{name} ({old})"));
            add_entry(connection, &NewAuditEntry { old, ..new.clone() })?;
            Ok(Change::Logged(AccountChange::Done))
        })
        .await
    }

    async fn remove_account(
        &self,
        name: &AdminName,
        entry: &NewAuditEntry,
    ) -> Result<AccountChange, RepositoryError> {
        let (name, removed) = (name.clone(), entry.clone());
        self.change("remove an admin's account", entry, move |connection| {
            if is_last_owner(connection, &name)? {
                return Ok(Change::None(AccountChange::LastOwner));
            }
            let Some(role) = role_of(connection, &name)? else {
                return Ok(Change::None(AccountChange::NoSuchAccount));
            };
            diesel::delete(admin_accounts::table.find(name.as_str())).execute(connection)?;
            delete_factors(connection, name.as_str())?;
            end_sessions(connection, name.as_str())?;
            delete_invitations(connection, name.as_str())?;
            let old = Some(format!("{name} ({role})"));
            add_entry(connection, &NewAuditEntry { old, ..removed.clone() })?;
            Ok(Change::Logged(AccountChange::Done))
        })
        .await
    }
}

/// Whether an account is the last enabled one of an owner. Locks the rows of all of them: if two
/// owners disable, remove or change each other at once, the second one has to see the first one's
/// change.
fn is_last_owner(connection: &mut AnyConnection, name: &AdminName) -> QueryResult<bool> {
    diesel::update(admin_accounts::table.filter(is_enabled_owner()))
        .set(admin_accounts::is_disabled.eq(false))
        .execute(connection)?;
    let owners: Vec<String> = admin_accounts::table
        .filter(is_enabled_owner())
        .select(admin_accounts::name)
        .limit(2)
        .load(connection)?;
    Ok(owners == [name.as_str()])
}

/// The role of an account, if it exists. Locks its row.
fn role_of(connection: &mut AnyConnection, name: &AdminName) -> Result<Option<Role>, Failure> {
    let row = admin_accounts::table.find(name.as_str());
    diesel::update(row)
        .set(admin_accounts::is_disabled.eq(admin_accounts::is_disabled))
        .execute(connection)?;
    let found: Option<String> = row.select(admin_accounts::role).first(connection).optional()?;
    found.map(|found| role(&found, name.as_str())).transpose()
}

/// The condition that an account is an owner's, and enabled.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_enabled_owner() -> _ {
    let owner: &'static str = Role::Owner.name();
    admin_accounts::role.eq(owner).and(admin_accounts::is_disabled.eq(false))
}

/// Whether an account has a second factor of any kind.
#[diesel::dsl::auto_type(no_type_alias)]
fn has_factor() -> _ {
    let app = second_factors::table.filter(second_factors::admin.eq(admin_accounts::name));
    let passkey = passkeys::table.filter(passkeys::admin.eq(admin_accounts::name));
    exists(app).or(exists(passkey))
}

/// An account, and whether it has a second factor.
#[derive(Queryable)]
struct AccountRow {
    account: Columns,
    has_factor: bool,
}

/// The columns of `admin_accounts`, in the table's order.
#[derive(Queryable)]
struct Columns {
    name: String,
    role: String,
    password_hash: String,
    is_disabled: bool,
    created_at: UtcMicros,
    last_signed_in_at: Option<UtcMicros>,
}

impl AccountRow {
    fn into_account(self) -> Result<StoredAccount, Failure> {
        let Self { account: row, has_factor } = self;
        let name: AdminName = row
            .name
            .parse()
            .map_err(|error| corrupt("admin_accounts", "name", &row.name, format!("{error}")))?;
        let account = AdminAccount {
            role: role(&row.role, &row.name)?,
            name,
            is_disabled: row.is_disabled,
            has_second_factor: has_factor,
            created_at: row.created_at.into(),
            last_signed_in_at: row.last_signed_in_at.map(Into::into),
        };
        Ok(StoredAccount { account, password_hash: row.password_hash })
    }
}
