//! Finding the users that may match a search term.

use diesel::{
    connection::SimpleConnection,
    pg::Pg,
    prelude::*,
    sql_types::{Array, BigInt, Integer, Text},
    sqlite::Sqlite,
};
use rollcall_domain::SearchTerm;

use super::grams::{grams_of_term, tokens};
use crate::base::{connection::AnyConnection, statement::statement};

/// How many users of a term are read one by one at most.
pub(in crate::directory) const FEW: usize = 2000;

/// How many users of the sample, one of 64, match a term of many users: twice as many as are expected
/// of a term of `FEW` users.
const MANY_OF_SAMPLE: usize = 2 * FEW / 64;

/// The users that may match a term.
pub(in crate::directory) enum Found {
    /// All of them.
    Few(Vec<i64>),
    /// More than [`FEW`].
    Many,
}

/// Finds the users that may match a term, except for the id that the term may be. Reads no more of
/// the index for a term of many users than for a term of few.
pub(in crate::directory) fn find(
    connection: &mut AnyConnection,
    term: &SearchTerm,
) -> QueryResult<Found> {
    let grams = grams_of_term(term);
    let limit = i64::try_from(FEW).unwrap_or(i64::MAX) + 1;
    let ids = match connection {
        AnyConnection::Sqlite(connection) => {
            FindInText { grams: tokens(&grams, " AND "), limit }.load::<i64>(connection)?
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

statement! {
    /// Users whose text has all these grams.
    struct FindInText -> BigInt {
        grams: String as Text,
        limit: i64 as BigInt,
    }
    Sqlite => "SELECT rowid FROM search_grams WHERE search_grams MATCH :grams LIMIT :limit",
}

statement! {
    /// Users whose array has all these grams.
    struct FindInArrays -> BigInt {
        grams: Vec<i32> as Array<Integer>,
        limit: i64 as BigInt,
    }
    Pg => "SELECT telegram_id FROM search_grams WHERE grams @> :grams LIMIT :limit",
}

statement! {
    /// Users of a sample, one of 64, whose array has all these grams.
    struct FindInSample -> BigInt {
        grams: Vec<i32> as Array<Integer>,
    }
    Pg => "
        SELECT telegram_id FROM search_grams
        WHERE telegram_id % 64 = 0 AND grams @> :grams LIMIT 100",
}
