//! Distributing a PostgreSQL database over several servers with Citus; see docs/citus.md.
//!
//! Each table is one step and one transaction. A step that was done is skipped, so an attempt that was broken
//! off can be repeated, and a table that a later version adds is distributed by the next attempt.

mod error;

use diesel::{
    QueryResult, RunQueryDsl,
    connection::{Connection, SimpleConnection},
    dsl::sql,
    sql_types::{Array, BigInt, Bool, Text},
};

pub use self::error::DistributeError;
use crate::base::{
    connection::{AnyConnection, PgConnection},
    database::Database,
    distributed::{self, MOST_SHARDS, SLOTS},
    migrations::MigrationState,
};

/// Tables with rows of users, beside `telegram_users`: they are in the shard of the user.
const OF_USERS: [&str; 20] = [
    "active_days",
    "broadcast_presses",
    "broadcast_progress",
    "broadcast_recipients",
    "broadcast_requests",
    "command_uses",
    "favourite_teams",
    "label_changed_users",
    "notes",
    "opt_outs",
    "preferences",
    "profile_changes",
    "reach_history",
    "search_grams",
    "search_pending",
    "starts",
    "uncounted_sums",
    "user_events",
    "user_labels",
    "shard_slots",
];

/// Tables that registration adds to in the shard of its users, by a slot.
const BY_SLOT: [&str; 4] = ["activity_sums", "minute_sums", "recent_updates", "source_sums"];

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distributed {
    /// All tables were distributed already.
    Already,
    /// These tables are distributed now, or would be.
    Tables(Vec<String>),
}

