//! Locking users against changes by other transactions.

use std::collections::BTreeSet;

use diesel::{
    connection::SimpleConnection,
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt},
};

use crate::base::{
    connection::AnyConnection, distributed::Shards, schema::telegram_users,
    sqlstate::PgTransaction, statement::statement,
};

/// Locks a user's row, so that no other transaction changes the user or its histories. Returns
/// whether the user exists. Both databases spell this alike, unlike `FOR UPDATE`.
pub(crate) fn lock(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let locked = diesel::update(telegram_users::table.find(id))
        .set(telegram_users::previous_seen.eq(telegram_users::previous_seen))
        .execute(connection)?;
    Ok(locked > 0)
}

/// Locks users of a distributed database, where a statement locks rows of one shard only. Shard by shard, as
/// the upsert does, so that all processes lock rows in one order.
pub(crate) fn lock_sharded(
    connection: &mut PgTransaction<'_>,
    shards: &Shards,
    ids: &BTreeSet<i64>,
) -> QueryResult<()> {
    for ids in shards.split(ids.iter().copied()) {
        LockShard { ids }.execute(connection)?;
    }
    Ok(())
}

statement! {
    struct LockShard {
        ids: Vec<i64> as Array<BigInt>,
    }
    Pg => "
        SELECT FROM telegram_users WHERE telegram_id = ANY(:ids) ORDER BY telegram_id FOR UPDATE",
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
