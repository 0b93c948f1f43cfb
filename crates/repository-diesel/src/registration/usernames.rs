//! Step 3: usernames that may change hands are locked, and the users who hold them.
//!
//! Two transactions that give one name to two users would not see each other's rows, so PostgreSQL
//! locks the names themselves. SQLite has one writer, and needs no locks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{
    connection::SimpleConnection,
    pg::Pg,
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Text},
    sqlite::Sqlite,
};

use crate::{
    base::{
        connection::AnyConnection,
        distributed::Shards,
        schema::telegram_users,
        sqlstate::PgTransaction,
        statement::{Columns, statement},
        timestamp::UtcMicros,
        transaction::Transaction,
    },
    users::lock::lock_sharded,
};

/// A user who holds a username.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
pub(crate) struct UsernameHolder {
    pub(crate) telegram_id: i64,
    username: Option<String>,
    last_seen: UtcMicros,
    profile_seen: Option<UtcMicros>,
}

impl UsernameHolder {
    /// The username as it is stored.
    pub(crate) fn username(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    pub(crate) fn last_seen(&self) -> DateTime<Utc> {
        self.last_seen.into()
    }

    pub(crate) fn profile_seen(&self) -> Option<DateTime<Utc>> {
        self.profile_seen.map(Into::into)
    }
}

/// Locks the usernames with these keys, then the rows of these users and of those who hold one of
/// the names. Both lists are sorted, and nothing is locked before them, so all processes wait for each
/// other in one order.
pub(super) fn lock_ahead(
    connection: &mut Transaction<'_>,
    users: &[i64],
    keys: &[&str],
) -> QueryResult<()> {
    let Transaction::Postgres(connection) = connection else { return Ok(()) };
    if let Some(shards) = connection.shards().cloned() {
        return lock_ahead_sharded(connection, users, keys, &shards);
    }
    LockUsernames { namespace: USERNAME_LOCKS, buckets: buckets(keys) }.execute(connection)?;
    LockRows { users, keys }.execute(connection).map(drop)
}

/// Locks the usernames with these keys, so that no other process gives them to a user. Returns
/// whether that was possible without waiting.
pub(super) fn lock(connection: &mut Transaction<'_>, keys: &[&str]) -> QueryResult<bool> {
    match connection {
        Transaction::Sqlite(_) => Ok(true),
        // `holders` locks them.
        Transaction::Postgres(connection) if connection.shards().is_some() => Ok(true),
        Transaction::Postgres(connection) => {
            TryLockUsernames { namespace: USERNAME_LOCKS, buckets: buckets(keys) }
                .get_result(connection)
        }
    }
}

/// Locks the rows whose username has one of these keys, and reads them. Fails instead of waiting.
pub(crate) fn holders(
    connection: &mut Transaction<'_>,
    keys: &[&str],
) -> QueryResult<Vec<UsernameHolder>> {
    match connection {
        Transaction::Sqlite(connection) => {
            let keys = serde_json::to_string(keys)
                .map_err(|error| DieselError::SerializationError(error.into()))?;
            FindHolders { keys }.load(*connection)
        }
        Transaction::Postgres(connection) if connection.shards().is_some() => {
            holders_sharded(connection, keys)
        }
        Transaction::Postgres(connection) => LockHolders { keys }.load(connection),
    }
}

/// Notes who holds these names from now on, whose holders were read by [`holders`].
pub(crate) fn hold<'a>(
    connection: &mut Transaction<'_>,
    owners: impl Iterator<Item = (&'a str, i64)>,
) -> QueryResult<()> {
    let Transaction::Postgres(connection) = connection else { return Ok(()) };
    if connection.shards().is_none() {
        return Ok(());
    }
    for (key, telegram_id) in owners {
        Hold { key, telegram_id }.execute(connection)?;
    }
    Ok(())
}

/// Forgets that these users held names.
pub(crate) fn forget(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    match connection.distributed() {
        Some(connection) => Forget { ids }.execute(connection).map(drop),
        None => Ok(()),
    }
}

/// Locks the same in a distributed database, where a statement locks rows of one shard only.
fn lock_ahead_sharded(
    connection: &mut PgTransaction<'_>,
    users: &[i64],
    keys: &[&str],
    shards: &Shards,
) -> QueryResult<()> {
    let mut ids: BTreeSet<i64> = users.iter().copied().collect();
    for key in keys {
        ids.extend(LockName { key }.get_result::<Option<i64>>(connection)?);
    }
    lock_sharded(connection, shards, &ids)
}

/// Locks the names, each of which is a row in the shard of the name, and then the users who may hold them.
/// A user in a row of `username_holders` may have another name by now; a name without a row has no holder.
fn holders_sharded(
    connection: &mut PgTransaction<'_>,
    keys: &[&str],
) -> QueryResult<Vec<UsernameHolder>> {
    let mut found = Vec::new();
    for &key in keys {
        let known: Option<Option<i64>> = TryLockName { key }.get_result(connection).optional()?;
        let may_hold = match known {
            Some(may_hold) => may_hold,
            None => LockName { key }.get_result(connection)?,
        };
        let Some(telegram_id) = may_hold else { continue };
        let holder = lock_holder(connection, telegram_id)?;
        found.extend(Some(holder).filter(|it| it.username().eq_ignore_ascii_case(key)));
    }
    Ok(found)
}

statement! {
    /// The only statement of SQLite over a list, which is one JSON text.
    struct FindHolders -> Columns<UsernameHolder> {
        keys: String as Text,
    }
    Sqlite => "
        SELECT telegram_id, username, last_seen, profile_seen FROM telegram_users
        WHERE lower(username) IN (SELECT value FROM json_each(:keys))",
}

statement! {
    struct LockHolders<'a> -> Columns<UsernameHolder> {
        keys: &'a [&'a str] as Array<Text>,
    }
    Pg => r#"
        SELECT telegram_id, username, last_seen, profile_seen FROM telegram_users
        WHERE lower(username COLLATE "C") = ANY(:keys)
        FOR UPDATE NOWAIT"#,
}

