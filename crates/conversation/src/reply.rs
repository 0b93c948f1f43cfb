//! Sends and edits messages, with or without buttons.

use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions},
};

use rollcall_telegram::{Content, Destination, MessagePlace, Outbox, SendError};

use crate::action::Action;

/// The content of a message.
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
    fn content(&self) -> Content<'_> {
        Content {
            text: &self.text,
            parse_mode: ParseMode::Html,
            link_preview_options: LinkPreviewOptions::builder().is_disabled(true).build(),
            reply_markup: (!self.buttons.is_empty()).then(|| self.markup()),
        }
    }

    fn markup(&self) -> InlineKeyboardMarkup {
        let button = |Button { label, action }: &Button| {
            InlineKeyboardButton::builder().text(label).callback_data(action.data()).build()
        };
        let rows = self.buttons.iter().map(|row| row.iter().map(button).collect());
        InlineKeyboardMarkup::builder().inline_keyboard(rows.collect::<Vec<_>>()).build()
    }
}

/// Sends a message.
pub(crate) async fn send(
    outbox: &Outbox,
    to: Destination,
    screen: &Screen,
) -> Result<(), SendError> {
    outbox.send(to, &screen.content()).await
}

/// Edits a message of the bot, or sends a new one if it no longer exists.
pub(crate) async fn edit(
    outbox: &Outbox,
    place: MessagePlace,
    screen: &Screen,
) -> Result<(), SendError> {
    let content = screen.content();
    match outbox.edit(place, &content).await {
        Err(error) if error.is_of_lost_message() => outbox.send(place.destination, &content).await,
        result => result,
    }
}
