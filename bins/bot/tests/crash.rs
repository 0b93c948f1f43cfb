//! The bot under load, killed at random moments and started again: nobody is lost, and nothing is
//! counted twice.
//!
//! By default a few kills for each database and mode; `ROLLCALL_KILLS=50 cargo test -p bot --test
//! crash -- --nocapture` does as many as you like, and prints what it counted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::{BTreeMap, BTreeSet, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::NaiveDate;
use rollcall_domain::InteractionKind;
use rollcall_repository::{PageRequest, UserRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use tokio::{net::TcpListener, time::sleep};

/// How many people write: a prime number, so that each of them does all kinds of things.
const PEOPLE: i64 = 701;
/// How many updates come at once, every ten milliseconds.
const AT_ONCE: i64 = 20;
/// The longest life of a bot, in milliseconds.
const LONGEST_LIFE_MS: u64 = 400;

stories!(polling, webhook,);

async fn polling(database: ThrowAwayDatabase) {
    survives(database, &[]).await;
}

async fn webhook(database: ThrowAwayDatabase) {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/hook");
    let address = format!("127.0.0.1:{port}");
    let settings = [
        ("WEBHOOK_URL", url.as_str()),
        ("WEBHOOK_SECRET", "between-us"),
        ("LISTEN_ADDR", address.as_str()),
    ];
    survives(database, &settings).await;
}

async fn survives(database: ThrowAwayDatabase, settings: &[(&str, &str)]) {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let telegram = Arc::new(Simulator::builder().record_limit(0).start().await.unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let feed = tokio::spawn(feed(telegram.clone(), stop.clone()));

    let mut ready = 0;
    for _ in 0..kills {
        let mut bot = RunningBot::launch(&telegram, &database, settings);
        sleep(Duration::from_millis(random() % LONGEST_LIFE_MS)).await;
        bot.kill().await;
        ready += u64::from(bot.has_said("ready: @"));
    }
    stop.store(true, Ordering::Relaxed);
    let stream = feed.await.unwrap();
    let bot = RunningBot::launch(&telegram, &database, settings);
    bot.said("ready: @").await;
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;

    let (people, counts) = stored(&database).await;
    println!(
        "{kills} kills, {ready} of them of a bot at work, {} updates, {} people",
        stream.updates,
        people.len()
    );
    assert_eq!(people, stream.people, "everybody is stored");
    assert_eq!(counts, stream.counts, "everything is counted once");
}

/// What was sent: who wrote, and how many updates of each kind there were.
#[derive(Default)]
struct Stream {
    updates: u64,
    people: BTreeSet<i64>,
    counts: Counts,
}

/// How many interactions there were by kind, and by day where the update tells its own.
type Counts = BTreeMap<(Option<NaiveDate>, InteractionKind), u64>;

/// Sends updates of several kinds and days until it is told to stop; answers what it sent.
async fn feed(telegram: Arc<Simulator>, stop: Arc<AtomicBool>) -> Stream {
    let mut stream = Stream::default();
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..AT_ONCE {
            n += 1;
            let person = Person::new(1 + n % PEOPLE, "Ada").username(format!("u{}", n % PEOPLE));
            // Telegram's seconds: one a second, over two days.
            let at = 1_790_000_000 + n % 172_800;
            let (update, kind) = match n % 5 {
                0 => (Update::text(&person, "/schedule").at(at), InteractionKind::Command),
                1 => (Update::edited_text(&person, "x").at(at), InteractionKind::EditedMessage),
                2 => (Update::callback_query(&person, "x"), InteractionKind::CallbackQuery),
                _ => (Update::text(&person, "hello").at(at), InteractionKind::Text),
            };
            let day = has_own_time(kind)
                .then(|| chrono::DateTime::from_timestamp(at, 0).expect("a time").date_naive());
            *stream.counts.entry((day, kind)).or_default() += 1;
            stream.people.insert(person.id);
            stream.updates += 1;
            telegram.push(update);
        }
        sleep(Duration::from_millis(10)).await;
    }
    stream
}

fn has_own_time(kind: InteractionKind) -> bool {
    kind != InteractionKind::CallbackQuery
}

/// Who is stored, and what was counted.
async fn stored(database: &ThrowAwayDatabase) -> (BTreeSet<i64>, Counts) {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let page = users.list(PageRequest::new(1, 1000).unwrap()).await.unwrap();
    let people = page.items.iter().map(|user| user.telegram_id.get()).collect();
    let mut counts = Counts::new();
    let (first, last) = ("2000-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    for (day, kind, count) in users.interactions(first, last).await.unwrap() {
        *counts.entry((has_own_time(kind).then_some(day), kind)).or_default() += count;
    }
    (people, counts)
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
