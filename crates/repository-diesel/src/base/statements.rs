//! Every statement of this crate for PostgreSQL, so that a server can be asked whether it takes them.
//!
//! `statements.sql` has them as they are sent, one a line, and `statements-citus.sql` those for a distributed
//! database. The contract tests write and check it
//! (`tests/contracts.rs`), so a statement that they send and that is not there fails a test.

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    result::Error as DieselError,
    sql_types::{Array, Nullable, Text},
};
use rollcall_repository::RepositoryError;

use super::{
    connection::{AnyConnection, PgConnection},
    database::Database,
    distributed,
    error::named,
};

const PLAIN: &str = include_str!("statements.sql");
/// Those for a distributed database.
const DISTRIBUTED: &str = include_str!("statements-citus.sql");

/// The name under which each statement is prepared.
const NAME: &str = "rollcall_check";

/// How many characters of a statement are shown.
const SHOWN: usize = 100;

/// A statement that the server does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedStatement {
    /// Its beginning.
    pub statement: String,
    /// The SQLSTATE, if it could be found.
    pub sqlstate: Option<String>,
    /// What the server says about it.
    pub reason: String,
}

impl Database {
    /// Has the server prepare and plan every statement of this program, in a transaction that is rolled
    /// back. Returns how many there are, and those that it refuses. An SQLite database is part of
    /// this program, and is not asked: it has 0.
    ///
    /// The statements are planned with made-up values and not carried out, so nothing is read or
    /// locked that a bot needs. Those that lock a table or change a setting are carried out.
    ///
    /// # Errors
    /// When the database cannot be reached, or the connection ends meanwhile.
    pub async fn check_statements(
        &self,
    ) -> Result<(usize, Vec<RefusedStatement>), RepositoryError> {
        let sessions = self.sessions();
        self.run_long(move |connection| {
            let AnyConnection::Postgres(connection) = connection else {
                return Ok((0, Vec::new()));
            };
            let (mut refused, statements) = (Vec::new(), statements(connection));
            let checked = connection.transaction(|connection| {
                sessions.settle(connection)?;
                // Locks are wanted only to see that the server knows the statement.
                connection.batch_execute("SET LOCAL lock_timeout = '100ms'")?;
                for statement in statements.lines() {
                    refused.extend(check(connection, statement)?);
                }
                Err::<(), _>(DieselError::RollbackTransaction)
            });
            match checked {
                Err(DieselError::RollbackTransaction) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            }
            Ok((statements.lines().count(), refused))
        })
        .await
    }
}

fn statements(connection: &mut PgConnection) -> &'static str {
    match distributed::shards(connection) {
        None => PLAIN,
        Some(_) => DISTRIBUTED,
    }
}

/// Why the server refuses a statement; `None` if it takes it.
fn check(connection: &mut PgConnection, statement: &str) -> QueryResult<Option<RefusedStatement>> {
    let is_planned = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
        .iter()
        .any(|word| statement.trim_start_matches('(').starts_with(word));
    if !is_planned {
        return tried(connection, statement, statement);
    }
    if let Some(refused) = tried(connection, &prepare(statement), statement)? {
        return Ok(Some(refused));
    }
    // Prepared for good: a statement stays prepared when what has prepared it is rolled back.
    let types: Vec<String> = diesel::sql_query(
        "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = $1",
    )
    .bind::<Text, _>(NAME)
    .get_result::<Types>(connection)?
    .types
    .into_iter()
    .flatten()
    .collect();
    let values: Vec<String> = types.iter().map(|it| value(it)).collect();
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    let refused = tried(connection, &format!("EXPLAIN EXECUTE {NAME}{values}"), statement)?;
    connection.batch_execute(&format!("DEALLOCATE {NAME}"))?;
    Ok(refused)
}

#[derive(diesel::QueryableByName)]
struct Types {
    #[diesel(sql_type = Nullable<Array<Text>>)]
    types: Option<Vec<String>>,
}

fn prepare(statement: &str) -> String {
    format!("PREPARE {NAME} AS {statement}")
}

/// A value of a type. None is NULL, which has no place in a distributed table.
fn value(sql_type: &str) -> String {
    let value = match sql_type.strip_suffix("[]") {
        Some(of) => format!("{{{}}}", literal(of)),
        None => literal(sql_type).to_owned(),
    };
    format!("'{value}'::{sql_type}")
}

fn literal(sql_type: &str) -> &'static str {
    match sql_type {
        "boolean" => "true",
        "date" | "timestamp without time zone" | "timestamp with time zone" => "2000-01-01",
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => "1",
        _ => "x",
    }
}

/// Executes SQL for a statement, and takes back what it did. Returns why it was refused, if it was.
fn tried(
    connection: &mut PgConnection,
    sql: &str,
    statement: &str,
) -> QueryResult<Option<RefusedStatement>> {
    let tried = connection.transaction(|connection| {
        connection.batch_execute(sql)?;
        Err::<(), _>(DieselError::RollbackTransaction)
    });
    let error = match tried {
        Ok(()) | Err(DieselError::RollbackTransaction) => return Ok(None),
        Err(error @ DieselError::DatabaseError(..)) => error,
        Err(error) => return Err(error),
    };
    let sqlstate = match named(&error) {
        Some(code) => Some(code.to_owned()),
        // The function is missing in a database that was not migrated.
        None => connection
            .transaction(|connection| {
                diesel::dsl::sql::<Nullable<Text>>("SELECT sqlstate_of(")
                    .bind::<Text, _>(sql)
                    .sql(")")
                    .get_result::<Option<String>>(connection)
            })
            .unwrap_or_default(),
    };
    // The made-up values, or a lock that another program holds, say nothing about the statement.
    let is_ours = |code: &String| code.starts_with("22") || code == "55P03";
    if sqlstate.as_ref().is_some_and(is_ours) {
        return Ok(None);
    }
    let statement = statement.chars().take(SHOWN).collect();
    Ok(Some(RefusedStatement { statement, sqlstate, reason: error.to_string() }))
}

#[cfg(test)]
mod tests {
    use rollcall_testkit::ThrowAwayDatabase;

    use super::*;

    #[tokio::test]
    async fn a_migrated_server_takes_every_statement() {
        for throw_away in ThrowAwayDatabase::of_each_kind() {
            let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
            database.migrate().await.unwrap();
            let (checked, refused) = database.check_statements().await.unwrap();
            assert_eq!(refused, []);
            assert_eq!(checked > 200, throw_away.file().is_none(), "{checked}");
        }
    }

    #[tokio::test]
    async fn a_refused_statement_is_named_with_its_code() {
        let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        database
            .run_long(|connection| {
                Ok(connection.batch_execute("ALTER TABLE refreshes RENAME TO others")?)
            })
            .await
            .unwrap();
        let (_, refused) = database.check_statements().await.unwrap();
        assert!(!refused.is_empty());
        for RefusedStatement { statement, sqlstate, reason } in refused {
            assert!(statement.contains("refreshes"), "{statement}");
            assert_eq!(sqlstate.as_deref(), Some("42P01"), "{statement}");
            assert_eq!(reason, "relation \"refreshes\" does not exist");
        }
        // Nothing is left of the check.
        let (_, again) = database.check_statements().await.unwrap();
        assert!(!again.is_empty());
    }

    #[test]
    fn values_have_the_types_of_the_parameters() {
        assert_eq!(value("bigint"), "'1'::bigint");
        assert_eq!(
            value("timestamp without time zone[]"),
            "'{2000-01-01}'::timestamp without time zone[]"
        );
        assert_eq!(value("text[]"), "'{x}'::text[]");
    }
}
