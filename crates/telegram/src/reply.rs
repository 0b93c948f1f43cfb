//! Sending messages, with buttons or without, and changing them.

use frankenstein::{
    ParseMode,
    methods::{EditMessageTextParams, SendMessageParams},
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyMarkup},
};

use crate::{
    action::Action,
    outbox::{Outbox, SendError},
    update::CommandMessage,
};

/// What a message shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Telegram's HTML.
    pub(crate) text: String,
    /// The buttons below, row by row.
    pub(crate) buttons: Vec<Vec<Button>>,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    pub(crate) label: String,
    pub(crate) action: Action,
}

impl From<String> for Screen {
    fn from(text: String) -> Self {
        Self { text, buttons: Vec::new() }
    }
}

impl Screen {
    fn markup(&self) -> InlineKeyboardMarkup {
        let button = |Button { label, action }: &Button| {
            InlineKeyboardButton::builder().text(label).callback_data(action.data()).build()
        };
        let rows = self.buttons.iter().map(|row| row.iter().map(button).collect());
        InlineKeyboardMarkup::builder().inline_keyboard(rows.collect::<Vec<_>>()).build()
    }
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessagePlace {
    pub(crate) chat_id: i64,
    pub(crate) message_id: i32,
}

/// Answers in the chat, and the topic, of a message.
pub(crate) async fn reply(
    outbox: &Outbox,
    to: &CommandMessage,
    screen: &Screen,
) -> Result<(), SendError> {
    let markup = screen.markup();
    let markup = (!screen.buttons.is_empty()).then_some(ReplyMarkup::InlineKeyboardMarkup(markup));
    let parameters = SendMessageParams::builder()
        .chat_id(to.chat.id)
        .maybe_message_thread_id(to.topic)
        .text(&screen.text)
        .parse_mode(ParseMode::Html)
        .link_preview_options(no_preview())
        .maybe_reply_markup(markup)
        .build();
    outbox.send(to.chat.id, &parameters).await
}

/// Changes a message of the bot's in place.
pub(crate) async fn edit(
    outbox: &Outbox,
    place: MessagePlace,
    screen: &Screen,
) -> Result<(), SendError> {
    let parameters = EditMessageTextParams::builder()
        .chat_id(place.chat_id)
        .message_id(place.message_id)
        .text(&screen.text)
        .parse_mode(ParseMode::Html)
        .link_preview_options(no_preview())
        .reply_markup(screen.markup())
        .build();
    outbox.edit(place.chat_id, &parameters).await
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions::builder().is_disabled(true).build()
}
