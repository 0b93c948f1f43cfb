//! Passes over all users of a selection: counting them, and reading their ids.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use diesel::{
    Connection, OptionalExtension as _, RunQueryDsl, connection::SimpleConnection,
    sql_types::BigInt,
};
use rollcall_domain::{Figure, Selection, TelegramId};
use rollcall_repository::{AudienceRepository, CountProgress, MatchingUsers, RepositoryError};

use super::{
    conditions::{Condition, conditions},
    filter::{Check, Known, check},
    sql::Sql,
    stoppable::stoppable,
};
use crate::{
    base::{connection::AnyConnection, error::Failure, statement::Columns},
    row::{
        columns::{UserRow, columns},
        user::telegram_id,
    },
    statistics::sums::sums_by_label,
    users::store::DieselUserRepository,
};

/// How many users one statement counts on SQLite, more or less. Between two statements the count can be
/// stopped.
const COUNTED_AT_ONCE: i64 = 500_000;
/// How many users are read at once where their names must be compared.
const READ_AT_ONCE: i64 = 2_000;

#[async_trait]
impl AudienceRepository for DieselUserRepository {
    async fn count(
        &self,
        selection: &Selection,
        progress: Arc<CountProgress>,
    ) -> Result<Option<u64>, RepositoryError> {
        let (selection, database) = (selection.clone(), self.database.clone());
        self.database
            .run_long_read(move |connection| {
                let mut was_stopped = false;
                let counted = connection.transaction(|connection| {
                    read_at_one_moment(connection)?;
                    let pass = Pass::new(connection, &selection)?;
                    match connection {
                        _ if pass.check.is_some() => pass.count_read(connection, &*progress),
                        AnyConnection::Sqlite(_) => pass.count_ids(connection, &*progress),
                        AnyConnection::Postgres(_) => {
                            // One statement reads each table once, on several processors. A part
                            // of the users would be joined with the whole of the other tables.
                            let goes_on = || progress(0, 0);
                            let work = |connection: &mut _| pass.count(connection, "TRUE");
                            let ended = stoppable(&database, connection, goes_on, work)?;
                            was_stopped = ended.was_stopped;
                            let counted = ended.result?;
                            Ok((progress(counted, 1000) && !was_stopped).then_some(counted))
                        }
                    }
                });
                if was_stopped { Ok(None) } else { counted }
            })
            .await
    }

    async fn matching(
        &self,
        selection: &Selection,
        after: Option<TelegramId>,
        scan: u32,
    ) -> Result<MatchingUsers, RepositoryError> {
        let selection = selection.clone();
        self.database
            .read("read the ids of a selection", move |connection| {
                connection.transaction(|connection| {
                    read_at_one_moment(connection)?;
                    let after = after.map_or(0, TelegramId::get);
                    Pass::new(connection, &selection)?.ids(connection, after, scan.into())
                })
            })
            .await
    }
}

/// Lets a transaction see the database at one moment.
fn read_at_one_moment(connection: &mut AnyConnection) -> Result<(), Failure> {
    if let AnyConnection::Postgres(connection) = connection {
        connection.batch_execute(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL jit = off",
        )?;
    }
    Ok(())
}

/// A selection as SQL.
struct Pass {
    conditions: Vec<Condition>,
    check: Option<Check>,
}

impl Pass {
    fn new(connection: &mut AnyConnection, selection: &Selection) -> Result<Self, Failure> {
        let known = Known::read(connection, selection)?;
        Ok(Self { conditions: conditions(selection, &known), check: check(selection, &known) })
    }

    /// Counts in ranges of ids, which is the order of SQLite's table.
    fn count_ids(
        &self,
        connection: &mut AnyConnection,
        progress: &CountProgress,
    ) -> Result<Option<u64>, Failure> {
        let users = users(connection)?;
        let (mut counted, mut scanned, mut after) = (0, 0, 0);
        loop {
            let last = id_at(connection, after, COUNTED_AT_ONCE)?;
            let until = last.map(|last| format!(" AND telegram_id <= {last}")).unwrap_or_default();
            counted += self.count(connection, &format!("telegram_id > {after}{until}"))?;
            scanned += COUNTED_AT_ONCE;
            if !progress(counted, share(scanned, users)) {
                return Ok(None);
            }
            let Some(last) = last else { return Ok(Some(counted)) };
            after = last;
        }
    }

