//! From Diesel's errors to those of the repositories.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use rollcall_repository::RepositoryError;

use crate::connection::AnyConnection;

/// Why a closure given to [`Database`](crate::Database) failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Diesel(DieselError),
    /// The work was rolled back so as not to keep others waiting.
    GaveWay,
    Corrupt {
        table: &'static str,
        column: &'static str,
        key: String,
        reason: String,
    },
}

impl Failure {
    /// Whether the same work may succeed when it is done again at once: the connection had gone
    /// away, or PostgreSQL rolled the transaction back for the sake of another one.
    ///
    /// Diesel does not tell a deadlock (40P01) or a lock that is not to be had (55P03) from other
    /// errors; they are of those that point at no place in the statement.
    pub(crate) fn may_pass(&self, connection: &AnyConnection) -> bool {
        let (kind, information) = match self {
            Self::GaveWay => return true,
            Self::Diesel(DieselError::DatabaseError(kind, information)) => (kind, information),
            Self::Diesel(_) | Self::Corrupt { .. } => return false,
        };
        match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::SerializationFailure => true,
            DatabaseErrorKind::Unknown => {
                matches!(connection, AnyConnection::Postgres(_))
                    && information.statement_position().is_none()
            }
            _ => false,
        }
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Diesel(error)
    }
}

impl From<Failure> for RepositoryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt { table, column, key, reason } => {
                Self::Corrupt { table, column, key, reason }
            }
            Failure::GaveWay => Self::Unavailable("others hold what is to be locked".into()),
            Failure::Diesel(error) => match &error {
                DieselError::DatabaseError(
                    DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                    _,
                )
                | DieselError::BrokenTransactionManager => Self::Unavailable(error.into()),
                DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
                    Self::ReadOnly(error.into())
                }
                DieselError::DatabaseError(_, information) => match information.message() {
                    // SQLite's texts for SQLITE_READONLY and SQLITE_BUSY: Diesel hides the codes.
                    "attempt to write a readonly database" => Self::ReadOnly(error.into()),
                    "database is locked" => Self::Unavailable(error.into()),
                    _ => Self::Failed(error.into()),
                },
                _ => Self::Failed(error.into()),
            },
        }
    }
}
