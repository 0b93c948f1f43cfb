//! The simulated Telegram, which the server, the webhook and the tests share.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, broadcast, watch};

use crate::chat_event::ChatEvent;
use crate::clock::unix_now;
use crate::fault::Fault;
use crate::people::{Chat, ChatKind, Person};
use crate::queue::Incoming;
use crate::record::{Request, buttons_of};
use crate::state::{State, UnreachableReason};
use crate::update::{Missing, Update};

/// The settings of this Telegram and its bot.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) bot: Person,
    pub(crate) token: String,
    pub(crate) first_update_id: i64,
    pub(crate) first_message_id: i64,
    pub(crate) every_kind_allowed: bool,
    pub(crate) get_me_omits: Vec<String>,
    pub(crate) lacking_methods: Vec<String>,
    pub(crate) strict_chats: bool,
    pub(crate) record_limit: usize,
    pub(crate) wait_timeout: Duration,
    pub(crate) webhook_retry: Duration,
}

/// Telegram, as far as one bot is concerned.
pub(crate) struct Telegram {
    pub(crate) setup: Setup,
    /// The bot's account; its username may change.
    bot: RwLock<Person>,
    state: Mutex<State>,
    message_ids: AtomicI64,
    /// How many files were uploaded.
    files: AtomicI64,
    /// How many seconds the clock is ahead of this machine's.
    clock_ahead_s: AtomicI64,
    /// Counts changes of the state, so that waiting tasks check it again after each.
    changes: watch::Sender<u64>,
    /// Wakes one worker of the webhook.
    pub(crate) arrivals: Notify,
    events: broadcast::Sender<ChatEvent>,
    closed: watch::Sender<bool>,
}

/// Counts a getUpdates request as waiting until it is dropped.
pub(crate) struct WaitingPoll<'a>(&'a Telegram);

impl<'a> WaitingPoll<'a> {
    pub(crate) fn begin(telegram: &'a Telegram) -> Self {
        telegram.state().poll.waiting += 1;
        telegram.changed();
        Self(telegram)
    }
}

impl Drop for WaitingPoll<'_> {
    fn drop(&mut self) {
        self.0.state().poll.waiting -= 1;
        self.0.changed();
    }
}

/// Whether a wait is over; with the reason if it is not.
pub(crate) enum Progress<T> {
    Done(T),
    Waiting(String),
    Impossible(String),
}

impl Telegram {
    pub(crate) fn new(setup: Setup) -> Self {
        let state = State::new(setup.first_update_id, setup.every_kind_allowed, setup.record_limit);
        Self {
            bot: RwLock::new(setup.bot.clone()),
            state: Mutex::new(state),
            message_ids: AtomicI64::new(setup.first_message_id),
            files: AtomicI64::new(0),
            clock_ahead_s: AtomicI64::new(0),
            changes: watch::Sender::new(0),
            arrivals: Notify::new(),
            events: broadcast::Sender::new(4096),
            closed: watch::Sender::new(false),
            setup,
        }
    }

