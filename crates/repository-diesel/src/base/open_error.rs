use std::sync::Arc;

use diesel::ConnectionError;
use rollcall_repository::LOCKED;

use super::{connection::SQLITE_IS_LOCKED, database_url::DatabaseUrl};

/// Why a database could not be opened. Never shows a password.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite file does not exist.
    #[error("there is no database at {0}; `manage migrate` creates it, and so does the bot")]
    Missing(DatabaseUrl),
    /// The SQLite file does not exist, and the URL's mode does not create it.
    #[error(
        "there is no database at {url}, and mode={mode} creates none; expected mode=rwc for that"
    )]
    NotCreated {
        /// Which database.
        url: DatabaseUrl,
        /// The mode's name.
        mode: &'static str,
    },
    /// Another program keeps the SQLite file locked.
    #[error("cannot open the database {0}: {SQLITE_IS_LOCKED}; {LOCKED}")]
    Locked(DatabaseUrl),
    /// The driver's reason.
    #[error("cannot open the database {url}: {reason}")]
    Failed {
        /// Which database.
        url: DatabaseUrl,
        /// The driver's message, without secrets.
        reason: Arc<str>,
    },
}

impl OpenError {
    /// Why opening the database at `url` failed.
    pub(super) fn new(url: &DatabaseUrl, error: &ConnectionError) -> Self {
        let reason = error.to_string();
        match url {
            DatabaseUrl::Sqlite { .. } if reason.ends_with(SQLITE_IS_LOCKED) => {
                Self::Locked(url.clone())
            }
            _ => Self::Failed { url: url.clone(), reason: url.redact(&reason).into() },
        }
    }
}
