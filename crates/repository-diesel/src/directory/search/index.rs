//! Keeping the names of users in the index.

use std::collections::BTreeSet;

use diesel::{
    connection::SimpleConnection,
    dsl::exists,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{SearchText, TelegramUser};

use super::grams::{grams_of, tokens};
use crate::{
    base::{
        connection::{AnyConnection, copy_from, either},
        error::Failure,
        schema::{search_pending, telegram_users},
        statement::statement,
    },
    row::columns::UserRow,
};

/// Whether the names of users wait to be indexed.
pub(in crate::directory) fn any_pending(connection: &mut AnyConnection) -> Result<bool, Failure> {
    Ok(diesel::select(exists(search_pending::table.select(search_pending::telegram_id)))
        .get_result(connection)?)
}

/// See [`DirectoryRepository::index_names`](rollcall_repository::DirectoryRepository::index_names).
/// Runs in a transaction.
pub(in crate::directory) fn index_names(
    connection: &mut AnyConnection,
    limit: u32,
) -> Result<usize, Failure> {
    if let AnyConnection::Postgres(connection) = connection {
        connection.batch_execute(SMALL_PENDING_LIST)?;
    }
    let take = TakePending { limit: limit.into() };
    let ids: Vec<i64> = match connection.distributed() {
        Some(connection) => TakePendingSharded { limit: limit.into() }.load(connection)?,
        None => either!(connection => take.load(connection)?),
    };
    index(connection, &ids)
}

/// New entries of the array's index wait in a list that every search reads, until it has this size.
const SMALL_PENDING_LIST: &str = "SET LOCAL gin_pending_list_limit = '512kB'";
/// For many users at once, while there are no searches.
const LARGE_PENDING_LIST: &str = "SET LOCAL gin_pending_list_limit = '256MB'; \
                                  SET LOCAL maintenance_work_mem = '512MB'";

/// Indexes the names of these users.
fn index(connection: &mut AnyConnection, ids: &[i64]) -> Result<usize, Failure> {
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .select(UserRow::as_select())
        .load(connection)?;
    let users = rows.into_iter().map(UserRow::into_user).collect::<Result<Vec<_>, _>>()?;
    add(connection, Names::of(users.iter()), Known::Perhaps)?;
    Ok(ids.len())
}

/// Whether the index may have some of the users that are added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Perhaps,
    None,
}

/// The names of users, as the index has them.
pub(crate) struct Names(Vec<(i64, BTreeSet<i32>)>);

impl Names {
    pub(crate) fn of<'a>(users: impl Iterator<Item = &'a TelegramUser>) -> Self {
        let row = |user: &TelegramUser| (user.telegram_id.get(), grams_of(&SearchText::of(user)));
        Self(users.map(row).collect())
    }
}

/// Adds users in bulk that the index does not have.
pub(crate) fn add_new(connection: &mut AnyConnection, names: Names) -> QueryResult<()> {
    if let AnyConnection::Postgres(connection) = connection {
        connection.batch_execute(LARGE_PENDING_LIST)?;
    }
    add(connection, names, Known::None)
}

fn add(connection: &mut AnyConnection, Names(rows): Names, known: Known) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            for (telegram_id, grams) in rows {
                if known == Known::Perhaps {
                    RemoveText { telegram_id }.execute(connection)?;
                }
                AddText { telegram_id, grams: tokens(&grams, " ") }.execute(connection)?;
            }
            Ok(())
        }
        AnyConnection::Postgres(connection) => {
            let rows: Vec<ArrayRow> = rows
                .into_iter()
                .map(|(telegram_id, grams)| ArrayRow {
                    telegram_id,
                    grams: grams.into_iter().collect(),
                })
                .collect();
            match known {
                Known::None => {
                    copy_from(search_arrays::table).from_insertable(&rows).execute(connection)?;
                }
                Known::Perhaps => {
                    diesel::insert_into(search_arrays::table)
                        .values(&rows)
                        .on_conflict(search_arrays::telegram_id)
                        .do_update()
                        .set(
                            search_arrays::grams.eq(diesel::upsert::excluded(search_arrays::grams)),
                        )
                        .execute(connection)?;
                }
            }
            Ok(())
        }
    }
}

/// Removes a user from the index. Waits for a transaction that is indexing the user's names.
pub(in crate::directory) fn remove(
    connection: &mut AnyConnection,
    telegram_id: i64,
) -> QueryResult<()> {
    diesel::delete(search_pending::table.find(telegram_id)).execute(connection)?;
    match connection {
        AnyConnection::Sqlite(connection) => RemoveText { telegram_id }.execute(connection)?,
        AnyConnection::Postgres(connection) => {
            diesel::delete(search_arrays::table.find(telegram_id)).execute(connection)?
        }
    };
    Ok(())
}

diesel::table! {
    #[sql_name = "search_grams"]
    search_arrays (telegram_id) {
        telegram_id -> BigInt,
        grams -> Array<Integer>,
    }
}

/// A user's grams, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = search_arrays, treat_none_as_default_value = false)]
struct ArrayRow {
    telegram_id: i64,
    grams: Vec<i32>,
}

statement! {
    /// Takes users off the list of those whose names wait for the search. On SQLite this is the
    /// transaction's first statement, which makes it the only writer before it reads. On
    /// PostgreSQL it skips users whose row another transaction holds: that one sees to them.
    struct TakePending -> BigInt {
        limit: i64 as BigInt,
    }
    Sqlite => "
        DELETE FROM search_pending
        WHERE telegram_id IN
            (SELECT telegram_id FROM search_pending ORDER BY telegram_id LIMIT :limit)
        RETURNING telegram_id",
    Pg => "
        DELETE FROM search_pending
        WHERE telegram_id = ANY (ARRAY(
            SELECT telegram_id FROM search_pending ORDER BY telegram_id LIMIT :limit
            FOR UPDATE SKIP LOCKED))
        RETURNING telegram_id",
}

statement! {
    /// Waits for other transactions that hold such users, because Citus skips no locked rows.
    struct TakePendingSharded -> BigInt {
        limit: i64 as BigInt,
    }
    Pg => "
        DELETE FROM search_pending
        WHERE telegram_id = ANY (ARRAY(
            SELECT telegram_id FROM search_pending ORDER BY telegram_id LIMIT :limit))
        RETURNING telegram_id",
}

statement! {
    /// Adds the grams of a user.
    struct AddText {
        telegram_id: i64 as BigInt,
        grams: String as Text,
    }
    Sqlite => "INSERT INTO search_grams (rowid, grams) VALUES (:telegram_id, :grams)",
}

statement! {
    /// Removes the grams of a user.
    struct RemoveText {
        telegram_id: i64 as BigInt,
    }
    Sqlite => "DELETE FROM search_grams WHERE rowid = :telegram_id",
}
