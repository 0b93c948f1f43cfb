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
    /// No PostgreSQL server of the URL can be written.
    #[error(
        "cannot open the database {url}: none of its servers can be written, because {reason}; expected \
         one that can: promote a standby, or name the primary"
    )]
    NoPrimary {
        /// Which database.
        url: DatabaseUrl,
        /// What is wrong with each server, without secrets.
        reason: Arc<str>,
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

/// What libpq says of a server that can only be read, if the URL asks for one that can be written:
/// `target_session_attrs` is `read-write` or `primary`.
const READ_ONLY: [&str; 2] = ["session is read-only", "server is in hot standby mode"];

/// What libpq and PostgreSQL say while the server is away or starts.
const PASSING: [&str; 9] = [
    "Connection refused",
    "No route to host",
    "Network is unreachable",
    "No such file or directory",
    "timeout expired",
    "server closed the connection unexpectedly",
    "the database system is starting up",
    "the database system is shutting down",
    "the database system is not yet accepting connections",
];

impl OpenError {
    /// Whether it may pass by itself: the PostgreSQL server is away, starts, or is not the primary.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoPrimary { .. } => true,
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
            _ => {
                let reason = url.redact(&reason);
                match why_read_only(&reason) {
                    Some(reason) => Self::NoPrimary { url: url.clone(), reason: reason.into() },
                    None => Self::Failed { url: url.clone(), reason: reason.into() },
                }
            }
        }
    }

    /// The server that was reached is a standby, or read-only, and the URL did not ask for another one.
    pub(crate) fn standby(url: &DatabaseUrl) -> Self {
        let reason = "the one that was reached is a standby, or is read-only (name all of them, and add \
                      target_session_attrs=read-write, to reach the primary among them)";
        Self::NoPrimary { url: url.clone(), reason: reason.into() }
    }
}

/// What is wrong with each server, if libpq found one that can only be read. It reports its attempts one
/// after the other, as `connection to server at "db1" (10.0.0.1), port 5432 failed: session is read-only`.
fn why_read_only(reason: &str) -> Option<String> {
    const ATTEMPT: &str = "connection to server ";
    if !READ_ONLY.iter().any(|text| reason.contains(text)) {
        return None;
    }
    let attempts: Vec<(&str, &str)> = reason
        .split(ATTEMPT)
        .filter_map(|attempt| attempt.trim().split_once(" failed: "))
        .map(|(server, cause)| (server, if READ_ONLY.contains(&cause) { "" } else { cause }))
        .collect();
    let servers = |wanted: &[(&str, &str)]| {
        wanted.iter().map(|(server, _)| *server).collect::<Vec<_>>().join("; ")
    };
    Some(match attempts.as_slice() {
        [] => reason.to_owned(),
        [(server, "")] => format!("it is a standby, or is read-only ({server})"),
        all if all.iter().all(|(_, cause)| cause.is_empty()) => {
            format!("all of them are standbys, or are read-only ({})", servers(all))
        }
        some => {
            let each = some.iter().map(|(server, cause)| match *cause {
                "" => format!("{server} is a standby, or is read-only"),
                cause => format!("{server} failed ({cause})"),
            });
            each.collect::<Vec<_>>().join("; ")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message for what libpq reports.
    fn message(reason: &str) -> String {
        let url = "postgres://u:secret@db1,db2/d".parse().unwrap();
        let error = OpenError::new(&url, &ConnectionError::BadConnection(reason.to_owned()));
        assert!(error.may_pass(), "{error}");
        error.to_string()
    }

    #[test]
    fn servers_that_can_only_be_read_are_named() {
        let (one, two) = (
            "connection to server at \"db1\" (10.0.0.1), port 5432",
            "connection to server at \"db2\"",
        );
        let (begin, end) = (
            "cannot open the database postgres://db1,db2/d: none of its servers can be written, because ",
            "; expected one that can: promote a standby, or name the primary",
        );
        for (reason, expected) in [
            (
                format!("{one} failed: session is read-only\n{two} failed: session is read-only\n"),
                "all of them are standbys, or are read-only (at \"db1\" (10.0.0.1), port 5432; at \"db2\")",
            ),
            (
                format!("{one} failed: server is in hot standby mode\n"),
                "it is a standby, or is read-only (at \"db1\" (10.0.0.1), port 5432)",
            ),
            (
                format!(
                    "{one} failed: Connection refused\n\tIs it running?\n{two} failed: session is read-only"
                ),
                "at \"db1\" (10.0.0.1), port 5432 failed (Connection refused Is it running?); \
                 at \"db2\" is a standby, or is read-only",
            ),
            ("session is read-only".to_owned(), "session is read-only"),
        ] {
            assert_eq!(message(&reason), format!("{begin}{expected}{end}"));
        }
        let refused = message(&format!("{one} failed: Connection refused"));
        assert!(refused.ends_with("port 5432 failed: Connection refused"), "{refused}");
    }
}
