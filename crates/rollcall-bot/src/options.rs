use std::path::{Path, PathBuf};

use rollcall_repository_diesel::{Database, DatabaseUrl, MigrationState, SuppressionKey};

use crate::{
    error::{Error, Source},
    rollcall::Rollcall,
};

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
    suppression_key_file: Option<PathBuf>,
    registers_business_customers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            commands: &["start"],
            migrates: true,
            suppression_key_file: None,
            registers_business_customers: false,
        }
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

    /// Reads the key that recognises erased users from a file, which has 32 random bytes or 64 hexadecimal
    /// digits; `manage suppression-key FILE` creates one. Opening then deletes the copy that the database
    /// keeps. Every program that uses the database needs the same key: for `bot` and `manage`, it is the
    /// setting `SUPPRESSION_KEY_FILE`.
    ///
    /// Without this, the database keeps a key itself, and anyone with a copy of the database can find out
    /// who was erased.
    #[must_use]
    pub fn suppression_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.suppression_key_file = Some(path.into());
        self
    }

    /// Registers also users who have only written to a business account that the bot is connected to. By
    /// default they are left out, because they never spoke to the bot.
    #[must_use]
    pub fn register_business_customers(mut self) -> Self {
        self.registers_business_customers = true;
        self
    }

    /// Opens the database; see [`Rollcall::open`].
    ///
    /// # Errors
    /// As [`Rollcall::open`], and [`Error::PendingMigrations`]; [`Error::Open`] also if the key for erased
    /// users cannot be read, or is not the one with which users of the database were erased.
    pub async fn open(self, url: &str) -> Result<Rollcall, Error> {
        let url: DatabaseUrl = match url.contains("://") {
            true => url.parse().map_err(|error| Error::Url(Box::new(error)))?,
            false if url.is_empty() => {
                return Err(Error::Url("it is empty; expected a path or a URL".into()));
            }
            false => DatabaseUrl::sqlite(url),
        };
        let key = self.suppression_key_file.as_deref().map(read_key).transpose();
        let key = key.map_err(Error::Open)?;
        let has_key = key.is_some();
        let opened = Database::open(url).await;
        let mut database = opened
            .map_err(|error| Error::Open(Box::new(error)))?
            .registering_business_customers(self.registers_business_customers);
        if let Some(key) = key {
            database = database.suppressing(key);
        }
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
        let checked = match has_key {
            true => database.settle_suppression_key().await,
            false => database.suppression_key_place().await,
        };
        checked.map_err(|error| Error::Open(Box::new(error)))?;
        Ok(Rollcall::new(database, self.commands))
    }
}

fn read_key(path: &Path) -> Result<SuppressionKey, Source> {
    let content = std::fs::read(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let key = SuppressionKey::from_content(&content);
    key.map_err(|error| format!("{}: {error}", path.display()).into())
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
