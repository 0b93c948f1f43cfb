//! Rollcall's storage on SQLite and PostgreSQL, by Diesel.
//!
//! [`Database`] is the seam between async callers and Diesel, which blocks: each method of a
//! repository gives it one closure, which is one transaction. The modules follow what is done, not
//! the database; where the two databases differ, both spellings are in one file.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `base` | connections, errors, migrations, the schema, times, `statement!` |
//! | `row` | the columns of users and their histories, and how rows become users |
//! | `registration` | the write path: seven steps, a file each |
//! | `statistics` | the sums, how they are added to, read and counted again |
//! | `sources` | the labels of deep links |
//! | `labels` | tags and groups, and changing those of many users |
//! | `directory` | lists, search, notes and the details of a user |
//! | `transfer` | imports, exports, demo data |
//! | `personal_data` | everything that is stored about one person |
//! | `users` | finding, locking and deleting users, reachability |
//! | `suppression` | erased users, who are not stored again until they agree |
//! | `replica` | reading on a replica of PostgreSQL, and when that is not possible |
//! | `rekey` | encrypting a database that exists, changing its key, decrypting it |
//! | `distribute` | distributing a database over several servers with Citus |
//! | `retention` | deleting what has expired by the owner's settings |
//! | `user_events` | events that are to be delivered to programs outside |
//! | `admin` | accounts, sessions, second factors, sign-in failures, the audit log |
//! | `schedule`, `segments`, `preferences`, `quarantine`, `bots` | one repository each |
//!
//! A file named `store.rs` implements a repository trait, and calls the functions beside it.
//!
//! # Two styles of SQL
//!
//! - **Diesel's DSL** where it says the same on both databases: reading a row, a simple update or
//!   delete. The compiler checks it against `base/schema.rs`.
//! - **`statement!`** where the databases differ, or where the text matters: the write path, locks,
//!   arrays, full-text search. The SQL is one literal that can be pasted into `psql` or `sqlite3`,
//!   and stays prepared.
//!
//! Only the lists of the directory differ: their SQL is composed for each filter
//! (`directory/conditions.rs`), because almost every one is unique.
//!
//! # Adding a repository
//!
//! Say that admins can pin users. Four things are needed.
//!
//! 1. The trait, in `rollcall-repository`. A look-up returns `Result<Option<T>>`, and time is a
//!    parameter.
//!
//!    ```ignore
//!    #[async_trait]
//!    pub trait PinRepository: Send + Sync {
//!        /// Pins a user; returns whether the user exists.
//!        async fn pin(&self, id: TelegramId, at: DateTime<Utc>) -> Result<bool, RepositoryError>;
//!
//!        /// When a user was pinned.
//!        async fn pinned_at(
//!            &self,
//!            id: TelegramId,
//!        ) -> Result<Option<DateTime<Utc>>, RepositoryError>;
//!    }
//!    ```
//!
//! 2. Its contract, in `rollcall-testkit`: tests over the trait, which `tests/contracts.rs` runs on
//!    both databases.
//!
//! 3. The table: a directory of one name under `migrations/sqlite` and `migrations/postgres`, with
//!    an `up.sql` and a `down.sql` that restores the schema; and the table in `base/schema.rs`. Its
//!    key begins with `telegram_id`, so that `users/delete.rs` can delete the rows of a user. A table
//!    about users also needs its place in `PersonalTable` of the domain, and its columns in
//!    `personal_data/copied.rs`.
//!
//! 4. The implementation, here:
//!
//!    ```ignore
//!    statement! {
//!        /// Pins a user that exists, and on PostgreSQL keeps the user from being deleted meanwhile.
//!        struct Pin {
//!            telegram_id: i64 as BigInt,
//!            at: UtcMicros as Timestamp,
//!        }
//!        Sqlite => "
//!            INSERT INTO pins (telegram_id, pinned_at)
//!            SELECT telegram_id, :at FROM telegram_users WHERE telegram_id = :telegram_id
//!            ON CONFLICT (telegram_id) DO UPDATE SET pinned_at = excluded.pinned_at",
//!        Pg => "
//!            INSERT INTO pins (telegram_id, pinned_at)
//!            SELECT telegram_id, :at FROM telegram_users WHERE telegram_id = :telegram_id
//!            FOR KEY SHARE
//!            ON CONFLICT (telegram_id) DO UPDATE SET pinned_at = excluded.pinned_at",
//!    }
//!
//!    #[async_trait]
//!    impl PinRepository for DieselPinRepository {
//!        async fn pin(&self, id: TelegramId, at: DateTime<Utc>) -> Result<bool, RepositoryError> {
//!            self.database
//!                .write("pin a user", move |connection| {
//!                    let pin = Pin { telegram_id: id.get(), at: at.into() };
//!                    Ok(either!(connection => pin.execute(connection)?) > 0)
//!                })
//!                .await
//!        }
//!
//!        async fn pinned_at(
//!            &self,
//!            id: TelegramId,
//!        ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
//!            self.database
//!                .read("read when a user was pinned", move |connection| {
//!                    let at: Option<UtcMicros> = pins::table
//!                        .find(id.get())
//!                        .select(pins::pinned_at)
//!                        .first(connection)
//!                        .optional()?;
//!                    Ok(at.map(Into::into))
//!                })
//!                .await
//!        }
//!    }
//!    ```
//!
//!    The text given to `read` and `write` names the work in the log if it is slow. The closure may
//!    run again if the connection was cut, so it is one transaction and has no other effect.
//!
//! Architecture invariant: no Diesel type and no row struct leaves this crate.

#![cfg_attr(
    not(feature = "postgres"),
    allow(
        unreachable_code,
        unused_mut,
        unused_variables,
        reason = "no connection to PostgreSQL can exist in such a build"
    )
)]

mod admin;
mod base;
mod bots;
mod broadcasts;
mod directory;
mod distribute;
mod labels;
mod personal_data;
mod preferences;
mod quarantine;
mod registration;
mod rekey;
mod replica;
mod retention;
mod row;
mod schedule;
mod segments;
mod sources;
mod statistics;
mod suppression;
mod transfer;
mod user_events;
mod users;

// Named so that they are linked, built from source: see Cargo.toml.
use libsqlite3_sys as _;
#[cfg(feature = "postgres")]
use openssl_sys as _;
#[cfg(feature = "postgres")]
use pq_sys as _;

pub use admin::DieselAdminRepository;
pub use base::database_key::{DatabaseKey, DatabaseKeys, InvalidDatabaseKeys};
pub use base::database_url::{DatabaseUrl, InvalidDatabaseUrl, SqliteMode};
pub use base::file_mode::{OpenToOthers, open_to_others};
pub use base::migrations::{Migration, MigrationError, MigrationState};
pub use base::pooling::{InvalidPoolMode, PoolMode, Sessions};
pub use base::statements::RefusedStatement;
pub use base::suppression_key::{InvalidSuppressionKey, SuppressionKey, SuppressionKeyPlace};
pub use base::{database::Database, open_error::OpenError};
pub use bots::DieselBotRepository;
pub use distribute::{DistributeError, Distributed};
pub use preferences::DieselPreferencesRepository;
pub use quarantine::DieselQuarantineRepository;
pub use rekey::{FileRekey, RekeyError, TextRekey};
pub use replica::{ReplicaStatus, WalPosition};
pub use schedule::DieselScheduleRepository;
pub use users::store::DieselUserRepository;
