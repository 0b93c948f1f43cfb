use std::sync::Arc;

use rollcall_repository::RepositoryError;

use crate::InvalidDayRange;

/// Why a use case failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// The storage failed. Callers whose interactions were in one batch share the error.
    #[error(transparent)]
    Repository(Arc<RepositoryError>),
    /// There are no figures for these days.
    #[error(transparent)]
    InvalidDayRange(#[from] InvalidDayRange),
    /// A background thread or task could not start, or panicked.
    #[error("a background worker stopped unexpectedly")]
    Stopped,
    /// The note has more than [`MAX_NOTE_CHARS`](rollcall_domain::MAX_NOTE_CHARS) characters.
    #[error("the note is too long; expected up to {} characters", rollcall_domain::MAX_NOTE_CHARS)]
    NoteTooLong,
    /// The system provided no random bytes for a secret.
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
