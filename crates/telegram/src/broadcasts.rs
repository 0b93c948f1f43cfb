//! Broadcasts through the outbox.

use std::sync::Arc;

use async_trait::async_trait;
use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions},
};
use rollcall_domain::{BroadcastButton, Button, ButtonTarget, Buttons, TelegramId};
use rollcall_service::{
    Delivery, Lane, Messenger, OptOutButton, OutgoingContent, OutgoingMessage, OutgoingPicture,
    PAID_RATE,
};
use tokio::sync::watch;

use crate::{
    client::CallError,
    outbox::{
        BulkError, BulkMessage, BulkOptions, BulkPace, Content, DataButton, Original, Outbox,
        SentMessage, is_of_lost_file,
    },
};

/// Sends the messages of broadcasts through an outbox.
pub struct OutboxMessenger {
    outbox: Outbox,
    /// The bot's username, for buttons that lead to it.
    username: String,
    buttons: ButtonData,
}

/// The buttons that the bot answers.
#[derive(Clone, Copy, Debug)]
pub struct ButtonData {
    /// The text and the data of an opt-out button.
    pub opt_out: fn(&OptOutButton) -> DataButton,
    /// The data of a button that counts presses. Those of a test are for broadcast 0.
    pub press: fn(BroadcastButton) -> String,
}

impl OutboxMessenger {
    /// Sends through `outbox`, for the bot with this username (without `@`), with these buttons.
    pub fn new(outbox: Outbox, username: String, buttons: ButtonData) -> Self {
        Self { outbox, username, buttons }
    }
}

impl Messenger for OutboxMessenger {
    fn lane(&self, rate: Option<u32>, is_paid: bool) -> Arc<dyn Lane> {
        let rate = if is_paid { Some(rate.unwrap_or(PAID_RATE).min(PAID_RATE)) } else { rate };
        let free = self.outbox.bulk_rate().filter(|_| !is_paid);
        Arc::new(OutboxLane {
            outbox: self.outbox.clone(),
            username: self.username.clone(),
            buttons: self.buttons,
            pace: BulkPace::new(rate.unwrap_or_default()),
            rate: rate.into_iter().chain(free).min(),
            options: BulkOptions { allow_paid_broadcast: is_paid, ..BulkOptions::default() },
        })
    }
}

/// The way of one broadcast through the outbox.
struct OutboxLane {
    outbox: Outbox,
    username: String,
    buttons: ButtonData,
    pace: BulkPace,
    rate: Option<u32>,
    options: BulkOptions,
}

#[async_trait]
impl Lane for OutboxLane {
    fn rate(&self) -> Option<u32> {
        self.rate
    }

