//! When a message may be sent, whether it is retried, and where it goes.

mod passing;

use std::{
    collections::HashMap,
    num::NonZeroU32,
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
    send_error::{SendError, refuses_topic},
};
use rollcall_domain::Backoff;

use crate::{
    client::CallError,
    destination::{Destination, Migration},
    retry::backoff,
};

/// Telegram allows one message a second to a private chat, and short bursts ("My bot is hitting limits"
/// in the Bots FAQ).
const PRIVATE: Pace = Pace { every: Duration::from_secs(1), at_once: 3 };
/// Telegram allows twenty messages a minute to a group: five at once, and then fifteen a minute.
const GROUP: Pace = Pace { every: Duration::from_secs(4), at_once: 5 };
/// How often a message is retried after a transient error without a time to wait.
const RETRIES: u32 = 3;
/// How long a message may wait in all when Telegram asks to wait. A later answer is useless, and
/// messages must not stay in memory for the hours that Telegram may ask for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long all chats wait when Telegram asks one to wait; see [`Gate::refused`].
const SHARED_HOLD: Duration = Duration::from_secs(1);
/// How late timers may be. Below 200 messages a second, no second exceeds the rate because of it.
const TIMER_DELAY: Duration = Duration::from_millis(10);
/// How often a message follows its chat. A group becomes a supergroup only once.
const MOVES: u32 = 3;
/// How many messages to groups wait at a time for the shared limit. With only one, the shared limit
/// would be idle between its turn and the next one.
const GROUP_TURNS: usize = 2;
/// How many calls of the bot behind wait at a time for the shared limit. The others wait behind them, so
/// that each of our own messages waits for one of them at most.
const PASSING_TURNS: usize = 1;
/// Up to this number of chats, idle ones are not removed.
const FEW_CHATS: usize = 64;

/// Decides when a message may be sent, whether it is retried, and where it goes.
pub(super) struct Gate {
    /// The limit of all chats together; `None` without limits.
    all: Option<Mutex<Bucket>>,
    /// Until when nothing is sent at all.
    held_until: Mutex<Instant>,
    chats: Mutex<Chats>,
    /// Turns of messages to groups that wait for the shared limit.
    group_turns: Semaphore,
    /// Turns of calls of the bot behind that wait for the shared limit.
    passing_turns: Semaphore,
    migrations: Migrations,
}

/// Why a message of a broadcast cannot be sent now.
pub(super) enum Busy {
    /// Its chat is in use, or has to wait.
    Chat,
    /// All chats have to wait.
    Until(Instant),
}

/// A chat's state, locked by each message to it in turn.
type Chat = Arc<tokio::sync::Mutex<ChatState>>;

struct ChatState {
    bucket: Option<Bucket>,
    /// Until when nothing is sent to the chat.
    held_until: Instant,
}

/// The chats with recent messages.
struct Chats {
    known: HashMap<i64, Chat>,
    /// The number of chats at which idle ones are removed.
    enough: usize,
}

impl Gate {
    /// A gate that passes up to `rate` messages a second in all; 0 disables every limit.
    pub(super) fn new(rate: u32) -> Self {
        let all = NonZeroU32::new(rate)
            .map(|rate| Mutex::new(Bucket::new(Pace::per_second(rate, TIMER_DELAY))));
        let chats = Chats { known: HashMap::new(), enough: FEW_CHATS };
        Self {
            all,
            held_until: Mutex::new(Instant::now()),
            chats: Mutex::new(chats),
            group_turns: Semaphore::new(GROUP_TURNS),
            passing_turns: Semaphore::new(PASSING_TURNS),
            migrations: Migrations::default(),
        }
    }

    /// Sends a message in its turn, with retries. It follows a chat that has moved, and goes to the
    /// whole chat if Telegram refuses its topic.
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

    /// Edits a message in its turn, with retries. If the chat has moved, the edit waits in the queue of
    /// the new chat, but is not sent there: a supergroup numbers its messages from the start.
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

    /// Notes that a group became a supergroup. Returns whether that is possible.
    pub(super) fn learn(&self, migration: Migration) -> bool {
        self.migrations.learn(migration)
    }

    /// The current id of a chat.
    pub(super) fn current(&self, chat_id: i64) -> i64 {
        self.migrations.current(chat_id)
    }

    /// Notes the new id if the error contains one. Returns whether the chat has moved.
    fn learn_from(&self, error: &CallError, chat_id: i64) -> bool {
        let moved_to = error.migrate_to_chat_id();
        moved_to.is_some_and(|to| self.learn(Migration { from: chat_id, to }))
    }

