//! Whether a connection has its own session of PostgreSQL, or shares sessions with other programs: a
//! pooler such as PgBouncer gives it any free session for each transaction.
//!
//! In a shared session, settings and named prepared statements would affect the program that gets
//! the session next. So statements are sent without a name there, and settings end with their
//! transaction.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    str::FromStr,
};

use diesel::{
    Connection, ConnectionError, QueryResult, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    sql_types::{Nullable, Text},
};

use super::{bounds::bounded, connection::PgConnection, distributed};

/// How the sessions of a PostgreSQL server are reached: the setting `DATABASE_POOL_MODE`, which has
/// the names of PgBouncer's pool modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolMode {
    /// Detected when the database is opened.
    #[default]
    Auto,
    /// A connection keeps its session: there is no pooler, or one that gives each connection its own
    /// session.
    Session,
    /// A pooler gives a connection another session for each transaction.
    Transaction,
}

impl FromStr for PoolMode {
    type Err = InvalidPoolMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "session" => Ok(Self::Session),
            "transaction" => Ok(Self::Transaction),
            _ => Err(InvalidPoolMode),
        }
    }
}

impl fmt::Display for PoolMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Session => "session",
            Self::Transaction => "transaction",
        })
    }
}

/// Why a text is not a pool mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a pool mode; expected auto, session or transaction")]
pub struct InvalidPoolMode;

/// Whether the connections to a database share their sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// Each connection has its own session.
    Own,
    /// A pooler gives sessions to this and other programs in turn, one transaction at a time.
    Shared,
}

impl Sessions {
    /// Connects to the server at `url`, and detects whether the session is shared.
    pub(crate) fn find(url: &str, mode: PoolMode) -> Result<(PgConnection, Self), ConnectionError> {
        let url = &bounded(url);
        let (mut connection, sessions) = match mode {
            PoolMode::Auto => detect(url)?,
            PoolMode::Session => (PgConnection::establish(url)?, Self::Own),
            PoolMode::Transaction => (PgConnection::establish(url)?, Self::Shared),
        };
        if sessions == Self::Shared {
            connection.transaction(|_| QueryResult::Ok(())).map_err(|error| {
                ConnectionError::BadConnection(format!(
                    "it does not begin a transaction ({error}); a pooler has to be in \
                     transaction or session mode"
                ))
            })?;
        }
        sessions.prepare(&mut connection)?;
        Ok((connection, sessions))
    }

    /// Connects to the server at `url`, whose kind of sessions is known.
    pub(crate) fn connect(self, url: &str) -> Result<PgConnection, ConnectionError> {
        let mut connection = PgConnection::establish(&bounded(url))?;
        self.prepare(&mut connection)?;
        Ok(connection)
    }

    /// Every statement has its index. A cached plan that was made for an empty table would read the
    /// whole table, and would continue to do so when the table has grown.
    fn prepare(self, connection: &mut PgConnection) -> Result<(), ConnectionError> {
        distributed::find(connection).map_err(ConnectionError::CouldntSetupConfiguration)?;
        match self {
            // With sequential scans off, the few that are necessary look so expensive that PostgreSQL
            // would compile them, which takes longer than running them.
            Self::Own => {
                let plans = plans(connection);
                connection
                    .batch_execute(&format!(
                        "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = {plans}"
                    ))
                    .map_err(ConnectionError::CouldntSetupConfiguration)
            }
            Self::Shared => {
                connection.set_prepared_statement_cache_size(CacheSize::Disabled);
                Ok(())
            }
        }
    }

    /// Gives a transaction that has just begun the settings of an own session, until it ends. Rows
    /// are locked in the order in which a plan reads them, so registration needs the same plans in
    /// every session.
    pub(crate) fn settle(self, connection: &mut impl Connection) -> QueryResult<()> {
        match self {
            Self::Own => Ok(()),
            Self::Shared => {
                let plans = plans(connection);
                connection.batch_execute(&format!(
                    "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; \
                     SET LOCAL plan_cache_mode = {plans}"
                ))
            }
        }
    }
}

/// How plans are made. Citus finds the shards of a statement by its values, so it has no generic plans
/// (0A000, "could not create distributed plan").
fn plans(connection: &mut impl Connection) -> &'static str {
    match distributed::shards(connection) {
        None => "force_generic_plan",
        Some(_) => "force_custom_plan",
    }
}

/// Detects whether a session is shared, by a setting that is part of the request for the connection.
/// Poolers refuse or drop it, because they open sessions before they know which program gets them.
fn detect(url: &str) -> Result<(PgConnection, Sessions), ConnectionError> {
    if let Ok(found) = connect_marked(url) {
        return Ok(found);
    }
    let connection = PgConnection::establish(url)?;
    // Tried again, because the refusal may have been transient, for example while the server started.
    Ok(connect_marked(url).unwrap_or((connection, Sessions::Shared)))
}

/// Connects with a unique mark, and checks whether the session has it.
fn connect_marked(url: &str) -> Result<(PgConnection, Sessions), ConnectionError> {
    let mark = format!("{:016x}", RandomState::new().build_hasher().finish());
    let url = with_option(url, &format!("-c%20rollcall.session%3D{mark}"));
    let mut connection = PgConnection::establish(&url)?;
    let found: Option<String> =
        diesel::dsl::sql::<Nullable<Text>>("SELECT current_setting('rollcall.session', TRUE)")
            .get_result(&mut connection)
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
    let sessions = if found == Some(mark) { Sessions::Own } else { Sessions::Shared };
    Ok((connection, sessions))
}

/// Adds to the parameter `options` of a URL, as libpq parses it: the last parameter of a name counts.
fn with_option(url: &str, option: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let place = match url.get(after_scheme..).and_then(|rest| rest.find(['@', '/'])) {
        // A password may contain a question mark.
        Some(at) if url.get(after_scheme + at..).is_some_and(|it| it.starts_with('@')) => {
            after_scheme + at
        }
        _ => after_scheme,
    };
    let Some((before, parameters)) = url
        .get(place..)
        .and_then(|rest| rest.find('?'))
        .and_then(|at| url.split_at_checked(place + at + 1))
    else {
        return format!("{url}?options={option}");
    };
    let own = parameters.split('&').rev().find_map(|it| it.strip_prefix("options="));
    let own = own.map(|own| format!("{own}%20")).unwrap_or_default();
    format!("{before}{parameters}&options={own}{option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_comes_after_those_of_the_url() {
        for (url, expected) in [
            ("postgres://h/d", "postgres://h/d?options=x"),
            ("postgres://h", "postgres://h?options=x"),
            ("postgres://h/d?a=b", "postgres://h/d?a=b&options=x"),
            ("postgres:///d?host=/run", "postgres:///d?host=/run&options=x"),
            ("postgres://u:p?q@h/d", "postgres://u:p?q@h/d?options=x"),
            ("postgres://u:p?q@h/d?a=b", "postgres://u:p?q@h/d?a=b&options=x"),
            ("postgres://h/d?options=y&a=b", "postgres://h/d?options=y&a=b&options=y%20x"),
            (
                "postgres://h/d?options=y&options=z",
                "postgres://h/d?options=y&options=z&options=z%20x",
            ),
            ("postgres://h/d@e?a=b", "postgres://h/d@e?a=b&options=x"),
        ] {
            assert_eq!(with_option(url, "x"), expected);
        }
    }

    #[test]
    fn a_pool_mode_is_read_and_shown_alike() {
        for mode in [PoolMode::Auto, PoolMode::Session, PoolMode::Transaction] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert_eq!("statement".parse::<PoolMode>(), Err(InvalidPoolMode));
    }
}
