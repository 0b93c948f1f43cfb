use std::{io::Write as _, path::PathBuf};

use tempfile::TempDir;

use crate::cluster::Cluster;

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
        let cluster = Self::or_skipped(Cluster::of_this_process())?;
        Some(Self { url: cluster.create_database(), folder: None })
    }

    fn or_skipped<T>(cluster: Result<T, String>) -> Option<T> {
        match cluster {
            Ok(cluster) => Some(cluster),
            Err(reason) => {
                assert!(
                    std::env::var("ROLLCALL_REQUIRE_POSTGRES").as_deref() != Ok("1"),
                    "ROLLCALL_REQUIRE_POSTGRES=1, but there is no PostgreSQL: {reason}"
                );
                let test = std::thread::current().name().unwrap_or("a test").to_owned();
                // Not eprintln!, which the test runner would keep to itself.
                let line = format!("SKIPPED {test}: no PostgreSQL: {reason}\n");
                std::io::stderr().write_all(line.as_bytes()).expect("a standard error");
                None
            }
        }
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
        ThrowAwayDatabase::or_skipped(Cluster::careless()).map(Self)
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
        ThrowAwayDatabase { url: self.0.create_database(), folder: None }
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
