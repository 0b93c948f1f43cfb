//! The limit: what a registration writes, written by hand with the databases' own C libraries. One
//! prepared statement a batch, which reads nothing back and applies no rules.

mod postgres;
mod sqlite;

use std::{path::Path, time::Instant};

use anyhow::Result;
use rollcall_domain::{Clock, SystemClock};

use self::{postgres::PostgresLimit, sqlite::SqliteLimit};
use crate::people::{self, Person};

/// What a batch writes beside its users' rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nothing: a plain upsert.
    Nothing,
    /// A row of counts.
    Counts,
}

/// A connection that writes as fast as can be.
pub(crate) enum Limit {
    Sqlite(SqliteLimit),
    Postgres(PostgresLimit),
}

impl Limit {
    /// Opens the database at `url`, to write batches of `size` users.
    pub(crate) fn open(url: &str, size: usize, beside: Beside) -> Result<Self> {
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => Self::Sqlite(SqliteLimit::open(Path::new(path), size, beside)?),
            None => Self::Postgres(PostgresLimit::open(url, beside)?),
        })
    }

    /// Writes a batch: distinct people, sorted by id, all seen at `now`.
    pub(crate) fn write(&mut self, people: &[&Person], now: &str) -> Result<()> {
        match self {
            Self::Sqlite(limit) => limit.write(people, now),
            Self::Postgres(limit) => limit.write(people, now),
        }
    }

    /// Fills the table with users, who have the ids from 1 on.
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

    /// Of PostgreSQL's statistics: the updates of users' rows, those of them that needed no index to
    /// point at the new version, and their share.
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

    /// Writes batches of `size` for so many seconds; answers how many rows a second those were.
    pub(crate) fn run(&mut self, everybody: &[Person], size: usize, seconds: f64) -> Result<f64> {
        // Chosen beforehand: choosing is no part of the limit.
        let batches: Vec<_> = (0..200).map(|_| people::some(everybody, size)).collect();
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

/// The time in the databases' form.
pub(crate) fn now() -> String {
    SystemClock.now().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
