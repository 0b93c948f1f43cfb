//! Finding users.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Text},
};
use rollcall_domain::{TelegramId, TelegramUser};

use crate::{
    base::{connection::AnyConnection, error::Failure, schema::telegram_users},
    row::{columns::UserRow, user::telegram_id},
};

/// The user with this id.
pub(super) fn by_id(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<Option<TelegramUser>, Failure> {
    let row = telegram_users::table
        .find(id.get())
        .select(UserRow::as_select())
        .first(connection)
        .optional()?;
    row.map(UserRow::into_user).transpose()
}

/// Those of these ids that have a user, sorted.
pub(super) fn existing(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<Vec<TelegramId>, Failure> {
    let found: Vec<i64> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .order(telegram_users::telegram_id)
        .select(telegram_users::telegram_id)
        .load(connection)?;
    found.into_iter().map(|id| telegram_id("telegram_users", id)).collect()
}

/// The user whose username has this key.
pub(super) fn by_username(
    connection: &mut AnyConnection,
    key: &str,
) -> Result<Option<TelegramUser>, Failure> {
    let key_is = match connection {
        AnyConnection::Sqlite(_) => "lower(username) = ",
        AnyConnection::Postgres(_) => "lower(username COLLATE \"C\") = ",
    };
    let row = telegram_users::table
        .filter(sql::<Bool>(key_is).bind::<Text, _>(key))
        .select(UserRow::as_select())
        .first(connection)
        .optional()?;
    row.map(UserRow::into_user).transpose()
}
