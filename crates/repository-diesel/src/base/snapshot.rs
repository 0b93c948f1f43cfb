//! Reading the database as it is at one moment.

use diesel::{
    Connection, QueryResult, RunQueryDsl, connection::SimpleConnection, sql_types::BigInt,
};

use super::{connection::AnyConnection, error::Failure};

/// How often two connections are tried to see the same moment.
const ATTEMPTS: u32 = 10;

/// Does work that only reads, and sees the database at one moment.
pub(crate) fn at_one_moment<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.transaction(|connection| {
        if let AnyConnection::Postgres(connection) = connection {
            // The settings that a session of its own has already, and a shared one has not.
            connection.batch_execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                 SET LOCAL enable_seqscan = off; SET LOCAL jit = off",
            )?;
        }
        work(connection)
    })
}

/// Does work that only reads on two connections to SQLite that see the database at the same moment.
/// `None` if other connections keep writing.
pub(crate) fn both_at_one_moment<T>(
    [first, second]: [&mut AnyConnection; 2],
    work: impl Fn([&mut AnyConnection; 2]) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    for _ in 0..ATTEMPTS {
        let version = data_version(first)?;
        let done = second.transaction(|second| {
            // A transaction sees the moment of its first statement.
            data_version(second)?;
            first.transaction(|first| {
                // The second moment is between the two readings of the version.
                let is_same = data_version(first)? == version;
                is_same.then(|| work([first, second])).transpose()
            })
        })?;
        if done.is_some() {
            return Ok(done);
        }
    }
    Ok(None)
}

/// A number that changes when another connection has written: `PRAGMA data_version`.
fn data_version(connection: &mut AnyConnection) -> QueryResult<i64> {
    diesel::dsl::sql::<BigInt>("PRAGMA data_version").get_result(connection)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;
    use crate::base::database_url::DatabaseUrl;

    #[test]
    fn two_connections_see_the_same_moment_while_another_one_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall.db");
        let url: DatabaseUrl = format!("sqlite://{}", path.display()).parse().unwrap();
        let open = || AnyConnection::open(&url, None).unwrap().0;
        let (mut first, mut second, mut writer) = (open(), open(), open());
        writer.use_write_ahead_log().unwrap();
        writer
            .batch_execute(
                "PRAGMA synchronous = OFF; CREATE TABLE rows (x); INSERT INTO rows VALUES (1)",
            )
            .unwrap();
        let count = |connection: &mut AnyConnection| {
            let rows = diesel::dsl::sql::<BigInt>("SELECT COUNT(*) FROM rows");
            rows.get_result::<i64>(connection)
        };
        let has_ended = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                while !has_ended.load(Ordering::Relaxed) {
                    writer.batch_execute("INSERT INTO rows VALUES (1)").unwrap();
                }
            });
            let (mut seen, mut rows) = (Vec::new(), 0);
            while seen.len() < 100 || rows < 500 {
                let both = both_at_one_moment([&mut first, &mut second], |[first, second]| {
                    Ok((count(first)?, count(second)?))
                });
                seen.extend(both.unwrap());
                rows = count(&mut first).unwrap();
            }
            has_ended.store(true, Ordering::Relaxed);
            seen
        });
        for (first, second) in seen {
            assert_eq!(first, second);
        }
    }
}
