//! The parameters of sendMessage, editMessageText, sendPhoto, sendDocument and copyMessage: frankenstein's, with ids of 64 bits: Telegram may use
//! up to 52, and frankenstein's threads and messages have 32.

use frankenstein::{
    ParseMode,
    methods::{EditMessageTextParams, SendMessageParams},
    types::{InlineKeyboardMarkup, LinkPreviewOptions, ReplyMarkup},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::destination::{Destination, MessagePlace, Topic};

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

/// A finished message to copy, with its text, picture or file.
#[derive(Clone, Debug)]
pub struct Original {
    /// The chat that it is in.
    pub chat_id: i64,
    /// Its number in that chat.
    pub message_id: i64,
    /// The buttons below the copy. Telegram does not copy those of the original.
    pub reply_markup: Option<InlineKeyboardMarkup>,
}

/// How a message of a broadcast is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct BulkOptions {
    /// Recipients cannot forward or save the message.
    pub protect_content: bool,
    /// Recipients are notified without a sound.
    pub disable_notification: bool,
    /// Beyond the free limits of Telegram, for 0.1 Stars a message (Bot API, "Paid Broadcasts").
    pub allow_paid_broadcast: bool,
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
        let (message_thread_id, direct_messages_topic_id) = topic(to);
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

    /// A message of a broadcast to a private chat.
    pub(super) fn bulk(chat_id: i64, content: &Content<'_>, options: BulkOptions) -> Self {
        let mut message = Self::new(Destination { chat_id, topic: None }, content);
        message.params.protect_content = on(options.protect_content);
        message.params.disable_notification = on(options.disable_notification);
        message.params.allow_paid_broadcast = on(options.allow_paid_broadcast);
        message
    }
}

/// The parameters of sendPhoto, without a picture that is uploaded.
#[derive(Serialize)]
pub(super) struct SendPhoto<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<&'a str>,
    caption: &'a str,
    parse_mode: ParseMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    protect_content: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_notification: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_paid_broadcast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<&'a InlineKeyboardMarkup>,
}

impl<'a> SendPhoto<'a> {
    /// A picture with a caption to a private chat, as a message of a broadcast.
    pub(super) fn bulk(
        chat_id: i64,
        photo: Option<&'a str>,
        caption: &'a Content<'_>,
        options: BulkOptions,
    ) -> Self {
        Self {
            chat_id,
            photo,
            caption: caption.text,
            parse_mode: caption.parse_mode,
            protect_content: on(options.protect_content),
            disable_notification: on(options.disable_notification),
            allow_paid_broadcast: on(options.allow_paid_broadcast),
            reply_markup: caption.reply_markup.as_ref(),
        }
    }
}

impl SendPhoto<'_> {
    /// The parameters by name.
    pub(super) fn as_map(&self) -> Map<String, Value> {
        as_map(self)
    }
}

/// The parameters of sendDocument, without the file.
#[derive(Serialize)]
pub(super) struct SendDocument<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct_messages_topic_id: Option<i64>,
    caption: &'a str,
    parse_mode: ParseMode,
}

impl<'a> SendDocument<'a> {
    pub(super) fn new(to: Destination, caption: &'a Content<'_>) -> Self {
        let (message_thread_id, direct_messages_topic_id) = topic(to);
        Self {
            chat_id: to.chat_id,
            message_thread_id,
            direct_messages_topic_id,
            caption: caption.text,
            parse_mode: caption.parse_mode,
        }
    }

    /// The parameters by name.
    pub(super) fn as_map(&self) -> Map<String, Value> {
        as_map(self)
    }
}

/// A struct of texts and numbers as parameters by name.
fn as_map(parameters: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(parameters) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The topic of a message, as `message_thread_id` and as `direct_messages_topic_id`.
fn topic(to: Destination) -> (Option<i64>, Option<i64>) {
    match to.topic {
        Some(Topic::Thread(id)) => (Some(id), None),
        Some(Topic::DirectMessages(id)) => (None, Some(id)),
        None => (None, None),
    }
}

/// The parameters of copyMessage.
#[derive(Serialize)]
pub(super) struct CopyMessage<'a> {
    chat_id: i64,
    from_chat_id: i64,
    message_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    protect_content: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_notification: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_paid_broadcast: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<&'a InlineKeyboardMarkup>,
}

impl<'a> CopyMessage<'a> {
    /// A copy to a private chat, as a message of a broadcast.
    pub(super) fn bulk(chat_id: i64, original: &'a Original, options: BulkOptions) -> Self {
        Self {
            chat_id,
            from_chat_id: original.chat_id,
            message_id: original.message_id,
            protect_content: on(options.protect_content),
            disable_notification: on(options.disable_notification),
            allow_paid_broadcast: on(options.allow_paid_broadcast),
            reply_markup: original.reply_markup.as_ref(),
        }
    }
}

/// An option that is left out if it is off.
fn on(option: bool) -> Option<bool> {
    option.then_some(true)
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
    fn messages_of_a_broadcast_have_options() {
        let all = BulkOptions {
            protect_content: true,
            disable_notification: true,
            allow_paid_broadcast: true,
        };
        let options = |mut with: Value| {
            for option in ["protect_content", "disable_notification", "allow_paid_broadcast"] {
                with[option] = json!(true);
            }
            with
        };
        let text =
            |options| serde_json::to_value(SendMessage::bulk(5, &content(), options)).unwrap();
        assert_eq!(text(BulkOptions::default()), expected(json!({"chat_id": 5})));
        assert_eq!(text(all), expected(options(json!({"chat_id": 5}))));

        let buttons = content().reply_markup;
        let mut original = Original { chat_id: LARGE, message_id: LARGE, reply_markup: None };
        let copy = |original: &Original, options| {
            serde_json::to_value(CopyMessage::bulk(5, original, options)).unwrap()
        };
        let plain = json!({"chat_id": 5, "from_chat_id": LARGE, "message_id": LARGE});
        assert_eq!(copy(&original, BulkOptions::default()), plain);
        original.reply_markup = buttons;
        let mut copied = options(plain);
        copied["reply_markup"] =
            json!({"inline_keyboard": [[{"text": "Next", "callback_data": "1/s/next"}]]});
        assert_eq!(copy(&original, all), copied);
    }

    #[test]
    fn a_message_without_buttons_has_no_markup() {
        let content = Content { reply_markup: None, ..content() };
        let to = Destination { chat_id: 5, topic: None };
        let sent = serde_json::to_value(SendMessage::new(to, &content)).unwrap();
        assert_eq!(sent.get("reply_markup"), None);
    }
}