    async fn send(
        &self,
        to: TelegramId,
        message: &OutgoingMessage,
        mut stop: watch::Receiver<bool>,
    ) -> Delivery {
        let stopped = async {
            // The sender is dropped only together with this message.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (chat_id, options) = (to.get(), self.options);
        let opt_out = message.opt_out.as_ref().map(self.buttons.opt_out);
        let sent = match &message.content {
            OutgoingContent::Text { html, buttons, picture } => {
                let press = self.buttons.press;
                let rows = rows(buttons, &self.username, message.broadcast, press);
                let content = Content {
                    text: html,
                    parse_mode: ParseMode::Html,
                    link_preview_options: LinkPreviewOptions::builder().build(),
                    reply_markup: keyboard(rows, opt_out),
                };
                let message = match picture {
                    None => BulkMessage::Text(&content),
                    Some(OutgoingPicture::FileId(file_id)) => BulkMessage::Photo(file_id, &content),
                    Some(OutgoingPicture::Upload(file)) => BulkMessage::Upload(file, &content),
                };
                self.outbox.send_bulk(chat_id, message, options, &self.pace, stopped).await
            }
            OutgoingContent::Copy { from_chat_id, message_id, reply_markup } => {
                let markup = reply_markup.as_deref().map(serde_json::from_str).transpose();
                let Ok(markup) = markup else {
                    return Delivery::Content("the buttons cannot be read".to_owned());
                };
                let rows = markup.map(|it: InlineKeyboardMarkup| it.inline_keyboard);
                let reply_markup = keyboard(rows.unwrap_or_default(), opt_out);
                let original =
                    Original { chat_id: *from_chat_id, message_id: *message_id, reply_markup };
                let message = BulkMessage::Copy(&original);
                self.outbox.send_bulk(chat_id, message, options, &self.pace, stopped).await
            }
        };
        match sent {
            Ok(SentMessage { message_id, file_id }) => match (&message.content, file_id) {
                (
                    OutgoingContent::Text { picture: Some(OutgoingPicture::Upload(_)), .. },
                    Some(file_id),
                ) => Delivery::Uploaded { message_id, file_id },
                _ => Delivery::Sent(message_id),
            },
            Err(BulkError::Unreachable { cause, .. }) => Delivery::Unreachable(cause),
            Err(BulkError::Content(error)) if is_of_lost_file(&error) => {
                Delivery::LostPicture(reason(&error))
            }
            Err(BulkError::Content(error)) => Delivery::Content(reason(&error)),
            Err(BulkError::Refused(error)) => Delivery::Failed(reason(&error)),
            Err(BulkError::Unknown(_)) => Delivery::Unknown,
            Err(BulkError::Bot(error)) => {
                log::warn!(error:%; "Telegram lets the bot send no such message");
                Delivery::NotYet
            }
            Err(BulkError::Later { .. } | BulkError::Stopped) => Delivery::NotYet,
        }
    }
}

/// Rows of buttons. Those that count presses name the broadcast, if there is one.
fn rows(
    buttons: &Buttons,
    username: &str,
    broadcast: Option<i64>,
    press: fn(BroadcastButton) -> String,
) -> Vec<Vec<InlineKeyboardButton>> {
    let mut numbers = 1..;
    let mut button = |it: &Button| {
        let number = numbers.next().unwrap_or_default();
        let named = |broadcast| BroadcastButton { broadcast, button: number };
        let target = match (it.target(), broadcast) {
            (ButtonTarget::Start(payload), Some(broadcast)) => {
                ButtonTarget::Start(named(broadcast).in_payload(payload))
            }
            (target, _) => target.clone(),
        };
        let url = target.url(username);
        let data = url.is_none().then(|| press(named(broadcast.unwrap_or_default())));
        let button = InlineKeyboardButton::builder().text(it.text());
        button.maybe_url(url).maybe_callback_data(data).build()
    };
    buttons.rows().iter().map(|row| row.iter().map(&mut button).collect()).collect()
}

/// Telegram's words, without what it quotes.
fn reason(error: &CallError) -> String {
    match error {
        CallError::Refused { description, .. } => description.clone(),
        error => error.to_string(),
    }
}

/// Rows of buttons, with the opt-out button below.
fn keyboard(
    mut rows: Vec<Vec<InlineKeyboardButton>>,
    opt_out: Option<DataButton>,
) -> Option<InlineKeyboardMarkup> {
    rows.extend(opt_out.map(|DataButton { text, data }| {
        vec![InlineKeyboardButton::builder().text(text).callback_data(data).build()]
    }));
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::builder().inline_keyboard(rows).build())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn press(button: BroadcastButton) -> String {
        format!("1/c/{button}")
    }

    #[test]
    fn buttons_that_count_presses_name_the_broadcast() {
        let buttons: Buttons =
            "Shop = https://example.org | Go = /start go\nYes = press:Great!".parse().unwrap();
        let shown = |broadcast| serde_json::to_value(rows(&buttons, "bot", broadcast, press));
        let with = |start: &str, data: &str| {
            json!([
                [
                    { "text": "Shop", "url": "https://example.org" },
                    { "text": "Go", "url": format!("https://t.me/bot?start={start}") },
                ],
                [{ "text": "Yes", "callback_data": data }],
            ])
        };
        assert_eq!(shown(Some(12)).unwrap(), with("go--b12_2", "1/c/12_3"));
        assert_eq!(shown(None).unwrap(), with("go", "1/c/0_3"));
    }

    #[test]
    fn the_opt_out_button_is_a_last_row() {
        let opt_out =
            || Some(DataButton { text: "Stop".to_owned(), data: "1/o/promo/1".to_owned() });
        let row = json!([{ "text": "Stop", "callback_data": "1/o/promo/1" }]);
        let shop = json!([{ "text": "Shop", "url": "https://example.org" }]);
        let buttons: Buttons = "Shop = https://example.org".parse().unwrap();
        let keyboard = |buttons, opt_out| {
            serde_json::to_value(keyboard(rows(buttons, "bot", None, press), opt_out)).unwrap()
        };
        assert_eq!(keyboard(&buttons, None), json!({ "inline_keyboard": [shop] }));
        assert_eq!(keyboard(&buttons, opt_out()), json!({ "inline_keyboard": [shop, row] }));
        let none = Buttons::default();
        assert_eq!(keyboard(&none, opt_out()), json!({ "inline_keyboard": [row] }));
        assert_eq!(keyboard(&none, None), json!(null));
    }
}
