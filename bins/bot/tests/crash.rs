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
use rollcall_domain::{
    Figure, InteractionKind, ListedUser, UnreachableReason, UserFilter, UserSort,
};
use rollcall_repository::{ActivityRepository, DirectoryRepository, QuarantineRepository};
use rollcall_repository_diesel::{Database, DieselQuarantineRepository, DieselUserRepository};
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
        ("WEBHOOK_SECRET", "between-us-alone"),
        ("LISTEN_ADDR", address.as_str()),
    ];
    survives(database, &settings).await;
}

async fn survives(database: ThrowAwayDatabase, settings: &[(&str, &str)]) {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let telegram = Arc::new(
        Simulator::builder()
            .record_limit(0)
            .wait_timeout(Duration::from_secs(60))
            .start()
            .await
            .unwrap(),
    );
    let stop = Arc::new(AtomicBool::new(false));
    let feed = tokio::spawn(feed(telegram.clone(), stop.clone()));

    let mut ready = 0;
    for n in 1..=kills {
        let mut bot = RunningBot::launch(&telegram, &database, settings);
        sleep(Duration::from_millis(random() % LONGEST_LIFE_MS)).await;
        if n == kills {
            at_work(&bot, &telegram, settings.is_empty()).await;
        }
        bot.kill().await;
        ready += u64::from(bot.has_said("ready: @"));
    }
    stop.store(true, Ordering::Relaxed);
    let stream = feed.await.unwrap();
    let bot = RunningBot::launch(&telegram, &database, settings);
    bot.said("ready: @").await;
    telegram.wait_until_drained().await.unwrap_or_else(|error| panic!("{error}:\n{}", bot.log()));
    bot.terminate().await;

    let stored = stored(&database).await;
    let again = telegram.fetched().saturating_sub(stream.updates);
    println!(
        "{kills} kills, {ready} of them of a bot at work, {} updates, {again} of them given again \
         by getUpdates, {} people, {} set aside",
        stream.updates,
        stored.people.len(),
        stored.quarantined.len(),
    );
    assert_eq!(stored.people, stream.people, "everybody is stored");
    assert_eq!(stored.counts, stream.counts, "everything is counted once");
    assert_eq!(stored.quarantined, stream.quarantined, "what cannot be read is kept");
    assert_eq!(stored.blocked, stream.blocked, "who blocked the bot is known");
    assert_eq!(stored.starts, stream.starts, "who came by a deep link is known");
    // Or nothing was tried.
    assert!(ready > 0, "no kill met a bot at work");
    assert!(again > 0 || !settings.is_empty(), "no kill met a bot that polls with a batch in hand");
}

/// Waits until a bot is at work, for by chance all of them may be killed before: with a batch in
/// hand, if it polls.
async fn at_work(bot: &RunningBot, telegram: &Simulator, polls: bool) {
    bot.said("ready: @").await;
    let given = telegram.fetched();
    if polls {
        let more = |telegram: &Simulator| (telegram.fetched() > given).then_some(());
        telegram.wait_for("another batch in hand", more).await.unwrap();
    }
}

/// What was sent, or is stored.
#[derive(Default)]
struct Stream {
    updates: u64,
    /// Who did anything at all.
    people: BTreeSet<i64>,
    counts: Counts,
    /// The ids of the updates that cannot be read in full.
    quarantined: BTreeSet<i64>,
    /// Who blocked the bot.
    blocked: BTreeSet<i64>,
    /// How often the deep link was followed.
    starts: usize,
}

/// Added to the ids of those who do nothing but block the bot.
const BLOCKERS: i64 = 10_000;

/// How many interactions there were by kind, and by day if the update has a time.
type Counts = BTreeMap<(Option<NaiveDate>, InteractionKind), u64>;

/// Sends updates of several kinds and days until `stop` is set; returns what it sent.
async fn feed(telegram: Arc<Simulator>, stop: Arc<AtomicBool>) -> Stream {
    let mut stream = Stream::default();
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..AT_ONCE {
            n += 1;
            let person = Person::new(1 + n % PEOPLE, "Ada").username(format!("u{}", n % PEOPLE));
            // Telegram's seconds: one a second, over two days.
            let at = 1_790_000_000 + n % 172_800;
            let blocker = Person::new(BLOCKERS + n % PEOPLE, "Eve");
            let (update, kind) = match n % 10 {
                0 => (Update::text(&person, "/schedule").at(at), InteractionKind::Command),
                1 => (Update::text(&person, "/start ad").at(at), InteractionKind::Command),
                2 => (Update::edited_text(&person, "x").at(at), InteractionKind::EditedMessage),
                3 => (Update::callback_query(&person, "x"), InteractionKind::CallbackQuery),
                4 => (Update::blocked(&blocker).at(at), InteractionKind::MyChatMember),
                5 => {
                    let odd = Update::photo(&person).at(at).with("chat", "nowhere");
                    (odd, InteractionKind::Message)
                }
                _ => (Update::text(&person, "hello").at(at), InteractionKind::Text),
            };
            let day = has_own_time(kind)
                .then(|| chrono::DateTime::from_timestamp(at, 0).expect("a time").date_naive());
            *stream.counts.entry((day, kind)).or_default() += 1;
            stream.updates += 1;
            let update_id = telegram.push(update);
            match n % 10 {
                4 => {
                    stream.people.insert(blocker.id);
                    stream.blocked.insert(blocker.id);
                    continue;
                }
                1 => stream.starts += 1,
                5 => drop(stream.quarantined.insert(update_id)),
                _ => {}
            }
            stream.people.insert(person.id);
        }
        sleep(Duration::from_millis(10)).await;
    }
    stream
}

fn has_own_time(kind: InteractionKind) -> bool {
    kind != InteractionKind::CallbackQuery
}

/// What a database holds of a stream.
async fn stored(database: &ThrowAwayDatabase) -> Stream {
    let mut stored = Stream::default();
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let quarantine = DieselQuarantineRepository::new(database.clone());
    let quarantined = quarantine.list(0, u32::MAX).await.unwrap();
    stored.quarantined = quarantined.iter().map(|update| update.update_id).collect();

    let users = DieselUserRepository::new(database);
    let (filter, sort, mut cursor) = (UserFilter::new(), UserSort::default(), None);
    loop {
        let page = users.users(&filter, sort, cursor, 1000).await.unwrap();
        for ListedUser { user, .. } in &page.rows {
            let id = user.telegram_id;
            stored.people.insert(id.get());
            if user.reachability.obstacle == Some(UnreachableReason::Blocked) {
                stored.blocked.insert(id.get());
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }

    let (first, last) = ("2000-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    for sum in users.sums_by_day(&[Figure::Kind], first, last).await.unwrap() {
        let (day, kind) = (sum.day, InteractionKind::from_name(&sum.label).unwrap());
        let counted = stored.counts.entry((has_own_time(kind).then_some(day), kind)).or_default();
        *counted += sum.value.unsigned_abs();
    }
    // The recount below compares these figures with the stored starts.
    let starts = users.sums_by_label(&[Figure::SourceStarts], first, last).await.unwrap();
    stored.starts = starts.iter().map(|it| usize::try_from(it.value).unwrap()).sum();
    let differing = users.recount(false, Arc::new(|_, _| ())).await.unwrap();
    assert_eq!(differing, [], "the figures are what counting everybody gives");
    stored
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
