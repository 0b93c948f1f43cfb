//! The hashes of the ids of erased users.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{Array, Binary, Bool},
    sqlite::Sqlite,
};

use super::key;
use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::suppressed_users,
    statement::statement,
    suppression_key::KeySource,
    transaction::{Transaction, alike},
};

/// Those of these users who were erased and have not agreed to be stored again.
///
/// Once the row of a user is inserted, this is exact: the insertion has waited for the transaction that
/// was erasing the user, and this statement sees what that has committed.
pub(crate) fn suppressed(
    connection: &mut Transaction<'_>,
    source: &KeySource,
    ids: &[i64],
) -> Result<BTreeSet<i64>, Failure> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let Some(key) = key::committed(connection, source)? else { return Ok(BTreeSet::new()) };
    match connection {
        Transaction::Sqlite(connection) => {
            let mut suppressed = BTreeSet::new();
            for &id in ids {
                if (FindOne { hash: key.hash(id) }).get_result(*connection)? {
                    suppressed.insert(id);
                }
            }
            Ok(suppressed)
        }
        Transaction::Postgres(connection) => {
            let ids: BTreeMap<Vec<u8>, i64> = ids.iter().map(|&id| (key.hash(id), id)).collect();
            let found: Vec<Vec<u8>> =
                FindAll { hashes: ids.keys().cloned().collect() }.load(connection)?;
            Ok(found.iter().filter_map(|hash| ids.get(hash).copied()).collect())
        }
    }
}

statement! {
    struct FindOne -> Bool {
        hash: Vec<u8> as Binary,
    }
    Sqlite => "SELECT EXISTS (SELECT * FROM suppressed_users WHERE id_hash = :hash)",
}

statement! {
    struct FindAll -> Binary {
        hashes: Vec<Vec<u8>> as Array<Binary>,
    }
    Pg => "SELECT id_hash FROM suppressed_users WHERE id_hash = ANY(:hashes)",
}

/// Keeps users from being stored again who are erased in this transaction.
pub(crate) fn suppress(
    connection: &mut AnyConnection,
    source: &KeySource,
    ids: &[i64],
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let connection = &mut Transaction::from(connection);
    let key = key::given_or_created(connection, source)?;
    let hashes: BTreeSet<Vec<u8>> = ids.iter().map(|&id| key.hash(id)).collect();
    alike!(connection => for hash in hashes {
        diesel::insert_into(suppressed_users::table)
            .values(suppressed_users::id_hash.eq(hash))
            .on_conflict_do_nothing()
            .execute(connection)?;
    });
    Ok(())
}

/// Allows that users are stored again; returns how many of them were suppressed.
pub(crate) fn allow(
    connection: &mut Transaction<'_>,
    source: &KeySource,
    ids: &BTreeSet<i64>,
) -> Result<usize, Failure> {
    if ids.is_empty() {
        return Ok(0);
    }
    let Some(key) = key::committed(connection, source)? else { return Ok(0) };
    // In one order, so that several processes never wait for each other.
    let hashes: BTreeSet<Vec<u8>> = ids.iter().map(|&id| key.hash(id)).collect();
    let mut allowed = 0;
    for hash in hashes {
        allowed += alike!(connection => diesel::delete(suppressed_users::table.find(hash))
            .execute(connection))?;
    }
    Ok(allowed)
}
