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
