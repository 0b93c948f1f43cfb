//! When a message may be sent, whether it is tried again, and where it goes in the end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedMutexGuard, Semaphore},
    time::{Instant, sleep, sleep_until},
};

use super::{
    bucket::{Bucket, Pace},
    migrations::Migrations,
    refusal::{SendError, refuses_topic},
};
use crate::{
    backoff::Backoff,
    client::CallError,
    destination::{Destination, Migration},
};

/// A private chat takes a message a second, and a few at once ("My bot is hitting limits" in
/// Telegram's Bots FAQ).
const PRIVATE: Pace = Pace { every: Duration::from_secs(1), at_once: 3 };
/// A group takes twenty messages in any minute: five at once, and then fifteen a minute.
const GROUP: Pace = Pace { every: Duration::from_secs(4), at_once: 5 };
/// How often a message is tried again where that may help and Telegram does not say when.
const RETRIES: u32 = 3;
/// How long a message may wait for what Telegram asks for in all. Nobody wants an answer that comes
/// later, and nothing is kept in memory for the hours that Telegram may ask for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long everybody waits when Telegram refuses one chat; see [`Gate::refused`].
const SHARED_HOLD: Duration = Duration::from_secs(1);
/// How often a message follows its chat. A group becomes a supergroup once in its life.
const MOVES: u32 = 3;
/// How many messages to groups wait at a time for what all chats share. With one, a part of what is
/// shared would be lost between its turn and the next one.
const GROUP_TURNS: usize = 2;
/// Below this many, chats are not looked through for idle ones.
const FEW_CHATS: usize = 64;

/// Decides when a message may be sent, whether it is tried again, and where.
pub(super) struct Gate {
    /// What all chats share; `None` where there are no limits.
    all: Option<Mutex<Bucket>>,
    /// Until when nothing is sent to anybody.
    held_until: Mutex<Instant>,
    chats: Mutex<Chats>,
    /// The places of messages to groups that wait for what all chats share.
    group_turns: Semaphore,
    migrations: Migrations,
}

/// A chat's state, held by whoever sends to it, one after the other.
type Chat = Arc<tokio::sync::Mutex<ChatState>>;

struct ChatState {
    bucket: Option<Bucket>,
    /// Until when nothing is sent to it.
    held_until: Instant,
}

/// The chats that were sent to of late.
struct Chats {
    known: HashMap<i64, Chat>,
    /// How many there may be before idle ones are forgotten.
    enough: usize,
}

impl Gate {
    /// A gate that lets up to `rate` messages a second pass in all; 0 lifts every limit.
    pub(super) fn new(rate: u32) -> Self {
        // Evenly spaced, so that no second sees more than its share.
        let pace = |rate| Pace { every: Duration::from_secs(1) / rate, at_once: 1 };
        let all = (rate > 0).then(|| Mutex::new(Bucket::new(pace(rate))));
        let chats = Chats { known: HashMap::new(), enough: FEW_CHATS };
        Self {
            all,
            held_until: Mutex::new(Instant::now()),
            chats: Mutex::new(chats),
            group_turns: Semaphore::new(GROUP_TURNS),
            migrations: Migrations::default(),
        }
    }

