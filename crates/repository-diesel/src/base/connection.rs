//! A connection to either database.

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::{
    Connection, ConnectionError, QueryResult, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    r2d2::R2D2Connection,
    result::Error as DieselError,
    sql_types::{BigInt, Text},
};

#[cfg(feature = "postgres")]
pub(crate) use diesel::{PgConnection, copy_from};

#[cfg(not(feature = "postgres"))]
pub(crate) use super::no_postgres::{PgConnection, copy_from};
use super::{
    database_key::DatabaseKey,
    database_url::{DatabaseUrl, SqliteMode},
    distributed::{self, Shards},
    pooling::Sessions,
    read_only::{self, Place, Snapshot},
};

/// Connections to one database: enough for two writers and a few readers.
pub(crate) const CONNECTIONS: u32 = 8;

/// The longest pause between two attempts to connect, so that a promoted standby is found soon. A pool
/// doubles its pauses up to half of its own timeout.
pub(crate) const LONGEST_CONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How long a caller waits for a connection when all are in use or the server is away. On PostgreSQL it is
/// longer than a connection takes past a silent host, and shorter than
/// [`UserRepository::patience`](rollcall_repository::UserRepository::patience).
pub(crate) fn longest_wait(url: &DatabaseUrl) -> Duration {
    match url {
        DatabaseUrl::Sqlite { .. } => Duration::from_secs(10),
        DatabaseUrl::Postgres { .. } => Duration::from_secs(7),
    }
}

/// A connection to the database that the URL names. Queries that both databases understand run on it
/// directly; where they differ, code matches on the variants.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Does the same with the connection of whichever database it is.
macro_rules! either {
    ($connection:ident => $work:expr) => {
        match $connection {
            $crate::base::connection::AnyConnection::Sqlite($connection) => $work,
            $crate::base::connection::AnyConnection::Postgres($connection) => $work,
        }
    };
}
pub(crate) use either;

impl AnyConnection {
    /// Connects, applies the settings, and finds out whether the session is shared. An SQLite file is
    /// encrypted if there is a key.
    pub(crate) fn open(
        url: &DatabaseUrl,
        key: Option<&DatabaseKey>,
    ) -> Result<(Self, Sessions), ConnectionError> {
        match url {
            DatabaseUrl::Sqlite { path, mode } => {
                let (connection, _) = open_sqlite(path, *mode, key)?;
                Ok((connection, Sessions::Own))
            }
            DatabaseUrl::Postgres { url, pool_mode } => {
                let (connection, sessions) = Sessions::find(url, *pool_mode)?;
                Ok((Self::Postgres(connection), sessions))
            }
        }
    }

    /// The shards of the database; `None` if it is not distributed.
    pub(crate) fn shards(&mut self) -> Option<Arc<Shards>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(connection) => distributed::shards(connection),
        }
    }

    /// The connection, if its database is distributed.
    pub(crate) fn distributed(&mut self) -> Option<&mut PgConnection> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(connection) => {
                distributed::shards(connection).is_some().then_some(connection)
            }
        }
    }

    /// Refuses a PostgreSQL database that cannot hold every name.
    pub(crate) fn check_encoding(&mut self) -> Result<(), ConnectionError> {
        let Self::Postgres(connection) = self else { return Ok(()) };
        let encoding: String = diesel::dsl::sql::<Text>("SHOW server_encoding")
            .get_result(connection)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        if encoding == "UTF8" {
            return Ok(());
        }
        Err(ConnectionError::BadConnection(format!(
            "its encoding is {encoding}, which cannot hold every name; expected UTF8"
        )))
    }

    /// Turns on the write-ahead log of an SQLite database, with which readers go on while one
    /// connection writes. The file keeps the setting.
    pub(crate) fn use_write_ahead_log(&mut self) -> QueryResult<()> {
        let Self::Sqlite(connection) = self else { return Ok(()) };
        let deadline = Instant::now() + BUSY_TIMEOUT;
        loop {
            // Read first, so that a read-only database does not have to be written.
            let mode: String =
                diesel::dsl::sql::<Text>("PRAGMA journal_mode").get_result(connection)?;
            if mode == "wal" {
                return Ok(());
            }
            match connection.batch_execute("PRAGMA journal_mode = WAL;") {
                // SQLite does not wait here by itself while another process does the same.
                Err(error) if is_locked(&error) && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                result => return result,
            }
        }
    }
}

