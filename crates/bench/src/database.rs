//! The databases to measure.

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase, ThrowAwayServer};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Creates empty databases of both kinds in the folder for temporary files (`TMPDIR`).
pub(crate) struct Databases {
    server: Option<ThrowAwayServer>,
    sqlite: bool,
}

impl Databases {
    pub(crate) fn new(only: Option<Kind>) -> Result<Self> {
        let server = (only != Some(Kind::Sqlite)).then(ThrowAwayServer::durable).transpose();
        Ok(Self {
            server: server.map_err(|error| anyhow!("could not start PostgreSQL: {error}"))?,
            sqlite: only != Some(Kind::Postgres),
        })
    }

    /// An empty database of each selected kind, with the kind's name.
    pub(crate) fn of_each_kind(&self) -> Vec<(&'static str, ThrowAwayDatabase)> {
        let sqlite = self.sqlite.then(|| ("SQLite", ThrowAwayDatabase::sqlite()));
        let postgres = self.server.as_ref().map(|server| ("PostgreSQL", server.database()));
        sqlite.into_iter().chain(postgres).collect()
    }

    /// The PostgreSQL server, if it is selected.
    pub(crate) fn server(&self) -> Option<&ThrowAwayServer> {
        self.server.as_ref()
    }

    /// An empty PostgreSQL database, and one on the same server through PgBouncer; `None` if
    /// PostgreSQL is not selected.
    pub(crate) fn without_and_with_pooler(
        &self,
    ) -> Result<Option<(ThrowAwayDatabase, PooledDatabase)>> {
        let Some(server) = &self.server else { return Ok(None) };
        let pooled = PooledDatabase::on(server).context("could not start PgBouncer")?;
        Ok(Some((server.database(), pooled)))
    }
}

/// Rollcall's service on a database.
pub(crate) async fn service(url: &str) -> Result<UserService> {
    let database = Database::open(url.parse()?).await?;
    database.migrate().await?;
    Ok(UserService::new(DieselUserRepository::new(database), SystemClock))
}
