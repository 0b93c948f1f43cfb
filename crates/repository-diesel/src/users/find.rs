//! Finding and listing users.

use diesel::{
    dsl::{count_star, sql},
    prelude::*,
    sql_types::{Bool, Text},
};
use rollcall_domain::{TelegramId, TelegramUser};
use rollcall_repository::{Page, PageRequest};

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

/// One page of all users, and the length of the whole list.
pub(super) fn page(
    connection: &mut AnyConnection,
    request: PageRequest,
) -> Result<Page<TelegramUser>, Failure> {
    let total: i64 = telegram_users::table.select(count_star()).get_result(connection)?;
    // Reads the keys first: the index has all of them, so the rows before a late page are counted
    // there, and not read.
    let page = diesel::alias!(telegram_users as page_of_users);
    let keys = page
        .select(page.field(telegram_users::telegram_id))
        .order((
            page.field(telegram_users::created_at).desc(),
            page.field(telegram_users::telegram_id).desc(),
        ))
        .limit(request.size().into())
        .offset(request.offset().try_into().unwrap_or(i64::MAX));
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(keys))
        .order((telegram_users::created_at.desc(), telegram_users::telegram_id.desc()))
        .select(UserRow::as_select())
        .load(connection)?;
    let items = rows.into_iter().map(UserRow::into_user).collect::<Result<_, _>>()?;
    Ok(Page { items, total: total.try_into().unwrap_or_default(), request })
}
