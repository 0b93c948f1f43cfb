use async_trait::async_trait;
use diesel::prelude::*;
use rollcall_domain::{AdminAccount, AdminName, Role};
use rollcall_repository::{
    AdminAccountRepository, Disabling, NewAuditEntry, RepositoryError, StoredAccount,
};

use super::{
    role::role,
    sessions::end_sessions,
    store::{Change, DieselAdminRepository, corrupt},
};
use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{admin_accounts, second_factors},
    timestamp::UtcMicros,
};

#[async_trait]
impl AdminAccountRepository for DieselAdminRepository {
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
                let row: Option<AccountRow> = with_factors()
                    .select((admin_accounts::all_columns, second_factors::last_step.nullable()))
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
                let rows: Vec<AccountRow> = with_factors()
                    .select((admin_accounts::all_columns, second_factors::last_step.nullable()))
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
}

/// That an account is an owner's, and enabled.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_enabled_owner() -> _ {
    let owner: &'static str = Role::Owner.name();
    admin_accounts::role.eq(owner).and(admin_accounts::is_disabled.eq(false))
}

/// The accounts, each with its second factor, if it has one.
#[diesel::dsl::auto_type(no_type_alias)]
fn with_factors() -> _ {
    admin_accounts::table
        .left_join(second_factors::table.on(second_factors::admin.eq(admin_accounts::name)))
}

/// An account, and what tells whether it has a second factor.
#[derive(Queryable)]
struct AccountRow {
    account: Columns,
    last_step: Option<i64>,
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
        let Self { account: row, last_step } = self;
        let name: AdminName = row
            .name
            .parse()
            .map_err(|error| corrupt("admin_accounts", "name", &row.name, format!("{error}")))?;
        let account = AdminAccount {
            role: role(&row.role, &row.name)?,
            name,
            is_disabled: row.is_disabled,
            has_second_factor: last_step.is_some(),
            created_at: row.created_at.into(),
            last_signed_in_at: row.last_signed_in_at.map(Into::into),
        };
        Ok(StoredAccount { account, password_hash: row.password_hash })
    }
}
