//! frankenstein's parameters of sendMessage and editMessageText, with ids of 64 bits: Telegram may use
//! up to 52, and frankenstein's threads and messages have 32.

use frankenstein::{
    ParseMode,
    methods::{EditMessageTextParams, SendMessageParams},
    types::{InlineKeyboardMarkup, LinkPreviewOptions, ReplyMarkup},
};
use serde::Serialize;

use super::destination::{Destination, MessagePlace, Topic};

/// What a message shows.
#[derive(Debug)]
pub struct Content<'a> {
    /// The text.
    pub text: &'a str,
    /// The markup of the text.
    pub parse_mode: ParseMode,
    /// Whether links are previewed.
    pub link_preview_options: LinkPreviewOptions,
    /// The buttons below.
    pub reply_markup: Option<InlineKeyboardMarkup>,
}

/// The parameters of sendMessage.
#[derive(Serialize)]
pub(super) struct SendMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    #[serde(flatten)]
    params: SendMessageParams,
}

impl SendMessage {
    pub(super) fn new(to: Destination, content: &Content<'_>) -> Self {
        let (message_thread_id, direct_messages_topic_id) = match to.topic {
            Some(Topic::Thread(id)) => (Some(id), None),
            Some(Topic::DirectMessages(id)) => (None, Some(id)),
            None => (None, None),
        };
        let params = SendMessageParams::builder()
            .chat_id(to.chat_id)
            .maybe_direct_messages_topic_id(direct_messages_topic_id)
            .text(content.text)
            .parse_mode(content.parse_mode)
            .link_preview_options(content.link_preview_options.clone())
            .maybe_reply_markup(content.reply_markup.clone().map(ReplyMarkup::InlineKeyboardMarkup))
            .build();
        Self { message_thread_id, params }
    }
}

/// The parameters of editMessageText.
#[derive(Serialize)]
pub(super) struct EditMessageText {
    message_id: i64,
    #[serde(flatten)]
    params: EditMessageTextParams,
}

impl EditMessageText {
    pub(super) fn new(place: MessagePlace, content: &Content<'_>) -> Self {
        let params = EditMessageTextParams::builder()
            .chat_id(place.destination.chat_id)
            .text(content.text)
            .parse_mode(content.parse_mode)
            .link_preview_options(content.link_preview_options.clone())
            .maybe_reply_markup(content.reply_markup.clone())
            .build();
        Self { message_id: place.message_id, params }
    }
}

#[cfg(test)]
mod tests {
    use frankenstein::types::InlineKeyboardButton;
    use serde_json::{Value, json};

    use super::*;

    const LARGE: i64 = 1 << 40;

    fn content() -> Content<'static> {
        let next = InlineKeyboardButton::builder().text("Next").callback_data("1/s/next").build();
        Content {
            text: "<b>Hi</b>",
            parse_mode: ParseMode::Html,
            link_preview_options: LinkPreviewOptions::builder().is_disabled(true).build(),
            reply_markup: Some(
                InlineKeyboardMarkup::builder().inline_keyboard(vec![vec![next]]).build(),
            ),
        }
    }

    /// The parameters of `content()`, with these.
    fn expected(mut with: Value) -> Value {
        with["text"] = json!("<b>Hi</b>");
        with["parse_mode"] = json!("HTML");
        with["link_preview_options"] = json!({"is_disabled": true});
        with["reply_markup"] =
            json!({"inline_keyboard": [[{"text": "Next", "callback_data": "1/s/next"}]]});
        with
    }

    #[test]
    fn ids_of_64_bits_are_sent_in_the_form_of_the_bot_api() {
        for (topic, with) in [
            (None, json!({"chat_id": -5})),
            (Some(Topic::Thread(LARGE)), json!({"chat_id": -5, "message_thread_id": LARGE})),
            (
                Some(Topic::DirectMessages(LARGE)),
                json!({"chat_id": -5, "direct_messages_topic_id": LARGE}),
            ),
        ] {
            let destination = Destination { chat_id: -5, topic };
            let sent = serde_json::to_value(SendMessage::new(destination, &content())).unwrap();
            assert_eq!(sent, expected(with));
            let place = MessagePlace { destination, message_id: LARGE };
            let edited = serde_json::to_value(EditMessageText::new(place, &content())).unwrap();
            assert_eq!(edited, expected(json!({"chat_id": -5, "message_id": LARGE})));
        }
    }

    #[test]
    fn a_message_without_buttons_has_no_markup() {
        let content = Content { reply_markup: None, ..content() };
        let to = Destination { chat_id: 5, topic: None };
        let sent = serde_json::to_value(SendMessage::new(to, &content)).unwrap();
        assert_eq!(sent.get("reply_markup"), None);
    }
}
