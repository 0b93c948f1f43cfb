use rollcall_repository_diesel::{Database, DatabaseUrl, MigrationState};

use crate::{error::Error, rollcall::Rollcall};

/// How a database is opened.
///
/// ```no_run
/// # async fn open() -> Result<(), rollcall::Error> {
/// let rollcall = rollcall::Options::new()
///     .commands(&["start", "help"])
///     .refuse_migrations()
///     .open("sqlite://bot.db")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    commands: &'static [&'static str],
    migrates: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { commands: &["start"], migrates: true }
    }
}

impl Options {
    /// The defaults of [`Rollcall::open`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The commands of your bot, in lower case and without slashes. The statistics count their uses;
    /// other commands count as messages. Keep `start`, whose argument is the deep link by which a user
    /// joined. The default is `start` alone.
    #[must_use]
    pub fn commands(mut self, commands: &'static [&'static str]) -> Self {
        self.commands = commands;
        self
    }

    /// Refuses a database that lacks migrations, instead of applying them. For programs that share a
    /// database, of which one migrates it.
    #[must_use]
    pub fn refuse_migrations(mut self) -> Self {
        self.migrates = false;
        self
    }

    /// Opens the database; see [`Rollcall::open`].
    ///
    /// # Errors
    /// As [`Rollcall::open`], and [`Error::PendingMigrations`].
    pub async fn open(self, url: &str) -> Result<Rollcall, Error> {
        let url: DatabaseUrl = match url.contains("://") {
            true => url.parse().map_err(|error| Error::Url(Box::new(error)))?,
            false if url.is_empty() => {
                return Err(Error::Url("it is empty; expected a path or a URL".into()));
            }
            false => DatabaseUrl::sqlite(url),
        };
        let opened = Database::open(url).await;
        let database = opened.map_err(|error| Error::Open(Box::new(error)))?;
        let failed = |error| Error::Open(Box::new(error));
        if self.migrates {
            database.migrate().await.map_err(failed)?;
        } else {
            let migrations = database.migrations().await.map_err(failed)?;
            let is_pending = |(_, state): &&(_, MigrationState)| *state == MigrationState::Pending;
            let pending = migrations.iter().filter(is_pending).count();
            if pending > 0 {
                return Err(Error::PendingMigrations(pending));
            }
        }
        Ok(Rollcall::new(database, self.commands))
    }
}

impl Rollcall {
    /// Opens the database at `url` and applies the migrations that it lacks: an SQLite file
    /// (`bot.db`, `sqlite://bot.db` or `sqlite:///var/lib/bot.db`), which is created if it does not
    /// exist, or a PostgreSQL server (`postgres://user:password@host/database`, with the feature
    /// `postgres`). One database belongs to one bot. [`Options`] has more choices.
    ///
    /// Must be called in a Tokio runtime, in which the work in the background goes on.
    ///
    /// # Errors
    /// If the URL is not valid, or the database cannot be opened or migrated.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Options::new().open(url).await
    }
}