    /// Counts by reading users.
    fn count_read(
        &self,
        connection: &mut AnyConnection,
        progress: &CountProgress,
    ) -> Result<Option<u64>, Failure> {
        let users = users(connection)?;
        let (mut counted, mut scanned, mut after) = (0_u64, 0, 0);
        loop {
            let part = self.ids(connection, after, READ_AT_ONCE)?;
            counted += u64::try_from(part.ids.len()).unwrap_or_default();
            scanned += READ_AT_ONCE;
            if !progress(counted, share(scanned, users)) {
                return Ok(None);
            }
            let Some(last) = part.last else { return Ok(Some(counted)) };
            after = last.get();
        }
    }

    /// How many users of a range meet the conditions.
    fn count(&self, connection: &mut AnyConnection, range: &str) -> Result<u64, Failure> {
        let mut sql = Sql::new(format!("SELECT COUNT(*){} WHERE ", from(connection)));
        sql.push_all(self.conditions.iter().map(|it| &it.sql)).push(" AND ").push(range);
        let users: i64 = sql.returning::<BigInt>().get_result(connection)?;
        Ok(u64::try_from(users).unwrap_or_default())
    }

    /// The matching ids among the next `scan` users after an id.
    fn ids(
        &self,
        connection: &mut AnyConnection,
        after: i64,
        scan: i64,
    ) -> Result<MatchingUsers, Failure> {
        let last = id_at(connection, after, scan)?;
        let until = last.map(|last| format!(" AND telegram_id <= {last}")).unwrap_or_default();
        let mut end = Sql::new(format!("{} WHERE ", from(connection)));
        end.push_all(self.conditions.iter().map(|it| &it.sql));
        end.within(after, last);
        end.push(&format!(" AND telegram_id > {after}{until} ORDER BY telegram_id"));
        let ids = match &self.check {
            None => {
                let sql = Sql::between("SELECT telegram_id", end, "").returning::<BigInt>();
                let ids: Vec<i64> = sql.load(connection)?;
                ids.into_iter().map(|id| telegram_id(TABLE, id)).collect::<Result<_, _>>()?
            }
            Some(check) => {
                let mut sql = Sql::new(concat!("SELECT ", columns!(row name), ", "));
                let mut mask = check.mask();
                mask.within(after, last);
                sql.append(mask).append(end);
                let sql = sql.returning::<(Columns<UserRow>, BigInt)>();
                let rows: Vec<(UserRow, i64)> = sql.load(connection)?;
                let mut ids = Vec::new();
                for (row, mask) in rows {
                    let user = row.into_user()?;
                    if check.is_met(&user, mask) {
                        ids.push(user.telegram_id);
                    }
                }
                ids
            }
        };
        let last = last.map(|id| telegram_id(TABLE, id)).transpose()?;
        Ok(MatchingUsers { ids, last })
    }
}

const TABLE: &str = "telegram_users";

/// The users of a part, read in the order of the table. On SQLite an index of a condition would lead to
/// them in its own order, which takes several times as long.
fn from(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Sqlite(_) => " FROM telegram_users AS users NOT INDEXED",
        AnyConnection::Postgres(_) => " FROM telegram_users AS users",
    }
}

/// The id of the `place`th user after an id; `None` if there are fewer.
fn id_at(connection: &mut AnyConnection, after: i64, place: i64) -> Result<Option<i64>, Failure> {
    let sql = Sql::new(format!(
        "SELECT telegram_id FROM telegram_users WHERE telegram_id > {after} \
         ORDER BY telegram_id LIMIT 1 OFFSET {}",
        place.saturating_sub(1)
    ));
    Ok(sql.returning::<BigInt>().get_result(connection).optional()?)
}

/// The number of users, by the sums.
fn users(connection: &mut AnyConnection) -> Result<i64, Failure> {
    let sums = sums_by_label(connection, &[Figure::Users], NaiveDate::MIN, NaiveDate::MAX)?;
    Ok(sums.iter().map(|sum| sum.value).sum())
}

/// Thousandths of the whole.
fn share(done: i64, all: i64) -> u16 {
    let thousandths = done.saturating_mul(1000).checked_div(all).unwrap_or(1000);
    u16::try_from(thousandths.clamp(0, 1000)).unwrap_or(1000)
}
