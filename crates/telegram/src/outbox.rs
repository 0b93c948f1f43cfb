//! The outbox: sends every message, as fast as Telegram allows and no faster.

pub(crate) mod bucket;
mod bulk;
mod buttons;
mod gate;
mod migrations;
mod params;
mod send_error;

use std::{sync::Arc, time::Duration};

use frankenstein::methods::AnswerCallbackQueryParams;
use rollcall_domain::PictureFile;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;
use tokio::time::sleep;

pub(crate) use bulk::is_of_lost_file;
pub use bulk::{BulkError, BulkPace, bulk_rate};
pub use buttons::DataButton;
pub use params::{BulkOptions, Content, Original};
pub use send_error::SendError;
pub(crate) use send_error::unreachable_reason;

use crate::{
    client::{CallError, Client, Form},
    destination::{Destination, MessagePlace, Migration},
    retry::backoff,
};
use bulk::{BulkTurns, Route};
use buttons::{EditMessageReplyMarkup, replaced};
use gate::Gate;
use params::{CopyMessage, EditMessageText, SendDocument, SendMessage, SendPhoto};
use send_error::is_unmodified;

/// How often the answer to a button is retried.
const RETRIES: u32 = 3;
/// How long the answer to a button may take: until then, clients show a spinner.
const LONGEST_SPIN: Duration = Duration::from_secs(10);

/// Sends messages, in order within a chat. Cheap to clone.
///
/// It keeps Telegram's limits: in all, for each private chat and for each group. It waits as long as
/// Telegram asks, and retries transient errors a few times. If Telegram's response is lost, a message
/// may be sent twice, except one of a broadcast.
///
/// A message to a group that became a supergroup goes to the supergroup, and follows its limits and
/// its order. A message to a topic that Telegram refuses goes to the whole chat.
#[derive(Clone)]
pub struct Outbox {
    client: Client,
    gate: Arc<Gate>,
    bulk: Arc<BulkTurns>,
}

/// A message of a broadcast.
#[derive(Clone, Copy, Debug)]
pub enum BulkMessage<'a> {
    /// A text.
    Text(&'a Content<'a>),
    /// A picture that Telegram already has, by its `file_id`, with a caption.
    Photo(&'a str, &'a Content<'a>),
    /// A picture as a file, with a caption.
    Upload(&'a PictureFile, &'a Content<'a>),
    /// A copy of a finished message.
    Copy(&'a Original),
}

/// A file to send.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its name, without quotes.
    pub name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
}

/// A message of a broadcast that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    /// Its number in the chat.
    pub message_id: i64,
    /// The `file_id` of its picture, if it has one.
    pub file_id: Option<String>,
}

/// The result of a method that sends a message, as far as it is used.
#[derive(Deserialize)]
struct Sent {
    message_id: i64,
    /// The picture in several sizes.
    #[serde(default)]
    photo: Vec<PhotoSize>,
}

#[derive(Deserialize)]
struct PhotoSize {
    file_id: String,
    width: i64,
    height: i64,
}

impl From<Sent> for SentMessage {
    fn from(Sent { message_id, photo }: Sent) -> Self {
        let largest = photo.into_iter().max_by_key(|it| it.width.saturating_mul(it.height));
        Self { message_id, file_id: largest.map(|it| it.file_id) }
    }
}

impl Outbox {
    /// An outbox that sends up to `rate` messages a second in all; 0 disables this limit and those of
    /// the chats.
    pub(crate) fn new(client: Client, rate: u32) -> Self {
        let gate = Arc::new(Gate::new(rate));
        let bulk = Arc::new(BulkTurns::new(gate.clone(), rate));
        Self { client, gate, bulk }
    }

    /// Sends a message after earlier ones to the same chat. Returns once it is sent or has failed.
    ///
    /// # Errors
    /// [`SendError::Unreachable`] if the user no longer accepts messages; other errors if this message
    /// could not be sent.
    pub async fn send(&self, to: Destination, content: &Content<'_>) -> Result<(), SendError> {
        let send = async |to| {
            let message = SendMessage::new(to, content);
            self.client.call::<IgnoredAny>("sendMessage", &message).await
        };
        count(self.gate.send(to, send).await)
    }

