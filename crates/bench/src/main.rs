//! Measures Rollcall against the limits of its databases, by turns and in one run; each line prints
//! the limit, Rollcall and the ratio. `docs/performance.md` tells what was measured.
//!
//! `cargo run --release --bin bench -- all`

mod database;
mod limit;
mod people;
mod report;
mod write;

use clap::{Parser, ValueEnum};
use database::Databases;

/// Measures Rollcall against the limits of its databases
#[derive(Parser)]
struct Arguments {
    /// What to measure
    what: What,
    /// How often each pair is measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long each measurement takes, in seconds
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measure one database only
    #[arg(long)]
    only: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// All of it
    All,
    /// get_or_create_user from 256 tasks, against one statement for a batch of the same size
    Many,
    /// get_or_create_user from a single caller, against an upsert of one row
    Single,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { what, runs, seconds, only } = Arguments::parse();
    let databases = Databases::new(only)?;
    let wanted = |it| what == What::All || what == it;
    report::Batches::now();
    if wanted(What::Many) {
        write::many(&databases, runs, seconds).await?;
    }
    if wanted(What::Single) {
        write::single(&databases, runs, seconds).await?;
    }
    Ok(())
}
