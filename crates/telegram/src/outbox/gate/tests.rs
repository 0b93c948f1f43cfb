mod limits;
mod moves;
mod retries;

use std::{
    future::{pending, ready},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use rollcall_domain::UnreachableReason;
use tokio::{
    task::JoinSet,
    time::{advance, timeout},
};

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refused(code: i64, description: &str) -> CallError {
    let description = description.to_owned();
    CallError::Refused {
        method: "sendMessage",
        code,
        description,
        retry_after: None,
        migrate_to_chat_id: None,
    }
}

fn too_many(retry_after_s: u64) -> CallError {
    CallError::Refused {
        method: "sendMessage",
        code: 429,
        description: "Too Many Requests".to_owned(),
        retry_after: Some(seconds(retry_after_s)),
        migrate_to_chat_id: None,
    }
}

fn whole(chat_id: i64) -> Destination {
    Destination { chat_id, topic: None }
}

/// A gate in front of a Telegram that records the time and chat of each message.
#[derive(Clone)]
struct Desk {
    gate: Arc<Gate>,
    sent: Arc<Mutex<Vec<(Duration, i64)>>>,
    opened: Instant,
}

impl Desk {
    fn open(rate: u32) -> Self {
        Self { gate: Arc::new(Gate::new(rate)), sent: Arc::default(), opened: Instant::now() }
    }

    async fn send(&self, chat_id: i64) {
        self.send_with(chat_id, || Ok(())).await.unwrap();
    }

    /// Sends to a Telegram that answers with `answer`.
    async fn send_with(
        &self,
        chat_id: i64,
        answer: impl Fn() -> Result<(), CallError>,
    ) -> Result<(), SendError> {
        self.post(whole(chat_id), |_| answer()).await
    }

    /// Sends to a Telegram whose answer depends on the destination.
    async fn post(
        &self,
        to: Destination,
        answer: impl Fn(Destination) -> Result<(), CallError>,
    ) -> Result<(), SendError> {
        let send = |to: Destination| {
            lock(&self.sent).push((self.opened.elapsed(), to.chat_id));
            ready(answer(to))
        };
        self.gate.send(to, send).await
    }

    /// Sends to all of these chats at once. Returns the times of the messages, in order.
    async fn send_to(&self, chats: impl IntoIterator<Item = i64>) -> Vec<Duration> {
        let mut sending = JoinSet::new();
        for chat_id in chats {
            let desk = self.clone();
            sending.spawn(async move { desk.send(chat_id).await });
        }
        sending.join_all().await;
        self.times()
    }

    /// The chats of the messages, in order.
    fn chats(&self) -> Vec<i64> {
        lock(&self.sent).iter().map(|(_, chat_id)| *chat_id).collect()
    }

    fn times(&self) -> Vec<Duration> {
        lock(&self.sent).iter().map(|(at, _)| *at).collect()
    }
}

fn moved_to(chat_id: i64) -> CallError {
    CallError::Refused {
        method: "sendMessage",
        code: 400,
        description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
        retry_after: None,
        migrate_to_chat_id: Some(chat_id),
    }
}

/// A Telegram in which a group has become a supergroup, and that supergroup another one.
fn twice_moved(to: Destination) -> Result<(), CallError> {
    match to.chat_id {
        -7 => Err(moved_to(-1007)),
        -1007 => Err(moved_to(-2007)),
        _ => Ok(()),
    }
}

/// The largest number of messages within any span of this length.
fn busiest(times: &[Duration], span: Duration) -> usize {
    let within =
        |start: Duration| times.iter().filter(move |&&at| at >= start && at < start + span);
    times.iter().map(|&start| within(start).count()).max().unwrap()
}
