//! The bot at work on a simulated Telegram, for somebody who has no token yet.

use std::io::Write as _;

use anyhow::Context;
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DatabaseUrl, DieselUserRepository};
use rollcall_service::ActivityService;
use rollcall_simulator::{Crowd, Exchange, NhlApi, Person, Simulator};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{serve::serve, settings::HttpSettings, shutdown::Shutdown};

/// Runs the real bot against a simulated Telegram with a small crowd, over HTTP and on a temporary
/// database, and prints what they say to each other, until it is to end.
pub(crate) async fn run(shutdown: Shutdown) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let simulator = Simulator::start().await.context("cannot start the simulated Telegram")?;
    let nhl = NhlApi::start().await.context("cannot start the simulated NHL")?;
    nhl.make_up_a_season();
    let settings = rollcall_telegram::Settings {
        token: simulator.token().parse()?,
        api_url: simulator.url().parse()?,
        admins: Default::default(),
        // The simulated Telegram has no limits.
        send_rate: 0,
    };
    let nothing_served = HttpSettings {
        address: None,
        public_url: None,
        trusted_proxies: Vec::new(),
        webhook: None,
    };
    let database_url = DatabaseUrl::Sqlite { path: folder.path().join("demo.db") };

    say("This is a demonstration: the people, Telegram itself and the NHL are simulated.")?;
    say(&format!("The database is temporary: {database_url}. Ctrl-C ends it."))?;
    let exchanges = simulator.subscribe();
    let crowd = Crowd::demo(1).start(&simulator);
    tokio::select! {
        result = serve(settings, nothing_served, Some(nhl.url().parse()?), database_url.clone(), shutdown) => result?,
        result = print(exchanges) => result?,
    }
    let did = crowd.stop().await.updates;
    let users = DieselUserRepository::new(Database::open_existing(database_url).await?);
    let registered = ActivityService::new(users, SystemClock).get_stats().await?.total_users;
    say(&format!("{did} updates came from {registered} people, whom the bot has registered."))
}

async fn print(mut exchanges: broadcast::Receiver<Exchange>) -> anyhow::Result<()> {
    loop {
        match exchanges.recv().await {
            Ok(exchange) => say(&line(&exchange))?,
            Err(RecvError::Lagged(missed)) => say(&format!("… {missed} more …"))?,
            // The simulator lives as long as the demo; there is nothing left to print.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn line(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Wrote { person, text } => format!("{} writes: {text}", name(person)),
        Exchange::Pressed { person, data } => format!("{} presses a button: {data}", name(person)),
        Exchange::Blocked { person } => format!("{} blocks the bot", name(person)),
        Exchange::Unblocked { person } => format!("{} lets the bot write again", name(person)),
        Exchange::Did { person, kind } => format!("{} does something: {kind}", name(person)),
        Exchange::Answered { person, text, .. } => {
            format!("    the bot to {}: {text}", addressee(person.as_ref()))
        }
        Exchange::Edited { person, text, .. } => {
            format!("    the bot to {}, changed: {text}", addressee(person.as_ref()))
        }
    }
}

fn addressee(person: Option<&Person>) -> String {
    person.map_or_else(|| "a group".to_owned(), name)
}

fn name(person: &Person) -> String {
    let last_name = person.last_name.as_deref().unwrap_or_default();
    format!("{} {last_name}", person.first_name).trim().to_owned()
}

/// Prints a text whose lines are marked as the demonstration's.
fn say(line: &str) -> anyhow::Result<()> {
    let marked = line.replace('\n', "\ndemo │       ");
    writeln!(std::io::stdout().lock(), "demo │ {marked}").map_err(Into::into)
}
