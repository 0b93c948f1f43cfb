//! Measures Rollcall against the limits of its databases, by turns and in one run; each line prints
//! the limit, Rollcall and the ratio. `docs/performance.md` tells what was measured.
//!
//! `cargo run --release --bin bench -- all`

mod database;
mod days;
mod directory;
mod end_to_end;
mod growth;
mod latency;
mod limit;
mod people;
mod report;
mod statistics;
mod transfer;
mod write;

use clap::{Parser, ValueEnum};
use database::Databases;
use end_to_end::Mode;
use mimalloc::MiMalloc;

// As in the bot. The simulated Telegram is measured along with it, and is to take little.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
    /// For `growth`, `statistics`, `directory` and `transfer`: how many users there are
    #[arg(long, default_value_t = 10_000_000)]
    users: i64,
    /// For `statistics` and `directory`: the URL of a database that is there, instead of one with demo data
    #[arg(long)]
    there: Option<String>,
    /// For `drain`: poll or receive
    #[arg(long, hide = true, default_value = "poll")]
    by: String,
    /// For `drain`: the Bot API's address with the token
    #[arg(long, hide = true, default_value = "")]
    from: String,
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
    /// The bot by long polling, against a bare client that drains the same stream
    Polling,
    /// The bot by webhook, against a bare webhook that takes the same stream
    Webhook,
    /// The bot through PgBouncer, against the bot without it
    Pooler,
    /// get_or_create_user in a table of many users, against one of ten thousand; on PostgreSQL also
    /// the share of heap-only updates
    Growth,
    /// How long get_or_create_user takes at 1000 calls a second, against durable commits
    Latency,
    /// Calls that are a user's first one on a day, against calls on a day that is known already
    Days,
    /// How long the statistics of many users take to read, and to count again
    Statistics,
    /// How long the lists and the search of many users take, and what the search costs registration
    Directory,
    /// How fast users are written to a file, against the database's own dump, and taken in from one
    Transfer,
    /// Be the bare client of polling and webhook
    #[value(hide = true)]
    Drain,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { what, runs, seconds, only, users, there, by, from } = Arguments::parse();
    if what == What::Drain {
        return end_to_end::drain(&by, &from).await;
    }
    let databases = Databases::new(only)?;
    let wanted = |it| what == What::All || what == it;
    report::Batches::now();
    if wanted(What::Many) {
        write::many(&databases, runs, seconds).await?;
    }
    if wanted(What::Single) {
        write::single(&databases, runs, seconds).await?;
    }
    for (it, mode) in [(What::Polling, Mode::Polling), (What::Webhook, Mode::Webhook)] {
        if wanted(it) {
            end_to_end::run(&databases, mode, runs, seconds).await?;
        }
    }
    if wanted(What::Pooler) {
        end_to_end::pooler(&databases, runs, seconds).await?;
    }
    if wanted(What::Latency) {
        latency::run(&databases, runs, seconds).await?;
    }
    if wanted(What::Days) {
        days::run(&databases, runs, seconds).await?;
    }
    if wanted(What::Growth) {
        growth::run(&databases, users, runs, seconds).await?;
    }
    if wanted(What::Statistics) {
        statistics::run(&databases, users, there.as_deref()).await?;
    }
    if wanted(What::Directory) {
        directory::run(&databases, users, there.as_deref(), runs, seconds).await?;
    }
    if wanted(What::Transfer) {
        transfer::run(&databases, users, runs).await?;
    }
    Ok(())
}
