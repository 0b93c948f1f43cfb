use std::{
    collections::HashMap,
    num::NonZero,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{
    RunQueryDsl,
    connection::SimpleConnection,
    r2d2::R2D2Connection,
    sql_types::{BigInt, Bool},
};
use rollcall_domain::{LogPace, UserEventKinds};
use rollcall_repository::{BoxError, RepositoryError};

use super::{
    connection::{AnyConnection, CONNECTIONS, Connector, SQLITE_IS_LOCKED},
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::{DatabaseUrl, SqliteMode},
    encryption,
    error::Failure,
    file_mode,
    free_text::FreeText,
    migrations::{self, Migration, MigrationError, MigrationState},
    open_error::OpenError,
    pooling::Sessions,
    suppression_key::KeySource,
};

/// Database work that takes longer than this is logged at warn.
const SLOW: Duration = Duration::from_millis(500);
/// How long a caller waits for a connection when all are in use or the server is away.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a reader waits for a second connection.
const SECOND_TIMEOUT: Duration = Duration::from_millis(500);
/// How often work is tried when an SQLite file that is read without locks keeps changing.
const CHANGED: u32 = 4;
/// How many of the connections to PostgreSQL only register: one for each writer.
const REGISTRATION_CONNECTIONS: u32 = 2;
/// How many more may be open while earlier ones are without an answer; see
/// [`UserRepository::patience`](rollcall_repository::UserRepository::patience).
const SPARE_CONNECTIONS: u32 = 6;
/// After how many rows of bulk work SQLite's log is copied to the file: a few megabytes.
const CHECKPOINT_ROWS: usize = 100_000;

/// A database, and pools of connections to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    url: DatabaseUrl,
    sessions: Sessions,
    pool: r2d2::Pool<Connector>,
    /// SQLite's only connection that writes. There can be one at a time, and as long as it is the same
    /// one, its cache stays valid.
    writer: Option<r2d2::Pool<Connector>>,
    /// Connections that only register, so that no other work delays it; on SQLite this is `writer`.
    registration: r2d2::Pool<Connector>,
    /// The key of an encrypted SQLite file.
    pub(super) key: Option<DatabaseKey>,
    /// How free texts are stored.
    pub(super) free_text: FreeText,
    /// Which events are recorded.
    pub(super) events: UserEventKinds,
    /// Where the key for the ids of erased users is.
    pub(super) suppression_key: KeySource,
    /// Whether users are registered who are known only from messages to a business account.
    pub(super) registers_business_customers: bool,
    /// How many rows bulk work has added since the last checkpoint.
    unchecked_rows: Arc<AtomicUsize>,
    /// When slow work of each kind was logged.
    slow: Arc<Mutex<HashMap<&'static str, LogPace>>>,
}

