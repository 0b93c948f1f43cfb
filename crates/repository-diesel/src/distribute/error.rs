use rollcall_repository::{BoxError, RepositoryError};

/// Why a database could not be distributed. What was done of it stays, and the next attempt goes on there.
#[derive(Debug, thiserror::Error)]
pub enum DistributeError {
    /// It is an SQLite file.
    #[error(
        "only a PostgreSQL database can be distributed; expected a URL that begins with postgres://"
    )]
    Sqlite,
    /// The number of shards cannot be had.
    #[error("{given} shards cannot be had; expected 1 to {most}")]
    Shards {
        /// What was asked for.
        given: u32,
        /// The most that can be had.
        most: u32,
    },
    /// The database lacks the extension.
    #[error(
        "the database does not have the extension citus; install it on every server, add it to \
         shared_preload_libraries, and run CREATE EXTENSION citus in this database on each of them"
    )]
    NoExtension,
    /// The program is connected to a worker.
    #[error("this server is a worker; expected the URL of the coordinator")]
    Worker,
    /// No worker is known.
    #[error(
        "the coordinator knows no worker; add each with SELECT citus_add_node('host', 5432), and call \
         citus_set_coordinator_host first"
    )]
    NoWorkers,
    /// The user of the database may not do it.
    #[error(
        "the user {user} may not do that; expected the owner of the database and of its tables, with the \
         right to call {function}"
    )]
    NoRights {
        /// The user.
        user: String,
        /// What the user has to be able to call.
        function: &'static str,
    },
    /// Other programs are connected.
    #[error(
        "{0} other connections use the database; stop all bots and other programs that use it \
         (pg_stat_activity shows them)"
    )]
    InUse(i64),
    /// The schema is not the latest.
    #[error("the database lacks migrations; run `manage migrate` first")]
    NotMigrated,
    /// The database refused.
    #[error("cannot distribute the database; it can be tried again, and goes on where it stopped")]
    Failed(#[source] BoxError),
}

impl From<diesel::result::Error> for DistributeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<RepositoryError> for DistributeError {
    fn from(error: RepositoryError) -> Self {
        Self::Failed(error.into())
    }
}
