//! Outgoing webhooks: what happened to users is delivered to a program outside, signed and at least
//! once.
//!
//! `ROLLCALL_KILLS=50 cargo test -p bot --test events` kills the bot as often as you like.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use rollcall_domain::EventRefusal;
use rollcall_repository::UserEventRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::{PeerLanguage, ThrowAwayDatabase};
use running::RunningBot;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

stories!(
    events_are_delivered_once_each_and_signed,
    while_the_receiver_is_away_events_wait,
    no_event_is_lost_although_the_bot_is_killed,
);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that takes events.
struct Receiver {
    url: String,
    taken: Arc<Mutex<Vec<Event>>>,
    /// What it responds with.
    status: Arc<AtomicU16>,
}

#[derive(Clone, Debug)]
struct Event {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The type and the user.
    fn what(&self) -> (String, i64) {
        let json = self.json();
        (json["type"].as_str().unwrap().to_owned(), json["data"]["telegram_id"].as_i64().unwrap())
    }
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/events", listener.local_addr().unwrap()),
            taken: Arc::default(),
            status: Arc::new(AtomicU16::new(204)),
        };
        let (taken, status) = (receiver.taken.clone(), receiver.status.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, taken.clone(), status.clone()));
            }
        });
        receiver
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [("EVENTS_URL", &self.url), ("EVENTS_SECRET", SECRET)]
    }

    fn taken(&self) -> Vec<Event> {
        self.taken.lock().unwrap().clone()
    }

    /// The types and users of what it took, each once.
    fn what(&self) -> BTreeSet<(String, i64)> {
        self.taken().iter().map(Event::what).collect()
    }

    async fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < end, "taken: {:?}", self.what());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    taken: Arc<Mutex<Vec<Event>>>,
    status: Arc<AtomicU16>,
) -> Option<()> {
    let mut held = String::new();
    loop {
        let (head, length) = loop {
            if let Some((head, _)) = held.split_once("\r\n\r\n") {
                let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
                let headers: BTreeMap<String, String> =
                    headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
                let length: usize = headers["content-length"].parse().unwrap();
                if held.len() >= head.len() + 4 + length {
                    assert!(head.starts_with("POST /events HTTP/1.1"), "{head}");
                    break (headers, head.len() + 4 + length);
                }
            }
            let mut buffer = vec![0; 1 << 14];
            let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
            held.push_str(str::from_utf8(&buffer[..read]).unwrap());
        };
        let body = held[..length].split_once("\r\n\r\n").unwrap().1.to_owned();
        held.drain(..length);
        let status = status.load(Ordering::SeqCst);
        if status < 300 {
            taken.lock().unwrap().push(Event { headers: head, body });
        }
        let answer = format!(
            "HTTP/1.1 {status} X\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

fn created(user: i64) -> (String, i64) {
    ("user.created".to_owned(), user)
}

async fn events_are_delivered_once_each_and_signed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let receiver = Receiver::start().await;
    let bot = RunningBot::start(&telegram, &database, &receiver.settings()).await;
    let (ann, bob) = (Person::new(1, "Ann"), Person::new(2, "Bob"));
    telegram.write(&ann, "hello");
    telegram.write(&ann, "again");
    telegram.write(&bob, "hello");
    telegram.block(&bob);
    let last = telegram.unblock(&bob);
    telegram.wait_until_confirmed(last).await.unwrap();
    receiver.wait_until(|it| it.what().len() == 4).await;
    let expected =
        [created(1), created(2), ("user.blocked".to_owned(), 2), ("user.unblocked".to_owned(), 2)];
    assert_eq!(receiver.what(), expected.into());
    bot.terminate().await;

    // Without the setting, nothing is recorded.
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let third = telegram.write(&Person::new(3, "Eve"), "hello");
    telegram.wait_until_confirmed(third).await.unwrap();
    bot.terminate().await;
    let only = [&receiver.settings()[..], &[("EVENTS", "user.blocked")]].concat();
    let bot = RunningBot::start(&telegram, &database, &only).await;
    telegram.write(&Person::new(4, "Dan"), "hello");
    let last = telegram.block(&ann);
    telegram.wait_until_confirmed(last).await.unwrap();
    receiver.wait_until(|it| it.what().contains(&("user.blocked".to_owned(), 1))).await;
    bot.terminate().await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 5, "{taken:?}");
    let ids: BTreeSet<&String> = taken.iter().map(|event| &event.headers["webhook-id"]).collect();
    assert_eq!(ids.len(), 5);
    check_signatures(&taken);
}

/// Runs the examples of docs/api.md on events that came, and on one that was changed.
fn check_signatures(taken: &[Event]) {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let mut changed = taken[0].clone();
    changed.body = changed.body.replace("user.", "robot.");
    let all: Vec<Value> =
        taken.iter().chain([&changed]).map(|event| json!([event.headers, event.body])).collect();
    let all = Value::Array(all).to_string();
    for (language, name, end) in [
        (
            PeerLanguage::Python,
            "python",
            "import sys\nprint(*[is_from_rollcall(h, b.encode()) for h, b in json.loads(sys.argv[1])])",
        ),
        (
            PeerLanguage::JavaScript,
            "js",
            "console.log(...JSON.parse(process.argv[1]).map(([h, b]) => isFromRollcall(h, b)))",
        ),
    ] {
        let section = docs.split_once("## Outgoing webhooks").unwrap().1;
        let code = section.split_once(&format!("```{name}\n")).unwrap().1;
        let code = code.split_once("```").unwrap().0;
        let Some(mut command) = language.run(&format!("{code}\n{end}")) else { return };
        let output = command.arg(&all).env("EVENTS_SECRET", SECRET).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap().to_lowercase();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(printed.trim(), "true true true true true false", "{error}");
    }
}

async fn while_the_receiver_is_away_events_wait(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let receiver = Receiver::start().await;
    // A redirect, which is not followed.
    receiver.status.store(302, Ordering::SeqCst);
    let bot = RunningBot::start(&telegram, &database, &receiver.settings()).await;
    for user in 1..=120 {
        telegram.write(&Person::new(user, "Ann"), "hello");
    }
    bot.said("EVENTS_URL does not accept events").await;
    assert!(bot.has_said("it responded with the HTTP status 302"), "{}", bot.log());
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let events = DieselUserRepository::new(storage);
    let refusal = events.last_refusal().await.unwrap().map(|(_, refusal)| refusal);
    assert_eq!(refusal, Some(EventRefusal::Status(302)));
    receiver.status.store(200, Ordering::SeqCst);
    receiver.wait_until(|it| it.what().len() == 120).await;
    while events.last_refusal().await.unwrap().is_some() {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(receiver.taken().len(), 120, "each came once");
    assert!(!bot.log().contains("/events") && !bot.log().contains(SECRET));
    bot.terminate().await;
}

async fn no_event_is_lost_although_the_bot_is_killed(database: ThrowAwayDatabase) {
    let kills: i64 =
        std::env::var("ROLLCALL_KILLS").map_or(3, |kills| kills.parse().expect("a number"));
    let telegram = Simulator::builder().wait_timeout(PATIENCE).start().await.unwrap();
    let receiver = Receiver::start().await;
    let mut users = 0;
    for kill in 0..kills {
        let mut bot = RunningBot::start(&telegram, &database, &receiver.settings()).await;
        for _ in 0..300 {
            users += 1;
            telegram.write(&Person::new(users, "Ann"), "hello");
        }
        // A moment that differs each time.
        let some = receiver.taken().len() + usize::try_from(kill * 37 % 300).unwrap();
        receiver.wait_until(|it| it.taken().len() > some).await;
        bot.kill().await;
    }
    let bot = RunningBot::start(&telegram, &database, &receiver.settings()).await;
    telegram.wait_until_drained().await.unwrap();
    // What a killed bot had claimed is delivered half a minute later.
    let end = Instant::now() + 2 * PATIENCE;
    while receiver.what().len() < usize::try_from(users).unwrap() {
        assert!(Instant::now() < end, "{} of {users}", receiver.what().len());
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.what(), (1..=users).map(created).collect());
    // Twice came only what was on its way.
    let twice = receiver.taken().len() - usize::try_from(users).unwrap();
    assert!(twice <= usize::try_from(kills * 20).unwrap(), "{twice} came twice");
    bot.terminate().await;
}
