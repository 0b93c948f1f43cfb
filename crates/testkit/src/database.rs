use std::{io::Write as _, path::PathBuf};

use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    pooler::{Neighbour, Pooler},
};

/// A server of the tests that may not be installed.
struct Needed {
    name: &'static str,
    /// The variable by which its absence is a failure.
    variable: &'static str,
}

const POSTGRES: Needed = Needed { name: "PostgreSQL", variable: "ROLLCALL_REQUIRE_POSTGRES" };
const PGBOUNCER: Needed = Needed { name: "PgBouncer", variable: "ROLLCALL_REQUIRE_PGBOUNCER" };

impl Needed {
    /// What was started, or `None` and a line that says so.
    fn or_skipped<T>(&self, started: Result<T, String>) -> Option<T> {
        let Self { name, variable } = self;
        match started {
            Ok(started) => Some(started),
            Err(reason) => {
                assert!(
                    std::env::var(variable).as_deref() != Ok("1"),
                    "{variable}=1, but there is no {name}: {reason}"
                );
                let test = std::thread::current().name().unwrap_or("a test").to_owned();
                // Not eprintln!, which the test runner would keep to itself.
                let line = format!("SKIPPED {test}: no {name}: {reason}\n");
                std::io::stderr().write_all(line.as_bytes()).expect("a standard error");
                None
            }
        }
    }
}

/// A database that belongs to one test, empty at first, and goes away with this value or with the
/// test's process.
#[derive(Debug)]
pub struct ThrowAwayDatabase {
    url: String,
    /// The SQLite file's folder; a PostgreSQL database goes with its cluster.
    folder: Option<TempDir>,
}

impl ThrowAwayDatabase {
    /// A SQLite file in a temporary folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("rollcall.db").display());
        Self { url, folder: Some(folder) }
    }

    /// A database on a PostgreSQL server that this process starts once and for itself. `None`, with
    /// a line on the standard error that no test runner captures, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// Where it is not installed, or does not start, and `ROLLCALL_REQUIRE_POSTGRES` is 1.
    pub fn postgres() -> Option<Self> {
        let cluster = POSTGRES.or_skipped(Cluster::of_this_process())?;
        Some(Self::on(cluster))
    }

    /// An empty database on a server.
    fn on(cluster: &Cluster) -> Self {
        let url = cluster.url(&cluster.create_database());
        Self { url, folder: None }
    }

    /// One database of each kind that there is; see [`ThrowAwayDatabase::postgres`].
    pub fn of_each_kind() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres()].into_iter().flatten().collect()
    }

    /// What the setting `DATABASE_URL` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The SQLite file; `None` for PostgreSQL.
    pub fn file(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().join("rollcall.db"))
    }
}

/// A PostgreSQL server that belongs to one test, which may stop and start it; it goes away with
/// this value.
#[derive(Debug)]
pub struct ThrowAwayServer(Cluster);

impl ThrowAwayServer {
    /// A running server; `None` and panics as of [`ThrowAwayDatabase::postgres`].
    pub fn start() -> Option<Self> {
        POSTGRES.or_skipped(Cluster::careless()).map(Self)
    }

    /// A running server whose commits are on the disk when they are answered, to be measured.
    ///
    /// # Errors
    /// Where PostgreSQL is not installed, or does not start.
    pub fn durable() -> Result<Self, String> {
        Cluster::durable().map(Self)
    }

    /// An empty database on it.
    pub fn database(&self) -> ThrowAwayDatabase {
        ThrowAwayDatabase::on(&self.0)
    }

    /// Stops the server as if its machine went down: connections are cut.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Starts the server again.
    pub fn restart(&self) {
        self.0.restart();
    }
}

/// A database on the PostgreSQL server of this process, through a PgBouncer of its own.
#[derive(Debug)]
pub struct PooledDatabase {
    pooler: Pooler,
    neighbour: Option<Neighbour>,
    database: ThrowAwayDatabase,
}

impl PooledDatabase {
    /// An empty database through PgBouncer in transaction mode. In the few sessions that PgBouncer
    /// shares out, another program has left settings and statements. `None` as of
    /// [`ThrowAwayDatabase::postgres`], and where PgBouncer is not installed.
    ///
    /// # Panics
    /// As [`ThrowAwayDatabase::postgres`], and likewise for PgBouncer and
    /// `ROLLCALL_REQUIRE_PGBOUNCER`.
    pub fn start() -> Option<Self> {
        let mut pooled = Self::with_settings("")?;
        let cluster = Cluster::of_this_process().expect("a cluster that has a database");
        pooled.neighbour = Some(Neighbour::in_sessions(cluster.psql(), pooled.database.url()));
        Some(pooled)
    }

    /// The same with more lines for PgBouncer's settings, and without another program.
    ///
    /// # Panics
    /// As [`PooledDatabase::start`].
    pub fn with_settings(settings: &str) -> Option<Self> {
        Self::through_pooler(POSTGRES.or_skipped(Cluster::of_this_process())?, settings)
    }

    /// The same on a server that the test may stop and start.
    ///
    /// # Panics
    /// As [`PooledDatabase::start`].
    pub fn on(server: &ThrowAwayServer) -> Option<Self> {
        Self::through_pooler(&server.0, "")
    }

    fn through_pooler(cluster: &Cluster, settings: &str) -> Option<Self> {
        let pooler = PGBOUNCER.or_skipped(Pooler::start(cluster.folder(), settings))?;
        let url = pooler.url(&cluster.create_database());
        let database = ThrowAwayDatabase { url, folder: None };
        Some(Self { pooler, neighbour: None, database })
    }

    /// The database, whose URL leads to the pooler.
    pub fn database(&self) -> &ThrowAwayDatabase {
        &self.database
    }

    /// Checks that the sessions are as the other program left them: nothing was added and nothing
    /// taken away.
    ///
    /// # Panics
    /// If they are not, or there is no other program.
    pub fn check_sessions(&self) {
        self.neighbour.as_ref().expect("another program").check();
    }

    /// Stops the pooler as if its machine went down: connections are cut.
    pub fn stop(&mut self) {
        self.pooler.stop();
    }

    /// Starts the pooler again, with sessions in which nothing was left.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.pooler.restart().expect("the pooler to start again");
    }
}
