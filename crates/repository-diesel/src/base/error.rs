//! From Diesel's errors to those of the repositories.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_types::{Bool, Text},
};
use rollcall_repository::{BoxError, DatabaseError, RepositoryError, SuppressionKeyError};

use super::{
    codes::{self, Class},
    connection::{AnyConnection, CONNECTIONS},
};

/// Why a closure given to [`Database`](crate::Database) failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Diesel(DieselError),
    /// PostgreSQL refused. `code` is the SQLSTATE that Diesel hides, found by
    /// [`sqlstate`](super::sqlstate); `None` if it could not be found.
    Examined {
        code: Option<String>,
        error: DieselError,
    },
    /// The work was rolled back instead of waiting for a lock.
    GaveWay,
    SuppressionKey(SuppressionKeyError),
    Corrupt {
        table: &'static str,
        column: &'static str,
        key: String,
        reason: String,
    },
    /// A text is encrypted with a key that is not there.
    MissingKey {
        table: &'static str,
        column: &'static str,
        key: String,
        name: String,
    },
}

/// How often work is tried when the connection was cut: more often than there are connections,
/// because all of them may have been cut.
const CUT: u32 = CONNECTIONS + 2;
/// How often work is tried when another transaction was in its way, or may have been.
const IN_THE_WAY: u32 = 4;

impl Failure {
    /// How often work with this failure is tried in all, without a pause: the connection was cut, or
    /// PostgreSQL rolled the transaction back because of another one.
    pub(crate) fn attempts(&self, connection: &AnyConnection) -> u32 {
        match self {
            Self::GaveWay => CUT,
            Self::Examined { code: Some(code), .. } if codes::may_pass_at_once(code) => IN_THE_WAY,
            Self::Diesel(DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure,
                _,
            )) => CUT,
            Self::Diesel(error)
                if matches!(connection, AnyConnection::Postgres(_)) && may_be_for_others(error) =>
            {
                IN_THE_WAY
            }
            Self::Diesel(_)
            | Self::Examined { .. }
            | Self::Corrupt { .. }
            | Self::MissingKey { .. }
            | Self::SuppressionKey(_) => 1,
        }
    }

    /// The error for the callers of the repository, classified by the database's code.
    pub(crate) fn into_error(self, connection: &mut AnyConnection) -> RepositoryError {
        match self {
            Self::Corrupt { table, column, key, reason } => {
                RepositoryError::Corrupt { table, column, key, reason }
            }
            Self::MissingKey { table, column, key, name } => {
                RepositoryError::MissingKey { table, column, key, name }
            }
            Self::SuppressionKey(error) => error.into(),
            Self::GaveWay => Class::Connection.error("other transactions hold the locks".into()),
            Self::Examined { code: Some(code), error } => of_sqlstate(&code, error),
            Self::Diesel(DieselError::RollbackErrorOnCommit { commit_error, .. }) => {
                Self::Diesel(*commit_error).into_error(connection)
            }
            Self::Examined { code: None, error } | Self::Diesel(error) => match connection {
                AnyConnection::Sqlite(connection) => of_sqlite(connection, error),
                AnyConnection::Postgres(_) => match named(&error) {
                    Some(code) => of_sqlstate(code, error),
                    None => without_code(error),
                },
            },
        }
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Diesel(error)
    }
}

impl From<SuppressionKeyError> for Failure {
    fn from(error: SuppressionKeyError) -> Self {
        Self::SuppressionKey(error)
    }
}

/// Whether Diesel hides the SQLSTATE of this error.
pub(crate) fn is_unnamed(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
}

/// Whether another transaction may have been in the way: a deadlock (40P01), or a lock that it held
/// (55P03). Diesel names neither, but neither points at a place in the statement.
pub(crate) fn may_be_for_others(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, information)
            if information.statement_position().is_none()
    )
}

/// The SQLSTATE of an error, if Diesel names it.
pub(crate) fn named(error: &DieselError) -> Option<&'static str> {
    let DieselError::DatabaseError(kind, _) = error else { return None };
    codes::sqlstate_of(*kind)
}

fn of_sqlstate(code: &str, error: DieselError) -> RepositoryError {
    codes::of_sqlstate(code).error(DatabaseError::with_code(format!("SQLSTATE {code}"), error))
}

fn of_sqlite(connection: &mut SqliteConnection, error: DieselError) -> RepositoryError {
    let DieselError::DatabaseError(kind, information) = &error else { return without_code(error) };
    let text = information.message();
    let code = codes::of_sqlite(*kind, text)
        .or_else(|| raised_by_trigger(connection, text).ok()?.then_some(codes::SQLITE_CONSTRAINT));
    match code {
        Some((code, class)) => class.error(DatabaseError::with_code(code, error)),
        None => without_code(error),
    }
}

