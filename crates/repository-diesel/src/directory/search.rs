//! The search over names: how it is kept, and how those who match a term are found.
//!
//! Names are taken apart into grams: each three neighbouring characters of a word, with a blank in
//! front of it, and its first character alone. Who has all the grams of a term's words may match;
//! whether they do is seen from their names. An index tells who has a gram: on SQLite a full-text
//! one whose words are grams, on PostgreSQL one over arrays. Both need no extension, and know
//! nothing of letters, so that they find alike whatever the language of the server.

use std::collections::BTreeSet;

use diesel::{
    PgConnection, SqliteConnection,
    connection::SimpleConnection,
    dsl::exists,
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Integer, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{SearchTerm, SearchText, TelegramUser};

use crate::{
    connection::AnyConnection,
    error::Failure,
    registration::push,
    row::UserRow,
    schema::{search_pending, telegram_users},
};

/// Up to how many users of a term are looked at one by one.
pub(super) const FEW: usize = 2000;

/// How many of the sample, which is one user of 64, have to match for a term to be one of many users:
/// twice as many as of `FEW` are to be expected there.
const MANY_OF_SAMPLE: usize = 2 * FEW / 64;

/// Who may match a term.
pub(super) enum Found {
    /// These.
    Few(Vec<i64>),
    /// More than [`FEW`].
    Many,
}

/// Looks for those who may match a term, but for the id that it may be. Reads no more of the index
/// for a term of many users than for one of few.
pub(super) fn find(connection: &mut AnyConnection, term: &SearchTerm) -> QueryResult<Found> {
    let grams = grams_of_term(term);
    let limit = i64::try_from(FEW).unwrap_or(i64::MAX) + 1;
    let ids = match connection {
        AnyConnection::Sqlite(connection) => {
            let query = tokens(&grams, " AND ");
            FindInText { query, limit }.load::<i64>(connection)?
        }
        AnyConnection::Postgres(connection) => {
            connection.batch_execute("SET LOCAL enable_indexscan = off")?;
            let sample = FindInSample { grams: grams.iter().copied().collect() };
            let sampled = sample.load::<i64>(connection)?.len();
            if sampled >= MANY_OF_SAMPLE {
                connection.batch_execute("SET LOCAL enable_indexscan = on")?;
                return Ok(Found::Many);
            }
            let grams = grams.into_iter().collect();
            let ids = FindInArrays { grams, limit }.load::<i64>(connection)?;
            connection.batch_execute("SET LOCAL enable_indexscan = on")?;
            ids
        }
    };
    Ok(if ids.len() > FEW { Found::Many } else { Found::Few(ids) })
}

/// Whether names wait to be taken into the search.
pub(super) fn any_pending(connection: &mut AnyConnection) -> Result<bool, Failure> {
    Ok(diesel::select(exists(search_pending::table.select(search_pending::telegram_id)))
        .get_result(connection)?)
}

/// See [`DirectoryRepository::index_names`](rollcall_repository::DirectoryRepository::index_names);
/// within a transaction.
pub(super) fn index_names(connection: &mut AnyConnection, limit: u32) -> Result<usize, Failure> {
    let ids = match connection {
        AnyConnection::Sqlite(connection) => Take { limit: limit.into() }.load(connection)?,
        AnyConnection::Postgres(connection) => {
            connection.batch_execute(SMALL_PENDING_LIST)?;
            Take { limit: limit.into() }.load(connection)?
        }
    };
    index(connection, &ids)
}

/// What is new in an array's index waits in a list that every search reads, until there is so much
/// of it.
const SMALL_PENDING_LIST: &str = "SET LOCAL gin_pending_list_limit = '512kB'";
/// Where many come at once, and nobody searches.
const LARGE_PENDING_LIST: &str = "SET LOCAL gin_pending_list_limit = '256MB'; \
                                  SET LOCAL maintenance_work_mem = '512MB'";

/// Takes the names of these users into the search.
fn index(connection: &mut AnyConnection, ids: &[i64]) -> Result<usize, Failure> {
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .select(UserRow::as_select())
        .load(connection)?;
    let users = rows.into_iter().map(UserRow::into_user).collect::<Result<Vec<_>, _>>()?;
    add(connection, Names::of(users.iter()), Table::HasOthers)?;
    Ok(ids.len())
}

/// Whether the search may know some of those who come into it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    HasOthers,
    HasNoneOfThem,
}

/// The names of users, as the search knows them.
pub(crate) struct Names(Vec<(i64, BTreeSet<i32>)>);

impl Names {
    pub(crate) fn of<'a>(users: impl Iterator<Item = &'a TelegramUser>) -> Self {
        let row = |user: &TelegramUser| (user.telegram_id.get(), grams_of(&SearchText::of(user)));
        Self(users.map(row).collect())
    }
}

/// Adds users who come in bulk, and whom the search does not know.
pub(crate) fn add_new(connection: &mut AnyConnection, names: Names) -> QueryResult<()> {
    if let AnyConnection::Postgres(connection) = connection {
        connection.batch_execute(LARGE_PENDING_LIST)?;
    }
    add(connection, names, Table::HasNoneOfThem)
}

