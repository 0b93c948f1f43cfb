//! Reading users in the order of their ids.

use std::collections::BTreeMap;

use diesel::prelude::*;
use rollcall_domain::{LabelName, TelegramId, TelegramUser};

use crate::{
    base::{connection::AnyConnection, error::Failure, schema::telegram_users},
    labels::users::labels_of,
    row::{columns::UserRow, user::telegram_id},
};

/// See [`TransferRepository::tags_of`](rollcall_repository::TransferRepository::tags_of).
pub(super) fn tags_of(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<BTreeMap<TelegramId, Vec<LabelName>>, Failure> {
    let labels = labels_of(connection, ids)?.into_iter();
    let tags = labels.filter(|(_, labels)| !labels.tags.is_empty()).map(|(id, mut labels)| {
        // PostgreSQL sorts by its locale.
        labels.tags.sort_unstable();
        (id, labels.tags)
    });
    Ok(tags.collect())
}

/// See [`TransferRepository::users_after`](rollcall_repository::TransferRepository::users_after).
pub(super) fn users_after(
    connection: &mut AnyConnection,
    after: Option<TelegramId>,
    limit: u32,
) -> Result<Vec<TelegramUser>, Failure> {
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.gt(after.map_or(0, TelegramId::get)))
        .order(telegram_users::telegram_id)
        .limit(limit.into())
        .select(UserRow::as_select())
        .load(connection)?;
    rows.into_iter().map(UserRow::into_user).collect()
}

/// See [`TransferRepository::id_after`](rollcall_repository::TransferRepository::id_after).
pub(super) fn id_after(
    connection: &mut AnyConnection,
    after: Option<TelegramId>,
    place: u32,
) -> Result<Option<TelegramId>, Failure> {
    let id: Option<i64> = telegram_users::table
        .filter(telegram_users::telegram_id.gt(after.map_or(0, TelegramId::get)))
        .order(telegram_users::telegram_id)
        .offset(i64::from(place) - 1)
        .select(telegram_users::telegram_id)
        .first(connection)
        .optional()?;
    id.map(|id| telegram_id("telegram_users", id)).transpose()
}
