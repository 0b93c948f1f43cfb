//! The users of updates that were known already, which the batch leaves unchanged.

use diesel::prelude::*;

use crate::{
    base::{
        schema::telegram_users,
        transaction::{Transaction, alike},
    },
    row::columns::UserRow,
};

/// The rows of these users, as far as they exist.
pub(super) fn read(connection: &mut Transaction<'_>, ids: &[i64]) -> QueryResult<Vec<UserRow>> {
    alike!(connection => telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .select(UserRow::as_select())
        .load(connection))
}
