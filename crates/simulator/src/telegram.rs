//! What Telegram knows: everything that the server, the webhook and the tests share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, broadcast, watch};

use crate::clock::unix_now;
use crate::exchange::Exchange;
use crate::fault::{Fault, Faults};
use crate::people::{Chat, ChatKind, Person};
use crate::places::Places;
use crate::queue::{Incoming, Queue};
use crate::record::{Request, SentMessage};
use crate::updates::{Missing, Update};
use crate::webhook::Webhook;

/// How this Telegram and its bot are.
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
    pub(crate) patience: Duration,
    pub(crate) webhook_retry: Duration,
}

/// Telegram, as far as one bot is concerned.
pub(crate) struct Telegram {
    pub(crate) setup: Setup,
    /// The bot as messages show it; its name may change.
    bot: RwLock<Person>,
    state: Mutex<State>,
    message_ids: AtomicI64,
    /// By how many seconds its clock is ahead of this machine's.
    clock_ahead_s: AtomicI64,
    /// Counts changes of the state; whoever waits for one looks again after each.
    changes: watch::Sender<u64>,
    /// One permit wakes one worker of the webhook.
    pub(crate) arrivals: Notify,
    exchanges: broadcast::Sender<Exchange>,
    closed: watch::Sender<bool>,
}

pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) faults: Faults,
    pub(crate) people: HashMap<i64, Person>,
    pub(crate) chats: HashMap<i64, Chat>,
    pub(crate) out_of_reach: HashMap<i64, OutOfReach>,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) commands: HashMap<String, Value>,
    pub(crate) places: Places,
    pub(crate) revoked: bool,
    pub(crate) poll: Poll,
    pub(crate) last_buttons: HashMap<i64, SentMessage>,
    pub(crate) messages: VecDeque<SentMessage>,
    requests: VecDeque<Request>,
    calls: HashMap<String, u64>,
    /// Per chat, the last message that a wait has handed out.
    seen: HashMap<i64, i64>,
}

/// Which getUpdates is the current one, and what put an end to the one before.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    pub(crate) number: u64,
    pub(crate) ended_by: &'static str,
    /// How many are waiting for updates; more than one only for a moment.
    waiting: u32,
}

/// A getUpdates that waits, for as long as this lives.
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

/// Why the bot cannot write to a chat that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutOfReach {
    Blocked,
    Deactivated,
    Removed,
}

/// What a wait looks for, so far.
pub(crate) enum Look<T> {
    Found(T),
    NotYet(String),
    Never(String),
}

impl Telegram {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut queue = Queue::new(setup.first_update_id);
        if setup.every_kind_allowed {
            queue.allow(crate::queue::UPDATE_KINDS.iter().map(|&kind| kind.to_owned()).collect());
        }
        let state = State {
            queue,
            faults: Faults::default(),
            people: HashMap::new(),
            chats: HashMap::new(),
            out_of_reach: HashMap::new(),
            webhook: None,
            commands: HashMap::new(),
            places: Places::default(),
            revoked: false,
            poll: Poll::default(),
            last_buttons: HashMap::new(),
            messages: VecDeque::new(),
            requests: VecDeque::new(),
            calls: HashMap::new(),
            seen: HashMap::new(),
        };
        Self {
            bot: RwLock::new(setup.bot.clone()),
            state: Mutex::new(state),
            message_ids: AtomicI64::new(setup.first_message_id),
            clock_ahead_s: AtomicI64::new(0),
            changes: watch::Sender::new(0),
            arrivals: Notify::new(),
            exchanges: broadcast::Sender::new(4096),
            closed: watch::Sender::new(false),
            setup,
        }
    }

    /// What Telegram knows at the moment; whoever changes it says so with [`Self::changed`].
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

/// Updates in.
impl Telegram {
    pub(crate) fn push(&self, update: Update) -> i64 {
        let incoming = self.prepare(update);
        self.enqueue([incoming])
    }

    /// What its clock shows, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        unix_now().saturating_add(self.clock_ahead_s.load(Ordering::Relaxed))
    }

    pub(crate) fn set_clock(&self, ahead_s: i64) {
        self.clock_ahead_s.store(ahead_s, Ordering::Relaxed);
    }

    /// Completes an update and takes notice of what it says.
    pub(crate) fn prepare(&self, mut update: Update) -> Incoming {
        let bot = self.bot_json();
        let missing = Missing { now: self.now(), bot: &bot };
        update.complete(&missing, || self.next_message_id());
        self.notice(&update);
        self.tell(|| exchange_of(&update));
        update.into_incoming()
    }

    /// Queues updates at once and answers the id of the last one.
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

    /// A person opened their chat with the bot.
    pub(crate) fn introduce(&self, person: &Person) {
        let mut state = self.state();
        state.chats.insert(person.id, Chat::private(person));
        state.people.insert(person.id, person.clone());
    }

    fn notice(&self, update: &Update) {
        let (person, chat) = (update.person(), update.chat());
        let mut state = self.state();
        if let Some(person) = person {
            state.people.insert(person.id, person);
        }
        let Some(chat) = chat else { return };
        state.places.notice(update, &chat);
        match update.bot_status() {
            Some("kicked" | "left") => {
                let is_private = chat.kind == ChatKind::Private;
                let reason = if is_private { OutOfReach::Blocked } else { OutOfReach::Removed };
                state.out_of_reach.insert(chat.id, reason);
            }
            Some(_) => {
                state.out_of_reach.remove(&chat.id);
                state.chats.insert(chat.id, chat);
            }
            None if update.opens_chat(&chat) => {
                state.chats.insert(chat.id, chat);
            }
            None => {}
        }
    }
}

