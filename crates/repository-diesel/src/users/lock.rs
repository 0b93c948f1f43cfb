//! Locking users against changes by other transactions.

use diesel::{connection::SimpleConnection, prelude::*};

use crate::base::{connection::AnyConnection, schema::telegram_users};

/// Locks a user's row, so that no other transaction changes the user or its histories. Returns
/// whether the user exists. Both databases spell this alike, unlike `FOR UPDATE`.
pub(crate) fn lock(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let locked = diesel::update(telegram_users::table.find(id))
        .set(telegram_users::previous_seen.eq(telegram_users::previous_seen))
        .execute(connection)?;
    Ok(locked > 0)
}

/// Keeps other processes from claiming the database, and from adding and changing users, until the
/// transaction ends.
pub(crate) fn lock_database(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        // A statement that writes makes the transaction SQLite's only writer.
        AnyConnection::Sqlite(connection) => {
            connection.batch_execute("UPDATE activity_state SET is_demo = is_demo")
        }
        AnyConnection::Postgres(connection) => connection
            .batch_execute("LOCK TABLE bot_identity, telegram_users IN SHARE ROW EXCLUSIVE MODE"),
    }
}
