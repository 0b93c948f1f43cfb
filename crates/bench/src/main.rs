//! Measures Rollcall and the limits of its databases, alternately and in one run. Each line prints
//! the limit, Rollcall and the ratio. `docs/performance.md` shows the results.
//!
//! `cargo run --release --bin bench -- all`

mod audience;
mod broadcast;
mod cpu;
mod database;
mod days;
mod directory;
mod end_to_end;
mod erase;
mod growth;
mod ingest;
mod latency;
mod limit;
mod people;
mod processes;
mod proxy;
mod rate;
mod report;
mod statistics;
mod transfer;
mod write;

use clap::{Parser, ValueEnum};
use database::{Databases, Kind};
use end_to_end::Mode;
use mimalloc::MiMalloc;

// The same allocator as in the bot: the simulated Telegram is part of the measurement.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Measure Rollcall and the limits of its databases
#[derive(Parser)]
struct Arguments {
    /// What to measure
    what: What,
    /// Number of measurements of each pair
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Duration of each measurement in seconds
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measure one database only
    #[arg(long)]
    only: Option<Kind>,
    /// For `growth`, `statistics`, `directory`, `audience`, `broadcast`, `erase` and `transfer`: number of users
    #[arg(long, default_value_t = 10_000_000)]
    users: i64,
    /// For `statistics`, `directory`, `audience`, `broadcast` and `erase`: URL of an existing database, instead of one with demo data
    #[arg(long)]
    there: Option<String>,
    /// For `drain`: poll or receive
    #[arg(long, hide = true, default_value = "poll")]
    by: String,
    /// For `drain`: URL of the Bot API with the token
    #[arg(long, hide = true, default_value = "")]
    from: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Everything
    All,
    /// get_or_create_user from 256 tasks, compared with one statement for a batch of the same size
    Many,
    /// get_or_create_user from a single caller, compared with an upsert of one row
    Single,
    /// The bot with long polling, compared with a bare client that drains the same stream
    Polling,
    /// The bot with a webhook, compared with a bare webhook that accepts the same stream
    Webhook,
    /// The bot through PgBouncer, compared with the bot without it
    Pooler,
    /// The bot with a bot behind it, compared with the bot without it
    Forward,
    /// Calls of a bot behind through Rollcall, compared with nginx: latency and CPU; needs nginx
    Proxy,
    /// Updates that are sent to POST /ingest, compared with the bot with long polling
    Ingest,
    /// Several bots by webhook on one PostgreSQL database, compared with one; also with a standby
    Processes,
    /// get_or_create_user in a large table, compared with a table of 10,000 users; on PostgreSQL also
    /// the share of heap-only updates
    Growth,
    /// Latency of get_or_create_user at 1000 calls per second, compared with durable commits
    Latency,
    /// The first call of each user on a day, compared with later calls on the same day
    Days,
    /// Time to read the statistics of many users, and to recount them
    Statistics,
    /// Time of lists and searches of many users, and the cost of the search for registration
    Directory,
    /// Time of first pages and exact counts by filters, compared with counts by the database
    Audience,
    /// Storing the recipients of a broadcast, compared with one statement; sending it; its pages
    Broadcast,
    /// Time to erase one of many users, and of registrations while a tenth of them is erased
    Erase,
    /// Speed of exports, compared with the database's own dump, and of imports
    Transfer,
    /// Run as the bare client of `polling` and `webhook`
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
    if wanted(What::Forward) {
        end_to_end::forward(&databases, runs, seconds).await?;
    }
    if wanted(What::Proxy) {
        proxy::run(&databases, runs, seconds).await?;
    }
    if wanted(What::Ingest) {
        ingest::run(&databases, runs, seconds).await?;
    }
    if wanted(What::Processes) {
        processes::run(&databases, runs, seconds).await?;
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
    if wanted(What::Audience) {
        audience::run(&databases, users, there.as_deref(), runs).await?;
    }
    if wanted(What::Broadcast) {
        broadcast::run(&databases, users, there.as_deref(), runs, seconds).await?;
    }
    if wanted(What::Erase) {
        erase::run(&databases, users, there.as_deref()).await?;
    }
    if wanted(What::Transfer) {
        transfer::run(&databases, users, runs).await?;
    }
    Ok(())
}
