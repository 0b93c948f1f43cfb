//! Passes over all users of a selection: counting them, and reading their ids.

use std::{
    panic::resume_unwind,
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

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
    filter::{Check, Known, OneTable, Rows, check, one_table},
    ranges::{Ranges, share},
    sql::Sql,
    stoppable::stoppable,
};
use crate::{
    base::{
        connection::AnyConnection, error::Failure, server::Server, snapshot::both_at_one_moment,
        statement::Columns,
    },
    row::{
        columns::{UserRow, columns},
        user::telegram_id,
    },
    statistics::sums::sums_by_label,
    users::store::DieselUserRepository,
};

/// The cache of a connection to SQLite that counts, as `PRAGMA cache_size` takes it: 1 MiB.
const SMALL_CACHE: i64 = -1024;
/// How many users are read at once where their names must be compared.
const READ_AT_ONCE: i64 = 2_000;

#[async_trait]
impl AudienceRepository for DieselUserRepository {
    async fn count(
        &self,
        selection: &Selection,
        progress: Arc<CountProgress>,
    ) -> Result<Option<u64>, RepositoryError> {
        let selection = selection.clone();
        self.database
            .view_long(move |server, connection| match connection {
                AnyConnection::Sqlite(_) => {
                    count_in_ranges(server, connection, &selection, &*progress)
                }
                AnyConnection::Postgres(_) => {
                    count_at_once(server, connection, &selection, &*progress)
                }
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

/// Counts on SQLite, which does not use several processors by itself: in ranges of ids, on two
/// connections if possible.
fn count_in_ranges(
    server: &Server,
    connection: &mut AnyConnection,
    selection: &Selection,
    progress: &CountProgress,
) -> Result<Option<u64>, Failure> {
    if selection.node().compares_names() {
        return connection.transaction(|connection| {
            Pass::new(connection, selection)?.count_read(connection, progress)
        });
    }
    if let Some(mut second) = server.second_reader() {
        let counted = with_small_cache(connection, |first| {
            with_small_cache(&mut second, |second| {
                both_at_one_moment([first, second], |[first, second]| {
                    let pass = Pass::new(first, selection)?;
                    let second = Some(second).filter(|_| pass.reads_in_order());
                    pass.count_ids(first, second, progress)
                })
            })
        })?;
        if let Some(counted) = counted {
            return Ok(counted);
        }
    }
    connection.transaction(|connection| {
        Pass::new(connection, selection)?.count_ids(connection, None, progress)
    })
}

/// Does work on a connection to SQLite that reads each page once: a cache would only take memory.
fn with_small_cache<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let sql = "SELECT cache_size FROM pragma_cache_size";
    let size: i64 = diesel::dsl::sql::<BigInt>(sql).get_result(connection)?;
    let set = |connection: &mut AnyConnection, size: i64| {
        diesel::sql_query(format!("PRAGMA cache_size = {size}")).execute(connection)
    };
    set(connection, SMALL_CACHE)?;
    let result = work(connection);
    set(connection, size)?;
    result
}

/// Counts on PostgreSQL, by one statement: it reads each table once, on several processors. A part of
/// the users would be joined with the whole of the other tables.
fn count_at_once(
    server: &Server,
    connection: &mut AnyConnection,
    selection: &Selection,
    progress: &CountProgress,
) -> Result<Option<u64>, Failure> {
    let mut was_stopped = false;
    let counted = connection.transaction(|connection| {
        read_at_one_moment(connection)?;
        let pass = Pass::new(connection, selection)?;
        if pass.check.is_some() {
            return pass.count_read(connection, progress);
        }
        // It is off for pages, which read few rows. Here, reading a whole table is cheaper.
        diesel::sql_query("SET LOCAL enable_seqscan = on").execute(connection)?;
        let goes_on = || progress(0, 0);
        let ended = stoppable(server, connection, goes_on, |it| pass.count(it))?;
        was_stopped = ended.was_stopped;
        let counted = ended.result?;
        Ok((progress(counted, 1000) && !was_stopped).then_some(counted))
    });
    if was_stopped { Ok(None) } else { counted }
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

/// The conditions of a selection that asks for the rows of one table. It selects the users that meet
/// `without`, plus or minus those that have such rows and meet `differ`.
struct OfRows {
    without: Sql,
    differ: Sql,
    sign: &'static str,
}

/// A selection as SQL.
struct Pass {
    conditions: Vec<Condition>,
    check: Option<Check>,
    one_table: Option<OneTable>,
}

impl Pass {
    fn new(connection: &mut AnyConnection, selection: &Selection) -> Result<Self, Failure> {
        let known = Known::read(connection, selection)?;
        Ok(Self {
            conditions: conditions(selection, &known),
            check: check(selection, &known),
            one_table: one_table(selection, &known),
        })
    }

    /// Whether every table is read in order. Connections to SQLite lock a cache for each page that they
    /// look up, so two of them look up single rows more slowly than one.
    fn reads_in_order(&self) -> bool {
        self.one_table.is_some() || !self.condition().has_exists()
    }

    /// Counts in ranges of ids, on one connection or two that see the same moment.
    fn count_ids(
        &self,
        first: &mut AnyConnection,
        second: Option<&mut AnyConnection>,
        progress: &CountProgress,
    ) -> Result<Option<u64>, Failure> {
        let ranges = Ranges::new(users(first)?, progress);
        thread::scope(|scope| {
            let second = second.map(|it| scope.spawn(|| self.count_ranges(it, &ranges)));
            self.count_ranges(first, &ranges)?;
            let second = second.map(ScopedJoinHandle::join).transpose();
            second.unwrap_or_else(|panic| resume_unwind(panic)).unwrap_or(Ok(()))
        })?;
        Ok(ranges.end())
    }

    fn count_ranges(
        &self,
        connection: &mut AnyConnection,
        ranges: &Ranges<'_>,
    ) -> Result<(), Failure> {
        while let Some((first, last)) = ranges.next(connection)? {
            let (scanned, counted): (i64, i64) = self
                .count_of_range(first, last)
                .returning::<(BigInt, BigInt)>()
                .get_result(connection)?;
            ranges.add(scanned, u64::try_from(counted).unwrap_or_default());
        }
        Ok(())
    }

    /// The number of all users in a range of ids, and of those that meet the conditions.
    fn count_of_range(&self, first: i64, last: i64) -> Sql {
        let of_range = |table: &str| format!("{table}.telegram_id BETWEEN {first} AND {last}");
        let of_users = of_range("users");
        let mut sql = Sql::new("SELECT COUNT(*), COUNT(*) FILTER (WHERE ");
        match &self.one_table {
            None => _ = sql.append(self.condition()).push(")"),
            Some(one) => {
                let Rows { from, table, condition } = &one.rows;
                let OfRows { without, differ, sign } = self.of_rows(one);
                // Sorted alike, both are read once, side by side. Without the limit, SQLite would not
                // sort them.
                sql.append(without).push(&format!(
                    ") {sign} (SELECT COUNT(*) FROM (SELECT users.telegram_id{FROM} WHERE "
                ));
                sql.append(differ).push(&format!(
                    " AND {of_users} INTERSECT SELECT {table}.telegram_id FROM {from} WHERE "
                ));
                sql.append(condition.clone()).push(&format!(
                    " AND {} ORDER BY 1 LIMIT {}))",
                    of_range(table),
                    i64::MAX
                ));
            }
        }
        sql.push(&format!("{FROM} WHERE {of_users}"));
        sql
    }

    /// All conditions.
    fn condition(&self) -> Sql {
        let mut sql = Sql::default();
        sql.push_all(self.conditions.iter().map(|it| &it.sql));
        sql
    }

    /// The conditions without their subqueries, which all ask for the same rows.
    fn of_rows(&self, one: &OneTable) -> OfRows {
        let [with, without] = [true, false].map(|it| self.condition().for_users_with_rows(it));
        let (sign, differ) = if one.is_negated {
            ("-", [without.clone(), with])
        } else {
            ("+", [with, without.clone()])
        };
        let [selected, others] = differ;
        let mut differ = Sql::between("(", selected, ") AND (");
        differ.append(others).push(") IS NOT TRUE");
        OfRows { without, differ, sign }
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

    /// How many users meet the conditions.
    fn count(&self, connection: &mut AnyConnection) -> Result<u64, Failure> {
        let from = from(connection);
        let mut sql = Sql::new(format!("SELECT COUNT(*){from} WHERE "));
        match &self.one_table {
            // A join reads each table once.
            Some(one) if !one.is_condition => {
                let Rows { from: rows, table, condition } = &one.rows;
                let OfRows { without, differ, sign } = self.of_rows(one);
                sql = Sql::new(format!("SELECT (SELECT COUNT(*){from} WHERE "));
                sql.append(without);
                sql.push(&format!(") {sign} (SELECT COUNT(*){from} WHERE ")).append(differ);
                let exists = Sql::exists(rows, table, condition.clone());
                sql.push(" AND ").append(exists).push(")");
            }
            _ => _ = sql.append(self.condition()),
        }
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

/// The users of a part, read in the order of SQLite's table. An index of a condition would lead to them
/// in its own order, which takes several times as long.
const FROM: &str = " FROM telegram_users AS users NOT INDEXED";

/// The users of a part.
fn from(connection: &AnyConnection) -> &'static str {
    match connection {
        AnyConnection::Sqlite(_) => FROM,
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
