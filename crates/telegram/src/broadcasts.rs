//! Broadcasts through the outbox.

use std::sync::Arc;

use async_trait::async_trait;
use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions},
};
use rollcall_domain::{Buttons, TelegramId};
use rollcall_service::{Delivery, Lane, Messenger, OutgoingMessage, PAID_RATE};
use tokio::sync::watch;

use crate::{
    client::CallError,
    outbox::{BulkError, BulkMessage, BulkOptions, BulkPace, Content, Original, Outbox},
};

/// Sends the messages of broadcasts through an outbox.
pub struct OutboxMessenger {
    outbox: Outbox,
    /// The bot's username, for buttons that lead to it.
    username: String,
}

impl OutboxMessenger {
    /// Sends through `outbox`, for the bot with this username (without `@`).
    pub fn new(outbox: Outbox, username: String) -> Self {
        Self { outbox, username }
    }
}

impl Messenger for OutboxMessenger {
    fn lane(&self, rate: Option<u32>, is_paid: bool) -> Arc<dyn Lane> {
        let rate = if is_paid { Some(rate.unwrap_or(PAID_RATE).min(PAID_RATE)) } else { rate };
        let free = self.outbox.bulk_rate().filter(|_| !is_paid);
        Arc::new(OutboxLane {
            outbox: self.outbox.clone(),
            username: self.username.clone(),
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
        let sent = match message {
            OutgoingMessage::Text { html, buttons } => {
                let content = Content {
                    text: html,
                    parse_mode: ParseMode::Html,
                    link_preview_options: LinkPreviewOptions::builder().build(),
                    reply_markup: keyboard(buttons, &self.username),
                };
                let message = BulkMessage::Text(&content);
                self.outbox.send_bulk(chat_id, message, options, &self.pace, stopped).await
            }
            OutgoingMessage::Copy { from_chat_id, message_id, reply_markup } => {
                let markup = reply_markup.as_deref().map(serde_json::from_str).transpose();
                let Ok(reply_markup) = markup else {
                    return Delivery::Content("the buttons cannot be read".to_owned());
                };
                let original =
                    Original { chat_id: *from_chat_id, message_id: *message_id, reply_markup };
                let message = BulkMessage::Copy(&original);
                self.outbox.send_bulk(chat_id, message, options, &self.pace, stopped).await
            }
        };
        match sent {
            Ok(message_id) => Delivery::Sent(message_id),
            Err(BulkError::Unreachable { cause, .. }) => Delivery::Unreachable(cause),
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

/// Telegram's words, without what it quotes.
fn reason(error: &CallError) -> String {
    match error {
        CallError::Refused { description, .. } => description.clone(),
        error => error.to_string(),
    }
}

fn keyboard(buttons: &Buttons, username: &str) -> Option<InlineKeyboardMarkup> {
    let button = |it: &rollcall_domain::Button| {
        InlineKeyboardButton::builder().text(it.text()).url(it.target().url(username)).build()
    };
    let rows = buttons.rows().iter().map(|row| row.iter().map(button).collect()).collect();
    (!buttons.is_empty()).then(|| InlineKeyboardMarkup::builder().inline_keyboard(rows).build())
}
