use std::{io, path::PathBuf};

use rollcall_repository::BoxError;

use crate::base::{database_url::DatabaseUrl, open_error::OpenError};

/// Why the encryption of a database could not be changed. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The URL has `mode=ro`.
    #[error("{0} is read-only; expected mode=rw or mode=rwc")]
    ReadOnly(DatabaseUrl),
    /// Another program uses the SQLite file.
    #[error(
        "the database is in use; stop the bot and other programs that use it (`fuser -v FILE` shows \
         them)"
    )]
    InUse,
    /// The copy does not fit on the disk.
    #[error(
        "the disk has {free} bytes left, and the copy of the database needs {needed}; make room first"
    )]
    NoSpace {
        /// How many bytes are needed.
        needed: u64,
        /// How many bytes are free.
        free: u64,
    },
    /// The copy is not the same as the database.
    #[error("the copy of the database is not complete ({0}); it was deleted")]
    Different(String),
    /// The work was stopped.
    #[error("interrupted")]
    Stopped,
    /// A file could not be used.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// SQLite refused.
    #[error("cannot copy the database")]
    Failed(#[source] BoxError),
}

impl RekeyError {
    /// An error of the file system.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |error| Self::File { path, error }
    }
}