fn add(connection: &mut AnyConnection, Names(rows): Names, table: Table) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            for (telegram_id, grams) in rows {
                if table == Table::HasOthers {
                    Remove { telegram_id }.execute(connection)?;
                }
                AddText { telegram_id, text: tokens(&grams, " ") }.execute(connection)?;
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
            match table {
                Table::HasNoneOfThem => {
                    diesel::copy_from(search_arrays::table)
                        .from_insertable(&rows)
                        .execute(connection)?;
                }
                Table::HasOthers => {
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

/// Takes a user out of the search. Whoever is taking the names into it is waited for.
pub(super) fn remove(connection: &mut AnyConnection, telegram_id: i64) -> QueryResult<()> {
    diesel::delete(search_pending::table.find(telegram_id)).execute(connection)?;
    match connection {
        AnyConnection::Sqlite(connection) => Remove { telegram_id }.execute(connection)?,
        AnyConnection::Postgres(connection) => {
            diesel::delete(search_arrays::table.find(telegram_id)).execute(connection)?
        }
    };
    Ok(())
}

/// The grams of names.
fn grams_of(text: &SearchText) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for word in text.words() {
        let word: Vec<char> = std::iter::once(' ').chain(word.chars()).collect();
        add_beginning(&word, &mut grams);
        grams.extend(word.windows(GRAM).map(gram));
    }
    grams
}

/// The grams that everybody has who matches a term.
fn grams_of_term(term: &SearchTerm) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for word in term.words() {
        let is_beginning = SearchTerm::is_beginning(word);
        let blank = is_beginning.then_some(' ');
        let word: Vec<char> = blank.into_iter().chain(word.chars()).collect();
        if word.len() < GRAM {
            add_beginning(&word, &mut grams);
        }
        grams.extend(word.windows(GRAM).map(gram));
    }
    grams
}

/// How many characters a gram has.
const GRAM: usize = 3;

/// Adds the gram of a word's first character, which has a blank in front.
fn add_beginning(word: &[char], grams: &mut BTreeSet<i32>) {
    grams.extend(word.get(..2).map(gram));
}

/// The number of a gram: FNV-1a over its characters. That two grams share one does no harm.
fn gram(characters: &[char]) -> i32 {
    let hash = characters.iter().fold(0x811c_9dc5_u32, |hash, character| {
        (hash ^ u32::from(*character)).wrapping_mul(0x0100_0193)
    });
    i32::from_ne_bytes(hash.to_ne_bytes())
}

/// Grams as words of a text.
fn tokens(grams: &BTreeSet<i32>, between: &str) -> String {
    let words: Vec<String> = grams.iter().map(|gram| format!("{gram:x}")).collect();
    words.join(between)
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

/// Takes users off the list of those who are to come into the search. On SQLite it is a
/// transaction's first statement, which makes that the only writer before it reads.
#[derive(QueryId)]
struct Take {
    limit: i64,
}

impl QueryFragment<Sqlite> for Take {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "DELETE FROM search_pending WHERE telegram_id IN \
             (SELECT telegram_id FROM search_pending ORDER BY telegram_id LIMIT ",
            BigInt = &self.limit,
            ") RETURNING telegram_id",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Take {}

/// Not those whom somebody else has taken, or whose names somebody is changing: that one sees to
/// them.
impl QueryFragment<Pg> for Take {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "DELETE FROM search_pending WHERE telegram_id = ANY (ARRAY(\
             SELECT telegram_id FROM search_pending ORDER BY telegram_id LIMIT ",
            BigInt = &self.limit,
            " FOR UPDATE SKIP LOCKED)) RETURNING telegram_id",
        );
        Ok(())
    }
}

impl Query for Take {
    type SqlType = BigInt;
}

impl RunQueryDsl<PgConnection> for Take {}

#[derive(QueryId)]
struct FindInText {
    query: String,
    limit: i64,
}

impl QueryFragment<Sqlite> for FindInText {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "SELECT rowid FROM search_grams WHERE search_grams MATCH ",
            Text = &self.query,
            " LIMIT ",
            BigInt = &self.limit,
        );
        Ok(())
    }
}

impl Query for FindInText {
    type SqlType = BigInt;
}

impl RunQueryDsl<SqliteConnection> for FindInText {}

#[derive(QueryId)]
struct FindInArrays {
    grams: Vec<i32>,
    limit: i64,
}

impl QueryFragment<Pg> for FindInArrays {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id FROM search_grams WHERE grams @> ",
            Array<Integer> = &self.grams,
            " LIMIT ",
            BigInt = &self.limit,
        );
        Ok(())
    }
}

impl Query for FindInArrays {
    type SqlType = BigInt;
}

impl RunQueryDsl<PgConnection> for FindInArrays {}

#[derive(QueryId)]
struct FindInSample {
    grams: Vec<i32>,
}

impl QueryFragment<Pg> for FindInSample {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push!(
            out,
            "SELECT telegram_id FROM search_grams WHERE telegram_id % 64 = 0 AND grams @> ",
            Array<Integer> = &self.grams,
            " LIMIT 100",
        );
        Ok(())
    }
}

impl Query for FindInSample {
    type SqlType = BigInt;
}

impl RunQueryDsl<PgConnection> for FindInSample {}

#[derive(QueryId)]
struct AddText {
    telegram_id: i64,
    text: String,
}

impl QueryFragment<Sqlite> for AddText {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(
            out,
            "INSERT INTO search_grams (rowid, grams) VALUES (",
            BigInt = &self.telegram_id,
            ", ",
            Text = &self.text,
            ")",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for AddText {}

#[derive(QueryId)]
struct Remove {
    telegram_id: i64,
}

impl QueryFragment<Sqlite> for Remove {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push!(out, "DELETE FROM search_grams WHERE rowid = ", BigInt = &self.telegram_id);
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Remove {}