impl Database {
    /// Opens the database at `url`; an SQLite file that does not exist is created, unless the URL
    /// has another mode. It is encrypted, or its free texts are, if there are keys.
    ///
    /// # Errors
    /// When it cannot be reached or opened, or has another key, or none.
    pub async fn open_with_keys(
        url: DatabaseUrl,
        keys: Option<DatabaseKeys>,
    ) -> Result<Self, OpenError> {
        match &url {
            DatabaseUrl::Sqlite { path, mode: SqliteMode::ReadWriteCreate } => {
                let path = path.clone();
                // If it cannot be created, SQLite reports the reason.
                let _created = blocking(move || file_mode::create_private(&path)).await;
            }
            url => check_exists(url)?,
        }
        // The pool would only report a timeout; a first connection reports the reason.
        let (sessions, key) = {
            let (url, keys) = (url.clone(), keys.clone());
            blocking(move || encryption::open_first(&url, keys.as_ref())).await?
        };
        if sessions == Sessions::Shared {
            log::info!(
                "{url} is behind a pooler, which shares its sessions between programs: \
                 statements are not prepared ahead"
            );
        }
        let pool = |size, may_write| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .connection_timeout(CONNECTION_TIMEOUT)
                .test_on_check_out(false)
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build_unchecked(Connector::new(url.clone(), sessions, key.clone(), may_write))
        };
        let (pool, writer, registration) = match url {
            DatabaseUrl::Sqlite { .. } => {
                let writer = pool(1, true);
                (pool(CONNECTIONS - 1, false), Some(writer.clone()), writer)
            }
            DatabaseUrl::Postgres { .. } => {
                let others = CONNECTIONS - REGISTRATION_CONNECTIONS;
                let registration = REGISTRATION_CONNECTIONS + SPARE_CONNECTIONS;
                (pool(others, true), None, pool(registration, true))
            }
        };
        Ok(Self {
            free_text: FreeText::new(&url, keys),
            url,
            sessions,
            pool,
            writer,
            registration,
            key,
            events: UserEventKinds::default(),
            suppression_key: KeySource::default(),
            registers_business_customers: false,
            unchecked_rows: Arc::default(),
            slow: Arc::default(),
        })
    }

    /// Where the database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Whether its connections share sessions with other programs.
    pub fn sessions(&self) -> Sessions {
        self.sessions
    }

    /// The migrations that this program knows, oldest first, each with whether the database has it.
    ///
    /// # Errors
    /// When the database cannot be read, or is newer than this program.
    pub async fn migrations(&self) -> Result<Vec<(Migration, MigrationState)>, MigrationError> {
        self.with_connection(&self.pool, migrations::all).await
    }

    /// Reverts the last applied migration, and returns it; `None` if there is none. What the migration
    /// had created is deleted.
    ///
    /// # Errors
    /// When the database cannot be written, or is newer than this program.
    pub async fn revert(&self) -> Result<Option<Migration>, MigrationError> {
        self.with_writer(migrations::revert).await
    }

    /// How many connections are idle, and how many are in use.
    pub fn connections(&self) -> (u32, u32) {
        let states = [&self.pool, &self.registration].into_iter();
        states.map(r2d2::Pool::state).fold((0, 0), |(idle, at_work), state| {
            let its_idle = state.idle_connections;
            (idle + its_idle, at_work + state.connections.saturating_sub(its_idle))
        })
    }

    /// How large the database is, in bytes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn size_bytes(&self) -> Result<u64, RepositoryError> {
        let bytes = self.read("database size", |connection| {
            let sql = match connection {
                AnyConnection::Sqlite(_) => {
                    "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
                }
                AnyConnection::Postgres(_) => "SELECT pg_database_size(current_database())",
            };
            Ok(diesel::dsl::sql::<BigInt>(sql).get_result::<i64>(connection)?)
        });
        Ok(bytes.await?.try_into().unwrap_or_default())
    }

    /// Removes dead rows from the tables that are read most, which PostgreSQL would do by itself, but
    /// later. On SQLite there is nothing to do.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn tidy(&self) -> Result<(), RepositoryError> {
        self.run_long(|connection| {
            if let AnyConnection::Postgres(connection) = connection {
                connection
                    .batch_execute("VACUUM (ANALYZE) activity_sums, source_sums, telegram_users")?;
            }
            Ok(())
        })
        .await
    }

    /// Notes that bulk work has added `rows` to SQLite. After each [`CHECKPOINT_ROWS`], copies the pages
    /// of the log to the file while others write. Without it, a registration would have to copy all
    /// of them once the log is full. On PostgreSQL there is nothing to do.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(crate) async fn checkpoint_after(&self, rows: usize) -> Result<(), RepositoryError> {
        if self.writer.is_none()
            || self.unchecked_rows.fetch_add(rows, Ordering::Relaxed) + rows < CHECKPOINT_ROWS
        {
            return Ok(());
        }
        self.unchecked_rows.store(0, Ordering::Relaxed);
        self.read("checkpoint", |connection| {
            if let AnyConnection::Sqlite(connection) = connection {
                connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
            }
            Ok(())
        })
        .await
    }

    /// Does `work` that only reads, on a connection of the pool and off the async threads. The log
    /// calls it `what`. Work with a transient failure is repeated. If the caller is cancelled, the
    /// work still ends.
    pub(crate) async fn read<T, W>(&self, what: &'static str, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let database = self.clone();
        blocking(move || {
            database.log_if_slow(what, || attempt(&database.url, &database.pool, work))
        })
        .await
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

    /// Does work that writes, as [`Database::read`] does. It may be repeated, so it must be one
    /// transaction.
    pub(crate) async fn write<T, W>(
        &self,
        what: &'static str,
        work: W,
    ) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let database = self.clone();
        blocking(move || {
            database.log_if_slow(what, || attempt(&database.url, database.writer(), work))
        })
        .await
    }

    /// Does a registration as [`Database::write`] does, on this thread, which may block.
    pub(crate) fn register_blocking<T>(
        &self,
        work: impl Fn(&mut AnyConnection) -> Result<T, Failure>,
    ) -> Result<T, RepositoryError> {
        self.log_if_slow("register", || attempt(&self.url, &self.registration, work))
    }

    /// Does work that writes and is expected to take long, so it is not logged as slow.
    pub(crate) async fn run_long<T, W>(&self, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let database = self.clone();
        blocking(move || attempt(&database.url, database.writer(), work)).await
    }

    /// Does work that only reads, as [`Database::run_long`] does.
    pub(crate) async fn run_long_read<T, W>(&self, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let database = self.clone();
        blocking(move || attempt(&database.url, &database.pool, work)).await
    }

    /// Does work that cannot be repeated, as [`Database::run_long`] does.
    pub(crate) async fn run_once<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, RepositoryError> {
        let database = self.clone();
        blocking(move || {
            let mut connection = reached(&database.url, database.writer())?;
            work(&mut connection).map_err(|failure| failure.into_error(&mut connection))
        })
        .await
    }

    /// Does work on the schema, on a connection that may write.
    pub(crate) async fn with_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, MigrationError> + Send + 'static,
    ) -> Result<T, MigrationError> {
        self.with_connection(self.writer(), work).await
    }

    async fn with_connection<T: Send + 'static>(
        &self,
        pool: &r2d2::Pool<Connector>,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, MigrationError> + Send + 'static,
    ) -> Result<T, MigrationError> {
        let (url, pool) = (self.url.clone(), pool.clone());
        blocking(move || {
            let mut connection = connection(&url, &pool).map_err(|error| {
                if is_locked_file(&error) {
                    MigrationError::Locked(error)
                } else {
                    MigrationError::Failed(error)
                }
            })?;
            work(&mut connection)
        })
        .await
    }

    /// The pool of connections that may write.
    fn writer(&self) -> &r2d2::Pool<Connector> {
        self.writer.as_ref().unwrap_or(&self.pool)
    }

    /// Logs slow work, each kind at most once a minute. Failed work is logged where the error is
    /// handled.
    fn log_if_slow<T>(
        &self,
        what: &'static str,
        work: impl FnOnce() -> Result<T, RepositoryError>,
    ) -> Result<T, RepositoryError> {
        let started = Instant::now();
        let result = work();
        let elapsed = started.elapsed();
        if elapsed > SLOW && result.is_ok() {
            metrics::counter!("rollcall_slow_database_work_total").increment(1);
            let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(times) = slow.entry(what).or_default().note(Instant::now()) {
                log::warn!(what, elapsed_ms = elapsed.as_millis(), times; "slow database work");
            }
        }
        result
    }
}

