//! Rollcall's storage on SQLite and PostgreSQL, by Diesel.
//!
//! [`Database`] is the seam between async callers and Diesel, which blocks: every method of a
//! repository is one closure given to it, and one transaction. Queries are written once, against
//! `AnyConnection`; only what the two databases spell differently (the upsert of a batch, row
//! locks) stands in `registration/sqlite.rs` and `registration/postgres.rs`.
//!
//! To add a query: declare it in `rollcall-repository`, write its contract in `rollcall-testkit`,
//! implement it beside its like in `users.rs`. To add a table: a directory of the same name under
//! `migrations/sqlite` and `migrations/postgres`, and the table in `schema.rs`.
//!
//! Architecture invariant: no Diesel type and no row struct leaves this crate.

mod activity;
mod admin;
mod base;
mod bots;
mod demo;
mod directory;
mod indexes;
mod preferences;
mod quarantine;
mod reach;
mod recount;
mod registration;
mod row;
mod schedule;
mod source_sums;
mod sources;
mod transfer;
mod users;

// Named so that they are linked, built from source: see Cargo.toml.
use libsqlite3_sys as _;
use openssl_sys as _;
use pq_sys as _;

use base::{connection, error, pooling, schema, sqlstate, timestamp};

pub use admin::DieselAdminRepository;
pub use base::database::{Database, OpenError};
pub use base::database_url::{DatabaseUrl, InvalidDatabaseUrl, SqliteMode};
pub use base::file_mode::{OpenToOthers, open_to_others};
pub use base::migrations::{Migration, MigrationError, MigrationState};
pub use base::pooling::{InvalidPoolMode, PoolMode, Sessions};
pub use bots::DieselBotRepository;
pub use preferences::DieselPreferencesRepository;
pub use quarantine::DieselQuarantineRepository;
pub use schedule::DieselScheduleRepository;
pub use users::DieselUserRepository;
