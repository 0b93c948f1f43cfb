use std::error::Error as StdError;

use rollcall_service::{AudienceError, ServiceError};
use rollcall_telegram::IntakeError;

/// Why a call failed. No message contains a password, a token, or what users wrote.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL names no database that this build can open.
    #[error("the database URL is not valid")]
    Url(#[source] Source),
    /// The database cannot be opened or migrated.
    #[error("cannot open the database")]
    Open(#[source] Source),
    /// The database lacks migrations, and [`Options::refuse_migrations`](crate::Options) forbids to apply
    /// them.
    #[error(
        "the database lacks {0} migrations; `manage migrate` applies them, and so does opening it \
         without refuse_migrations"
    )]
    PendingMigrations(usize),
    /// The text is not one update of the Bot API. Nothing was stored.
    #[error("{0}")]
    InvalidUpdate(String),
    /// The filter cannot be read, or names something that does not exist.
    #[error("the filter is not valid")]
    InvalidFilter(#[source] Source),
    /// The database failed. The failed call changed nothing, or can be repeated: updates are counted once.
    #[error("the database failed")]
    Storage(#[source] Source),
    /// [`Rollcall::close`](crate::Rollcall::close) was called before.
    #[error("it was closed")]
    Closed,
    /// The name or password of an account is not acceptable.
    #[cfg(feature = "admin")]
    #[error("the account cannot be created")]
    Account(#[source] Source),
    /// A setting of the bot is not valid, or the bot had to stop.
    #[cfg(feature = "bot")]
    #[error("the bot cannot run")]
    Bot(#[source] Source),
}

/// What caused an error.
pub(crate) type Source = Box<dyn StdError + Send + Sync>;

impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        Self::Storage(error.into())
    }
}

impl From<IntakeError> for Error {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Invalid(invalid) => Self::InvalidUpdate(invalid.reason),
            IntakeError::Storage(error) => error.into(),
        }
    }
}

impl From<AudienceError> for Error {
    fn from(error: AudienceError) -> Self {
        match error {
            AudienceError::Service(error) => error.into(),
            error => Self::InvalidFilter(error.into()),
        }
    }
}
