//! Indexes that are built when their tables are full, which is several times as fast as updating them
//! row by row.

use diesel::{
    QueryResult, Queryable, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text,
};

use crate::base::connection::AnyConnection;

/// The dropped indexes, to be built before the transaction ends.
pub(crate) struct Deferred {
    definitions: String,
}

impl Deferred {
    /// Drops, in a PostgreSQL database without users, the indexes that filling it does not need: all
    /// but the keys and the index over usernames, and none of tables that belong to another role.
    /// Until the transaction ends no other process can read these tables; they are locked in the
    /// order in which others read them.
    pub(crate) fn begin(connection: &mut AnyConnection) -> QueryResult<Self> {
        let AnyConnection::Postgres(connection) = connection else {
            return Ok(Self { definitions: String::new() });
        };
        let indexes: Vec<Index> = sql::<(Text, Text)>(INDEXES).load(connection)?;
        let mut definitions = String::new();
        for Index { name, definition } in indexes {
            connection.batch_execute(&format!("DROP INDEX {name}"))?;
            definitions.push_str(&format!("{definition};"));
        }
        Ok(Self { definitions })
    }

    /// Builds them.
    pub(crate) fn build(self, connection: &mut AnyConnection) -> QueryResult<()> {
        if self.definitions.is_empty() {
            return Ok(());
        }
        connection.batch_execute("SET LOCAL maintenance_work_mem = '512MB'")?;
        connection.batch_execute(&self.definitions)
    }
}

/// The indexes that filling an empty database does not need, with their definitions.
const INDEXES: &str = "
    SELECT indexes.indexrelid::regclass::text, pg_get_indexdef(indexes.indexrelid)
    FROM pg_index AS indexes JOIN pg_class AS tables ON tables.oid = indexes.indrelid
    WHERE indexes.indrelid IN ('telegram_users'::regclass, 'search_grams'::regclass)
    AND NOT indexes.indisunique
    AND indexes.indexrelid <> 'telegram_users_username'::regclass
    AND pg_has_role(tables.relowner, 'USAGE')
    AND NOT EXISTS (SELECT FROM telegram_users)
    ORDER BY indexes.indrelid <> 'telegram_users'::regclass, indexes.indexrelid";

/// An index of PostgreSQL.
#[derive(Queryable)]
struct Index {
    name: String,
    definition: String,
}
