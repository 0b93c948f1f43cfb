use diesel::prelude::*;
use rollcall_repository::StoredAccount;

use crate::base::{
    connection::{AnyConnection, either},
    schema::admin_accounts,
    timestamp::UtcMicros,
};

/// Inserts an account; returns 0 if its name is taken.
pub(crate) fn insert_account(
    connection: &mut AnyConnection,
    StoredAccount { account, password_hash }: &StoredAccount,
) -> QueryResult<usize> {
    let row = (
        admin_accounts::name.eq(account.name.as_str()),
        admin_accounts::role.eq(account.role.name()),
        admin_accounts::password_hash.eq(password_hash),
        admin_accounts::is_disabled.eq(account.is_disabled),
        admin_accounts::created_at.eq(UtcMicros::from(account.created_at)),
        admin_accounts::last_signed_in_at.eq(account.last_signed_in_at.map(UtcMicros::from)),
    );
    let insert = diesel::insert_into(admin_accounts::table).values(row);
    either!(connection => insert.on_conflict_do_nothing().execute(connection))
}
