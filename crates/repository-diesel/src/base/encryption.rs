//! Which key opens an SQLite file.

use std::sync::Arc;

use diesel::{ConnectionError, RunQueryDsl, result::Error as DieselError, sql_types::Text};

use super::{
    connection::AnyConnection,
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::DatabaseUrl,
    distributed::Shards,
    open_error::OpenError,
    pooling::Sessions,
};

/// What SQLite reports for SQLITE_NOTADB: the file is none of SQLite, or is encrypted with another key.
const NOT_A_DATABASE: &str = "file is not a database";

/// How an SQLite file is encrypted.
pub(crate) enum Found {
    /// With this key. A new file will be.
    Encrypted(DatabaseKey),
    /// Not at all.
    Plain,
}

/// What a first connection shows.
pub(crate) struct Opened {
    pub(crate) sessions: Sessions,
    /// The shards of a distributed database.
    pub(crate) shards: Option<Arc<Shards>>,
}

impl Opened {
    fn file() -> Self {
        Self { sessions: Sessions::Own, shards: None }
    }
}

/// Opens a database for the first time. Finds out whether its sessions are shared, and with which of the
/// keys an SQLite file is encrypted.
pub(crate) fn open_first(
    url: &DatabaseUrl,
    keys: Option<&DatabaseKeys>,
) -> Result<(Opened, Option<DatabaseKey>), OpenError> {
    if let DatabaseUrl::Postgres { .. } = url {
        let opened = AnyConnection::open(url, None).and_then(|(mut connection, sessions)| {
            connection.check_encoding()?;
            Ok((Opened { sessions, shards: connection.shards() }, None))
        });
        return opened.map_err(|error| OpenError::new(url, &error));
    }
    match (find(url, keys)?, keys) {
        (Found::Plain, None) => Ok((Opened::file(), None)),
        (Found::Plain, Some(_)) => Err(OpenError::NotEncrypted(url.clone())),
        (Found::Encrypted(key), keys) => {
            if keys.is_some_and(|keys| *keys.first() != key) {
                log::warn!(
                    "{url} is encrypted with the older key {}; stop the bot and run `manage rekey`",
                    key.name()
                );
            }
            Ok((Opened::file(), Some(key)))
        }
    }
}

/// Finds out how an SQLite file is encrypted.
pub(crate) fn find(url: &DatabaseUrl, keys: Option<&DatabaseKeys>) -> Result<Found, OpenError> {
    for key in keys.into_iter().flat_map(DatabaseKeys::iter) {
        let Some(mut connection) = open(url, Some(key))? else { continue };
        if !can_encrypt(&mut connection) {
            return Err(OpenError::NoEncryption(url.clone()));
        }
        return Ok(Found::Encrypted(key.clone()));
    }
    match (open(url, None)?, keys) {
        (Some(_), _) => Ok(Found::Plain),
        (None, None) => Err(OpenError::Encrypted(url.clone())),
        (None, Some(keys)) => Err(OpenError::WrongKey { url: url.clone(), names: keys.names() }),
    }
}

/// A connection; `None` if an SQLite file cannot be read with this key.
fn open(url: &DatabaseUrl, key: Option<&DatabaseKey>) -> Result<Option<AnyConnection>, OpenError> {
    match AnyConnection::open(url, key) {
        Ok((connection, _)) => Ok(Some(connection)),
        Err(ConnectionError::CouldntSetupConfiguration(error)) if is_no_database(&error) => {
            Ok(None)
        }
        Err(error) => Err(OpenError::new(url, &error)),
    }
}

fn is_no_database(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(_, information) if information.message() == NOT_A_DATABASE
    )
}

/// Whether this program is built with SQLCipher. SQLite itself ignores the key.
fn can_encrypt(connection: &mut AnyConnection) -> bool {
    let version: Result<Vec<String>, _> =
        diesel::dsl::sql::<Text>("PRAGMA cipher_version").load(connection);
    version.is_ok_and(|version| !version.is_empty())
}