/// Whether a trigger of the database raises this text, which is then SQLite's whole message. Rollcall
/// has no triggers, but owners may add some.
fn raised_by_trigger(connection: &mut SqliteConnection, text: &str) -> QueryResult<bool> {
    diesel::dsl::sql::<Bool>(
        "SELECT EXISTS (SELECT * FROM sqlite_schema WHERE type = 'trigger' \
         AND instr(sql, quote(",
    )
    .bind::<Text, _>(text)
    .sql(")) > 0)")
    .get_result(connection)
}

/// Errors of Diesel itself, and those without a known code.
fn without_code(error: DieselError) -> RepositoryError {
    let class = match &error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => Class::Connection,
        // A value that cannot be converted to or from the column's type.
        DieselError::DeserializationError(_) | DieselError::SerializationError(_) => Class::Row,
        _ => Class::Other,
    };
    class.error(DatabaseError::from(BoxError::from(error)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use diesel::{Connection, connection::SimpleConnection};

    use super::*;
    use crate::base::database_url::DatabaseUrl;

    /// Errors of SQLite itself, by their class and their code.
    #[test]
    fn sqlite_names_what_went_wrong() {
        for (prepare, fail, expected) in [
            (
                "PRAGMA max_page_count = 3",
                "INSERT INTO t VALUES (1, randomblob(100000))",
                "failed SQLITE_FULL",
            ),
            ("PRAGMA query_only = ON", "INSERT INTO t VALUES (1, 2)", "read_only SQLITE_READONLY"),
            ("", "INSERT INTO t VALUES ('x', 2)", "rejected SQLITE_MISMATCH"),
            ("", "INSERT INTO t VALUES (1, zeroblob(2000000000))", "rejected SQLITE_TOOBIG"),
            ("", "INSERT INTO t VALUES (1, 1), (1, 1)", "rejected SQLITE_CONSTRAINT"),
            ("", "INSERT INTO t VALUES (1, NULL)", "rejected SQLITE_CONSTRAINT"),
            ("", "INSERT INTO t VALUES (-1, 2)", "rejected SQLITE_CONSTRAINT"),
            ("", "INSERT INTO u VALUES (9)", "rejected SQLITE_CONSTRAINT"),
            ("", "INSERT INTO s VALUES ('x')", "failed"),
            ("", "SELECT * FROM nothing", "failed"),
            ("", "SELEKT", "failed"),
        ] {
            let mut connection = prepared(prepare);
            let error = connection.batch_execute(fail).unwrap_err();
            assert_eq!(classified(error, &mut connection), expected, "{fail}");
        }
    }

    #[test]
    fn sqlite_names_a_lock_and_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollcall.db");
        let url: DatabaseUrl = format!("sqlite://{}", path.display()).parse().unwrap();
        let (mut connection, _) = AnyConnection::open(&url, None).unwrap();
        connection.batch_execute("CREATE TABLE t (x); PRAGMA busy_timeout = 0").unwrap();
        let (mut other, _) = AnyConnection::open(&url, None).unwrap();
        other.batch_execute("BEGIN IMMEDIATE").unwrap();
        let error = connection.batch_execute("INSERT INTO t VALUES (1)").unwrap_err();
        assert_eq!(classified(error, &mut connection), "unavailable SQLITE_BUSY");
        other.batch_execute("ROLLBACK").unwrap();

        drop(connection);
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xff; 2048], 2048).unwrap();
        let (mut connection, _) = AnyConnection::open(&url, None).unwrap();
        let error = connection.batch_execute("INSERT INTO t VALUES (1)").unwrap_err();
        assert_eq!(classified(error, &mut connection), "rejected SQLITE_CORRUPT");
    }

    fn prepared(sql: &str) -> AnyConnection {
        let connection = SqliteConnection::establish(":memory:").unwrap();
        let mut connection = AnyConnection::Sqlite(connection);
        connection
            .batch_execute(
                "PRAGMA foreign_keys = ON; CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id > 0), x NOT NULL); \
                 CREATE TABLE u (id INTEGER REFERENCES t); CREATE TABLE s (x INTEGER) STRICT",
            )
            .unwrap();
        connection.batch_execute(sql).unwrap();
        connection
    }

    /// The class of an error, and its code if it has one.
    fn classified(error: DieselError, connection: &mut AnyConnection) -> String {
        let error = Failure::from(error).into_error(connection);
        let class = error.class().trim_start_matches("storage_").to_owned();
        let source = std::error::Error::source(&error).unwrap().to_string();
        match source.split(": ").next().unwrap() {
            code if code.starts_with("SQLITE_") => format!("{class} {code}"),
            _ => class,
        }
    }
}
