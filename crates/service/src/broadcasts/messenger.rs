//! What a broadcast needs of a messenger: the Telegram adapter is one.

use std::sync::Arc;

use async_trait::async_trait;
use rollcall_domain::{Buttons, LabelName, Language, PictureFile, TelegramId, UnreachableReason};
use tokio::sync::watch;

/// Sends the messages of broadcasts.
pub trait Messenger: Send + Sync {
    /// A way to send the messages of one broadcast, at most `rate` a second; `None` for as many as there
    /// may be. `is_paid` is whether the bot pays Stars for more.
    fn lane(&self, rate: Option<u32>, is_paid: bool) -> Arc<dyn Lane>;
}

/// Sends the messages of one broadcast, within its rate.
#[async_trait]
pub trait Lane: Send + Sync {
    /// How many messages a second it sends at most; `None` without a limit.
    fn rate(&self) -> Option<u32>;

    /// Sends a message to a user in its turn. Once `stop` is true, a message that waits for its turn is
    /// not sent.
    async fn send(
        &self,
        to: TelegramId,
        message: &OutgoingMessage,
        stop: watch::Receiver<bool>,
    ) -> Delivery;
}

/// A message to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// What is sent.
    pub content: OutgoingContent,
    /// The button in a last row, which opts out of the broadcast's category.
    pub opt_out: Option<OptOutButton>,
    /// The broadcast that presses of its buttons count for; `None` for a test.
    pub broadcast: Option<i64>,
}

/// A button that opts its user out of a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOutButton {
    /// The category.
    pub category: LabelName,
    /// The language of the button.
    pub language: Language,
}

/// What a message to one user contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingContent {
    /// A text.
    Text {
        /// Telegram's HTML.
        html: String,
        /// The buttons below.
        buttons: Buttons,
        /// The picture above; the text is its caption then.
        picture: Option<OutgoingPicture>,
    },
    /// A copy of another message.
    Copy {
        /// The chat with the message.
        from_chat_id: i64,
        /// The message.
        message_id: i64,
        /// The buttons below, as the Bot API's JSON.
        reply_markup: Option<String>,
    },
}

/// How a picture is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingPicture {
    /// By the `file_id` that the bot knows it by.
    FileId(String),
    /// As a file, of which Telegram makes one with a `file_id`.
    Upload(Arc<PictureFile>),
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Telegram took it; its number in the user's chat.
    Sent(i64),
    /// Telegram took it, and made a file of its picture.
    Uploaded {
        /// The message's number in the user's chat.
        message_id: i64,
        /// The `file_id` of the picture.
        file_id: String,
    },
    /// The bot cannot write to this user.
    Unreachable(UnreachableReason),
    /// Telegram refused it for this user, for this reason.
    Failed(String),
    /// Telegram refuses this content for every user, for this reason. The message was not sent.
    Content(String),
    /// Telegram does not know its picture, for this reason. The message was not sent.
    LostPicture(String),
    /// Telegram may have taken it: its response was lost.
    Unknown,
    /// It was certainly not sent, and can be sent later.
    NotYet,
}
