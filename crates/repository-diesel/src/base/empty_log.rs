//! SQLite's log after an erasure.

use std::{thread, time::Duration};

use diesel::{
    RunQueryDsl,
    connection::SimpleConnection,
    sql_types::{BigInt, Integer},
};

use super::{connection::AnyConnection, database::Database};

/// How often truncating the log is tried, and the pause after each attempt.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

impl Database {
    /// Copies the pages of SQLite's log to the file and truncates the log, which still has the rows as
    /// they were before an erasure. Others read and write meanwhile: it waits for a moment without
    /// them, up to two seconds. Then it logs that the old rows stay until the log is written over. On
    /// PostgreSQL there is nothing to do: `VACUUM` removes dead rows.
    pub(crate) async fn empty_log(&self) {
        let is_empty = self.run_long_read(|connection| {
            let AnyConnection::Sqlite(connection) = connection else { return Ok(true) };
            // Copies nearly all of it, while others write.
            connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE); PRAGMA busy_timeout = 0")?;
            let mut is_empty = false;
            for attempt in 0..ATTEMPTS {
                if attempt > 0 {
                    thread::sleep(PAUSE);
                }
                let (busy, _, _): (i32, i64, i64) = diesel::dsl::sql::<(Integer, BigInt, BigInt)>(
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                )
                .get_result(connection)?;
                is_empty = busy == 0;
                if is_empty {
                    break;
                }
            }
            connection.batch_execute("PRAGMA busy_timeout = 5000")?;
            Ok(is_empty)
        });
        match is_empty.await {
            Ok(true) => {}
            Ok(false) => log::warn!(
                "erased rows are still in SQLite's log, because another program reads the database; \
                 the next erasure, or closing the database, removes them"
            ),
            Err(error) => log::warn!(error:%; "could not remove erased rows from SQLite's log"),
        }
    }
}
