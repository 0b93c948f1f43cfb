//! Measures Rollcall against the limits of its databases, by turns and in one run; each line prints
//! the limit, Rollcall and the ratio. `docs/performance.md` tells what was measured.
//!
//! `cargo run --release --bin bench -- all`

mod database;
mod end_to_end;
mod limit;
mod people;
mod report;
mod write;

use clap::{Parser, ValueEnum};
use database::Databases;
use end_to_end::Mode;

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
    /// Be the bare client; for the two above
    #[value(hide = true)]
    Drain,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { what, runs, seconds, only, by, from } = Arguments::parse();
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
    Ok(())
}