    /// Sends a file with a caption, in the same order and within the same limits as [`Outbox::send`].
    ///
    /// # Errors
    /// Those of [`Outbox::send`].
    pub async fn send_document(
        &self,
        to: Destination,
        document: Document<'_>,
        caption: &Content<'_>,
    ) -> Result<(), SendError> {
        let Document { name, media_type, content } = document;
        let send = |to| {
            let parameters = SendDocument::new(to, caption).as_map();
            let boundary = format!("{:032x}", fastrand::u128(..));
            let form = Form::new(&parameters, boundary).file("document", name, media_type, content);
            self.client.upload::<IgnoredAny>("sendDocument", form)
        };
        count(self.gate.send(to, send).await)
    }

    /// Edits a message, in the same order and within the same limits as [`Outbox::send`]. If nothing
    /// changes, that is a success.
    ///
    /// # Errors
    /// Those of [`Outbox::send`].
    pub async fn edit(&self, place: MessagePlace, content: &Content<'_>) -> Result<(), SendError> {
        let message = EditMessageText::new(place, content);
        let edit = || self.client.call::<IgnoredAny>("editMessageText", &message);
        match count(self.gate.change(place.destination.chat_id, edit).await) {
            Err(SendError::Call(error)) if is_unmodified(&error) => Ok(()),
            result => result,
        }
    }

    /// Replaces the button with some data below a message, and leaves the message and its other buttons,
    /// `buttons` in the Bot API's JSON, as they are. If the message is gone, nothing happens.
    ///
    /// # Errors
    /// Those of [`Outbox::send`].
    pub async fn replace_button(
        &self,
        place: MessagePlace,
        buttons: &str,
        data: &str,
        new: &DataButton,
    ) -> Result<(), SendError> {
        let Some(markup) = replaced(buttons, data, new) else { return Ok(()) };
        let message = EditMessageReplyMarkup::new(place, &markup);
        let edit = || self.client.call::<IgnoredAny>("editMessageReplyMarkup", &message);
        match count(self.gate.change(place.destination.chat_id, edit).await) {
            Err(SendError::Call(error)) if is_unmodified(&error) => Ok(()),
            Err(error) if error.is_of_lost_message() => Ok(()),
            result => result,
        }
    }

    /// How many messages of broadcasts a second it sends at most; `None` without limits.
    pub fn bulk_rate(&self) -> Option<u32> {
        self.bulk.rate()
    }

    /// Sends a message of a broadcast to a private chat.
    ///
    /// All other messages go first: it gets what they leave, and at most five sixths of the rate of the
    /// outbox. With `allow_paid_broadcast`, or an outbox without limits, only the `pace` of the broadcast
    /// bounds it.
    ///
    /// It is sent at most once. If Telegram asks for a short wait, or has certainly not taken the
    /// message, it is sent again after that wait. Until a request has begun, `stop` ends the waiting.
    /// Dropping the future may interrupt a request, whose outcome is then unknown.
    ///
    /// # Errors
    /// [`BulkError::Unknown`] if it may have been sent. With all other errors it was not sent.
    pub async fn send_bulk(
        &self,
        chat_id: i64,
        message: BulkMessage<'_>,
        options: BulkOptions,
        pace: &BulkPace,
        stop: impl Future<Output = ()>,
    ) -> Result<SentMessage, BulkError> {
        let route = Route { chat_id, pace, is_paid: options.allow_paid_broadcast };
        let sent = match message {
            BulkMessage::Text(content) => {
                let message = SendMessage::bulk(chat_id, content, options);
                self.call_bulk(&route, "sendMessage", &message, stop).await
            }
            BulkMessage::Photo(file_id, caption) => {
                let photo = SendPhoto::bulk(chat_id, Some(file_id), caption, options);
                self.call_bulk(&route, "sendPhoto", &photo, stop).await
            }
            BulkMessage::Upload(picture, caption) => {
                let parameters = SendPhoto::bulk(chat_id, None, caption, options).as_map();
                let kind = picture.shape().kind;
                let name = format!("picture.{}", kind.name());
                let send = || {
                    let boundary = format!("{:032x}", fastrand::u128(..));
                    let form = Form::new(&parameters, boundary);
                    let form = form.file("photo", &name, kind.media_type(), picture.content());
                    self.client.upload("sendPhoto", form)
                };
                self.send_bulk_by(&route, send, stop).await
            }
            BulkMessage::Copy(original) => {
                let copy = CopyMessage::bulk(chat_id, original, options);
                self.call_bulk(&route, "copyMessage", &copy, stop).await
            }
        };
        count_bulk(&sent);
        sent
    }

