mod limits;
mod trouble;

use std::{
    future::{pending, ready},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::*;
use crate::destination::Destination;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn refused(code: i64, description: &str, retry_after: Option<Duration>) -> CallError {
    let description = description.to_owned();
    let method = "sendMessage";
    CallError::Refused { method, code, description, retry_after, migrate_to_chat_id: None }
}

fn too_many(retry_after_s: u64) -> CallError {
    refused(429, "Too Many Requests", Some(seconds(retry_after_s)))
}

/// Telegram has certainly not taken the message.
fn broken() -> CallError {
    refused(500, "Internal Server Error", None)
}

/// A proxy's error page.
fn lost() -> CallError {
    CallError::Unreadable { method: "sendMessage", status: 502, reason: "not JSON".to_owned() }
}

/// What happened at Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Reply(i64),
    Bulk(i64),
    Probe,
}

/// A gate and its turns, in front of a Telegram that records what it gets.
#[derive(Clone)]
struct Desk {
    gate: Arc<Gate>,
    turns: Arc<BulkTurns>,
    events: Arc<Mutex<Vec<(Duration, Event)>>>,
    opened: Instant,
    /// Whether Telegram answers probes.
    is_up: Arc<Mutex<bool>>,
}

impl Desk {
    fn open(rate: u32) -> Self {
        let gate = Arc::new(Gate::new(rate));
        Self {
            turns: Arc::new(BulkTurns::new(gate.clone(), rate)),
            gate,
            events: Arc::default(),
            opened: Instant::now(),
            is_up: Arc::new(Mutex::new(true)),
        }
    }

    fn note(&self, event: Event) {
        lock(&self.events).push((self.opened.elapsed(), event));
    }

    /// Answers a command. Returns how long that took.
    async fn reply(&self, chat_id: i64) -> Duration {
        let begun = Instant::now();
        let send = |to: Destination| {
            self.note(Event::Reply(to.chat_id));
            ready(Ok::<_, CallError>(()))
        };
        self.gate.send(Destination { chat_id, topic: None }, send).await.unwrap();
        begun.elapsed()
    }

    /// Sends a message of a broadcast to a Telegram that answers with `answer`.
    async fn bulk_with(
        &self,
        chat_id: i64,
        pace: &BulkPace,
        answer: impl Fn() -> Result<(), CallError>,
    ) -> Result<(), BulkError> {
        let route = Route { chat_id, pace, is_paid: false };
        let send = || {
            self.note(Event::Bulk(chat_id));
            ready(answer())
        };
        self.turns.send(&route, send, || self.probe(), pending()).await
    }

    fn probe(&self) -> impl Future<Output = Result<(), CallError>> + use<> {
        self.note(Event::Probe);
        ready(if *lock(&self.is_up) { Ok(()) } else { Err(lost()) })
    }

    async fn bulk(&self, chat_id: i64, pace: &BulkPace) {
        self.bulk_with(chat_id, pace, || Ok(())).await.unwrap();
    }

    /// Sends a broadcast to all of these chats at once.
    async fn broadcast(&self, chats: impl IntoIterator<Item = i64>, pace: Arc<BulkPace>) {
        let mut sending = JoinSet::new();
        for chat_id in chats {
            let (desk, pace) = (self.clone(), pace.clone());
            sending.spawn(async move { desk.bulk(chat_id, &pace).await });
        }
        sending.join_all().await;
    }

    /// Begins a broadcast to more chats than it can reach during the test.
    fn flood(&self) -> JoinSet<()> {
        let mut flood = JoinSet::new();
        let desk = self.clone();
        flood.spawn(async move { desk.broadcast(1..=20_000, unbounded()).await });
        flood
    }

    fn times(&self, is_wanted: impl Fn(Event) -> bool) -> Vec<Duration> {
        let events = lock(&self.events);
        events.iter().filter(|(_, event)| is_wanted(*event)).map(|(at, _)| *at).collect()
    }

    fn bulk_times(&self) -> Vec<Duration> {
        self.times(|event| matches!(event, Event::Bulk(_)))
    }

    fn probes(&self) -> usize {
        self.times(|event| event == Event::Probe).len()
    }
}

fn unbounded() -> Arc<BulkPace> {
    Arc::new(BulkPace::new(0))
}

/// The largest number of messages within any span of this length.
fn busiest(times: &[Duration], span: Duration) -> usize {
    let within = |(n, start): (usize, &Duration)| {
        times[n..].iter().take_while(|&&at| at < *start + span).count()
    };
    times.iter().enumerate().map(within).max().unwrap_or_default()
}