/// Opens an SQLite file. If it is opened as one that no process changes, the snapshot shows whether
/// that is true.
fn open_sqlite(
    path: &Path,
    mode: SqliteMode,
    key: Option<&DatabaseKey>,
) -> Result<(AnyConnection, Option<Snapshot>), ConnectionError> {
    let place = read_only::look(path)
        .map_err(|obstacle| ConnectionError::BadConnection(obstacle.to_string()))?;
    let uri = DatabaseUrl::sqlite_uri(path, mode);
    let (uri, snapshot) = match place {
        Place::Ordinary => (uri, None),
        Place::Unchanging(snapshot) => (format!("{uri}&immutable=1"), Some(snapshot)),
    };
    let mut connection = SqliteConnection::establish(&uri)?;
    let prepared = key.map_or(Ok(()), |key| give_key(&mut connection, key));
    prepared
        .and_then(|()| prepare_sqlite(&mut connection))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok((AnyConnection::Sqlite(connection), snapshot))
}

/// What SQLite reports for SQLITE_BUSY.
pub(crate) const SQLITE_IS_LOCKED: &str = "database is locked";

/// Whether another program keeps an SQLite file locked.
pub(crate) fn is_locked(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(_, information) if information.message() == SQLITE_IS_LOCKED
    )
}

/// How long SQLite waits while another process writes, as `prepare_sqlite` sets it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Gives SQLCipher the key, before anything is read. A key of 64 digits is used as it is. SQLCipher would
/// log to the standard error that a key is wrong; whether it is, is reported elsewhere. The default size of
/// pages is that of copies by `VACUUM INTO`, too.
fn give_key(connection: &mut SqliteConnection, key: &DatabaseKey) -> QueryResult<()> {
    let key = key.to_hex();
    connection.batch_execute(&format!(
        "PRAGMA cipher_log_level = NONE; PRAGMA cipher_default_page_size = 2048; \
         PRAGMA key = \"x'{key}'\""
    ))
}

/// With `synchronous = FULL` a commit is on the disk when it is answered. Pages are small in a new
/// file (one that exists keeps its own, but all encrypted files have this size): in a large table each
/// user has a page to itself, which is written to the log with every commit.
///
/// The cache of a reader is small, because another connection has usually written before the next
/// query. For the connection that writes, see [`prepare_sqlite_writer`].
fn prepare_sqlite(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(
        "PRAGMA page_size = 2048; PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;",
    )
}

/// Gives the connection that writes a cache and a log of a sixteenth of the database each, within
/// bounds: a larger database has more pages of active users. When the log is full, each page in it is
/// written to the file once. In a large database nearly every user has a page, so waiting longer
/// saves writes of users who return.
///
/// What it deletes is overwritten with zeros (`secure_delete`), so that nothing of an erased user stays
/// in free parts of the file.
fn prepare_sqlite_writer(connection: &mut SqliteConnection) -> QueryResult<()> {
    let (pages, page_size): (i64, i64) = diesel::dsl::sql::<(BigInt, BigInt)>(
        "SELECT * FROM pragma_page_count(), pragma_page_size()",
    )
    .get_result(connection)?;
    let cache_kib = (pages * page_size / 16 / 1024).clamp(4 << 10, 64 << 10);
    let log_pages = (pages / 16).clamp(32_000, 128_000);
    connection.batch_execute(&format!(
        "PRAGMA cache_size = -{cache_kib}; PRAGMA wal_autocheckpoint = {log_pages}; \
         PRAGMA secure_delete = ON"
    ))
}

/// A connection of a pool.
pub(crate) struct Pooled {
    connection: AnyConnection,
    /// The file before it was opened as one that no process changes.
    snapshot: Option<Snapshot>,
    opened: Instant,
}

