//! Whether the database was restored from a backup. A restored one may lack messages that were sent.
//!
//! An SQLite database has a random number, and beside it is a small file with that number and how often
//! recipients were claimed. A backup of the database has a lower count than the file, and elsewhere there
//! is no such file. Its name begins with a dot, so that a pattern such as `rollcall.db*` does not copy it,
//! and the database knows when it was created, so that a copy of the whole folder is recognised, too.
//!
//! PostgreSQL has a number for each server, time line, database and table, and a restored one gets
//! others.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, Utc};
use diesel::{dsl::sql, prelude::*, result::Error as DieselError, sql_types::Text};
use rollcall_domain::{BroadcastState, PauseReason};

use super::{row::BroadcastRow, state::set_state};
use crate::base::{
    connection::AnyConnection,
    database_url::DatabaseUrl,
    error::Failure,
    schema::{broadcast_sender, broadcasts},
};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A file, with this one beside it.
    File(PathBuf),
    Server,
}

impl Place {
    pub(super) fn of(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite { path, .. } => {
                let mut name = OsString::from(".");
                name.push(path.file_name().unwrap_or_default());
                name.push("-sender");
                Self::File(path.with_file_name(name))
            }
            DatabaseUrl::Postgres { .. } => Self::Server,
        }
    }

    /// Notes how often recipients were claimed, before their messages go out. If that is not possible,
    /// the next start takes the database for a restored one, which is the safe side.
    pub(super) fn note(&self, origin: &str, claims: i64) {
        let Self::File(path) = self else { return };
        let (number, _) = parts(origin);
        if let Err(error) = write(path, number, claims) {
            log::warn!(error:%, file:% = path.display(); "cannot note how far the broadcast is");
        }
    }
}

/// Writes over the text of a file. It has one length, so a crash leaves the old one or the new one.
fn write(path: &Path, number: &str, claims: i64) -> io::Result<()> {
    let is_new = !path.try_exists()?;
    let mut options = OpenOptions::new();
    // With the permissions of the database itself.
    options.write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{number} {claims:020}\n").as_bytes())?;
    if is_new {
        file.sync_all()?;
        // Otherwise a power failure may take the new file away.
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// The number in a file, and how often recipients were claimed; `None` if there is none.
fn read(path: &Path) -> Option<(String, i64)> {
    let text = fs::read_to_string(path).ok()?;
    let (number, claims) = text.lines().next()?.split_once(' ')?;
    Some((number.to_owned(), claims.parse().ok()?))
}

/// When a file was created, in nanoseconds since 1970, or `unknown`; `None` if there is no file.
fn created(path: &Path) -> Option<String> {
    let created = fs::metadata(path).ok()?.created().ok();
    let since = created.and_then(|it| it.duration_since(SystemTime::UNIX_EPOCH).ok());
    Some(since.map_or_else(|| "unknown".to_owned(), |it| it.as_nanos().to_string()))
}

/// The number of an SQLite database, and when the file beside it was created, once it was.
fn parts(origin: &str) -> (&str, Option<&str>) {
    match origin.split_once('/') {
        Some((number, created)) => (number, Some(created)),
        None => (origin, None),
    }
}

/// Which database this is, in case nothing was stored about that. On PostgreSQL, it shows that at any
/// time.
fn current(connection: &mut AnyConnection) -> Result<String, Failure> {
    let AnyConnection::Postgres(connection) = connection else {
        let mut number = [0; 8];
        getrandom::fill(&mut number)
            .map_err(|error| DieselError::SerializationError(error.to_string().into()))?;
        return Ok(format!("{:016x}", u64::from_le_bytes(number)));
    };
    let found = sql::<Text>(
        "SELECT concat_ws('/', system_identifier, \
         substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), \
         (SELECT oid FROM pg_database WHERE datname = current_database()), \
         'broadcast_recipients'::regclass::oid) FROM pg_control_system()",
    );
    Ok(found.get_result(connection)?)
}

/// Notes which database this is, if that was not done before.
pub(super) fn remember_first(connection: &mut AnyConnection) -> Result<(), Failure> {
    let known: Option<String> =
        broadcast_sender::table.select(broadcast_sender::origin).first(connection)?;
    if known.is_none() {
        let current = current(connection)?;
        remember(connection, &current)?;
    }
    Ok(())
}

fn remember(connection: &mut AnyConnection, origin: &str) -> QueryResult<()> {
    diesel::update(broadcast_sender::table)
        .set(broadcast_sender::origin.eq(origin))
        .execute(connection)?;
    Ok(())
}

/// Pauses what could go on by itself, if the database was restored. Runs in a transaction.
pub(super) fn check(
    connection: &mut AnyConnection,
    place: &Place,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    // What was ever started has an origin.
    remember_first(connection)?;
    let (claims, origin): (i64, String) = broadcast_sender::table
        .select((broadcast_sender::claims, broadcast_sender::origin.assume_not_null()))
        .first(connection)?;
    let is_restored = match place {
        Place::File(path) => is_restored(path, &origin, claims),
        Place::Server => origin != current(connection)?,
    };
    let mut now = origin.clone();
    if is_restored {
        now = current(connection)?;
        pause(connection, at)?;
    }
    if let Place::File(path) = place {
        let (number, _) = parts(&now);
        let number = number.to_owned();
        if read(path).is_none_or(|(noted, _)| noted != number) {
            place.note(&number, claims);
        }
        now = match created(path) {
            Some(created) => format!("{number}/{created}"),
            None => number,
        };
    }
    if now != origin {
        remember(connection, &now)?;
    }
    Ok(())
}

/// Whether an SQLite database is older than the file beside it, or is not the one that it belongs to.
fn is_restored(path: &Path, origin: &str, claims: i64) -> bool {
    let (number, was_created) = parts(origin);
    match read(path) {
        Some((noted, count)) if noted == number => {
            let created = created(path);
            count > claims || was_created.is_some_and(|it| created.as_deref() != Some(it))
        }
        _ => claims > 0 || was_created.is_some(),
    }
}

/// Pauses the broadcasts that could go on by themselves.
fn pause(connection: &mut AnyConnection, at: DateTime<Utc>) -> Result<(), Failure> {
    let going = [BroadcastState::Scheduled, BroadcastState::Preparing, BroadcastState::Sending];
    let rows: Vec<BroadcastRow> = broadcasts::table
        .filter(broadcasts::state.eq_any(going.map(BroadcastState::name)))
        .select(BroadcastRow::as_select())
        .load(connection)?;
    for row in rows {
        let mut broadcast = row.into_broadcast()?;
        log::warn!(broadcast = broadcast.id; "the database was restored from a backup: the broadcast is paused");
        set_state(connection, &mut broadcast, BroadcastState::Paused(PauseReason::Restored), at)?;
    }
    Ok(())
}
