use std::fmt;

use diesel::{
    Connection, QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    migration::{Migration as DieselMigration, MigrationSource, MigrationVersion},
    pg::Pg,
    sql_types::{BigInt, Bool, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use rollcall_repository::{BoxError, LOCKED};

use super::connection::{AnyConnection, PgConnection, is_locked};

// By the link in the folder of this crate, with which they are in its package.
static SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
static POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Key of the advisory lock that a process holds on PostgreSQL while it migrates ("rollcall" in
/// ASCII).
const POSTGRES_LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// A change of the database's schema, one directory under `migrations/sqlite` and
/// `migrations/postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    name: String,
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Whether a database has a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// The database has it.
    Applied,
    /// The database lacks it.
    Pending,
}

/// Why a database could not be migrated. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A later version of Rollcall has migrated the database.
    #[error(
        "the database is newer than this program, which does not know its migration {0}; \
         run a newer version of Rollcall"
    )]
    NewerDatabase(String),
    /// Another program keeps the SQLite file locked.
    #[error("{LOCKED}")]
    Locked(#[source] BoxError),
    /// The database refused.
    #[error("cannot migrate the database")]
    Failed(#[source] BoxError),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        if is_locked(&error) { Self::Locked(error.into()) } else { Self::Failed(error.into()) }
    }
}

/// Every migration that this program knows, oldest first.
pub(crate) fn all(
    connection: &mut AnyConnection,
) -> Result<Vec<(Migration, MigrationState)>, MigrationError> {
    let applied = applied(connection)?;
    match connection {
        AnyConnection::Sqlite(_) => states::<Sqlite>(&SQLITE, &applied),
        AnyConnection::Postgres(_) => states::<Pg>(&POSTGRES, &applied),
    }
}

/// The versions that the database has. Diesel would create their table first, which fails on a
/// read-only database, and reading must not change anything.
fn applied(connection: &mut AnyConnection) -> QueryResult<Vec<MigrationVersion<'static>>> {
    let has_table = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT EXISTS (SELECT * FROM sqlite_master WHERE name = '__diesel_schema_migrations')"
        }
        AnyConnection::Postgres(_) => {
            "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL"
        }
    };
    if !diesel::dsl::sql::<Bool>(has_table).get_result(connection)? {
        return Ok(Vec::new());
    }
    let versions = "SELECT version FROM __diesel_schema_migrations";
    let versions: Vec<String> = diesel::dsl::sql::<Text>(versions).load(connection)?;
    Ok(versions.into_iter().map(MigrationVersion::from).collect())
}

/// Applies pending migrations; see [`Database::migrate`](crate::Database::migrate).
pub(crate) fn apply(connection: &mut AnyConnection) -> Result<Vec<Migration>, MigrationError> {
    connection.use_write_ahead_log()?;
    // Checked first without a lock: most starts find nothing to do, and do not wait.
    if all(connection)?.iter().all(|(_, state)| *state == MigrationState::Applied) {
        return Ok(Vec::new());
    }
    exclusively(
        connection,
        Work { sqlite: apply_pending::<Sqlite, _>, postgres: apply_pending::<Pg, _> },
    )
}

/// Reverts the last migration; see [`Database::revert`](crate::Database::revert).
pub(crate) fn revert(connection: &mut AnyConnection) -> Result<Option<Migration>, MigrationError> {
    if all(connection)?.iter().all(|(_, state)| *state == MigrationState::Pending) {
        return Ok(None);
    }
    exclusively(
        connection,
        Work { sqlite: revert_last::<Sqlite, _>, postgres: revert_last::<Pg, _> },
    )
}

/// The same work on either database.
struct Work<T> {
    sqlite: fn(&mut SqliteConnection, &EmbeddedMigrations) -> Result<T, MigrationError>,
    postgres: fn(&mut PgConnection, &EmbeddedMigrations) -> Result<T, MigrationError>,
}

/// Does `work` in one transaction under a lock, so that one of several processes migrates while the
/// others wait.
fn exclusively<T>(connection: &mut AnyConnection, work: Work<T>) -> Result<T, MigrationError> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| (work.sqlite)(connection, &SQLITE))
        }
        AnyConnection::Postgres(connection) => connection.transaction(|connection| {
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
                .bind::<BigInt, _>(POSTGRES_LOCK)
                .execute(connection)?;
            (work.postgres)(connection, &POSTGRES)
        }),
    }
}

fn states<B: Backend>(
    source: &EmbeddedMigrations,
    applied: &[MigrationVersion<'static>],
) -> Result<Vec<(Migration, MigrationState)>, MigrationError> {
    let known = sorted::<B>(source)?;
    if let Some(unknown) =
        applied.iter().find(|version| known.iter().all(|m| m.name().version() != **version))
    {
        return Err(MigrationError::NewerDatabase(unknown.to_string()));
    }
    let state =
        |migration: &dyn DieselMigration<B>| match applied.contains(&migration.name().version()) {
            true => MigrationState::Applied,
            false => MigrationState::Pending,
        };
    Ok(known
        .iter()
        .map(|migration| (named(migration.as_ref()), state(migration.as_ref())))
        .collect())
}

fn apply_pending<B: Backend, C: MigrationHarness<B>>(
    connection: &mut C,
    source: &EmbeddedMigrations,
) -> Result<Vec<Migration>, MigrationError> {
    let applied = connection.applied_migrations().map_err(MigrationError::Failed)?;
    let states = states::<B>(source, &applied)?;
    let migrations = sorted::<B>(source)?;
    let mut now_applied = Vec::new();
    for (migration, (name, _)) in
        migrations.iter().zip(states).filter(|(_, (_, state))| *state == MigrationState::Pending)
    {
        connection.run_migration(migration).map_err(MigrationError::Failed)?;
        now_applied.push(name);
    }
    Ok(now_applied)
}

fn revert_last<B: Backend, C: MigrationHarness<B>>(
    connection: &mut C,
    source: &EmbeddedMigrations,
) -> Result<Option<Migration>, MigrationError> {
    let applied = connection.applied_migrations().map_err(MigrationError::Failed)?;
    let states = states::<B>(source, &applied)?;
    let migrations = sorted::<B>(source)?;
    let last = migrations
        .iter()
        .zip(states)
        .rev()
        .find(|(_, (_, state))| *state == MigrationState::Applied);
    let Some((migration, (name, _))) = last else { return Ok(None) };
    connection.revert_migration(migration).map_err(MigrationError::Failed)?;
    Ok(Some(name))
}

fn sorted<B: Backend>(
    source: &EmbeddedMigrations,
) -> Result<Vec<Box<dyn DieselMigration<B>>>, MigrationError> {
    let mut migrations =
        MigrationSource::<B>::migrations(source).map_err(MigrationError::Failed)?;
    migrations.sort_by_key(|migration| migration.name().version().as_owned());
    Ok(migrations)
}

fn named<B: Backend>(migration: &dyn DieselMigration<B>) -> Migration {
    Migration { name: migration.name().to_string() }
}
