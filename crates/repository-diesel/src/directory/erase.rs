use diesel::prelude::*;

use super::search::index;
use crate::base::{
    connection::AnyConnection,
    schema::{notes, profile_changes},
};

/// Deletes what the directory stores of a user.
pub(crate) fn erase(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(profile_changes::table.filter(profile_changes::telegram_id.eq(id)))
        .execute(connection)?;
    diesel::delete(notes::table.find(id)).execute(connection)?;
    index::remove(connection, id)
}