/// Records of what the bot did.
impl Telegram {
    /// Notes a call, and answers what is to go wrong with it: whoever has seen the call and then
    /// makes something go wrong means the next one.
    pub(crate) fn record(&self, method: &str, params: &Value) -> Option<Fault> {
        let limit = self.setup.record_limit;
        let mut state = self.state();
        let name = method.to_lowercase();
        let fault = state.faults.strike(&name);
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

    pub(crate) fn record_message(&self, state: &mut State, message: &SentMessage) {
        if !message.buttons().is_empty() {
            state.last_buttons.insert(message.chat_id, message.clone());
        }
        if self.setup.record_limit > 0 {
            if state.messages.len() >= self.setup.record_limit {
                state.messages.pop_front();
            }
            state.messages.push_back(message.clone());
        }
    }

    /// Tells the subscribers of an exchange; it is only made when there are any.
    pub(crate) fn tell(&self, exchange: impl FnOnce() -> Option<Exchange>) {
        if self.exchanges.receiver_count() > 0
            && let Some(exchange) = exchange()
        {
            // Fails only when the last subscriber has just gone.
            let _ = self.exchanges.send(exchange);
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Exchange> {
        self.exchanges.subscribe()
    }
}

impl State {
    pub(crate) fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.requests.iter().filter(|request| wanted(request)).cloned().collect()
    }

    pub(crate) fn forget_requests(&mut self) {
        self.requests.clear();
    }

    pub(crate) fn calls(&self, method: &str) -> u64 {
        self.calls.get(&method.to_lowercase()).copied().unwrap_or(0)
    }

    pub(crate) fn message(&self, chat_id: i64, message_id: i64) -> Option<&SentMessage> {
        self.messages.iter().rfind(|m| m.chat_id == chat_id && m.message_id == message_id)
    }

    pub(crate) fn message_mut(
        &mut self,
        chat_id: i64,
        message_id: i64,
    ) -> Option<&mut SentMessage> {
        self.messages.iter_mut().rfind(|m| m.chat_id == chat_id && m.message_id == message_id)
    }

    /// The first message to the chat that no earlier call answered.
    pub(crate) fn next_unseen(&mut self, chat_id: i64) -> Option<SentMessage> {
        let seen = self.seen.get(&chat_id).copied().unwrap_or(0);
        let next =
            self.messages.iter().find(|m| m.chat_id == chat_id && m.message_id > seen)?.clone();
        self.seen.insert(chat_id, next.message_id);
        Some(next)
    }

    pub(crate) fn is_polled(&self) -> bool {
        self.poll.waiting > 0
    }

    pub(crate) fn end_polls(&mut self, ended_by: &'static str) -> u64 {
        self.poll.number += 1;
        self.poll.ended_by = ended_by;
        self.poll.number
    }
}

/// Waiting and ending.
impl Telegram {
    /// Looks again after every change until something is found, nothing can be found, or
    /// patience is over; the error says what was there instead.
    pub(crate) async fn wait<T>(
        &self,
        mut look: impl FnMut(&mut State) -> Look<T>,
    ) -> Result<T, String> {
        let deadline = tokio::time::Instant::now() + self.setup.patience;
        let mut changes = self.watch();
        loop {
            let instead = match look(&mut self.state()) {
                Look::Found(found) => return Ok(found),
                Look::Never(reason) => return Err(reason),
                Look::NotYet(instead) => instead,
            };
            if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
                let patience_s = self.setup.patience.as_secs_f32();
                return Err(format!("not within {patience_s} s: {instead}"));
            }
        }
    }

    /// Takes the fault that strikes the next call of `method`, as soon as there is one.
    pub(crate) async fn struck(&self, method: &str) -> Fault {
        let mut changes = self.watch();
        loop {
            if let Some(fault) = self.state().faults.strike(method) {
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
        // Fails only when the sender is gone, and it lives as long as `self`.
        let _ = self.closed.subscribe().wait_for(|&closed| closed).await;
    }
}

/// What an update means to somebody who watches.
fn exchange_of(update: &Update) -> Option<Exchange> {
    let person = update.person()?;
    Some(match (update.kind(), update.bot_status()) {
        ("my_chat_member", Some("kicked")) => Exchange::Blocked { person },
        ("my_chat_member", Some("member")) => Exchange::Unblocked { person },
        ("callback_query", _) => {
            Exchange::Pressed { person, data: update.string("data")?.to_owned() }
        }
        ("message", _) if update.string("text").is_some() => {
            Exchange::Wrote { person, text: update.string("text")?.to_owned() }
        }
        (kind, _) => Exchange::Did { person, kind: kind.to_owned() },
    })
}

/// Reads a raw update as far as it can be read: its id and its kind.
pub(crate) fn raw_incoming(json: String) -> Incoming {
    let fields: Map<String, Value> = serde_json::from_str(&json).unwrap_or_default();
    let id = fields.get("update_id").and_then(Value::as_i64);
    Incoming { id, kind: String::new(), lane: 0, json, raw: true }
}
