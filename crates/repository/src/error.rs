use std::{borrow::Cow, error::Error, fmt};

/// The error of a database driver, of which callers see only the text.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a storage could not do what it was asked.
///
/// Permanent are the errors that lie in one row ([`RepositoryError::is_permanent`]): the same would
/// fail again, and something else would not. Every other error is transient: what was asked is right,
/// and will be done once the database is mended, however long that takes.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The database cannot be reached, went away, or stayed locked for too long. Trying again
    /// later may help.
    #[error("the database cannot be reached")]
    Unavailable(#[source] DatabaseError),
    /// The database can be read but not written.
    #[error("the database is read-only")]
    ReadOnly(#[source] DatabaseError),
    /// A row breaks a rule that Rollcall keeps, so somebody else wrote it.
    #[error("{table}.{column} of the row with key {key} holds what it cannot hold: {reason}")]
    Corrupt {
        /// The row's table.
        table: &'static str,
        /// The column that breaks the rule.
        column: &'static str,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused a row for what is in it.
    #[error("the database refused a row")]
    Rejected(#[source] DatabaseError),
    /// The database refused a statement, whatever the row: a right or a table is missing, time or
    /// room ran out.
    #[error("the database refused a statement")]
    Failed(#[source] DatabaseError),
}

impl RepositoryError {
    /// Whether it lies in one row: trying the same again would fail again.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Rejected(_))
    }

    /// A short name of the error's class, for counting.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "storage_unavailable",
            Self::ReadOnly(_) => "storage_read_only",
            Self::Corrupt { .. } => "storage_corrupt",
            Self::Rejected(_) => "storage_rejected",
            Self::Failed(_) => "storage_failed",
        }
    }

    /// What is wrong, without what may name a person: neither the key of the row nor the words of
    /// the database, which may quote what is in it.
    pub fn without_values(&self) -> String {
        match self {
            Self::Corrupt { table, column, reason, .. } => format!("{table}.{column}: {reason}"),
            Self::Rejected(DatabaseError { code: Some(code), .. }) => format!("{self}: {code}"),
            error => error.to_string(),
        }
    }
}

/// What a database answered, with the code by which it was classified, if that is known.
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