/// Refuses an SQLite file that does not exist.
pub(crate) fn check_exists(url: &DatabaseUrl) -> Result<(), OpenError> {
    // If the folder cannot be searched, opening the file reports that.
    let is_missing = |path: &PathBuf| path.try_exists().is_ok_and(|exists| !exists);
    match url {
        DatabaseUrl::Sqlite { path, mode } if is_missing(path) => Err(match mode {
            SqliteMode::ReadWriteCreate => OpenError::Missing(url.clone()),
            mode => OpenError::NotCreated { url: url.clone(), mode: mode.name() },
        }),
        _ => Ok(()),
    }
}

/// Does work on a connection, and repeats it while the failure is transient.
fn attempt<T>(
    url: &DatabaseUrl,
    pool: &r2d2::Pool<Connector>,
    work: impl Fn(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, RepositoryError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut connection = reached(url, pool)?;
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

/// A connection of a pool, or the reason why there is none.
fn connection(
    url: &DatabaseUrl,
    pool: &r2d2::Pool<Connector>,
) -> Result<r2d2::PooledConnection<Connector>, BoxError> {
    pool.get().map_err(|error| url.redact(&error.to_string()).into())
}

/// A connection of a pool, for work of a repository.
fn reached(
    url: &DatabaseUrl,
    pool: &r2d2::Pool<Connector>,
) -> Result<r2d2::PooledConnection<Connector>, RepositoryError> {
    connection(url, pool).map_err(|error| {
        if is_locked_file(&error) {
            RepositoryError::Locked(error.into())
        } else {
            RepositoryError::Unavailable(error.into())
        }
    })
}

/// Whether a connection could not be opened because another program keeps the SQLite file locked. The
/// pool passes on SQLite's text only.
fn is_locked_file(error: &BoxError) -> bool {
    error.to_string().ends_with(SQLITE_IS_LOCKED)
}

/// Runs blocking work on its own thread, to its end even if the caller is cancelled.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // Running work cannot be cancelled, so it panicked; the panic continues here.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_testkit::ThrowAwayDatabase;

    use super::*;

    #[tokio::test]
    async fn second_readers_leave_connections_for_others() {
        for throw_away in ThrowAwayDatabase::of_each_kind() {
            let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
            let most = database.pool.max_size();
            let held: Vec<_> = std::iter::from_fn(|| database.second_reader()).collect();
            let is_alone = thread::available_parallelism().map_or(1, NonZero::get) == 1;
            let expected = if is_alone { 0 } else { most / 2 + 1 };
            assert_eq!(u32::try_from(held.len()).unwrap(), expected, "of {most}");
            database.size_bytes().await.unwrap();
            drop(held);
            assert_eq!(database.second_reader().is_some(), !is_alone);
        }
    }
}