statement! {
    struct LockUsernames {
        namespace: i32 as Integer,
        /// Sorted.
        buckets: Vec<i32> as Array<Integer>,
    }
    Pg => "
        SELECT pg_advisory_xact_lock(:namespace, bucket) FROM UNNEST(:buckets) AS bucket",
}

statement! {
    struct TryLockUsernames -> Bool {
        namespace: i32 as Integer,
        buckets: Vec<i32> as Array<Integer>,
    }
    Pg => "
        SELECT bool_and(pg_try_advisory_xact_lock(:namespace, bucket))
        FROM UNNEST(:buckets) AS bucket",
}

statement! {
    struct LockRows<'a> {
        users: &'a [i64] as Array<BigInt>,
        keys: &'a [&'a str] as Array<Text>,
    }
    Pg => r#"
        SELECT FROM telegram_users
        WHERE telegram_id = ANY(:users) OR lower(username COLLATE "C") = ANY(:keys)
        ORDER BY telegram_id FOR UPDATE"#,
}

/// Locks the user who may hold a name. A transaction ends on each server at its own time, so the row of a name may
/// show a new user a moment before the user's row appears on another server. Deleting a user deletes the rows
/// of names, too.
fn lock_holder(
    connection: &mut PgTransaction<'_>,
    telegram_id: i64,
) -> QueryResult<UsernameHolder> {
    for _ in 0..40 {
        let holder = LockHolder { telegram_id }.get_result(connection).optional()?;
        if let Some(holder) = holder {
            return Ok(holder);
        }
        connection.batch_execute("SELECT pg_sleep(0.025)")?;
    }
    let reason = "the holder of a username is not stored yet".to_owned();
    Err(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(reason)))
}

statement! {
    /// Locks the row of a name, if it has one. Fails instead of waiting.
    struct TryLockName<'a> -> Nullable<BigInt> {
        key: &'a str as Text,
    }
    Pg => "SELECT telegram_id FROM username_holders WHERE name = :key FOR UPDATE NOWAIT",
}

statement! {
    /// Locks the row of a name, which is created if need be, and returns who may hold the name.
    struct LockName<'a> -> Nullable<BigInt> {
        key: &'a str as Text,
    }
    Pg => "
        INSERT INTO username_holders (name) VALUES (:key)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name
        RETURNING telegram_id",
}

statement! {
    struct LockHolder -> Columns<UsernameHolder> {
        telegram_id: i64 as BigInt,
    }
    Pg => "
        SELECT telegram_id, username, last_seen, profile_seen FROM telegram_users
        WHERE telegram_id = :telegram_id
        FOR UPDATE NOWAIT",
}

statement! {
    struct Forget<'a> {
        ids: &'a [i64] as Array<BigInt>,
    }
    Pg => "DELETE FROM username_holders WHERE telegram_id = ANY(:ids)",
}

statement! {
    struct Hold<'a> {
        key: &'a str as Text,
        telegram_id: i64 as BigInt,
    }
    Pg => "
        UPDATE username_holders SET telegram_id = :telegram_id
        WHERE name = :key AND telegram_id IS DISTINCT FROM :telegram_id",
}

/// How many advisory locks the usernames share: PostgreSQL has memory for a few thousand.
const BUCKETS: u64 = 256;

/// First key of the usernames' advisory locks ("name" in ASCII); the second is the bucket.
const USERNAME_LOCKS: i32 = 0x6e61_6d65;

/// The locks of usernames, sorted.
fn buckets(keys: &[&str]) -> Vec<i32> {
    let mut buckets: Vec<i32> = keys.iter().map(|key| bucket(key)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// The lock of a username: FNV-1a, which every version of every process computes alike.
fn bucket(key: &str) -> i32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    i32::try_from(hash % BUCKETS).unwrap_or_default()
}