    /// The current state. Call [`Self::changed`] after changing it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn next_message_id(&self) -> i64 {
        self.message_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of a file that is uploaded.
    pub(crate) fn next_file(&self) -> i64 {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn bot(&self) -> Person {
        self.bot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn bot_json(&self) -> Value {
        json!(*self.bot.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn rename_bot(&self, username: &str) {
        let mut bot = self.bot.write().unwrap_or_else(PoisonError::into_inner);
        bot.username = Some(username.to_owned());
    }
}

/// New updates.
impl Telegram {
    /// Queues an update, whose message the bot can copy later.
    pub(crate) fn push(&self, mut update: Update) -> i64 {
        self.complete(&mut update);
        self.state().originals.add(&update);
        self.enqueue([update.into_incoming()])
    }

    /// The time of Telegram's clock, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        unix_now().saturating_add(self.clock_ahead_s.load(Ordering::Relaxed))
    }

    pub(crate) fn set_clock(&self, ahead_s: i64) {
        self.clock_ahead_s.store(ahead_s, Ordering::Relaxed);
    }

    /// Completes an update, and stores the people and chats in it.
    pub(crate) fn prepare(&self, mut update: Update) -> Incoming {
        self.complete(&mut update);
        update.into_incoming()
    }

    fn complete(&self, update: &mut Update) {
        let bot = self.bot_json();
        let missing = Missing { now: self.now(), bot: &bot };
        update.complete(&missing, || self.next_message_id());
        self.learn_from(update);
        self.publish(|| event_of(update));
    }

    /// Queues updates at once and returns the id of the last one.
    pub(crate) fn enqueue(&self, updates: impl IntoIterator<Item = Incoming>) -> i64 {
        let mut state = self.state();
        let mut last = 0;
        for update in updates {
            last = state.queue.push(update);
        }
        let has_webhook = state.webhook.is_some();
        drop(state);
        self.changed();
        if has_webhook {
            self.arrivals.notify_one();
        }
        last
    }

    /// Stores a person and their private chat with the bot.
    pub(crate) fn introduce(&self, person: &Person) {
        let mut state = self.state();
        state.chats.insert(person.id, Chat::private(person));
        state.people.insert(person.id, person.clone());
    }

    fn learn_from(&self, update: &Update) {
        let (person, chat) = (update.person(), update.chat());
        let mut state = self.state();
        if let Some(person) = person {
            state.people.insert(person.id, person);
        }
        let Some(chat) = chat else { return };
        state.places.add_topic_of(update, &chat);
        match update.bot_status() {
            Some("kicked" | "left") => {
                let is_private = chat.kind == ChatKind::Private;
                let reason = if is_private {
                    UnreachableReason::Blocked
                } else {
                    UnreachableReason::Removed
                };
                state.unreachable.insert(chat.id, reason);
            }
            Some(_) => {
                state.unreachable.remove(&chat.id);
                state.chats.insert(chat.id, chat);
            }
            None if update.opens_chat(&chat) => {
                state.chats.insert(chat.id, chat);
            }
            None => {}
        }
    }
}

/// Records of calls and messages, and the stream of events.
impl Telegram {
    /// Records a call and takes the fault that is injected into it, in one step: a test that has
    /// seen the call and then injects a fault means the next call.
    pub(crate) fn record(&self, method: &str, params: &Value) -> Option<Fault> {
        let limit = self.setup.record_limit;
        let mut state = self.state();
        let name = method.to_lowercase();
        let fault = state.faults.of_call(&name);
        match state.calls.get_mut(&name) {
            Some(calls) => *calls += 1,
            None => {
                state.calls.insert(name, 1);
            }
        }
        if limit > 0 {
            if state.requests.len() >= limit {
                state.requests.pop_front();
            }
            let request =
                Request { method: method.to_owned(), params: params.clone(), at: Instant::now() };
            state.requests.push_back(request);
        }
        drop(state);
        self.changed();
        fault
    }

    /// Sends an event to the subscribers; it is only created if there are any.
    pub(crate) fn publish(&self, event: impl FnOnce() -> Option<ChatEvent>) {
        if self.events.receiver_count() > 0
            && let Some(event) = event()
        {
            // Fails only if the last subscriber has just been dropped.
            let _ = self.events.send(event);
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ChatEvent> {
        self.events.subscribe()
    }
}

/// Waiting and ending.
impl Telegram {
    /// Checks the state after every change until the wait is done, is impossible, or times out.
    /// The error is the reason.
    pub(crate) async fn wait<T>(
        &self,
        mut check: impl FnMut(&mut State) -> Progress<T>,
    ) -> Result<T, String> {
        let deadline = tokio::time::Instant::now() + self.setup.wait_timeout;
        let mut changes = self.watch();
        loop {
            let reason = match check(&mut self.state()) {
                Progress::Done(value) => return Ok(value),
                Progress::Impossible(reason) => return Err(reason),
                Progress::Waiting(reason) => reason,
            };
            if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
                let timeout_s = self.setup.wait_timeout.as_secs_f32();
                return Err(format!("not within {timeout_s} s: {reason}"));
            }
        }
    }

    /// Waits for a fault to be injected into `method`, and takes it.
    pub(crate) async fn next_fault(&self, method: &str) -> Fault {
        let mut changes = self.watch();
        loop {
            if let Some(fault) = self.state().faults.of_waiting_call(method) {
                return fault;
            }
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    pub(crate) fn close(&self) {
        self.state().webhook = None;
        self.closed.send_replace(true);
        self.changed();
    }

    pub(crate) async fn closed(&self) {
        // Fails only if the sender is dropped, and it lives as long as `self`.
        let _ = self.closed.subscribe().wait_for(|&closed| closed).await;
    }
}

/// The event that an update causes.
fn event_of(update: &Update) -> Option<ChatEvent> {
    let person = update.person()?;
    Some(match (update.kind(), update.bot_status()) {
        ("my_chat_member", Some("kicked")) => ChatEvent::Blocked { person },
        ("my_chat_member", Some("member")) => ChatEvent::Unblocked { person },
        ("callback_query", _) => {
            let data = update.string("data")?.to_owned();
            let message = update.content().get("message");
            let pressed = message.into_iter().flat_map(buttons_of);
            let label =
                pressed.filter(|it| it.data.as_ref() == Some(&data)).map(|it| it.text).next();
            ChatEvent::Pressed { person, data, label }
        }
        ("message", _) if update.string("text").is_some() => {
            ChatEvent::Wrote { person, text: update.string("text")?.to_owned() }
        }
        (kind, _) => ChatEvent::Other { person, kind: kind.to_owned() },
    })
}

/// A raw update, with its id if that can be read.
pub(crate) fn raw_incoming(json: String) -> Incoming {
    let fields: Map<String, Value> = serde_json::from_str(&json).unwrap_or_default();
    let id = fields.get("update_id").and_then(Value::as_i64);
    Incoming { id, kind: String::new(), ordering_key: 0, json, raw: true }
}
