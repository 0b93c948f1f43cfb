//! Finding the SQLSTATE of an error of PostgreSQL, because Diesel names only twelve of them.
//!
//! The work that failed is done again, in its own transaction. Before each statement the function
//! `sqlstate_of`, which a migration creates, executes that statement and rolls it back. It returns
//! the SQLSTATE if there was an error. If the work succeeds this time, it is done.

use std::sync::Arc;

use diesel::{
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DefaultLoadingMode,
        Instrumentation, LoadConnection, SimpleConnection,
    },
    expression::QueryMetadata,
    pg::{Pg, PgQueryBuilder},
    prelude::*,
    query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId},
    result::Error as DieselError,
    sql_types::{Nullable, Text},
};

use super::{
    connection::PgConnection,
    distributed::{self, Shards},
    error::{Failure, is_unnamed},
};

/// Repeats `work`, which failed with `error`. If it fails again, returns the error with its SQLSTATE,
/// if that was found.
pub(crate) fn examine<T>(
    connection: &mut PgConnection,
    error: DieselError,
    work: impl FnOnce(PgTransaction<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut found = None;
    let repeated = connection.build_transaction().read_committed().run(|connection| {
        let transaction = PgTransaction::new(connection);
        work(PgTransaction { examined: Some(&mut found), ..transaction })
    });
    match repeated {
        Err(_) if found.is_some() => Err(Failure::Examined { code: found, error }),
        Err(Failure::Diesel(again)) if is_unnamed(&again) => {
            Err(Failure::Examined { code: None, error })
        }
        result => result,
    }
}

/// A connection for a transaction that writes. It can examine each statement before it executes it.
pub(crate) struct PgTransaction<'a> {
    connection: &'a mut PgConnection,
    /// The shards of a distributed database.
    shards: Option<Arc<Shards>>,
    /// Where the SQLSTATE is put that examining a statement has found.
    examined: Option<&'a mut Option<String>>,
}

impl<'a> PgTransaction<'a> {
    /// One that just executes.
    pub(crate) fn new(connection: &'a mut PgConnection) -> Self {
        let shards = distributed::shards(connection);
        Self { connection, shards, examined: None }
    }

    /// The shards of the database; `None` if it is not distributed.
    pub(crate) fn shards(&self) -> Option<&Arc<Shards>> {
        self.shards.as_ref()
    }

    /// Fails if the statement would, and keeps the SQLSTATE.
    fn examine(&mut self, statement: &impl QueryFragment<Pg>) -> QueryResult<()> {
        let Some(found) = &mut self.examined else { return Ok(()) };
        **found = SqlstateOf(statement).get_result(self.connection)?;
        if found.is_some() { Err(DieselError::RollbackTransaction) } else { Ok(()) }
    }
}

impl ConnectionSealed for PgTransaction<'_> {}

impl SimpleConnection for PgTransaction<'_> {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.connection.batch_execute(query)
    }
}

impl Connection for PgTransaction<'_> {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection("it borrows a connection".to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.examine(source)?;
        self.connection.execute_returning_count(source)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        self.connection.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.connection.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.connection.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.connection.set_prepared_statement_cache_size(size);
    }
}

impl LoadConnection for PgTransaction<'_> {
    type Cursor<'conn, 'query>
        = <PgConnection as LoadConnection>::Cursor<'conn, 'query>
    where
        Self: 'conn;
    type Row<'conn, 'query>
        = <PgConnection as LoadConnection>::Row<'conn, 'query>
    where
        Self: 'conn;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        self.examine(&source)?;
        LoadConnection::<DefaultLoadingMode>::load(self.connection, source)
    }
}

/// The call of `sqlstate_of` for a statement. What the statement binds is bound by the call, which
/// writes it into the statement's text as literals: so PostgreSQL spells them, each with its type.
struct SqlstateOf<'a, T>(&'a T);

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for SqlstateOf<'_, T> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn to_sql(&self, out: &mut PgQueryBuilder, backend: &Pg) -> QueryResult<()> {
        let mut statement = PgQueryBuilder::default();
        self.0.to_sql(&mut statement, backend)?;
        out.push_sql(&call(&statement.finish()));
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(false)
    }
}

impl<T> Query for SqlstateOf<'_, T> {
    type SqlType = Nullable<Text>;
}

impl<T> QueryId for SqlstateOf<'_, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> RunQueryDsl<PgConnection> for SqlstateOf<'_, T> {}

/// Writes the call for a statement with places such as `$1`, which our statements have nowhere but
/// for what they bind.
fn call(statement: &str) -> String {
    let mut pieces = statement.split('$');
    let quoted = |text: &str| text.replace('\'', "''");
    let mut call = format!("SELECT sqlstate_of('{}", quoted(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        let place = piece.strip_suffix(rest).unwrap_or_default();
        let literal = format!("quote_nullable(${place}) || '::' || pg_typeof(${place})");
        call.push_str(&format!("' || {literal} || '{}", quoted(rest)));
    }
    call.push_str("')");
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_becomes_a_literal() {
        assert_eq!(call("SELECT 'it''s'"), "SELECT sqlstate_of('SELECT ''it''''s''')");
        assert_eq!(
            call("UPDATE a SET b = $1 WHERE c = ANY($12)"),
            "SELECT sqlstate_of('UPDATE a SET b = ' || quote_nullable($1) || '::' || \
             pg_typeof($1) || ' WHERE c = ANY(' || quote_nullable($12) || '::' || pg_typeof($12) \
             || ')')"
        );
    }
}
