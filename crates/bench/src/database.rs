//! The databases that are measured.

use anyhow::{Context, Result, anyhow};
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase, ThrowAwayServer};

use crate::Kind;

/// Makes empty databases of both kinds, on the disk of the folder for temporary files (`TMPDIR`).
pub(crate) struct Databases {
    server: Option<ThrowAwayServer>,
    sqlite: bool,
}

impl Databases {
    pub(crate) fn new(only: Option<Kind>) -> Result<Self> {
        let server = (only != Some(Kind::Sqlite)).then(ThrowAwayServer::durable).transpose();
        Ok(Self {
            server: server.map_err(|error| anyhow!("no PostgreSQL: {error}"))?,
            sqlite: only != Some(Kind::Postgres),
        })
    }

    /// An empty one of each kind that is wanted, with its name.
    pub(crate) fn of_each_kind(&self) -> Vec<(&'static str, ThrowAwayDatabase)> {
        let sqlite = self.sqlite.then(|| ("SQLite", ThrowAwayDatabase::sqlite()));
        let postgres = self.server.as_ref().map(|server| ("PostgreSQL", server.database()));
        sqlite.into_iter().chain(postgres).collect()
    }

    /// An empty one on PostgreSQL, if that is wanted, and one on the same server through PgBouncer.
    pub(crate) fn without_and_with_pooler(
        &self,
    ) -> Result<Option<(ThrowAwayDatabase, PooledDatabase)>> {
        let Some(server) = &self.server else { return Ok(None) };
        let pooled = PooledDatabase::on(server).context("no PgBouncer")?;
        Ok(Some((server.database(), pooled)))
    }
}

/// Rollcall on a database.
pub(crate) async fn service(url: &str) -> Result<UserService> {
    let database = Database::open(url.parse()?).await?;
    database.migrate().await?;
    Ok(UserService::new(DieselUserRepository::new(database), SystemClock))
}
