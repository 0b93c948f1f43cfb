//! Delivers updates as Telegram does by webhook: over several connections, each update again and again
//! until a bot confirms it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rollcall_domain::{Clock, SystemClock};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::running::RunningBot;

const SECRET: &str = "between-us-alone";
/// How many users write: a prime number, so that each of them writes over every connection.
const USERS: i64 = 701;
/// How long a connection rests after an update was confirmed, and before one is delivered again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(50));
/// How long a bot may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a test waits until updates are confirmed.
const GIVES_UP: Duration = Duration::from_secs(120);

/// Where a bot takes updates.
#[derive(Clone)]
pub(crate) struct Hook {
    listen: String,
    url: String,
}

impl Hook {
    /// At a free port.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap().to_string();
        let url = format!("http://{listen}/hook");
        Self { listen, url }
    }

    /// Starts a bot here, on the database at a URL, and waits for nothing.
    pub(crate) fn launch(
        &self,
        telegram: &Simulator,
        database: (&ThrowAwayDatabase, &str),
    ) -> RunningBot {
        let settings = [
            ("DATABASE_URL", database.1),
            ("WEBHOOK_URL", self.url.as_str()),
            ("WEBHOOK_SECRET", SECRET),
            ("LISTEN_ADDR", self.listen.as_str()),
        ];
        RunningBot::launch(telegram, database.0, &settings)
    }

    /// Starts a bot here, and waits until it takes updates.
    pub(crate) async fn start(
        &self,
        telegram: &Simulator,
        database: (&ThrowAwayDatabase, &str),
    ) -> RunningBot {
        let bot = self.launch(telegram, database);
        bot.said("receives updates by webhook").await;
        bot
    }

    /// Waits until the bot says that it is ready.
    pub(crate) async fn is_ready(&self) {
        let url = format!("http://{}/readyz", self.listen);
        let begun = Instant::now();
        loop {
            let answer = reqwest::get(&url).await.unwrap();
            if answer.status() == 200 {
                return;
            }
            assert!(begun.elapsed() < GIVES_UP, "{}", answer.text().await.unwrap());
            sleep(PAUSES.1).await;
        }
    }
}

/// Updates that are being delivered to some bots.
pub(crate) struct Deliveries {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

struct Shared {
    hooks: Vec<Hook>,
    client: reqwest::Client,
    next: AtomicI64,
    repeated: AtomicU64,
    is_ending: AtomicBool,
    /// When each bot confirmed updates.
    confirmed: Vec<Mutex<Vec<Instant>>>,
}

/// What was delivered and confirmed.
pub(crate) struct Delivered {
    /// How many different updates.
    pub(crate) updates: i64,
    /// How many deliveries were not confirmed, and came again.
    pub(crate) repeated: u64,
}

impl Deliveries {
    /// Begins to deliver to the bots in turn. What one does not confirm comes to the next one.
    pub(crate) fn start(hooks: &[Hook], connections: usize) -> Self {
        let shared = Arc::new(Shared {
            hooks: hooks.to_vec(),
            client: reqwest::Client::builder().timeout(PATIENCE).build().unwrap(),
            next: AtomicI64::new(1),
            repeated: AtomicU64::new(0),
            is_ending: AtomicBool::new(false),
            confirmed: hooks.iter().map(|_| Mutex::default()).collect(),
        });
        let mut tasks = JoinSet::new();
        for connection in 0..connections {
            tasks.spawn(shared.clone().deliver(connection % hooks.len()));
        }
        Self { shared, tasks }
    }

    /// Waits until each bot has confirmed so many updates since a moment; answers how long the slowest
    /// one took until its first.
    pub(crate) async fn each_confirms(&self, updates: usize, since: Instant) -> Duration {
        let mut slowest = Duration::ZERO;
        for confirmed in &self.shared.confirmed {
            let first = loop {
                let times = confirmed.lock().unwrap().clone();
                let later = &times[times.partition_point(|at| *at < since)..];
                if let (Some(first), true) = (later.first(), later.len() >= updates) {
                    break *first;
                }
                let waited = since.elapsed();
                assert!(waited < GIVES_UP, "{} updates confirmed in {waited:?}", later.len());
                sleep(PAUSES.0).await;
            };
            slowest = slowest.max(first - since);
        }
        slowest
    }

    /// Stops once each update that was begun is confirmed. Then delivers many of them again, as Telegram
    /// may after a confirmation that it did not get.
    pub(crate) async fn finish(mut self) -> Delivered {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let updates = self.shared.next.load(Ordering::Relaxed) - 1;
        for (update_id, bot) in (1..=updates).step_by(7).zip((0..self.shared.hooks.len()).cycle()) {
            assert!(self.shared.is_confirmed_by(bot, &update(update_id)).await, "{update_id}");
        }
        Delivered { updates, repeated: self.shared.repeated.load(Ordering::Relaxed) }
    }
}

impl Shared {
    async fn deliver(self: Arc<Self>, first: usize) {
        while !self.is_ending.load(Ordering::Relaxed) {
            let update = update(self.next.fetch_add(1, Ordering::Relaxed));
            let mut bot = first;
            while !self.is_confirmed_by(bot, &update).await {
                self.repeated.fetch_add(1, Ordering::Relaxed);
                bot = (bot + 1) % self.hooks.len();
                sleep(PAUSES.1).await;
            }
            self.confirmed[bot].lock().unwrap().push(Instant::now());
            sleep(PAUSES.0).await;
        }
    }

    async fn is_confirmed_by(&self, bot: usize, update: &str) -> bool {
        let request = self.client.post(&self.hooks[bot].url);
        let request = request.header("x-telegram-bot-api-secret-token", SECRET);
        match request.body(update.to_owned()).send().await {
            // Reads the whole response, so that the connection is used again.
            Ok(response) => response.status() == 200 && response.bytes().await.is_ok(),
            Err(_) => false,
        }
    }
}

impl Delivered {
    /// How many updates each user sent.
    pub(crate) fn of_each_user(&self) -> BTreeMap<i64, i64> {
        let mut sums = BTreeMap::new();
        for update_id in 1..=self.updates {
            *sums.entry(user_of(update_id)).or_default() += 1;
        }
        sums
    }
}

fn user_of(update_id: i64) -> i64 {
    1 + update_id % USERS
}

/// An update: a user sends a text.
fn update(update_id: i64) -> String {
    let user = user_of(update_id);
    json!({
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "date": SystemClock.now().timestamp(),
            "text": "hello",
            "chat": { "id": user, "type": "private", "first_name": "Ada" },
            "from": {
                "id": user, "is_bot": false, "first_name": "Ada", "username": format!("user_{user}"),
            },
        },
    })
    .to_string()
}
