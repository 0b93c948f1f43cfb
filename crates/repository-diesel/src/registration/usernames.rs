//! Step 3: usernames that may change hands are locked, and the users who hold them.
//!
//! Two transactions that give one name to two users would not see each other's rows, so PostgreSQL
//! locks the names themselves. SQLite has one writer, and needs no locks.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    result::Error as DieselError,
    sql_types::{Array, BigInt, Bool, Integer, Text},
    sqlite::Sqlite,
};

use crate::base::{
    schema::telegram_users,
    statement::{Columns, statement},
    timestamp::UtcMicros,
    transaction::Transaction,
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
    LockUsernames { namespace: USERNAME_LOCKS, buckets: buckets(keys) }.execute(connection)?;
    LockRows { users, keys }.execute(connection).map(drop)
}

/// Locks the usernames with these keys, so that no other process gives them to a user. Returns
/// whether that was possible without waiting.
pub(super) fn lock(connection: &mut Transaction<'_>, keys: &[&str]) -> QueryResult<bool> {
    match connection {
        Transaction::Sqlite(_) => Ok(true),
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
        Transaction::Postgres(connection) => LockHolders { keys }.load(connection),
    }
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