impl Database {
    /// Distributes the tables by Citus over its servers: those of users by `telegram_id` into `shards`
    /// shards, all others with a copy on each server. A dry run changes nothing. `progress` is given the
    /// number of tables that are done, and of all that are to be.
    ///
    /// # Errors
    /// When the server lacks the extension, the user the rights, or the database migrations; when other
    /// programs use the database; when it refuses.
    pub async fn distribute(
        &self,
        shards: u32,
        is_dry: bool,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Distributed, DistributeError> {
        if !(1..=MOST_SHARDS).contains(&shards) {
            return Err(DistributeError::Shards { given: shards, most: MOST_SHARDS });
        }
        let migrations =
            self.migrations().await.map_err(|it| DistributeError::Failed(it.into()))?;
        let is_pending = |(_, state): &(_, MigrationState)| *state == MigrationState::Pending;
        let is_migrated = !migrations.iter().any(is_pending);
        self.run_once(move |connection| {
            let AnyConnection::Postgres(connection) = connection else {
                return Ok(Err(DistributeError::Sqlite));
            };
            Ok(distribute(connection, shards, is_dry, is_migrated, &progress))
        })
        .await?
    }
}

fn distribute(
    connection: &mut PgConnection,
    shards: u32,
    is_dry: bool,
    is_migrated: bool,
    progress: &dyn Fn(u64, u64),
) -> Result<Distributed, DistributeError> {
    check(connection, is_migrated)?;
    let tables = to_distribute(connection)?;
    if tables.is_empty() {
        return Ok(Distributed::Already);
    }
    let others: i64 = sql::<BigInt>(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND backend_type = 'client backend' AND pid <> pg_backend_pid() \
         AND application_name NOT LIKE 'citus%'",
    )
    .get_result(connection)?;
    if others > 0 {
        return Err(DistributeError::InUse(others));
    }
    if is_dry {
        return Ok(Distributed::Tables(tables));
    }
    prepare(connection)?;
    // Again, with those that were created.
    let tables = to_distribute(connection)?;
    let all = u64::try_from(tables.len()).unwrap_or_default();
    for (done, table) in (0..).zip(&tables) {
        progress(done, all);
        connection.transaction(|connection| one(connection, table, shards))?;
    }
    progress(all, all);
    Ok(Distributed::Tables(tables))
}

fn check(connection: &mut PgConnection, is_migrated: bool) -> Result<(), DistributeError> {
    let mut asked = |question: &str| sql::<Bool>(question).get_result::<bool>(connection);
    if !asked("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')")? {
        return Err(DistributeError::NoExtension);
    }
    if !asked("SELECT citus_is_coordinator()")? {
        return Err(DistributeError::Worker);
    }
    if !asked("SELECT EXISTS (SELECT FROM citus_get_active_worker_nodes())")? {
        return Err(DistributeError::NoWorkers);
    }
    if !is_migrated {
        return Err(DistributeError::NotMigrated);
    }
    let may = "SELECT pg_has_role(datdba, 'USAGE') AND has_function_privilege(\
               'create_reference_table(regclass)', 'EXECUTE') AND NOT EXISTS ( \
                   SELECT FROM pg_class WHERE relkind = 'r' \
                   AND relnamespace = current_schema()::regnamespace \
                   AND NOT pg_has_role(relowner, 'USAGE')) \
               FROM pg_database WHERE datname = current_database()";
    if !asked(may)? {
        let user = sql::<Text>("SELECT current_user::text").get_result(connection)?;
        return Err(DistributeError::NoRights { user, function: "create_reference_table" });
    }
    Ok(())
}

/// The tables that are not distributed yet, in the order in which they have to be.
fn to_distribute(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    let mut tables: Vec<String> = sql::<Text>(
        "SELECT relname::text FROM pg_class \
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
         AND relname NOT LIKE 'pg_dist_%' AND NOT EXISTS ( \
             SELECT FROM pg_dist_partition WHERE logicalrelid = pg_class.oid) \
         ORDER BY relname",
    )
    .load(connection)?;
    let rank = |table: &String| match table.as_str() {
        // The others are colocated with it. Its names are noted before its rows leave this server.
        "telegram_users" => 0,
        table if OF_USERS.contains(&table) => 1,
        table if BY_SLOT.contains(&table) => 2,
        _ => 3,
    };
    tables.sort_by_key(rank);
    Ok(tables)
}

/// What the tables need before they are distributed. Each of it may have been done.
fn prepare(connection: &mut PgConnection) -> QueryResult<()> {
    // Servers plan the parts of a statement by their own settings; see `pooling.rs`.
    connection.batch_execute(
        "SELECT run_command_on_all_nodes(format('ALTER DATABASE %I SET enable_seqscan = off', \
             current_database())), \
         run_command_on_all_nodes(format('ALTER DATABASE %I SET jit = off', current_database()))",
    )?;
    connection.transaction(|connection| {
        connection.batch_execute(
            "CREATE TABLE IF NOT EXISTS shard_slots (slot BIGINT PRIMARY KEY); \
             CREATE TABLE IF NOT EXISTS username_holders ( \
                 name TEXT COLLATE \"C\" PRIMARY KEY, \
                 telegram_id BIGINT); \
             CREATE INDEX IF NOT EXISTS username_holders_user ON username_holders (telegram_id)",
        )?;
        if !is_distributed(connection, "shard_slots")? {
            connection.batch_execute(&format!(
                "INSERT INTO shard_slots SELECT generate_series(0, {}) ON CONFLICT DO NOTHING",
                SLOTS - 1
            ))?;
        }
        if !is_distributed(connection, "username_holders")?
            && !is_distributed(connection, "telegram_users")?
        {
            connection.batch_execute(
                "INSERT INTO username_holders (name, telegram_id) \
                 SELECT lower(username COLLATE \"C\"), telegram_id FROM telegram_users \
                 WHERE username IS NOT NULL \
                 ON CONFLICT (name) DO UPDATE SET telegram_id = excluded.telegram_id",
            )?;
        }
        QueryResult::Ok(())
    })?;
    connection.batch_execute("SELECT create_distributed_function('sqlstate_of(text)')")
}

fn is_distributed(connection: &mut PgConnection, table: &str) -> QueryResult<bool> {
    sql::<Bool>("SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = ")
        .bind::<Text, _>(table)
        .sql("::text::regclass)")
        .get_result(connection)
}

/// Distributes one table, in a transaction.
fn one(connection: &mut PgConnection, table: &str, shards: u32) -> QueryResult<()> {
    connection.batch_execute("SET LOCAL client_min_messages = warning")?;
    if BY_SLOT.contains(&table) {
        // Tables are in the same shards only if they are distributed by columns of one type.
        connection.batch_execute(&format!("ALTER TABLE {table} ALTER COLUMN slot TYPE BIGINT"))?;
    }
    if table == "recent_updates" {
        spread_updates(connection)?;
    }
    let create = match table {
        "telegram_users" => format!(
            "SELECT create_distributed_table('telegram_users', 'telegram_id', \
             colocate_with => 'none', shard_count => {shards})"
        ),
        "username_holders" => format!(
            "SELECT create_distributed_table('username_holders', 'name', \
             colocate_with => 'none', shard_count => {shards})"
        ),
        table if BY_SLOT.contains(&table) || table == "shard_slots" => {
            format!(
                "SELECT create_distributed_table('{table}', 'slot', colocate_with => 'telegram_users')"
            )
        }
        table if OF_USERS.contains(&table) => format!(
            "SELECT create_distributed_table('{table}', 'telegram_id', \
             colocate_with => 'telegram_users')"
        ),
        table => format!("SELECT create_reference_table('{table}')"),
    };
    connection.batch_execute(&create)?;
    connection
        .batch_execute(&format!("SELECT truncate_local_data_after_distributing_table('{table}')"))
}

/// Registration looks for the `update_id`s of a user in the slots of the user's shard. Those that are
/// known may be of any user, so each shard gets all of them.
fn spread_updates(connection: &mut PgConnection) -> QueryResult<()> {
    distributed::find(connection)?;
    let Some(shards) = distributed::shards(connection) else { return Ok(()) };
    diesel::sql_query(
        "INSERT INTO recent_updates (block, slot, updates, recorded_at) \
         SELECT block, new.slot, bit_or(updates), max(recorded_at) \
         FROM recent_updates CROSS JOIN UNNEST($1) AS new (slot) GROUP BY block, new.slot \
         ON CONFLICT (block, slot) DO UPDATE SET \
             updates = excluded.updates, recorded_at = excluded.recorded_at",
    )
    .bind::<Array<BigInt>, _>(shards.first_slots())
    .execute(connection)
    .map(drop)
}
