/// The error of a database driver, of which callers see only the text.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a storage could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The database cannot be reached, went away, or stayed locked for too long. Trying again
    /// later may help.
    #[error("the database cannot be reached")]
    Unavailable(#[source] BoxError),
    /// The database can be read but not written.
    #[error("the database is read-only")]
    ReadOnly(#[source] BoxError),
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
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Failed(#[source] BoxError),
}

impl RepositoryError {
    /// Whether it may lie in what was asked, or in the rows that this meets, so that trying the
    /// same again would fail again.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Failed(_))
    }

    /// A short name of the error's class, for counting.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "storage_unavailable",
            Self::ReadOnly(_) => "storage_read_only",
            Self::Corrupt { .. } => "storage_corrupt",
            Self::Failed(_) => "storage_failed",
        }
    }

    /// What is wrong, without the key of the row, which may tell who it is.
    pub fn without_key(&self) -> String {
        match self {
            Self::Corrupt { table, column, reason, .. } => format!("{table}.{column}: {reason}"),
            error => error.to_string(),
        }
    }
}
