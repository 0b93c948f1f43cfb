use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types::BigInt};
use rollcall_domain::{LogPace, UserEventKinds};
use rollcall_repository::RepositoryError;

use super::{
    connection::{AnyConnection, CONNECTIONS, Connector, Silence, longest_wait},
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::{DatabaseUrl, SqliteMode},
    distributed::Shards,
    encryption::{self, Opened},
    error::Failure,
    file_mode,
    free_text::FreeText,
    migrations::{self, Migration, MigrationError, MigrationState},
    open_error::OpenError,
    pooling::Sessions,
    server::{Server, blocking, is_locked_file},
    suppression_key::KeySource,
};
use crate::replica::Replica;

/// Database work that takes longer than this is logged at warn.
const SLOW: Duration = Duration::from_millis(500);
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
    sessions: Sessions,
    pub(crate) server: Server,
    shards: Option<Arc<Shards>>,
    /// SQLite's only connection that writes. There can be one at a time, and as long as it is the same
    /// one, its cache stays valid.
    writer: Option<Server>,
    /// Connections that only register, so that no other work delays it; on SQLite this is `writer`.
    registration: Server,
    /// Since when the server was silent.
    pub(super) silence: Silence,
    /// The server that [`Database::view`] reads first.
    pub(crate) replica: Option<Arc<Replica>>,
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
        let (Opened { sessions, shards }, key) = {
            let (url, keys) = (url.clone(), keys.clone());
            blocking(move || encryption::open_first(&url, keys.as_ref())).await?
        };
        if sessions == Sessions::Shared {
            log::info!(
                "{url} is behind a pooler, which shares its sessions between programs: \
                 statements are not prepared ahead"
            );
        }
        let silence = Silence::default();
        let pool = |size, may_write| {
            let connector =
                Connector::new(url.clone(), sessions, key.clone(), may_write, silence.clone());
            Server::new(url.clone(), connector, size, longest_wait(&url))
        };
        let (server, writer, registration) = match url {
            DatabaseUrl::Sqlite { .. } => {
                let writer = pool(1, true);
                (pool(CONNECTIONS - 1, false), Some(writer.clone()), writer)
            }
            DatabaseUrl::Postgres { .. } => {
                let others = CONNECTIONS - REGISTRATION_CONNECTIONS;
                // A writer for each shard.
                let shards = shards.as_ref().map(|shards| shards.number().try_into());
                let writers = shards.and_then(Result::ok).unwrap_or(REGISTRATION_CONNECTIONS);
                let registration = writers + SPARE_CONNECTIONS;
                (pool(others, true), None, pool(registration, true))
            }
        };
        Ok(Self {
            free_text: FreeText::new(&url, keys),
            sessions,
            server,
            shards,
            writer,
            registration,
            silence,
            replica: None,
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
        self.server.url()
    }

    /// Whether its connections share sessions with other programs.
    pub fn sessions(&self) -> Sessions {
        self.sessions
    }

    /// The shards of the users; `None` if the database is not distributed.
    pub(crate) fn shards(&self) -> Option<&Shards> {
        self.shards.as_deref()
    }

    /// The migrations that this program knows, oldest first, each with whether the database has it.
    ///
    /// # Errors
    /// When the database cannot be read, or is newer than this program.
    pub async fn migrations(&self) -> Result<Vec<(Migration, MigrationState)>, MigrationError> {
        self.with_connection(&self.server, migrations::all).await
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
        let states = [&self.server, &self.registration].into_iter();
        states.map(Server::state).fold((0, 0), |(idle, at_work), state| {
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
        blocking(move || database.log_if_slow(what, || database.server.attempt(work))).await
    }

    /// Does work that may see the database as it was a little earlier, for lists, figures and exports.
    /// If this database reads its replica and that can be read, the work is done there, otherwise as
    /// [`Database::read`] does.
    pub(crate) async fn view<T, W>(&self, what: &'static str, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        if let Some(replica) = &self.replica {
            let work = Arc::clone(&work);
            if let Some(seen) = replica.read(move |_, connection| work(connection)).await {
                return Ok(seen);
            }
        }
        self.read(what, move |connection| work(connection)).await
    }

    /// As [`Database::view`], for work that is expected to take long, so it is not logged as slow. It is
    /// given the server on which it runs.
    pub(crate) async fn view_long<T, W>(&self, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&Server, &mut AnyConnection) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        if let Some(replica) = &self.replica {
            let work = Arc::clone(&work);
            let seen = replica.read(move |server, connection| work(server, connection)).await;
            if let Some(seen) = seen {
                return Ok(seen);
            }
        }
        let server = self.server.clone();
        blocking(move || server.attempt(|connection| work(&server, connection))).await
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
        blocking(move || database.log_if_slow(what, || database.writer().attempt(work))).await
    }

    /// Does a registration as [`Database::write`] does, on this thread, which may block.
    pub(crate) fn register_blocking<T>(
        &self,
        work: impl Fn(&mut AnyConnection) -> Result<T, Failure>,
    ) -> Result<T, RepositoryError> {
        self.log_if_slow("register", || self.registration.attempt(work))
    }

    /// Does work that writes and is expected to take long, so it is not logged as slow.
    pub(crate) async fn run_long<T, W>(&self, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let database = self.clone();
        blocking(move || database.writer().attempt(work)).await
    }

    /// Does work that only reads, as [`Database::run_long`] does.
    pub(crate) async fn run_long_read<T, W>(&self, work: W) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let server = self.server.clone();
        blocking(move || server.attempt(work)).await
    }

    /// Does work that cannot be repeated, as [`Database::run_long`] does.
    pub(crate) async fn run_once<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, RepositoryError> {
        let database = self.clone();
        blocking(move || {
            let mut connection = database.writer().reached()?;
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
        server: &Server,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, MigrationError> + Send + 'static,
    ) -> Result<T, MigrationError> {
        let server = server.clone();
        blocking(move || {
            let mut connection = server.connection().map_err(|error| {
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
    fn writer(&self) -> &Server {
        self.writer.as_ref().unwrap_or(&self.server)
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

#[cfg(test)]
mod tests {
    use std::{num::NonZero, thread};

    use rollcall_testkit::ThrowAwayDatabase;

    use super::*;

    #[tokio::test]
    async fn second_readers_leave_connections_for_others() {
        for throw_away in ThrowAwayDatabase::of_each_kind() {
            let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
            let most = database.server.pool.max_size();
            let held: Vec<_> = std::iter::from_fn(|| database.server.second_reader()).collect();
            let is_alone = thread::available_parallelism().map_or(1, NonZero::get) == 1;
            let expected = if is_alone { 0 } else { most / 2 + 1 };
            assert_eq!(u32::try_from(held.len()).unwrap(), expected, "of {most}");
            database.size_bytes().await.unwrap();
            drop(held);
            assert_eq!(database.server.second_reader().is_some(), !is_alone);
        }
    }
}
