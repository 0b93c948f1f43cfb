//! A statement of PostgreSQL that another connection can stop.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use diesel::{RunQueryDsl, sql_types::Integer};

use super::sql::Sql;
use crate::base::{connection::AnyConnection, error::Failure, server::Server};

/// How often to ask whether the statement is to go on.
const LOOK: Duration = Duration::from_millis(200);

/// How work that could be stopped ended.
pub(super) struct Ended<T> {
    /// An error if the work was stopped in time.
    pub(super) result: Result<T, Failure>,
    pub(super) was_stopped: bool,
}

/// Runs `work` in the transaction of a connection to the server. Cancels its statement when `goes_on`, which another
/// thread calls five times a second, returns false.
pub(super) fn stoppable<T>(
    server: &Server,
    connection: &mut AnyConnection,
    goes_on: impl Fn() -> bool + Send,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<Ended<T>, Failure> {
    let process = Sql::new("SELECT pg_backend_pid()").returning::<Integer>();
    let process: i32 = process.get_result(connection)?;
    let (working, ended) = channel::<()>();
    Ok(thread::scope(|scope| {
        // It has returned before the connection does anything else, so nothing else is cancelled.
        let watching = scope.spawn(move || {
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if !goes_on() && server.cancel_statement(process) {
                    return true;
                }
            }
            false
        });
        let result = work(connection);
        drop(working);
        Ended { result, was_stopped: watching.join().unwrap_or(false) }
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::{connection::SimpleConnection, sql_types::BigInt};
    use rollcall_testkit::ThrowAwayDatabase;

    use super::*;
    use crate::Database;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_long_statement_is_stopped_and_the_connection_still_works() {
        for throw_away in ThrowAwayDatabase::of_each_kind() {
            let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
            let work = database.view_long(|server, connection| {
                if matches!(connection, AnyConnection::Sqlite(_)) {
                    return Ok(true);
                }
                connection.batch_execute("BEGIN")?;
                let asked = AtomicU32::new(0);
                let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < 2;
                let long = |connection: &mut AnyConnection| {
                    Ok(connection.batch_execute("SELECT pg_sleep(600)")?)
                };
                let ended = stoppable(server, connection, goes_on, long)?;
                assert!(ended.result.is_err());
                connection.batch_execute("ROLLBACK")?;
                let one = Sql::new("SELECT COUNT(*) FROM pg_sleep(0.3) WHERE FALSE");
                let none: i64 = one.returning::<BigInt>().get_result(connection)?;
                assert_eq!(none, 0);
                Ok(ended.was_stopped && asked.into_inner() == 3)
            });
            assert!(work.await.unwrap());
        }
    }
}
