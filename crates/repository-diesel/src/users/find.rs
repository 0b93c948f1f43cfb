//! Finding users.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Text},
};
use rollcall_domain::{TelegramId, TelegramUser};

use crate::{
    base::{connection::AnyConnection, error::Failure, schema::telegram_users},
    row::columns::UserRow,
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