    /// Waits for the chat. Messages get it in their order.
    async fn begin(&self, chat_id: i64) -> Delivery<'_> {
        let chat_id = self.current(chat_id);
        let chat = self.chat(chat_id).lock_owned().await;
        let mut delivery = Delivery {
            gate: self,
            chat_id,
            chat,
            give_up: Instant::now() + PATIENCE,
            backoff: backoff(),
            retries: RETRIES,
        };
        // The chat may have moved meanwhile.
        delivery.follow().await;
        delivery
    }

    /// Waits until a message may be sent to the chat. The chat's own limit comes first, so that a waiting
    /// chat uses nothing of the shared limit. Only a few groups wait for the shared limit at a time, so
    /// that a message to a private chat never waits for more of them.
    async fn turn(&self, chat_id: i64, chat: &mut ChatState) {
        reach(chat.held_until).await;
        if let Some(bucket) = &chat.bucket {
            reach(bucket.token_at()).await;
        }
        let _group_turn = match is_group(chat_id) {
            // The semaphore is never closed.
            true => self.group_turns.acquire().await.ok(),
            false => None,
        };
        loop {
            let held_until = *lock(&self.held_until);
            reach(held_until).await;
            if let Some(all) = &self.all {
                let turn = lock(all).take();
                reach(turn).await;
            }
            // All wait for their turn again, so that they do not send at once.
            if *lock(&self.held_until) <= Instant::now() {
                break;
            }
        }
        // Taken only now: no other message uses this chat, and its pause has lasted until now.
        if let Some(bucket) = &mut chat.bucket {
            bucket.take();
        }
    }

    /// Notes that Telegram asks to wait. Telegram does not say whether it means the chat or the whole
    /// bot. So the chat waits for the whole time, and all others at most a second: otherwise one flooded
    /// group could silence the bot. If Telegram meant the bot, it refuses the next message too, and gets
    /// about one request a second instead of thirty.
    fn refused(&self, chat: &mut ChatState, wait: Duration) {
        let until = in_time(wait);
        chat.held_until = until;
        self.hold_all(until);
    }

    /// Holds all chats until then, but at most for a second.
    fn hold_all(&self, until: Instant) {
        let mut held_until = lock(&self.held_until);
        *held_until = (*held_until).max(until.min(Instant::now() + SHARED_HOLD));
    }

    /// When a chat accepts a message of a broadcast: after the messages that are on their way to it.
    pub(super) async fn chat_free_at(&self, chat_id: i64) -> Instant {
        self.chat(chat_id).lock_owned().await.free_at()
    }

    /// Takes the turn of a message of a broadcast if it can be sent now. Other messages go first: this
    /// neither waits for a chat nor takes a token in advance. `is_free` exempts it from the limit of all
    /// chats together.
    pub(super) fn try_turn(&self, chat_id: i64, is_free: bool) -> Result<(), Busy> {
        let chat = self.chat(chat_id);
        let mut chat = chat.try_lock().map_err(|_| Busy::Chat)?;
        if is_ahead(chat.free_at()) {
            return Err(Busy::Chat);
        }
        let held_until = *lock(&self.held_until);
        if is_ahead(held_until) {
            return Err(Busy::Until(held_until));
        }
        if let Some(all) = self.all.as_ref().filter(|_| !is_free) {
            let mut all = lock(all);
            let token_at = all.token_at();
            if is_ahead(token_at) {
                return Err(Busy::Until(token_at));
            }
            all.take();
        }
        if let Some(bucket) = &mut chat.bucket {
            bucket.take();
        }
        Ok(())
    }

    /// Notes that Telegram asks to wait after a message of a broadcast, which has not locked its chat.
    pub(super) fn refused_bulk(&self, chat_id: i64, wait: Duration) {
        // If another message is on its way to the chat, Telegram asks that one to wait.
        match self.chat(chat_id).try_lock() {
            Ok(mut chat) => self.refused(&mut chat, wait),
            Err(_) => self.hold_all(in_time(wait)),
        }
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

/// A message on its way. It locks its chat until it is sent, which keeps the order.
struct Delivery<'a> {
    gate: &'a Gate,
    chat_id: i64,
    chat: OwnedMutexGuard<ChatState>,
    give_up: Instant,
    backoff: Backoff,
    retries: u32,
}

impl Delivery<'_> {
    /// Calls `send` in its turn, and retries transient errors.
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
            } else if error.is_transient() && self.retries > 0 {
                self.retries -= 1;
                sleep(self.backoff.next(fastrand::f64())).await;
            } else {
                return Err(SendError::new(self.chat_id, error));
            }
        }
    }

    /// Moves to the chat's current id. The old chat stays locked until the new one is, so that later
    /// messages stay behind this one.
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
    /// Removes idle chats. This runs when the number of chats has doubled since the last time, so that
    /// it costs each message little.
    fn forget_idle(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, chat| {
            // A message in progress has a clone of it, and no new one can get a clone now.
            let idle = Arc::strong_count(chat) == 1
                && chat.try_lock().is_ok_and(|chat| chat.is_as_new(now));
            !idle
        });
        self.enough = FEW_CHATS.max(self.known.len() * 2);
    }
}

impl ChatState {
    /// When the chat's own limits allow a message.
    fn free_at(&self) -> Instant {
        let token_at = self.bucket.as_ref().map(Bucket::token_at);
        token_at.map_or(self.held_until, |token_at| token_at.max(self.held_until))
    }

    fn is_as_new(&self, now: Instant) -> bool {
        self.held_until <= now && self.bucket.as_ref().is_none_or(|bucket| bucket.is_full(now))
    }
}

/// This time from now. A time that overflows the clock becomes a year.
pub(super) fn in_time(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now + Duration::from_secs(366 * 86_400))
}

/// Waits until this time. If it has come, this takes no time at all: a timer would fire a millisecond late
/// or two.
async fn reach(at: Instant) {
    if is_ahead(at) {
        sleep_until(at).await;
    }
}

/// Whether this time has not come. Read the clock only after `at` is known: what is due now has the time
/// at which it was asked.
fn is_ahead(at: Instant) -> bool {
    at > Instant::now()
}

/// Groups and channels have negative ids (Bot API, "Chat").
fn is_group(chat_id: i64) -> bool {
    chat_id < 0
}

/// No code panics while holding one of these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
