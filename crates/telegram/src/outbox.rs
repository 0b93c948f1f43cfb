//! The outbox: every message goes through it, as fast as Telegram allows and no faster.

pub(crate) mod bucket;
mod gate;
mod migrations;
mod refusal;

use std::{sync::Arc, time::Duration};

use frankenstein::{
    ParseMode,
    methods::AnswerCallbackQueryParams,
    types::{InlineKeyboardMarkup, LinkPreviewOptions},
};
use serde::{Serialize, de::IgnoredAny};
use tokio::time::sleep;

pub use refusal::SendError;

use crate::{
    backoff::Backoff,
    client::{CallError, Client},
    destination::{Destination, MessagePlace, Migration},
};
use gate::Gate;
use refusal::is_unmodified;

/// How often the answer to a button is tried again where that may help.
const RETRIES: u32 = 3;
/// How long it makes sense to wait with the answer to a button: clients show that they wait for it.
const LONGEST_SPIN: Duration = Duration::from_secs(10);

/// What a message shows, as the Bot API takes it.
#[derive(Debug, Serialize)]
pub struct Content<'a> {
    /// The text.
    pub text: &'a str,
    /// How the text is marked up.
    pub parse_mode: ParseMode,
    /// Whether links are previewed.
    pub link_preview_options: LinkPreviewOptions,
    /// The buttons below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<InlineKeyboardMarkup>,
}

/// The parameters of sendMessage. Not frankenstein's, which hold ids of 32 bits only.
#[derive(Serialize)]
struct SendMessage<'a> {
    #[serde(flatten)]
    to: Destination,
    #[serde(flatten)]
    content: &'a Content<'a>,
}

/// The parameters of editMessageText; see [`SendMessage`].
#[derive(Serialize)]
struct EditMessageText<'a> {
    chat_id: i64,
    message_id: i64,
    #[serde(flatten)]
    content: &'a Content<'a>,
}

/// Sends messages, in order within a chat. Cheap to clone.
///
/// It keeps Telegram's limits: in all, for each private chat and for each group. What Telegram asks
/// to wait for is waited out, and what may pass is tried again a few times; a message whose answer
/// was lost may so be sent twice.
///
/// A message to a group that became a supergroup goes to the supergroup, with the limits and in the
/// order of that, and one to a topic that Telegram refuses goes to the chat as a whole.
#[derive(Clone)]
pub struct Outbox {
    client: Client,
    gate: Arc<Gate>,
}

impl Outbox {
    /// An outbox that sends up to `rate` messages a second in all; 0 lifts this limit and those of
    /// each chat.
    pub(crate) fn new(client: Client, rate: u32) -> Self {
        Self { client, gate: Arc::new(Gate::new(rate)) }
    }

    /// Sends a message, after those before it to the same chat; answers once it is sent or never
    /// will be.
    ///
    /// # Errors
    /// [`SendError::Unreachable`] where nothing can be sent to the person any more, and others where
    /// this message could not be sent.
    pub async fn send(&self, to: Destination, content: &Content<'_>) -> Result<(), SendError> {
        let send = async |to| {
            let message = SendMessage { to, content };
            self.client.call::<IgnoredAny>("sendMessage", &message).await
        };
        count(self.gate.send(to, send).await)
    }

    /// Changes a message, as [`Outbox::send`] sends one. One that is so already is fine.
    ///
    /// # Errors
    /// As of [`Outbox::send`].
    pub async fn edit(&self, place: MessagePlace, content: &Content<'_>) -> Result<(), SendError> {
        let MessagePlace { destination: Destination { chat_id, .. }, message_id } = place;
        let message = EditMessageText { chat_id, message_id, content };
        let edit = || self.client.call::<IgnoredAny>("editMessageText", &message);
        match count(self.gate.change(chat_id, edit).await) {
            Err(SendError::Call(error)) if is_unmodified(&error) => Ok(()),
            result => result,
        }
    }

    /// Answers the press of a button, once: it waits no longer than the person who pressed it, and
    /// no more than the message below which it stands.
    ///
    /// # Errors
    /// When Telegram does not take it, or has not said so.
    pub async fn answer(&self, answer: &AnswerCallbackQueryParams) -> Result<(), CallError> {
        let mut retries = RETRIES;
        let mut backoff = Backoff::new(fastrand::Rng::new());
        loop {
            let call = self.client.call::<IgnoredAny>("answerCallbackQuery", answer);
            match call.await {
                // It was not taken, for certain; where there was no answer, it may have been.
                Err(error @ CallError::Refused { .. }) if error.may_pass() && retries > 0 => {
                    let wait = error.retry_after().unwrap_or_else(|| backoff.next());
                    if wait > LONGEST_SPIN {
                        return Err(error);
                    }
                    retries -= 1;
                    sleep(wait).await;
                }
                result => return result.map(drop),
            }
        }
    }

    /// Notes that a group became a supergroup: what is sent to the one goes to the other.
    pub(crate) fn learn(&self, migration: Migration) {
        self.gate.learn(migration);
    }

    /// Where a chat is now, if it is one that became a supergroup.
    pub(crate) fn current_chat(&self, chat_id: i64) -> i64 {
        self.gate.current(chat_id)
    }
}

/// Counts what became of a message.
fn count(sent: Result<IgnoredAny, SendError>) -> Result<(), SendError> {
    let outcome = match &sent {
        Ok(_) => "sent",
        Err(SendError::Unreachable { .. }) => "unreachable",
        Err(SendError::Held { .. }) => "held",
        Err(SendError::Call(error)) if is_unmodified(error) => "unmodified",
        Err(SendError::Call(_)) => "failed",
    };
    metrics::counter!("rollcall_sends_total", "outcome" => outcome).increment(1);
    sent.map(drop)
}
