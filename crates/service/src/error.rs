use std::sync::Arc;

use rollcall_repository::{InvalidPage, RepositoryError};

use crate::InvalidDayRange;

/// Why a use case failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// The storage failed. Callers whose interactions were in one batch share the error.
    #[error(transparent)]
    Repository(Arc<RepositoryError>),
    /// A page that cannot be asked for.
    #[error(transparent)]
    InvalidPage(#[from] InvalidPage),
    /// Days for which there are no figures.
    #[error(transparent)]
    InvalidDayRange(#[from] InvalidDayRange),
    /// What does the work is gone: a thread that could not be started, or something that panicked.
    #[error("the work was given up: a thread has stopped")]
    Stopped,
    /// A note with more than [`MAX_NOTE_CHARS`](rollcall_domain::MAX_NOTE_CHARS) characters.
    #[error("the note is too long; expected up to {} characters", rollcall_domain::MAX_NOTE_CHARS)]
    NoteTooLong,
    /// The system gave no random bytes to make a secret of.
    #[error("the system has no random bytes")]
    NoRandomness,
}

impl ServiceError {
    /// Whether the storage can be read but not written.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Repository(error) if matches!(**error, RepositoryError::ReadOnly(_)))
    }
}

impl From<RepositoryError> for ServiceError {
    fn from(error: RepositoryError) -> Self {
        Self::Repository(Arc::new(error))
    }
}
