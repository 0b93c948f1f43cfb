//! Updates that Telegram sends about people's actions.
//!
//! To add a kind: a constructor on [`Update`] in the file of its topic, and a line in `time_field`
//! if the kind has a time.

mod actions;
mod business;
mod examples;
mod media;
mod members;
mod messages;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::people::{Chat, ChatKind, Person};
use crate::queue::Incoming;

/// An update before Telegram assigns its id.
///
/// The constructors leave out what only Telegram knows, and [`Simulator::push`] adds it: the
/// update's id, the message's id, the time, and the bot itself. A `serde_json::Value` of the form
/// `{"message": {…}}`, with or without `update_id`, becomes an update unchanged.
///
/// [`Simulator::push`]: crate::Simulator::push
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    id: Option<i64>,
    kind: String,
    content: Value,
    at: Option<i64>,
    /// The other fields of an update that was created from a value.
    other_fields: Option<Map<String, Value>>,
}

/// The data that only Telegram can add to an update.
pub(crate) struct Missing<'a> {
    pub(crate) now: i64,
    pub(crate) bot: &'a Value,
}

/// Updates of any kind, and changes to an update.
impl Update {
    /// An update of any kind, even one that does not exist.
    pub fn new(kind: impl Into<String>, content: Value) -> Self {
        Self { id: None, kind: kind.into(), content, at: None, other_fields: None }
    }

    /// With this update id instead of the next one.
    pub fn id(mut self, update_id: i64) -> Self {
        self.id = Some(update_id);
        self
    }

    /// At this time, in seconds since 1970, instead of now; kinds without a time ignore it.
    pub fn at(mut self, unix_s: i64) -> Self {
        self.at = Some(unix_s);
        self
    }

    /// In this chat instead of the person's private chat.
    pub fn in_chat(self, chat: &Chat) -> Self {
        self.with("chat", json!(chat))
    }

    /// In a topic of its chat.
    pub fn in_topic(self, thread: i64) -> Self {
        self.with("message_thread_id", thread).with("is_topic_message", true)
    }

    /// As a forward of another person's message from a day earlier.
    pub fn forwarded_from(self, author: &Person) -> Self {
        let origin = json!({ "type": "user", "sender_user": author });
        self.with("forward_origin", origin)
    }

    /// As a reply to another person's message from a minute earlier.
    pub fn replying_to(self, author: &Person, text: &str) -> Self {
        let chat = self.content.get("chat").cloned().unwrap_or_default();
        let earlier = json!({ "message_id": 1, "from": author, "chat": chat, "text": text });
        self.with("reply_to_message", earlier)
    }

    /// With any field of the content set to any value.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        set(&mut self.content, field, value.into());
        self
    }

    /// Without a field of the content.
    pub fn without(mut self, field: &str) -> Self {
        if let Value::Object(content) = &mut self.content {
            content.remove(field);
        }
        self
    }

    /// The update's kind, such as `message`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The update's content.
    pub fn content(&self) -> &Value {
        &self.content
    }

    pub(super) fn with_text(self, text: String) -> Self {
        let command = text.split_whitespace().next().filter(|word| word.starts_with('/'));
        let entities = command.map(|command| {
            let length = command.encode_utf16().count();
            json!([{ "type": "bot_command", "offset": 0, "length": length }])
        });
        let update = self.with("text", text);
        match entities {
            Some(entities) => update.with("entities", entities),
            None => update,
        }
    }
}

impl From<Value> for Update {
    fn from(update: Value) -> Self {
        let id = update.get("update_id").and_then(Value::as_i64);
        let mut fields = match update {
            Value::Object(fields) => fields,
            other => Map::from_iter([("message".to_owned(), other)]),
        };
        fields.remove("update_id");
        let kind = fields.keys().next().cloned().unwrap_or_default();
        let content = fields.remove(&kind).unwrap_or_default();
        Self { id, kind, content, at: None, other_fields: Some(fields) }
    }
}

