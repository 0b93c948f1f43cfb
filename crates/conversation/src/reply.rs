//! Sends and edits messages, with or without buttons.

use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, WebAppInfo},
};

use rollcall_service::RequestId;
use rollcall_telegram::{Content, Destination, Document, MessagePlace, Outbox, SendError};

use crate::action::Action;

/// The content of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Telegram's HTML.
    pub(crate) text: String,
    /// The buttons below, row by row.
    pub(crate) buttons: Vec<Vec<Button>>,
    /// A last row of buttons that open pages.
    pub(crate) pages: Vec<PageButton>,
    /// A file, of which the text is the caption. It can be sent, not edited.
    pub(crate) file: Option<File>,
}

/// A file with a user's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) content: Vec<u8>,
    /// The request for it.
    pub(crate) request: RequestId,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    pub(crate) label: String,
    pub(crate) action: Action,
}

/// A button that opens a page, whose address begins with https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageButton {
    pub(crate) label: String,
    pub(crate) url: String,
    /// Whether the page opens as a Mini App, instead of in the browser.
    pub(crate) is_mini_app: bool,
}

impl From<String> for Screen {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl Screen {
    fn content(&self) -> Content<'_> {
        Content {
            text: &self.text,
            parse_mode: ParseMode::Html,
            link_preview_options: LinkPreviewOptions::builder().is_disabled(true).build(),
            reply_markup: self.markup(),
        }
    }

    fn markup(&self) -> Option<InlineKeyboardMarkup> {
        let button = |Button { label, action }: &Button| {
            InlineKeyboardButton::builder().text(label).callback_data(action.data()).build()
        };
        let page = |PageButton { label, url, is_mini_app }: &PageButton| {
            let button = InlineKeyboardButton::builder().text(label);
            match is_mini_app {
                true => button.web_app(WebAppInfo { url: url.clone() }).build(),
                false => button.url(url).build(),
            }
        };
        let rows = self.buttons.iter().map(|row| row.iter().map(button).collect::<Vec<_>>());
        let pages = self.pages.iter().map(page).collect();
        let rows: Vec<_> = rows.chain([pages]).filter(|row| !row.is_empty()).collect();
        (!rows.is_empty()).then(|| InlineKeyboardMarkup::builder().inline_keyboard(rows).build())
    }
}

/// Sends a message.
pub(crate) async fn send(
    outbox: &Outbox,
    to: Destination,
    screen: &Screen,
) -> Result<(), SendError> {
    match &screen.file {
        None => outbox.send(to, &screen.content()).await,
        Some(File { name, content, .. }) => {
            let document = Document { name, media_type: "application/json", content };
            outbox.send_document(to, document, &screen.content()).await
        }
    }
}

/// Edits a message of the bot.
pub(crate) async fn edit_only(
    outbox: &Outbox,
    place: MessagePlace,
    screen: &Screen,
) -> Result<(), SendError> {
    outbox.edit(place, &screen.content()).await
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