    /// Sends a message when the time for it has come, as often as it takes or makes sense: where
    /// its chat has moved to, and to the chat as a whole where its topic is refused.
    pub(super) async fn send<T, F>(
        &self,
        mut to: Destination,
        send: impl Fn(Destination) -> F,
    ) -> Result<T, SendError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut delivery = self.begin(to.chat_id).await;
        let mut moves = MOVES;
        loop {
            to.chat_id = delivery.chat_id;
            let error = match delivery.attempt(|| send(to)).await {
                Err(SendError::Call(error)) => error,
                result => return result,
            };
            if moves > 0 && self.learn_from(&error, to.chat_id) {
                moves -= 1;
                delivery.follow().await;
            } else if refuses_topic(&error)
                && let Some(whole_chat) = to.without_thread()
            {
                to = whole_chat;
            } else {
                return Err(SendError::Call(error));
            }
        }
    }

    /// Changes something in a chat when the time for it has come, as often as it takes or makes
    /// sense. It stands in the queue of the chat that its own has become, but is not sent there: the
    /// messages of a supergroup have numbers of their own.
    pub(super) async fn change<T, F>(
        &self,
        chat_id: i64,
        change: impl Fn() -> F,
    ) -> Result<T, SendError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let changed = self.begin(chat_id).await.attempt(change).await;
        if let Err(SendError::Call(error)) = &changed {
            self.learn_from(error, chat_id);
        }
        changed
    }

    /// Notes that a group became a supergroup; answers whether that can be.
    pub(super) fn learn(&self, migration: Migration) -> bool {
        self.migrations.learn(migration)
    }

    /// Where a chat is now.
    pub(super) fn current(&self, chat_id: i64) -> i64 {
        self.migrations.current(chat_id)
    }

    /// Notes it where Telegram refused because the chat has moved; answers whether it has.
    fn learn_from(&self, error: &CallError, chat_id: i64) -> bool {
        let moved_to = error.migrate_to_chat_id();
        moved_to.is_some_and(|to| self.learn(Migration { from: chat_id, to }))
    }

    /// Waits for the chat. Messages get it in the order in which they came.
    async fn begin(&self, chat_id: i64) -> Delivery<'_> {
        let chat_id = self.current(chat_id);
        let chat = self.chat(chat_id).lock_owned().await;
        let mut delivery = Delivery {
            gate: self,
            chat_id,
            chat,
            give_up: Instant::now() + PATIENCE,
            backoff: Backoff::new(fastrand::Rng::new()),
            retries: RETRIES,
        };
        // The chat may have moved in the meantime.
        delivery.follow().await;
        delivery
    }

    /// Waits until a message may be sent to the chat: the chat's turn first, so that a chat that
    /// has to wait takes nothing of what all share. Few groups wait for that at a time, so that a
    /// message to a private chat waits for no more of them, however many there are.
    async fn turn(&self, chat_id: i64, chat: &mut ChatState) {
        sleep_until(chat.held_until).await;
        if let Some(bucket) = &chat.bucket {
            sleep_until(bucket.token_at()).await;
        }
        let _group_turn = match is_group(chat_id) {
            // It is never closed.
            true => self.group_turns.acquire().await.ok(),
            false => None,
        };
        loop {
            let held_until = *lock(&self.held_until);
            sleep_until(held_until).await;
            if let Some(all) = &self.all {
                let turn = lock(all).take();
                sleep_until(turn).await;
            }
            // Whoever waited in vain queues again, so that they do not all come at once.
            if *lock(&self.held_until) <= Instant::now() {
                break;
            }
        }
        // Taken only now: nobody else sends to this chat, and its rest has lasted until now.
        if let Some(bucket) = &mut chat.bucket {
            bucket.take();
        }
    }

    /// Notes that Telegram asks to wait. It does not tell whether it means the chat or the whole
    /// bot. So the chat waits as long as it says; all others wait a second at most, or else one
    /// flooded group could silence the bot. If the bot was meant, each of them is told so when its
    /// turn comes, and Telegram is asked about once a second rather than thirty times.
    fn refused(&self, chat: &mut ChatState, wait: Duration) {
        let now = Instant::now();
        // Longer than a clock can tell is as good as a year.
        let until = now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400));
        chat.held_until = until;
        let mut held_until = lock(&self.held_until);
        *held_until = (*held_until).max(until.min(now + SHARED_HOLD));
    }

    /// The state of a chat.
    fn chat(&self, chat_id: i64) -> Chat {
        let mut chats = lock(&self.chats);
        if chats.known.len() >= chats.enough {
            chats.forget_idle();
        }
        let pace = if is_group(chat_id) { GROUP } else { PRIVATE };
        let new = || ChatState {
            bucket: self.all.is_some().then(|| Bucket::new(pace)),
            held_until: Instant::now(),
        };
        chats
            .known
            .entry(chat_id)
            .or_insert_with(|| Arc::new(tokio::sync::Mutex::new(new())))
            .clone()
    }
}

/// A message that is on its way. It holds its chat until it is out, which keeps the order.
struct Delivery<'a> {
    gate: &'a Gate,
    chat_id: i64,
    chat: OwnedMutexGuard<ChatState>,
    give_up: Instant,
    backoff: Backoff,
    retries: u32,
}

impl Delivery<'_> {
    /// Calls `send` when the time for it has come, and again where that may help.
    async fn attempt<T, F>(&mut self, send: impl Fn() -> F) -> Result<T, SendError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        loop {
            if self.chat.held_until > self.give_up {
                return Err(SendError::Held { left: self.chat.held_until - Instant::now() });
            }
            self.gate.turn(self.chat_id, &mut self.chat).await;
            let error = match send().await {
                Ok(sent) => return Ok(sent),
                Err(error) => error,
            };
            if let Some(wait) = error.retry_after() {
                metrics::counter!("rollcall_send_waits_total").increment(1);
                self.gate.refused(&mut self.chat, wait);
            } else if error.may_pass() && self.retries > 0 {
                self.retries -= 1;
                sleep(self.backoff.next()).await;
            } else {
                return Err(SendError::new(self.chat_id, error));
            }
        }
    }

    /// Goes to where the chat is now. The old chat is held until the new one is, so that the
    /// messages behind this one stay behind it.
    async fn follow(&mut self) {
        loop {
            let current = self.gate.current(self.chat_id);
            if current == self.chat_id {
                return;
            }
            self.chat = self.gate.chat(current).lock_owned().await;
            self.chat_id = current;
            self.give_up = Instant::now() + PATIENCE;
        }
    }
}

impl Chats {
    /// Forgets the chats that are as good as new. Done when they have doubled since the last time,
    /// so that it costs little for each message.
    fn forget_idle(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, chat| {
            // Whoever uses it holds it, and nobody new can get at it now.
            let idle = Arc::strong_count(chat) == 1
                && chat.try_lock().is_ok_and(|chat| chat.is_as_new(now));
            !idle
        });
        self.enough = FEW_CHATS.max(self.known.len() * 2);
    }
}

impl ChatState {
    fn is_as_new(&self, now: Instant) -> bool {
        self.held_until <= now && self.bucket.as_ref().is_none_or(|bucket| bucket.is_full(now))
    }
}

/// Groups and channels have negative ids (Bot API, "Chat").
fn is_group(chat_id: i64) -> bool {
    chat_id < 0
}

/// Nothing panics while one of these is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
