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
    /// The SQLite file is encrypted, or is no database, and there is no key.
    #[error(
        "the database {0} is encrypted, or is not an SQLite database; expected its key in the file \
         that DATABASE_KEY_FILE names"
    )]
    Encrypted(DatabaseUrl),
    /// The SQLite file is not encrypted, but there is a key.
    #[error(
        "the database {0} is not encrypted, but DATABASE_KEY_FILE is set; stop the bot and encrypt the \
         database with `manage rekey`, or unset DATABASE_KEY_FILE"
    )]
    NotEncrypted(DatabaseUrl),
    /// The SQLite file is encrypted with another key, or is no database.
    #[error(
        "no key in the file that DATABASE_KEY_FILE names opens the database {url}: it is encrypted \
         with another one, or is not an SQLite database (keys in the file: {names})"
    )]
    WrongKey {
        /// Which database.
        url: DatabaseUrl,
        /// The names of the keys that were tried.
        names: String,
    },
    /// There is a key, but the program is built without SQLCipher.
    #[error("cannot encrypt {0}: this program is built without the feature `encryption`")]
    NoEncryption(DatabaseUrl),
    /// The server to read from has another database.
    #[error(
        "DATABASE_READ_URL names another database than DATABASE_URL: {reason}; expected a replica of \
         {url}"
    )]
    NoReplica {
        /// The database.
        url: DatabaseUrl,
        /// The difference.
        reason: String,
    },
    /// The driver's reason.
    #[error("cannot open the database {url}: {reason}")]
    Failed {
        /// Which database.
        url: DatabaseUrl,
        /// The driver's message, without secrets.
        reason: Arc<str>,
    },
}

/// What libpq and PostgreSQL say while the server is away or starts, and of one that only reads when the
/// URL asks for the primary.
const PASSING: [&str; 11] = [
    "Connection refused",
    "No route to host",
    "Network is unreachable",
    "No such file or directory",
    "timeout expired",
    "server closed the connection unexpectedly",
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is not yet accepting connections",
    "session is read-only",
    "server is in hot standby mode",
];

impl OpenError {
    /// Whether it may pass by itself: the PostgreSQL server is away, starts, or is not the primary.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Failed { url: DatabaseUrl::Postgres { .. }, reason } => {
                PASSING.iter().any(|text| reason.contains(text))
            }
            _ => false,
        }
    }

    /// Why opening the database at `url` failed.
    pub(crate) fn new(url: &DatabaseUrl, error: &ConnectionError) -> Self {
        let reason = error.to_string();
        match url {
            DatabaseUrl::Sqlite { .. } if reason.ends_with(SQLITE_IS_LOCKED) => {
                Self::Locked(url.clone())
            }
            _ => Self::Failed { url: url.clone(), reason: url.redact(&reason).into() },
        }
    }
}
