//! The connections to a server, or to an SQLite file.

use std::{num::NonZero, thread, time::Duration};

use diesel::{RunQueryDsl, r2d2::R2D2Connection, sql_types::Bool};
use rollcall_repository::{BoxError, RepositoryError};

use super::{
    connection::{AnyConnection, Connector, LONGEST_CONNECT_PAUSE, SQLITE_IS_LOCKED},
    database_url::DatabaseUrl,
    error::Failure,
};

/// How long a reader waits for a second connection.
const SECOND_TIMEOUT: Duration = Duration::from_millis(500);
/// How often work is tried when an SQLite file that is read without locks keeps changing.
const CHANGED: u32 = 4;

/// A server or an SQLite file, and a pool of connections to it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    url: DatabaseUrl,
    pub(super) pool: r2d2::Pool<Connector>,
    /// How long a caller waits for a connection.
    timeout: Duration,
}

impl Server {
    /// At most `size` connections, which are opened when they are needed. A caller waits for one up to
    /// `timeout`.
    pub(crate) fn new(
        url: DatabaseUrl,
        connector: Connector,
        size: u32,
        timeout: Duration,
    ) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(timeout.min(2 * LONGEST_CONNECT_PAUSE))
            .test_on_check_out(true)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(connector);
        Self { url, pool, timeout }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How many connections there are.
    pub(crate) fn state(&self) -> r2d2::State {
        self.pool.state()
    }

    /// Whether every connection that there may be is in use.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.pool.state();
        state.idle_connections == 0 && state.connections >= self.pool.max_size()
    }

    /// Does work on a connection, on this thread, which may block. Repeats it while the failure is
    /// transient.
    pub(crate) fn attempt<T>(
        &self,
        work: impl Fn(&mut AnyConnection) -> Result<T, Failure>,
    ) -> Result<T, RepositoryError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut connection = self.reached()?;
            match work(&mut connection) {
                _ if connection.is_outdated() => {
                    if attempts == CHANGED {
                        let reason = "another process keeps changing the file, and this one may not \
                                      lock it";
                        return Err(RepositoryError::Unavailable(reason.into()));
                    }
                }
                Err(failure) if attempts < failure.attempts(&connection) => {
                    // Lets a connection that was cut notice it, so that the pool drops it.
                    drop(connection.ping());
                }
                result => return result.map_err(|failure| failure.into_error(&mut connection)),
            }
        }
    }

    /// A connection, or the reason why there is none.
    pub(crate) fn connection(&self) -> Result<r2d2::PooledConnection<Connector>, BoxError> {
        let connection = self.pool.get_timeout(self.timeout);
        connection.map_err(|error| self.url.redact(&error.to_string()).into())
    }

    /// A connection, for work of a repository.
    pub(crate) fn reached(&self) -> Result<r2d2::PooledConnection<Connector>, RepositoryError> {
        self.connection().map_err(|error| {
            if is_locked_file(&error) {
                RepositoryError::Locked(error.into())
            } else {
                RepositoryError::Unavailable(error.into())
            }
        })
    }

    /// A second connection for work that reads on one already. `None` if there is only one processor, or
    /// the connection would leave few for others. Blocks until the connection is open.
    pub(crate) fn second_reader(&self) -> Option<r2d2::PooledConnection<Connector>> {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let r2d2::State { connections, idle_connections, .. } = self.pool.state();
        let in_use = connections.saturating_sub(idle_connections);
        if processors == 1 || in_use > self.pool.max_size() / 2 {
            return None;
        }
        self.pool.get_timeout(SECOND_TIMEOUT).ok().filter(|connection| !connection.is_outdated())
    }

    /// Cancels what a server process of PostgreSQL is executing, on this thread, which may block.
    /// Returns whether the server took the request.
    pub(crate) fn cancel_statement(&self, process: i32) -> bool {
        // A connection of its own, because those of the pool may all be in use.
        let sql = format!("SELECT pg_cancel_backend({process})");
        let cancelled = AnyConnection::open(&self.url, None)
            .map_err(|error| self.url.redact(&error.to_string()))
            .and_then(|(mut connection, _)| {
                let cancelled = diesel::dsl::sql::<Bool>(&sql).get_result(&mut connection);
                cancelled.map_err(|error| error.to_string())
            });
        cancelled.unwrap_or_else(|error| {
            log::warn!(error; "could not stop a statement");
            false
        })
    }
}

/// Whether a connection could not be opened because another program keeps the SQLite file locked. The
/// pool passes on SQLite's text only.
pub(super) fn is_locked_file(error: &BoxError) -> bool {
    error.to_string().ends_with(SQLITE_IS_LOCKED)
}

/// Runs blocking work on its own thread, to its end even if the caller is cancelled.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // Running work cannot be cancelled, so it panicked; the panic continues here.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
