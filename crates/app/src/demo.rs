//! The bot and its web admin on a simulated Telegram, for owners without a token.

use std::{io::Write as _, net::SocketAddr, time::Duration};

use anyhow::Context;
use rollcall_conversation::Greetings;
use rollcall_domain::{Clock, SystemClock};
use rollcall_repository_diesel::{Database, DatabaseUrl};
use rollcall_simulator::{ChatEvent, Crowd, NhlApi, Person, Simulator};
use tokio::{
    net::TcpListener,
    sync::broadcast::{self, error::RecvError},
};

use crate::{
    manage::demo_data::DemoData,
    serve::{ConversationSettings, TelegramAdmins, serve},
    services::Services,
    settings::{HttpSettings, NhlSettings, ScheduleSettings},
    shutdown::Shutdown,
};

/// The number of users at the start, and of the days over which they joined.
const PAST_USERS: u64 = 3000;
const PAST_DAYS: u32 = 180;
/// The owner, who may see the web admin.
const OWNER_ID: i64 = 1;
/// How often the owner asks for a link to it: links expire after that.
const ASKS_EVERY: Duration = Duration::from_secs(5 * 60);

/// Runs the real bot over HTTP against a simulated Telegram with a small crowd, on a temporary database
/// with earlier users, and prints the conversation until the process should stop. The web admin is at
/// `address`, or at another port if that is in use.
pub(crate) async fn run(address: Option<SocketAddr>, shutdown: Shutdown) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let simulator = Simulator::start().await.context("cannot start the simulated Telegram")?;
    let api = NhlApi::start().await.context("cannot start the simulated NHL")?;
    api.generate_season();
    let nhl = NhlSettings { url: api.url().parse()?, proxy: None };
    let conversation = ConversationSettings {
        schedule: Some(ScheduleSettings { nhl: Some(nhl) }),
        greetings: Greetings::default(),
    };
    let settings = rollcall_telegram::Settings {
        token: simulator.token().parse()?,
        api_url: simulator.url().parse()?,
        proxy: None,
        // The simulated Telegram has no limits.
        send_rate: 0,
    };
    let owners = [OWNER_ID.try_into()?].into();
    let telegram_admins = TelegramAdmins { owners, are_counted: true };
    let http = HttpSettings {
        address: match address {
            Some(address) => Some(free(address).await),
            None => None,
        },
        ..HttpSettings::default()
    };
    let database_url = DatabaseUrl::sqlite(folder.path().join("demo.db"));

    say("This is a demo: the users, Telegram and the NHL are simulated.")?;
    say(&format!("The database is temporary: {database_url}. Press Ctrl-C to stop."))?;
    add_past_users(&database_url).await?;
    say(&format!("{PAST_USERS} fake users joined in the last {PAST_DAYS} days."))?;
    if http.address.is_some() {
        say("To see the web admin, open the link that the bot sends to its owner.")?;
    }
    let exchanges = simulator.subscribe();
    let crowd = Crowd::demo(1).start(&simulator);
    tokio::select! {
        result = serve(settings, true, telegram_admins, http, conversation, database_url.clone(), shutdown) => result?,
        result = print(exchanges) => result?,
        never = ask_for_links(&simulator) => match never {},
    }
    let did = crowd.stop().await.updates;
    let services = Services::new(Database::open_existing(database_url).await?);
    let users = services.activity().get_stats().await?.total_users;
    let registered = users.saturating_sub(PAST_USERS);
    say(&format!("The bot received {did} updates and registered {registered} new users."))
}

/// An unused address: this one, or one with another port.
async fn free(address: SocketAddr) -> SocketAddr {
    let is_free = TcpListener::bind(address).await.is_ok();
    if is_free { address } else { SocketAddr::new(address.ip(), 0) }
}

/// Adds earlier users, before the bot claims the database.
async fn add_past_users(database_url: &DatabaseUrl) -> anyhow::Result<()> {
    let services = Services::new(Database::open(database_url.clone()).await?);
    services.database().migrate().await?;
    DemoData::new(PAST_USERS, PAST_DAYS).fill(&services, SystemClock.now()).await?;
    Ok(())
}

/// Lets the owner ask the bot for a link to the web admin, again and again.
async fn ask_for_links(simulator: &Simulator) -> std::convert::Infallible {
    let owner = Person::new(OWNER_ID, "The owner");
    loop {
        simulator.write(&owner, "/admin");
        tokio::time::sleep(ASKS_EVERY).await;
    }
}

async fn print(mut events: broadcast::Receiver<ChatEvent>) -> anyhow::Result<()> {
    loop {
        match events.recv().await {
            Ok(event) => say(&line(&event))?,
            Err(RecvError::Lagged(missed)) => say(&format!("… {missed} more …"))?,
            // The simulator stops with the demo, and there is nothing left to print.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn line(event: &ChatEvent) -> String {
    match event {
        ChatEvent::Wrote { person, text } => format!("{} writes: {text}", name(person)),
        ChatEvent::Pressed { person, data } => format!("{} presses a button: {data}", name(person)),
        ChatEvent::Blocked { person } => format!("{} blocks the bot", name(person)),
        ChatEvent::Unblocked { person } => format!("{} lets the bot write again", name(person)),
        ChatEvent::Other { person, kind } => format!("{} does something: {kind}", name(person)),
        ChatEvent::Answered { person, text, .. } => {
            format!("    the bot to {}: {text}", addressee(person.as_ref()))
        }
        ChatEvent::Edited { person, text, .. } => {
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

/// Prints a text and marks its lines as the demo's.
fn say(line: &str) -> anyhow::Result<()> {
    let marked = line.replace('\n', "\ndemo │       ");
    writeln!(std::io::stdout().lock(), "demo │ {marked}").map_err(Into::into)
}
