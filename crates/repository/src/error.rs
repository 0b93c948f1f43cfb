use std::{borrow::Cow, error::Error, fmt};

/// The error of a database driver, of which callers see only the message.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a user can do about an SQLite file that another program keeps locked.
pub const LOCKED: &str = "another program holds the lock on the database, such as a bot, \
     `manage import`, a backup or an open sqlite3; wait until it ends, or stop it \
     (`fuser -v FILE` shows the programs that use a file)";

/// What is wrong with the key with which the ids of erased users are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionKeyError {
    /// The database has users that were erased with a key from elsewhere, and none was given.
    #[error(
        "SUPPRESSION_KEY_FILE is not set, but users of this database were erased with the key of \
         such a file; expected the same file"
    )]
    Missing,
    /// Another key was given.
    #[error(
        "the key in SUPPRESSION_KEY_FILE is not the one with which users of this database were \
         erased; expected that one"
    )]
    Wrong,
    /// A key was given, but the database keeps another one itself.
    #[error(
        "the key in SUPPRESSION_KEY_FILE is not the one that the database keeps; write that one to \
         a new file with `manage suppression-key FILE`"
    )]
    Kept,
}

/// Why a storage failed.
///
/// An error that lies in one row is permanent ([`RepositoryError::is_permanent`]): repeating the
/// same request fails again, other requests do not. Every other error is transient: the request is
/// valid, and succeeds once the database is repaired, however long that takes.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The database cannot be reached, or disconnected. A later retry may succeed.
    #[error("the database cannot be reached")]
    Unavailable(#[source] DatabaseError),
    /// Another program kept the SQLite file locked for too long. A later retry may succeed.
    #[error("{LOCKED}")]
    Locked(#[source] DatabaseError),
    /// The database can be read but not written.
    #[error("the database is read-only")]
    ReadOnly(#[source] DatabaseError),
    /// A row violates a rule of Rollcall, so another program wrote it.
    #[error("{table}.{column} of the row with key {key} contains an invalid value: {reason}")]
    Corrupt {
        /// The row's table.
        table: &'static str,
        /// The column that violates the rule.
        column: &'static str,
        /// The row's key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The database refused a row because of its values.
    #[error("the database refused a row")]
    Rejected(#[source] DatabaseError),
    /// A text is encrypted with a key that is not there.
    #[error(
        "{table}.{column} of the row with key {key} is encrypted with the database key {name}, which is \
         not in the file that DATABASE_KEY_FILE names"
    )]
    MissingKey {
        /// The row's table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        key: String,
        /// The name of the key that encrypted it.
        name: String,
    },
    /// Erased users cannot be recognised.
    #[error(transparent)]
    SuppressionKey(#[from] SuppressionKeyError),
    /// The database refused a statement for any row: a permission or table is missing, or it ran
    /// out of time or space.
    #[error("the database refused a statement")]
    Failed(#[source] DatabaseError),
}

impl RepositoryError {
    /// Whether it lies in one row, so that a retry fails again.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Rejected(_))
    }

    /// A short name of the error's class, for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unavailable(_) | Self::Locked(_) => "storage_unavailable",
            Self::ReadOnly(_) => "storage_read_only",
            Self::Corrupt { .. } => "storage_corrupt",
            Self::Rejected(_) => "storage_rejected",
            Self::MissingKey { .. } => "database_key",
            Self::SuppressionKey(_) => "suppression_key",
            Self::Failed(_) => "storage_failed",
        }
    }

    /// The message without anything that may identify a person: neither the row's key nor the
    /// database's message, which may quote values.
    pub fn without_values(&self) -> String {
        match self {
            Self::Corrupt { table, column, reason, .. } => format!("{table}.{column}: {reason}"),
            Self::MissingKey { table, column, name, .. } => format!(
                "{table}.{column} is encrypted with the database key {name}, which is not in the file \
                 that DATABASE_KEY_FILE names"
            ),
            Self::Rejected(DatabaseError { code: Some(code), .. }) => format!("{self}: {code}"),
            error => error.to_string(),
        }
    }
}

/// A database's error, with the code by which it was classified, if that is known.
#[derive(Debug)]
pub struct DatabaseError {
    code: Option<Cow<'static, str>>,
    source: BoxError,
}

impl DatabaseError {
    /// An error with its code, such as `SQLSTATE 57014` or `SQLITE_FULL`.
    pub fn with_code(code: impl Into<Cow<'static, str>>, source: impl Into<BoxError>) -> Self {
        Self { code: Some(code.into()), source: source.into() }
    }
}

impl From<BoxError> for DatabaseError {
    fn from(source: BoxError) -> Self {
        Self { code: None, source }
    }
}

impl From<&str> for DatabaseError {
    fn from(reason: &str) -> Self {
        Self { code: None, source: reason.into() }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.source),
            None => self.source.fmt(f),
        }
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
