use diesel::prelude::*;

use crate::base::{connection::AnyConnection, schema::telegram_users};

/// Locks a user's row, so that no other transaction changes the user or its histories. Returns
/// whether the user exists. Both databases spell this alike, unlike `FOR UPDATE`.
pub(crate) fn lock(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let locked = diesel::update(telegram_users::table.find(id))
        .set(telegram_users::previous_seen.eq(telegram_users::previous_seen))
        .execute(connection)?;
    Ok(locked > 0)
}
