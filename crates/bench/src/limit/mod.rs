//! The limit: the writes of a registration through the databases' own C libraries, with one prepared
//! statement per batch. It reads nothing back and applies no rules.

mod content;
mod postgres;
mod sqlite;

use std::{path::Path, time::Instant};

use anyhow::Result;
use rollcall_domain::{Clock, SystemClock};

pub(crate) use self::content::BatchContent;
use self::{postgres::PostgresLimit, sqlite::SqliteLimit};
use crate::people::{self, Person};

/// A connection that writes as fast as possible.
pub(crate) enum Limit {
    Sqlite(SqliteLimit),
    Postgres(PostgresLimit),
}

impl Limit {
    /// Opens the database at `url`, to write batches of `size` users.
    pub(crate) fn open(url: &str, size: usize, content: BatchContent) -> Result<Self> {
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => Self::Sqlite(SqliteLimit::open(Path::new(path), size, content)?),
            None => Self::Postgres(PostgresLimit::open(url, content)?),
        })
    }

    /// Writes a batch: distinct people, sorted by id, all seen at `now`.
    pub(crate) fn write(&mut self, people: &[&Person], now: &str) -> Result<()> {
        match self {
            Self::Sqlite(limit) => limit.write(people, now),
            Self::Postgres(limit) => limit.write(people, now),
        }
    }

    /// Fills the table with users, with ids from 1.
    pub(crate) fn fill(&mut self, users: i64) -> Result<()> {
        let columns = "INSERT INTO telegram_users (telegram_id, first_name, last_name, username, \
                       language_code, is_bot, created_at, updated_at, last_seen, active_day, \
                       has_private_chat) SELECT n, 'Ada ' || n % 997, 'Lovelace ' || n % 991, \
                       'lovelace_' || n, 'en',";
        match self {
            Self::Sqlite(limit) => {
                limit.execute("PRAGMA synchronous = OFF")?;
                limit.execute("PRAGMA cache_size = -2000000")?;
                limit.execute(&format!(
                    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
                     WHERE n < {users}) {columns} 0, '2026-01-01 00:00:00.000000', \
                     '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', '2026-01-01', 0 \
                     FROM numbers"
                ))?;
                limit.execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
                limit.execute("ANALYZE")
            }
            Self::Postgres(limit) => {
                limit.execute(&format!(
                    "{columns} false, '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01', \
                     false FROM generate_series(1, {users}) AS n"
                ))?;
                limit.execute("VACUUM ANALYZE telegram_users")?;
                limit.execute("CHECKPOINT")
            }
        }
    }

    /// Updates the planner's statistics.
    pub(crate) fn analyze(&self) -> Result<()> {
        match self {
            Self::Sqlite(limit) => limit.execute("ANALYZE"),
            Self::Postgres(limit) => limit.execute("VACUUM ANALYZE"),
        }
    }

    /// Runs a statement whose rows are not needed.
    pub(crate) fn execute(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(limit) => limit.execute(sql),
            Self::Postgres(limit) => limit.execute(sql),
        }
    }

    /// From PostgreSQL's statistics: the updates of users' rows, the heap-only ones, and their share.
    pub(crate) fn heap_only_updates(&mut self) -> Result<String> {
        match self {
            Self::Sqlite(_) => Ok(String::new()),
            Self::Postgres(limit) => limit.text(
                "SELECT n_tup_upd || ', ' || n_tup_hot_upd || ', ' || \
                 round(n_tup_hot_upd / greatest(n_tup_upd, 1)::numeric, 3) \
                 FROM pg_stat_user_tables WHERE relname = 'telegram_users'",
            ),
        }
    }

    /// Writes batches of `size` for `seconds`, and returns the rows per second.
    pub(crate) fn run(&mut self, all: &[Person], size: usize, seconds: f64) -> Result<f64> {
        // Chosen in advance, because choosing is not part of the limit.
        let batches: Vec<_> = (0..200).map(|_| people::some(all, size)).collect();
        let (begun, mut rows) = (Instant::now(), 0.0);
        for batch in batches.iter().cycle() {
            if begun.elapsed().as_secs_f64() >= seconds {
                break;
            }
            self.write(batch, &now())?;
            rows += size as f64;
        }
        Ok(rows / begun.elapsed().as_secs_f64())
    }
}

/// The time in the format of the databases.
pub(crate) fn now() -> String {
    SystemClock.now().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
