//! Whole messages of private chats, which only few users' messages are read for.

use std::collections::BTreeMap;

use rollcall_domain::Chat;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{Envelope, InChat};
use crate::{destination::Destination, json::Text};

/// The contents of a message that copyMessage copies.
const COPIED: [&str; 16] = [
    "text",
    "rich_message",
    "animation",
    "audio",
    "document",
    "live_photo",
    "photo",
    "sticker",
    "video",
    "video_note",
    "voice",
    "contact",
    "dice",
    "location",
    "poll",
    "venue",
];

/// A message of a user in their private chat with the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateMessage {
    /// The chat.
    pub chat: Chat,
    /// The place of the message in the chat.
    pub from: Destination,
    /// Its number in the chat.
    pub message_id: i64,
    /// Its text, or the caption below its picture or file.
    pub text: Option<String>,
    /// The buttons below, as the Bot API's JSON.
    pub buttons: Option<String>,
    /// The album that it is a part of.
    pub album: Option<String>,
    /// Whether Telegram copies it.
    pub copying: Result<(), NotCopied>,
}

/// Why Telegram does not copy a message (Bot API, "copyMessage").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCopied {
    /// It is a kind of message that is not copied, such as an invoice, or is protected.
    Kind,
    /// It is a quiz, and the bot does not know the right answer.
    Quiz,
}

#[derive(Deserialize)]
struct Poll<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    correct_option_ids: Option<&'a RawValue>,
    /// The name of the field before Bot API 9.6.
    correct_option_id: Option<&'a RawValue>,
}

/// Reads the message of an update. `None` if it cannot be read.
pub(super) fn read(update: &str, chat: Chat) -> Option<PrivateMessage> {
    let (_, message) = serde_json::from_str::<Envelope>(update).ok()?.content?;
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(message.get()).ok()?;
    let text = |field: &str| -> Option<String> {
        let text: Text = serde_json::from_str(fields.get(field)?.get()).ok()?;
        Some(text.into_string())
    };
    let place: InChat = serde_json::from_str(message.get()).ok()?;
    let topic = place.topic().unwrap_or_default();
    Some(PrivateMessage {
        chat,
        from: Destination { chat_id: chat.id, topic },
        message_id: serde_json::from_str(place.message_id?.get()).ok()?,
        text: text("text").or_else(|| text("caption")),
        buttons: place.reply_markup.map(|markup| markup.get().to_owned()),
        album: text("media_group_id"),
        copying: copying(&fields),
    })
}

fn copying(fields: &BTreeMap<String, &RawValue>) -> Result<(), NotCopied> {
    let is_protected = fields.get("has_protected_content").is_some_and(|it| it.get() == "true");
    if is_protected || !COPIED.iter().any(|field| fields.contains_key(*field)) {
        return Err(NotCopied::Kind);
    }
    let Some(poll) = fields.get("poll") else { return Ok(()) };
    let poll: Poll = serde_json::from_str(poll.get()).map_err(|_| NotCopied::Kind)?;
    let is_quiz = poll.kind.is_some_and(|Text(kind)| kind == "quiz");
    let is_known = poll.correct_option_ids.or(poll.correct_option_id).is_some();
    if is_quiz && !is_known { Err(NotCopied::Quiz) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::ChatKind;
    use serde_json::{Value, json};

    use super::*;
    use crate::destination::Topic;

    fn read_message(fields: Value) -> Option<PrivateMessage> {
        let mut message = json!({
            "message_id": 1_u64 << 40, "date": 1, "from": {"id": 99, "first_name": "Ada"},
            "chat": {"id": 99, "type": "private"}
        });
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let update = json!({"update_id": 7, "message": message}).to_string();
        read(&update, Chat { id: 99, kind: ChatKind::Private })
    }

    #[test]
    fn what_a_broadcast_needs_is_read() {
        let markup = json!({"inline_keyboard": [[{"text": "Shop", "url": "https://example.org"}]]});
        let message = read_message(json!({
            "photo": [{"file_id": "A"}], "caption": "Hi", "reply_markup": markup,
            "media_group_id": "12", "is_topic_message": true, "message_thread_id": 5
        }));
        assert_eq!(
            message,
            Some(PrivateMessage {
                chat: Chat { id: 99, kind: ChatKind::Private },
                from: Destination { chat_id: 99, topic: Some(Topic::Thread(5)) },
                message_id: 1 << 40,
                text: Some("Hi".to_owned()),
                buttons: Some(markup.to_string()),
                album: Some("12".to_owned()),
                copying: Ok(()),
            })
        );
        let plain = read_message(json!({"text": "Hello"})).unwrap();
        assert_eq!(
            (plain.text.as_deref(), plain.buttons, plain.album),
            (Some("Hello"), None, None)
        );
    }

    #[test]
    fn what_telegram_does_not_copy_is_known() {
        let quiz = |with: Value| {
            let mut poll = json!({"id": "1", "question": "?", "type": "quiz"});
            poll.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
            json!({ "poll": poll })
        };
        for (fields, expected) in [
            (json!({"text": "Hi"}), Ok(())),
            (json!({"video": {}}), Ok(())),
            (json!({"document": {}, "animation": {}}), Ok(())),
            (json!({"poll": {"type": "regular"}}), Ok(())),
            (quiz(json!({"correct_option_ids": [0]})), Ok(())),
            (quiz(json!({"correct_option_id": 0})), Ok(())),
            (quiz(json!({})), Err(NotCopied::Quiz)),
            (json!({"paid_media": {}}), Err(NotCopied::Kind)),
            (json!({"invoice": {}}), Err(NotCopied::Kind)),
            (json!({"giveaway": {}}), Err(NotCopied::Kind)),
            (json!({"pinned_message": {"text": "Hi"}}), Err(NotCopied::Kind)),
            (json!({"text": "Hi", "has_protected_content": true}), Err(NotCopied::Kind)),
            (json!({}), Err(NotCopied::Kind)),
        ] {
            assert_eq!(read_message(fields.clone()).unwrap().copying, expected, "{fields}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let chat = Chat { id: 99, kind: ChatKind::Private };
        for update in ["", "{}", r#"{"message":1}"#, r#"{"message":{"text":"Hi"}}"#] {
            assert_eq!(read(update, chat), None, "{update}");
        }
        assert_eq!(read_message(json!({"message_id": "x"})), None);
    }
}
