//! What every query needs: connections and their errors, the schema, times, and `statement!`.

mod backup;
mod bounds;
mod cipher;
pub(crate) mod codes;
pub(crate) mod connection;
pub(crate) mod database;
pub(crate) mod database_key;
pub(crate) mod database_url;
pub(crate) mod distributed;
mod empty_log;
pub(crate) mod encryption;
pub(crate) mod error;
pub(crate) mod file_mode;
pub(crate) mod free_text;
pub(crate) mod migrations;
#[cfg(not(feature = "postgres"))]
mod no_postgres;
pub(crate) mod open_error;
mod options;
pub(crate) mod pooling;
pub(crate) mod read_only;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod slot;
pub(crate) mod snapshot;
pub(crate) mod sqlstate;
pub(crate) mod statement;
pub(crate) mod statements;
pub(crate) mod suppression_key;
pub(crate) mod timestamp;
pub(crate) mod transaction;
