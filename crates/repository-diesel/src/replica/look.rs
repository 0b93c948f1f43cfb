//! What a look at the primary and at the replica finds.

use std::time::Duration;

use diesel::{
    QueryResult, RunQueryDsl,
    sql_types::{BigInt, Bool, Double, Nullable},
};

use super::{
    identity::{Identity, Likeness, started_at},
    state::Reason,
    status::WalPosition,
};
use crate::base::{
    connection::AnyConnection,
    database_url::DatabaseUrl,
    migrations::{self, MigrationState},
    pooling::Sessions,
};

/// The primary, when it was looked at.
#[derive(Clone, Debug)]
pub(super) struct Primary {
    pub(super) position: WalPosition,
    pub(super) started_at: i64,
    pub(super) identity: Identity,
}

impl Primary {
    pub(super) fn look(connection: &mut AnyConnection) -> QueryResult<Self> {
        Ok(Self {
            position: position(connection)?,
            started_at: started_at(connection)?,
            identity: Identity::read(connection)?,
        })
    }
}

/// How far the primary is: behind every change that was answered, also if the server answers before it
/// is on the disk.
pub(super) fn position(connection: &mut AnyConnection) -> QueryResult<WalPosition> {
    let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";
    diesel::dsl::sql::<BigInt>(sql).get_result(connection).map(WalPosition)
}

/// How far a replica has replayed the log; `None` if it does not say it.
pub(super) fn replayed(connection: &mut AnyConnection) -> QueryResult<Option<WalPosition>> {
    let sql = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
               ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn)::bigint";
    let replayed: Option<i64> = diesel::dsl::sql::<Nullable<BigInt>>(sql).get_result(connection)?;
    Ok(replayed.map(WalPosition))
}

/// A connection that only looks at the replica, which is known to have the database and its schema.
pub(super) struct Looker {
    connection: AnyConnection,
    pub(super) sessions: Sessions,
}

/// What is found at the replica.
pub(super) struct Found {
    pub(super) replayed: Option<WalPosition>,
    /// How long ago its last transaction was committed.
    pub(super) age: Duration,
}

impl Looker {
    /// Connects, and compares the replica with the primary. Blocks.
    pub(super) fn open(url: &DatabaseUrl, primary: &Primary) -> Result<Self, Reason> {
        let opened = AnyConnection::open(url, None);
        let (mut connection, sessions) =
            opened.map_err(|error| Reason::Away(url.redact(&error.to_string())))?;
        let identity = Identity::read(&mut connection).map_err(|error| away(url, &error))?;
        match primary.identity.compare(&identity) {
            Likeness::Same => {}
            Likeness::Other(difference) => return Err(Reason::Other(difference)),
            Likeness::Unknown => {
                let text = "nothing shows yet that it has the same database";
                return Err(Reason::Unusable(text.to_owned()));
            }
        }
        check_schema(&mut connection)?;
        Ok(Self { connection, sessions })
    }

    /// Looks at the replica. Blocks.
    pub(super) fn look(&mut self, url: &DatabaseUrl, primary: &Primary) -> Result<Found, Reason> {
        let found = self.found(primary);
        found.map_err(|error| away(url, &error))?
    }

    fn found(&mut self, primary: &Primary) -> QueryResult<Result<Found, Reason>> {
        let connection = &mut self.connection;
        let sql = "SELECT pg_is_in_recovery(), \
                   extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8";
        let (is_replica, age): (bool, Option<f64>) =
            diesel::dsl::sql::<(Bool, Nullable<Double>)>(sql).get_result(connection)?;
        if !is_replica && started_at(connection)? != primary.started_at {
            let text = "it accepts writes of its own, but is not the server of DATABASE_URL";
            return Ok(Err(Reason::Unusable(text.to_owned())));
        }
        let age = Duration::try_from_secs_f64(age.unwrap_or_default()).unwrap_or_default();
        Ok(Ok(Found { replayed: replayed(connection)?, age }))
    }
}

fn check_schema(connection: &mut AnyConnection) -> Result<(), Reason> {
    let unusable = |text: String| Err(Reason::Unusable(text));
    match migrations::all(connection) {
        Err(error) => unusable(error.to_string()),
        Ok(all) => match all.iter().find(|(_, state)| *state == MigrationState::Pending) {
            Some((lacking, _)) => unusable(format!("its schema is older: it lacks {lacking}")),
            None => Ok(()),
        },
    }
}

fn away(url: &DatabaseUrl, error: &diesel::result::Error) -> Reason {
    Reason::Away(url.redact(&error.to_string()))
}
