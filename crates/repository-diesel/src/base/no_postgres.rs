//! In place of Diesel's connection to PostgreSQL in a build without libpq. There is no value of it, so
//! all code for PostgreSQL compiles and none of it can run.

use std::any::Any;

use diesel::{
    Connection, ConnectionError, ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, ConnectionSealed, DefaultLoadingMode, Instrumentation,
        LoadConnection, SimpleConnection,
    },
    expression::QueryMetadata,
    internal::derives::multiconnection::MultiConnectionHelper,
    migration::MigrationConnection,
    pg::{Pg, PgValue},
    query_builder::{Query, QueryFragment, QueryId},
    r2d2::R2D2Connection,
    row::{Field, PartialRow, Row, RowIndex, RowSealed},
    sql_types::TypeMetadata,
};

/// A connection that cannot exist.
pub(crate) enum PgConnection {}

impl SimpleConnection for PgConnection {
    fn batch_execute(&mut self, _: &str) -> QueryResult<()> {
        match *self {}
    }
}

impl ConnectionSealed for PgConnection {}

impl Connection for PgConnection {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        let reason =
            "this program is built without PostgreSQL; build it with the feature `postgres`";
        Err(ConnectionError::BadConnection(reason.to_owned()))
    }

    fn execute_returning_count<T>(&mut self, _: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        match *self {}
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        match *self {}
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        match *self {}
    }

    fn set_instrumentation(&mut self, _: impl Instrumentation) {
        match *self {}
    }

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {
        match *self {}
    }
}

impl LoadConnection<DefaultLoadingMode> for PgConnection {
    type Cursor<'conn, 'query> = std::iter::Empty<QueryResult<NoRow>>;
    type Row<'conn, 'query> = NoRow;

    fn load<'conn, 'query, T>(&'conn mut self, _: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        match *self {}
    }
}

impl R2D2Connection for PgConnection {
    fn ping(&mut self) -> QueryResult<()> {
        match *self {}
    }
}

impl MigrationConnection for PgConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        match *self {}
    }
}

impl MultiConnectionHelper for PgConnection {
    fn to_any<'a>(lookup: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn Any + 'a) {
        lookup.as_any()
    }

    fn from_any(_: &mut dyn Any) -> Option<&mut <Pg as TypeMetadata>::MetadataLookup> {
        None
    }
}

impl PgConnection {
    pub(crate) fn build_transaction(&mut self) -> NoTransaction {
        match *self {}
    }
}

/// A transaction that cannot begin.
pub(crate) enum NoTransaction {}

impl NoTransaction {
    pub(crate) fn read_committed(self) -> Self {
        self
    }

    pub(crate) fn run<T, E, F>(&mut self, _: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E>,
    {
        match *self {}
    }
}

/// Copies no rows into a table.
pub(crate) fn copy_from<T>(_: T) -> NoCopy {
    NoCopy
}

/// A copy that cannot be executed.
pub(crate) struct NoCopy;

impl NoCopy {
    #[expect(clippy::wrong_self_convention, reason = "diesel calls it so")]
    pub(crate) fn from_insertable<I>(self, _: I) -> Self {
        self
    }

    pub(crate) fn execute(self, connection: &mut PgConnection) -> QueryResult<usize> {
        match *connection {}
    }
}

/// A row that cannot exist.
pub(crate) enum NoRow {}

/// A field that cannot exist.
pub(crate) enum NoField {}

impl RowSealed for NoRow {}

impl<'a> Row<'a, Pg> for NoRow {
    type Field<'f>
        = NoField
    where
        'a: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        match *self {}
    }

    fn get<'b, I>(&'b self, _: I) -> Option<NoField>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        match *self {}
    }

    fn partial_row(&self, _: std::ops::Range<usize>) -> PartialRow<'_, Self> {
        match *self {}
    }
}

impl RowIndex<usize> for NoRow {
    fn idx(&self, _: usize) -> Option<usize> {
        match *self {}
    }
}

impl RowIndex<&str> for NoRow {
    fn idx(&self, _: &str) -> Option<usize> {
        match *self {}
    }
}

impl Field<'_, Pg> for NoField {
    fn field_name(&self) -> Option<&str> {
        match *self {}
    }

    fn value(&self) -> Option<PgValue<'_>> {
        match *self {}
    }
}
