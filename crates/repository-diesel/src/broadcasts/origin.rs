//! Whether the database was restored from a backup. A restored one may lack messages that were sent.
//!
//! Beside an SQLite file is another small one, with how often recipients were claimed. A backup of the
//! database alone has a smaller number, and a copy elsewhere has no such file. PostgreSQL has a number
//! for each server, time line, database and table, and a restored one gets others.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use diesel::{dsl::sql, prelude::*, sql_types::Text};
use rollcall_domain::{BroadcastState, PauseReason};

use super::{plan::set_state, row::BroadcastRow};
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
                let mut beside = path.clone().into_os_string();
                beside.push("-sender");
                Self::File(beside.into())
            }
            DatabaseUrl::Postgres { .. } => Self::Server,
        }
    }

    /// Notes how often recipients were claimed, before their messages go out. If that is not possible,
    /// the next start takes the database for a restored one, which is the safe side.
    pub(super) fn note(&self, claims: i64) {
        let Self::File(path) = self else { return };
        if let Err(error) = write(path, claims) {
            log::warn!(error:%, file:% = path.display(); "cannot note how far the broadcast is");
        }
    }

    /// How often recipients were claimed, as noted; `None` if that cannot be read.
    fn noted(&self) -> Option<i64> {
        let Self::File(path) = self else { return None };
        let text = fs::read_to_string(path).ok()?;
        match text.lines().next() {
            Some(line) => line.parse().ok(),
            // A crash just after the file was created leaves it empty.
            None => Some(0),
        }
    }
}

/// Writes over the number in a file. Its text has one length, so a crash leaves one of the two numbers.
fn write(path: &Path, claims: i64) -> io::Result<()> {
    let is_new = !path.try_exists()?;
    let mut options = OpenOptions::new();
    // With the permissions of the database itself.
    options.write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{claims:020}\n").as_bytes())?;
    if is_new {
        file.sync_all()?;
        // Otherwise a power failure may take the new file away.
        File::open(
            path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        )?
        .sync_all()?;
    }
    Ok(())
}

/// Which database this is.
fn current(connection: &mut AnyConnection) -> Result<Option<String>, Failure> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(None) };
    let found = sql::<Text>(
        "SELECT concat_ws('/', system_identifier, \
         substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), \
         (SELECT oid FROM pg_database WHERE datname = current_database()), \
         'broadcast_recipients'::regclass::oid) FROM pg_control_system()",
    );
    Ok(Some(found.get_result(connection)?))
}

/// Notes which database this is, if that was not done before.
pub(super) fn remember_first(connection: &mut AnyConnection) -> Result<(), Failure> {
    let known: Option<String> =
        broadcast_sender::table.select(broadcast_sender::origin).first(connection)?;
    if known.is_none() {
        remember(connection)?;
    }
    Ok(())
}

fn remember(connection: &mut AnyConnection) -> Result<(), Failure> {
    let current = current(connection)?;
    diesel::update(broadcast_sender::table)
        .set(broadcast_sender::origin.eq(current))
        .execute(connection)?;
    Ok(())
}

/// Pauses what could go on by itself, if the database was restored. Runs in a transaction.
pub(super) fn check(
    connection: &mut AnyConnection,
    place: &Place,
    at: DateTime<Utc>,
) -> Result<(), Failure> {
    let (claims, origin): (i64, Option<String>) = broadcast_sender::table
        .select((broadcast_sender::claims, broadcast_sender::origin))
        .first(connection)?;
    let noted = place.noted();
    let is_restored = match place {
        Place::File(_) if noted.is_none() && claims == 0 => {
            // A crash after the first claim must not leave the database without its number.
            place.note(0);
            false
        }
        Place::File(_) => noted.is_none_or(|noted| noted > claims),
        Place::Server => origin.is_some() && origin != current(connection)?,
    };
    if !is_restored {
        return remember_first(connection);
    }
    remember(connection)?;
    let claims = claims.max(noted.unwrap_or_default()).saturating_add(1);
    diesel::update(broadcast_sender::table)
        .set(broadcast_sender::claims.eq(claims))
        .execute(connection)?;
    place.note(claims);
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