    async fn call_bulk(
        &self,
        route: &Route<'_>,
        method: &'static str,
        message: &impl Serialize,
        stop: impl Future<Output = ()>,
    ) -> Result<SentMessage, BulkError> {
        self.send_bulk_by(route, || self.client.call(method, message), stop).await
    }

    async fn send_bulk_by<F>(
        &self,
        route: &Route<'_>,
        send: impl Fn() -> F,
        stop: impl Future<Output = ()>,
    ) -> Result<SentMessage, BulkError>
    where
        F: Future<Output = Result<Sent, CallError>>,
    {
        let probe = async || self.client.call::<IgnoredAny>("getMe", &json!({})).await.map(drop);
        Ok(self.bulk.send(route, send, probe, stop).await?.into())
    }

    /// Answers the press of a button, without waiting for messages to the chat, and for at most ten
    /// seconds.
    ///
    /// # Errors
    /// If Telegram refused it, or did not respond.
    pub async fn answer(&self, answer: &AnswerCallbackQueryParams) -> Result<(), CallError> {
        let mut retries = RETRIES;
        let mut backoff = backoff();
        loop {
            let call = self.client.call::<IgnoredAny>("answerCallbackQuery", answer);
            match call.await {
                // Telegram has certainly not taken it. Without a response it may have, so there is no retry.
                Err(error @ CallError::Refused { .. }) if error.is_transient() && retries > 0 => {
                    let wait = error.retry_after().unwrap_or_else(|| backoff.next(fastrand::f64()));
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

    /// Waits for the turn of a call of the bot behind that sends something: after our own messages, and
    /// before broadcasts. Without limits, there is no wait.
    ///
    /// # Errors
    /// If the turn would come too late: after how long to try again.
    pub(crate) async fn pass(&self, chat_id: Option<i64>) -> Result<(), Duration> {
        self.gate.pass(chat_id).await
    }

    /// Notes that Telegram refused a call of the bot behind because it asks to wait.
    pub(crate) fn note_wait(&self, chat_id: Option<i64>, wait: Duration) {
        metrics::counter!("rollcall_send_waits_total").increment(1);
        self.gate.refused_passing(chat_id, wait);
    }

    /// Notes that a group became a supergroup: messages to the group go to the supergroup.
    pub(crate) fn learn(&self, migration: Migration) {
        self.gate.learn(migration);
    }

    /// The supergroup that a group has become, or the chat itself.
    pub(crate) fn current_chat(&self, chat_id: i64) -> i64 {
        self.gate.current(chat_id)
    }
}

/// Counts a message by its outcome.
fn count(sent: Result<IgnoredAny, SendError>) -> Result<(), SendError> {
    count_as(match &sent {
        Ok(_) => "sent",
        Err(SendError::Unreachable { .. }) => "unreachable",
        Err(SendError::Held { .. }) => "held",
        Err(SendError::Call(error)) if is_unmodified(error) => "unmodified",
        Err(SendError::Call(_)) => "failed",
    });
    sent.map(drop)
}

/// Counts a message of a broadcast by its outcome.
fn count_bulk(sent: &Result<SentMessage, BulkError>) {
    count_as(match sent {
        Ok(_) => "sent",
        Err(BulkError::Unreachable { .. }) => "unreachable",
        Err(BulkError::Later { .. }) => "held",
        Err(BulkError::Unknown(_)) => "unknown",
        Err(BulkError::Content(_) | BulkError::Bot(_) | BulkError::Refused(_)) => "failed",
        // As if it had not been asked for.
        Err(BulkError::Stopped) => return,
    });
}

fn count_as(outcome: &'static str) {
    metrics::counter!("rollcall_sends_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
