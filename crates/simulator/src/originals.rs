//! People's messages, which the bot can copy.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::update::Update;

/// How many messages of each chat are kept.
const PER_CHAT: usize = 20;
/// The fields of a message that a copy has too.
const COPIED: [&str; 19] = [
    "text",
    "entities",
    "link_preview_options",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "animation",
    "audio",
    "document",
    "photo",
    "sticker",
    "video",
    "video_note",
    "voice",
    "poll",
    "contact",
    "dice",
    "location",
    "venue",
];

/// The last messages that people sent to each chat.
#[derive(Default)]
pub(crate) struct Originals(HashMap<i64, VecDeque<(i64, Value)>>);

impl Originals {
    /// Keeps the message of an update, as it was sent or edited.
    pub(crate) fn add(&mut self, update: &Update) {
        let content = update.content();
        let (Some(chat_id), Some(message_id)) = (
            content.pointer("/chat/id").and_then(Value::as_i64),
            content.get("message_id").and_then(Value::as_i64),
        ) else {
            return;
        };
        if !matches!(update.kind(), "message" | "edited_message") {
            return;
        }
        self.remove(chat_id, message_id);
        let messages = self.0.entry(chat_id).or_default();
        if messages.len() >= PER_CHAT {
            messages.pop_front();
        }
        messages.push_back((message_id, content.clone()));
    }

    pub(crate) fn get(&self, chat_id: i64, message_id: i64) -> Option<&Value> {
        let messages = self.0.get(&chat_id)?;
        messages.iter().find(|(id, _)| *id == message_id).map(|(_, message)| message)
    }

    pub(crate) fn remove(&mut self, chat_id: i64, message_id: i64) {
        if let Some(messages) = self.0.get_mut(&chat_id) {
            messages.retain(|(id, _)| *id != message_id);
        }
    }
}

/// The fields of a copy of this message; empty if it cannot be copied, as a service message.
pub(crate) fn copied_fields(message: &Value) -> Map<String, Value> {
    let fields =
        COPIED.iter().filter_map(|&name| Some((name.to_owned(), message.get(name)?.clone())));
    fields.collect()
}