impl Pooled {
    /// Whether a process has changed a file that was opened as one that no process changes. Then what
    /// was read is invalid, and the pool drops the connection.
    pub(crate) fn is_outdated(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| !snapshot.is_current())
    }
}

impl Deref for Pooled {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// Opens connections for a pool.
#[derive(Debug)]
pub(crate) struct Connector {
    url: DatabaseUrl,
    sessions: Sessions,
    key: Option<DatabaseKey>,
    may_write: bool,
    silence: Silence,
}

/// Since when the server was silent, if it ever was. Connections from before may get no answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silence(Arc<Mutex<Option<Instant>>>);

impl Silence {
    /// Notes that the server has been silent for so long.
    pub(crate) fn note(&self, lasted: Duration) {
        let since = Instant::now().checked_sub(lasted);
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(since);
    }

    /// Whether a connection was opened before it.
    fn is_after(&self, opened: Instant) -> bool {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.is_some_and(|since| opened < since)
    }
}

impl Connector {
    pub(crate) fn new(
        url: DatabaseUrl,
        sessions: Sessions,
        key: Option<DatabaseKey>,
        may_write: bool,
        silence: Silence,
    ) -> Self {
        Self { url, sessions, key, may_write, silence }
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let opened = match &self.url {
            DatabaseUrl::Sqlite { path, mode } => open_sqlite(path, *mode, self.key.as_ref()),
            DatabaseUrl::Postgres { url, .. } => {
                self.sessions.connect(url).map(|it| (AnyConnection::Postgres(it), None))
            }
        };
        let (mut connection, snapshot) = opened.map_err(diesel::r2d2::Error::ConnectionError)?;
        if let AnyConnection::Sqlite(connection) = &mut connection {
            let prepared = if self.may_write {
                prepare_sqlite_writer(connection)
            } else {
                connection.batch_execute("PRAGMA query_only = ON")
            };
            prepared.map_err(diesel::r2d2::Error::QueryError)?;
        }
        Ok(Pooled { connection, snapshot, opened: Instant::now() })
    }

    /// Asked each time before a connection is used, so it does not ask the server.
    fn is_valid(&self, connection: &mut Pooled) -> Result<(), Self::Error> {
        if self.silence.is_after(connection.opened) {
            return Err(diesel::r2d2::Error::QueryError(DieselError::BrokenTransactionManager));
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Pooled) -> bool {
        std::thread::panicking()
            || connection.is_broken()
            || connection.is_outdated()
            || self.silence.is_after(connection.opened)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::unix::fs::FileExt};

    use r2d2::ManageConnection;

    use super::*;

    /// Where the header of an SQLite file has the number of its pages (file format, 1.3).
    const PAGES_AT: u64 = 28;

    #[test]
    fn cache_and_log_grow_with_the_database_for_the_writer_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall.db");
        let url: DatabaseUrl = format!("sqlite://{}", path.display()).parse().unwrap();
        let figures = |may_write| {
            let connector =
                Connector::new(url.clone(), Sessions::Own, None, may_write, Silence::default());
            let AnyConnection::Sqlite(mut connection) = connector.connect().unwrap().connection
            else {
                panic!("not SQLite")
            };
            let mut figure =
                |sql| diesel::dsl::sql::<BigInt>(sql).get_result::<i64>(&mut connection).unwrap();
            (figure("PRAGMA cache_size"), figure("PRAGMA wal_autocheckpoint"))
        };
        let mut connection = AnyConnection::open(&url, None).unwrap().0;
        connection.batch_execute("CREATE TABLE something (x)").unwrap();
        assert_eq!(figures(true), (-4096, 32_000));
        for (pages, cache_kib, log_pages) in [
            (320_000_u32, 40_000, 32_000),
            (1_000_000, 65_536, 62_500),
            (5_000_000, 65_536, 128_000),
        ] {
            // Pretends that this many were written, with a hole in the file.
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.write_all_at(&pages.to_be_bytes(), PAGES_AT).unwrap();
            file.set_len(u64::from(pages) * 2048).unwrap();
            assert_eq!(figures(true), (-cache_kib, log_pages));
            assert_eq!(figures(false).0, -4096);
        }
    }
}
