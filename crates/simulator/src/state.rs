//! Telegram's data about one bot.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::fault::Faults;
use crate::files::Files;
use crate::messages::Messages;
use crate::originals::Originals;
use crate::people::{Chat, Person};
use crate::places::Places;
use crate::queue::{Queue, UPDATE_KINDS};
use crate::record::{Request, SentMessage};
use crate::refusals::Refusals;

pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) faults: Faults,
    pub(crate) people: HashMap<i64, Person>,
    pub(crate) chats: HashMap<i64, Chat>,
    pub(crate) unreachable: HashMap<i64, UnreachableReason>,
    pub(crate) webhook: Option<Webhook>,
    /// The lists of commands, by scope and language.
    pub(crate) commands: HashMap<String, Value>,
    pub(crate) places: Places,
    pub(crate) revoked: bool,
    pub(crate) poll: PollState,
    /// The last message with buttons in each chat.
    pub(crate) last_buttons: HashMap<i64, SentMessage>,
    pub(crate) messages: Messages,
    pub(crate) originals: Originals,
    pub(crate) refusals: Refusals,
    pub(crate) files: Files,
    pub(crate) requests: VecDeque<Request>,
    /// How often each method was called, by its name in lower case.
    pub(crate) calls: HashMap<String, u64>,
}

/// The current getUpdates request, and why the one before ended.
#[derive(Debug, Default)]
pub(crate) struct PollState {
    pub(crate) number: u64,
    pub(crate) ended_by: &'static str,
    /// How many requests wait for updates; more than one only for a moment.
    pub(crate) waiting: u32,
}

/// The webhook that the bot has set; dropping it ends its deliveries.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) max_connections: i64,
    pub(crate) last_error: Option<DeliveryError>,
    /// Identifies this webhook: workers of an earlier one may still be running.
    pub(crate) id: Arc<()>,
    pub(crate) _workers: JoinSet<()>,
}

/// The last failed delivery, for getWebhookInfo.
#[derive(Debug)]
pub(crate) struct DeliveryError {
    pub(crate) unix_s: i64,
    pub(crate) message: String,
}

/// Why the bot cannot write to a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnreachableReason {
    Blocked,
    Deactivated,
    Removed,
}

impl State {
    pub(crate) fn new(first_update_id: i64, every_kind_allowed: bool, record_limit: usize) -> Self {
        let mut queue = Queue::new(first_update_id);
        if every_kind_allowed {
            queue.allow(UPDATE_KINDS.iter().map(|&kind| kind.to_owned()).collect());
        }
        Self {
            queue,
            faults: Faults::default(),
            people: HashMap::new(),
            chats: HashMap::new(),
            unreachable: HashMap::new(),
            webhook: None,
            commands: HashMap::new(),
            places: Places::default(),
            revoked: false,
            poll: PollState::default(),
            last_buttons: HashMap::new(),
            messages: Messages::new(record_limit),
            originals: Originals::default(),
            refusals: Refusals::default(),
            files: Files::default(),
            requests: VecDeque::new(),
            calls: HashMap::new(),
        }
    }

    pub(crate) fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.requests.iter().filter(|request| wanted(request)).cloned().collect()
    }

    pub(crate) fn calls(&self, method: &str) -> u64 {
        self.calls.get(&method.to_lowercase()).copied().unwrap_or(0)
    }

    /// Records a message that the bot sent.
    pub(crate) fn add_message(&mut self, message: &SentMessage) {
        if !message.buttons().is_empty() {
            self.last_buttons.insert(message.chat_id, message.clone());
        }
        let is_paid = message.params.get("allow_paid_broadcast") == Some(&Value::Bool(true));
        self.messages.push(message, is_paid);
    }

    pub(crate) fn is_polled(&self) -> bool {
        self.poll.waiting > 0
    }

    /// Ends the getUpdates requests that wait, and returns the number of the next one.
    pub(crate) fn end_polls(&mut self, ended_by: &'static str) -> u64 {
        self.poll.number += 1;
        self.poll.ended_by = ended_by;
        self.poll.number
    }
}