/// Reading and completing updates.
impl Update {
    /// Adds the data that only Telegram knows.
    pub(crate) fn complete(&mut self, missing: &Missing<'_>, mut message_id: impl FnMut() -> i64) {
        if self.other_fields.is_some() {
            return;
        }
        let at = self.at.unwrap_or(missing.now);
        if let Some(pointer) = time_field(&self.kind) {
            default_at(&mut self.content, pointer, json!(at));
        }
        if self.kind.starts_with("edited_") {
            set_default(&mut self.content, "date", json!(at - 3600));
        }
        if is_message(&self.kind) && self.content.get("message_id").is_none() {
            set(&mut self.content, "message_id", json!(message_id()));
        }
        for (pointer, age_s) in
            [("/message", 86_400), ("/forward_origin", 86_400), ("/reply_to_message", 60)]
        {
            if let Some(earlier) = self.content.pointer_mut(pointer) {
                set_default(earlier, "date", json!(at - age_s));
            }
        }
        for pointer in ["/message/from", "/old_chat_member/user", "/new_chat_member/user"] {
            default_at(&mut self.content, pointer, missing.bot.clone());
        }
    }

    pub(crate) fn into_incoming(self) -> Incoming {
        let ordering_key = self.ordering_key();
        let mut json = String::new();
        if !self.kind.is_empty() {
            json.push_str(&format!(",{}:{}", Value::from(self.kind.as_str()), self.content));
        }
        for (field, value) in self.other_fields.unwrap_or_default() {
            json.push_str(&format!(",{}:{value}", Value::from(field)));
        }
        json.push('}');
        Incoming { id: self.id, kind: self.kind, ordering_key, json, raw: false }
    }

    /// The person who acts.
    pub(crate) fn person(&self) -> Option<Person> {
        let person = self.content.get("from").or_else(|| self.content.get("user"))?;
        serde::Deserialize::deserialize(person).ok()
    }

    /// The chat of the update.
    pub(crate) fn chat(&self) -> Option<Chat> {
        let chat = self.content.get("chat").or_else(|| self.content.pointer("/message/chat"))?;
        serde::Deserialize::deserialize(chat).ok()
    }

    /// The bot's new status in the chat, if the update is about that.
    pub(crate) fn bot_status(&self) -> Option<&str> {
        let status = self.content.pointer("/new_chat_member/status")?.as_str();
        status.filter(|_| self.kind == "my_chat_member")
    }

    /// Whether the bot may write to the chat after this update.
    pub(crate) fn opens_chat(&self, chat: &Chat) -> bool {
        chat.kind != ChatKind::Private || matches!(self.kind.as_str(), "message" | "callback_query")
    }

    /// A string of the content.
    pub(crate) fn string(&self, field: &str) -> Option<&str> {
        self.content.get(field)?.as_str()
    }

    fn ordering_key(&self) -> i64 {
        ["/chat/id", "/message/chat/id", "/from/id", "/user/id"]
            .iter()
            .find_map(|pointer| self.content.pointer(pointer)?.as_i64())
            .unwrap_or(0)
    }
}

/// Where the time of a kind is; `None` for kinds without a time.
fn time_field(kind: &str) -> Option<&'static str> {
    match kind {
        "message"
        | "channel_post"
        | "business_message"
        | "guest_message"
        | "my_chat_member"
        | "chat_member"
        | "chat_join_request"
        | "message_reaction"
        | "message_reaction_count"
        | "business_connection" => Some("/date"),
        "edited_message" | "edited_channel_post" | "edited_business_message" => Some("/edit_date"),
        "chat_boost" => Some("/boost/add_date"),
        "removed_chat_boost" => Some("/remove_date"),
        _ => None,
    }
}

fn is_message(kind: &str) -> bool {
    kind.ends_with("message") || kind.ends_with("channel_post")
}

pub(super) fn set(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value);
    }
}

fn set_default(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.entry(field).or_insert(value);
    }
}

/// Sets the last field of `pointer`, if its object exists and does not have the field.
fn default_at(content: &mut Value, pointer: &str, value: Value) {
    let Some((parent, field)) = pointer.rsplit_once('/') else { return };
    if let Some(parent) = content.pointer_mut(parent) {
        set_default(parent, field, value);
    }
}
