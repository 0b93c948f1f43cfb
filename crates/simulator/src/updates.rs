//! What people do, as the updates that Telegram makes of it.
//!
//! To add a kind: a constructor on [`Update`] that builds its content as the Bot API describes it,
//! and, if it carries a time, a line in `time_field`.

use serde_json::{Map, Value, json};

use crate::people::{Chat, ChatKind, Person};
use crate::queue::Incoming;

/// An update before Telegram numbers it.
///
/// The constructors leave out what only Telegram knows, and [`Simulator::push`] fills it in: the
/// update's id, the message's id, the time, and the bot itself. `serde_json::Value`s of the form
/// `{"message": {…}}`, with or without `update_id`, become updates as they are.
///
/// [`Simulator::push`]: crate::Simulator::push
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    id: Option<i64>,
    kind: String,
    content: Value,
    at: Option<i64>,
    /// Of a given value, whatever is beside the first kind.
    beside: Option<Map<String, Value>>,
}

/// What only Telegram knows of an update.
pub(crate) struct Missing<'a> {
    pub(crate) now: i64,
    pub(crate) bot: &'a Value,
}

/// Messages of this person are really an anonymous admin's of the group.
const GROUP_ANONYMOUS_BOT: i64 = 1_087_968_824;
/// Messages of this person are really a channel's, forwarded to its discussion group.
const CHANNEL_FORWARDER: i64 = 777_000;

/// Messages by people in a private chat with the bot, or elsewhere with [`Update::in_chat`].
impl Update {
    /// A text; one that starts with a slash has its command marked, as in Telegram.
    pub fn text(person: &Person, text: impl Into<String>) -> Self {
        Self::written("message", person, text.into())
    }

    /// A photo without a caption.
    pub fn photo(person: &Person) -> Self {
        let photo = json!([{
            "file_id": "AgACAgIAAxkBAAM", "file_unique_id": "AQADphoto",
            "width": 90, "height": 67, "file_size": 1253,
        }]);
        Self::new("message", by_person(person)).with("photo", photo)
    }

    /// A sticker.
    pub fn sticker(person: &Person) -> Self {
        let sticker = json!({
            "file_id": "CAACAgIAAxkBAAM", "file_unique_id": "AgADsticker", "type": "regular",
            "width": 512, "height": 512, "is_animated": false, "is_video": false, "emoji": "🏒",
        });
        Self::new("message", by_person(person)).with("sticker", sticker)
    }

    /// A text that was sent an hour earlier and is edited now.
    pub fn edited_text(person: &Person, text: impl Into<String>) -> Self {
        Self::written("edited_message", person, text.into())
    }

    /// A message about people who were added to a group.
    pub fn new_chat_members(adder: &Person, group: &Chat, members: &[Person]) -> Self {
        Self::new("message", by_person(adder))
            .in_chat(group)
            .with("new_chat_members", json!(members))
    }

    /// A text by an admin of a group who stays anonymous.
    pub fn anonymous_admin(group: &Chat, text: impl Into<String>) -> Self {
        let pseudo_user =
            Person::new(GROUP_ANONYMOUS_BOT, "Group").username("GroupAnonymousBot").bot();
        Self::text(&pseudo_user, text).in_chat(group).with("sender_chat", json!(group))
    }

    /// A post of a channel as it appears in the group where the channel is discussed.
    pub fn channel_forward(channel: &Chat, group: &Chat, text: impl Into<String>) -> Self {
        let pseudo_user = Person::new(CHANNEL_FORWARDER, "Telegram");
        Self::text(&pseudo_user, text)
            .in_chat(group)
            .with("sender_chat", json!(channel))
            .with("is_automatic_forward", true)
    }

    /// A post in a channel.
    pub fn channel_post(channel: &Chat, text: impl Into<String>) -> Self {
        Self::posted("channel_post", channel, text.into())
    }

    /// A post in a channel that was sent an hour earlier and is edited now.
    pub fn edited_channel_post(channel: &Chat, text: impl Into<String>) -> Self {
        Self::posted("edited_channel_post", channel, text.into())
    }

    /// A text to a channel, in the channel's direct messages chat. A person's topic has the number of
    /// the person.
    pub fn direct_message(person: &Person, chat: &Chat, text: impl Into<String>) -> Self {
        let topic = json!({ "topic_id": person.id, "user": person });
        Self::text(person, text).in_chat(chat).with("direct_messages_topic", topic)
    }

    /// The messages about a group that became a supergroup: one in each of the two chats.
    pub fn migrated(person: &Person, group: &Chat, supergroup: &Chat) -> [Self; 2] {
        let message = |chat: &Chat| Self::new("message", by_person(person)).in_chat(chat);
        [
            message(group).with("migrate_to_chat_id", supergroup.id),
            message(supergroup).with("migrate_from_chat_id", group.id),
        ]
    }

    /// A text that calls the bot into a chat where it is not a member.
    pub fn guest_message(person: &Person, text: impl Into<String>) -> Self {
        Self::written("guest_message", person, text.into()).with("guest_query_id", "guest-1")
    }
}

/// Buttons and inline mode.
impl Update {
    /// A press on a button under a message of the bot in the person's private chat; the message is
    /// a day older than the press. [`Simulator::press`] presses the buttons of a real message.
    ///
    /// [`Simulator::press`]: crate::Simulator::press
    pub fn callback_query(person: &Person, data: impl Into<String>) -> Self {
        Self::button(person, data.into())
            .with("message", json!({ "message_id": 1, "chat": Chat::private(person), "text": "…" }))
    }

    /// A press on a button under a message that was sent by way of inline mode.
    pub fn inline_callback_query(person: &Person, data: impl Into<String>) -> Self {
        Self::button(person, data.into()).with("inline_message_id", "AgAAAPoAAAAB")
    }

    /// What a person types after the bot's name in some chat.
    pub fn inline_query(person: &Person, query: impl Into<String>) -> Self {
        let query: String = query.into();
        let content = json!({
            "id": "8231", "from": person, "query": query, "offset": "", "chat_type": "sender",
        });
        Self::new("inline_query", content)
    }

    /// An inline result that a person sent.
    pub fn chosen_inline_result(person: &Person, result_id: &str, query: &str) -> Self {
        let content = json!({ "result_id": result_id, "from": person, "query": query });
        Self::new("chosen_inline_result", content)
    }

    fn button(person: &Person, data: String) -> Self {
        let content = json!({
            "id": "4382bfdwdsb323b2d9", "from": person, "chat_instance": "-7123", "data": data,
        });
        Self::new("callback_query", content)
    }
}

/// Payments.
impl Update {
    /// A person's address for something that is shipped.
    pub fn shipping_query(person: &Person, payload: &str) -> Self {
        let address = json!({
            "country_code": "CA", "state": "Ontario", "city": "Toronto",
            "street_line1": "30 Yonge St", "street_line2": "", "post_code": "M5E 1X8",
        });
        let content = json!({
            "id": "551", "from": person, "invoice_payload": payload, "shipping_address": address,
        });
        Self::new("shipping_query", content)
    }

    /// The last question before a person pays.
    pub fn pre_checkout_query(person: &Person, payload: &str) -> Self {
        let content = json!({
            "id": "552", "from": person, "currency": "XTR", "total_amount": 50,
            "invoice_payload": payload,
        });
        Self::new("pre_checkout_query", content)
    }

    /// Paid media that a person bought.
    pub fn purchased_paid_media(person: &Person, payload: &str) -> Self {
        Self::new("purchased_paid_media", json!({ "from": person, "paid_media_payload": payload }))
    }

    /// A person's subscription to the bot that began.
    pub fn subscription(person: &Person, payload: &str) -> Self {
        let content = json!({ "user": person, "invoice_payload": payload, "state": "active" });
        Self::new("subscription", content)
    }
}

/// Polls.
impl Update {
    /// The state of a poll that the bot sent, or that was stopped.
    pub fn poll(poll_id: &str, question: &str) -> Self {
        let content = json!({
            "id": poll_id, "question": question,
            "options": [{ "text": "Yes", "voter_count": 1 }, { "text": "No", "voter_count": 0 }],
            "total_voter_count": 1, "is_closed": false, "is_anonymous": true, "type": "regular",
            "allows_multiple_answers": false,
        });
        Self::new("poll", content)
    }

    /// A person's vote.
    pub fn poll_answer(person: &Person, poll_id: &str, options: &[u8]) -> Self {
        let content = json!({
            "poll_id": poll_id, "user": person, "option_ids": options, "option_persistent_ids": [],
        });
        Self::new("poll_answer", content)
    }

    /// A vote in the name of a chat.
    pub fn poll_answer_by_chat(voter: &Chat, poll_id: &str, options: &[u8]) -> Self {
        let content = json!({
            "poll_id": poll_id, "voter_chat": voter, "option_ids": options,
            "option_persistent_ids": [],
        });
        Self::new("poll_answer", content)
    }
}

/// Members of chats.
impl Update {
    /// A person blocked the bot in their private chat.
    pub fn blocked(person: &Person) -> Self {
        Self::bot_member(person, &Chat::private(person), "member", "kicked")
    }

    /// A person who blocked the bot lets it write again.
    pub fn unblocked(person: &Person) -> Self {
        Self::bot_member(person, &Chat::private(person), "kicked", "member")
    }

    /// Somebody changed what the bot is in a chat, from one [status] to another.
    ///
    /// [status]: https://core.telegram.org/bots/api#chatmember
    pub fn bot_member(actor: &Person, chat: &Chat, before: &str, after: &str) -> Self {
        let content = json!({
            "chat": chat, "from": actor,
            "old_chat_member": member(None, before), "new_chat_member": member(None, after),
        });
        Self::new("my_chat_member", content)
    }

    /// Somebody changed what a person is in a chat, from one [status] to another.
    ///
    /// [status]: https://core.telegram.org/bots/api#chatmember
    pub fn chat_member(
        actor: &Person,
        chat: &Chat,
        person: &Person,
        before: &str,
        after: &str,
    ) -> Self {
        let content = json!({
            "chat": chat, "from": actor,
            "old_chat_member": member(Some(person), before),
            "new_chat_member": member(Some(person), after),
        });
        Self::new("chat_member", content)
    }

    /// A person asks to be let into a chat.
    pub fn chat_join_request(person: &Person, chat: &Chat) -> Self {
        let content = json!({ "chat": chat, "from": person, "user_chat_id": person.id });
        Self::new("chat_join_request", content)
    }

    /// A person boosted a chat.
    pub fn chat_boost(person: &Person, chat: &Chat) -> Self {
        let boost = json!({
            "boost_id": "boost-1", "expiration_date": 4_102_444_800_i64,
            "source": { "source": "premium", "user": person },
        });
        Self::new("chat_boost", json!({ "chat": chat, "boost": boost }))
    }

    /// A person's boost of a chat ended.
    pub fn removed_chat_boost(person: &Person, chat: &Chat) -> Self {
        let content = json!({
            "chat": chat, "boost_id": "boost-1", "source": { "source": "premium", "user": person },
        });
        Self::new("removed_chat_boost", content)
    }
}

/// Reactions.
impl Update {
    /// A person's reaction to a message.
    pub fn reaction(person: &Person, chat: &Chat, message_id: i64, emoji: &str) -> Self {
        Self::reacted(chat, message_id, emoji).with("user", json!(person))
    }

    /// A reaction in the name of a chat.
    pub fn anonymous_reaction(actor: &Chat, chat: &Chat, message_id: i64, emoji: &str) -> Self {
        Self::reacted(chat, message_id, emoji).with("actor_chat", json!(actor))
    }

    /// How many reactions a message has, where Telegram does not say whose.
    pub fn reaction_count(chat: &Chat, message_id: i64, emoji: &str, total: u32) -> Self {
        let content = json!({
            "chat": chat, "message_id": message_id,
            "reactions": [{ "type": { "type": "emoji", "emoji": emoji }, "total_count": total }],
        });
        Self::new("message_reaction_count", content)
    }

    fn reacted(chat: &Chat, message_id: i64, emoji: &str) -> Self {
        let content = json!({
            "chat": chat, "message_id": message_id, "old_reaction": [],
            "new_reaction": [{ "type": "emoji", "emoji": emoji }],
        });
        Self::new("message_reaction", content)
    }
}

/// Business accounts, and bots that manage bots.
impl Update {
    /// A person connected the bot to their business account.
    pub fn business_connection(person: &Person, connection_id: &str) -> Self {
        let content = json!({
            "id": connection_id, "user": person, "user_chat_id": person.id, "is_enabled": true,
            "rights": { "can_reply": true },
        });
        Self::new("business_connection", content)
    }

    /// A text in a chat of a connected business account.
    pub fn business_text(person: &Person, connection_id: &str, text: impl Into<String>) -> Self {
        Self::written("business_message", person, text.into())
            .with("business_connection_id", connection_id)
    }

    /// A text in a chat of a connected business account, edited an hour after it was sent.
    pub fn edited_business_text(
        person: &Person,
        connection_id: &str,
        text: impl Into<String>,
    ) -> Self {
        Self::written("edited_business_message", person, text.into())
            .with("business_connection_id", connection_id)
    }

    /// Messages that were deleted in a chat of a connected business account.
    pub fn deleted_business_messages(
        chat: &Chat,
        connection_id: &str,
        message_ids: &[i64],
    ) -> Self {
        let content = json!({
            "business_connection_id": connection_id, "chat": chat, "message_ids": message_ids,
        });
        Self::new("deleted_business_messages", content)
    }

    /// A person made a bot that this bot manages.
    pub fn managed_bot(person: &Person, bot: &Person) -> Self {
        Self::new("managed_bot", json!({ "user": person, "bot": bot }))
    }

    /// Somebody stopped an answer that the bot was still writing.
    pub fn stopped_message_generation(chat: &Chat, draft_id: i64) -> Self {
        Self::new("stopped_message_generation", json!({ "chat": chat, "draft_id": draft_id }))
    }
}

/// Anything else, and changes to the above.
impl Update {
    /// An update of any kind, also one that does not exist yet.
    pub fn new(kind: impl Into<String>, content: Value) -> Self {
        Self { id: None, kind: kind.into(), content, at: None, beside: None }
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

    /// In another chat than the person's own.
    pub fn in_chat(self, chat: &Chat) -> Self {
        self.with("chat", json!(chat))
    }

    /// In a topic of its chat.
    pub fn in_topic(self, thread: i64) -> Self {
        self.with("message_thread_id", thread).with("is_topic_message", true)
    }

    /// As a forward of what somebody else wrote a day earlier.
    pub fn forwarded_from(self, author: &Person) -> Self {
        let origin = json!({ "type": "user", "sender_user": author });
        self.with("forward_origin", origin)
    }

    /// As an answer to what somebody else wrote a minute earlier.
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

    fn written(kind: &str, person: &Person, text: String) -> Self {
        Self::new(kind, by_person(person)).with_text(text)
    }

    fn posted(kind: &str, channel: &Chat, text: String) -> Self {
        Self::new(kind, json!({ "chat": channel, "sender_chat": channel })).with_text(text)
    }

    fn with_text(self, text: String) -> Self {
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
        Self { id, kind, content, at: None, beside: Some(fields) }
    }
}

/// What the rest of the simulator does with updates.
impl Update {
    /// Fills in what only Telegram knows.
    pub(crate) fn complete(&mut self, missing: &Missing<'_>, mut message_id: impl FnMut() -> i64) {
        if self.beside.is_some() {
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
        let lane = self.lane();
        let mut json = String::new();
        if !self.kind.is_empty() {
            json.push_str(&format!(",{}:{}", Value::from(self.kind.as_str()), self.content));
        }
        for (field, value) in self.beside.unwrap_or_default() {
            json.push_str(&format!(",{}:{value}", Value::from(field)));
        }
        json.push('}');
        Incoming { id: self.id, kind: self.kind, lane, json, raw: false }
    }

    /// The person who acts.
    pub(crate) fn person(&self) -> Option<Person> {
        let person = self.content.get("from").or_else(|| self.content.get("user"))?;
        serde::Deserialize::deserialize(person).ok()
    }

    /// The chat in which it happens.
    pub(crate) fn chat(&self) -> Option<Chat> {
        let chat = self.content.get("chat").or_else(|| self.content.pointer("/message/chat"))?;
        serde::Deserialize::deserialize(chat).ok()
    }

    /// What the bot is in the chat from now on, if this update is about that.
    pub(crate) fn bot_status(&self) -> Option<&str> {
        let status = self.content.pointer("/new_chat_member/status")?.as_str();
        status.filter(|_| self.kind == "my_chat_member")
    }

    /// Whether it shows that a person opened a private chat with the bot.
    pub(crate) fn opens_chat(&self, chat: &Chat) -> bool {
        chat.kind != ChatKind::Private || matches!(self.kind.as_str(), "message" | "callback_query")
    }

    /// A string of the content.
    pub(crate) fn string(&self, field: &str) -> Option<&str> {
        self.content.get(field)?.as_str()
    }

    fn lane(&self) -> i64 {
        ["/chat/id", "/message/chat/id", "/from/id", "/user/id"]
            .iter()
            .find_map(|pointer| self.content.pointer(pointer)?.as_i64())
            .unwrap_or(0)
    }
}

/// Where a kind carries its time; none for the kinds without one.
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

fn by_person(person: &Person) -> Value {
    json!({ "from": person, "chat": Chat::private(person) })
}

/// A member of a chat; without a user it is the bot.
fn member(person: Option<&Person>, status: &str) -> Value {
    let mut member = json!({ "status": status });
    if let Some(person) = person {
        set(&mut member, "user", json!(person));
    }
    match status {
        "kicked" => set(&mut member, "until_date", json!(0)),
        "restricted" => {
            set(&mut member, "until_date", json!(0));
            set(&mut member, "is_member", json!(true));
            grant(&mut member, MEMBER_RIGHTS, true);
        }
        "creator" => set(&mut member, "is_anonymous", json!(false)),
        "administrator" => grant(&mut member, ADMIN_RIGHTS, false),
        _ => {}
    }
    member
}

const ADMIN_RIGHTS: &[&str] = &[
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
];

fn grant(member: &mut Value, rights: &[&str], granted: bool) {
    for right in rights {
        set(member, right, json!(granted));
    }
}

const MEMBER_RIGHTS: &[&str] = &[
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
];

fn set(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value);
    }
}

fn set_default(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.entry(field).or_insert(value);
    }
}

/// Sets the last field of `pointer` if it is absent and the object that it belongs to is there.
fn default_at(content: &mut Value, pointer: &str, value: Value) {
    let Some((parent, field)) = pointer.rsplit_once('/') else { return };
    if let Some(parent) = content.pointer_mut(parent) {
        set_default(parent, field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bot::Bot;
    use crate::{Simulator, UPDATE_KINDS};

    /// One update by each constructor.
    fn every_update() -> Vec<Update> {
        let ann = Person::new(42, "Ann");
        let bob = Person::new(43, "Bob");
        let group = Chat::supergroup(-1_001_234, "Rink");
        let channel = Chat::channel(-1_005_678, "News");
        vec![
            Update::text(&ann, "/start now"),
            Update::photo(&ann),
            Update::sticker(&ann),
            Update::text(&ann, "hi").forwarded_from(&bob),
            Update::text(&ann, "hi").in_chat(&group).replying_to(&bob, "hello"),
            Update::new_chat_members(&ann, &group, std::slice::from_ref(&bob)),
            Update::anonymous_admin(&group, "rules"),
            Update::channel_forward(&channel, &group, "news"),
            Update::edited_text(&ann, "hi!"),
            Update::channel_post(&channel, "news"),
            Update::edited_channel_post(&channel, "news!"),
            Update::guest_message(&ann, "@rollcall_bot hi"),
            Update::callback_query(&ann, "next"),
            Update::inline_callback_query(&ann, "next"),
            Update::inline_query(&ann, "who"),
            Update::chosen_inline_result(&ann, "1", "who"),
            Update::shipping_query(&ann, "puck"),
            Update::pre_checkout_query(&ann, "puck"),
            Update::purchased_paid_media(&ann, "photo"),
            Update::subscription(&ann, "fan"),
            Update::poll("7", "Win?"),
            Update::poll_answer(&ann, "7", &[0]),
            Update::poll_answer_by_chat(&channel, "7", &[1]),
            Update::blocked(&ann),
            Update::unblocked(&ann),
            Update::bot_member(&ann, &group, "left", "administrator"),
            Update::chat_member(&ann, &group, &bob, "member", "kicked"),
            Update::chat_join_request(&ann, &group),
            Update::chat_boost(&ann, &group),
            Update::removed_chat_boost(&ann, &group),
            Update::reaction(&ann, &group, 5, "👍"),
            Update::anonymous_reaction(&channel, &group, 5, "👍"),
            Update::reaction_count(&channel, 5, "👍", 3),
            Update::business_connection(&ann, "b1"),
            Update::business_text(&ann, "b1", "hi"),
            Update::edited_business_text(&ann, "b1", "hi!"),
            Update::deleted_business_messages(&Chat::private(&ann), "b1", &[1, 2]),
            Update::managed_bot(&ann, &Person::new(44, "Helper").bot()),
            Update::stopped_message_generation(&Chat::private(&ann), 9),
        ]
    }

    #[test]
    fn there_is_a_constructor_for_every_kind() {
        let made: BTreeSet<_> = every_update().into_iter().map(|update| update.kind).collect();
        let all: BTreeSet<_> = UPDATE_KINDS.iter().map(|&kind| kind.to_owned()).collect();
        assert_eq!(made, all);
    }

    #[tokio::test]
    async fn what_only_telegram_knows_is_filled_in() {
        let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
        let at = 1_700_000_000;
        for update in every_update() {
            telegram.push(update.at(at));
        }
        let updates = Bot::of(&telegram).updates(json!({})).await;
        assert_eq!(updates.len(), every_update().len());
        for update in &updates {
            let (kind, content) =
                update.as_object().unwrap().iter().find(|(_, v)| v.is_object()).unwrap();
            if let Some(pointer) = time_field(kind) {
                assert_eq!(content.pointer(pointer), Some(&json!(at)), "{update}");
            }
            assert_eq!(
                is_message(kind),
                content["chat"].is_object()
                    && content["message_id"].is_i64()
                    && !kind.contains("reaction"),
                "{update}"
            );
        }
        let content = |kind: &str| updates.iter().find_map(|update| update.get(kind)).unwrap();
        assert_eq!(content("edited_message")["date"], at - 3600);
        assert_eq!(content("callback_query")["message"]["date"], at - 86_400);
        let bot = &content("my_chat_member")["new_chat_member"]["user"];
        assert_eq!(bot["id"], telegram.bot_id());
        assert_eq!(
            content("message")["entities"][0],
            json!({ "type": "bot_command", "offset": 0, "length": 6 })
        );
    }

    #[tokio::test]
    async fn given_values_are_sent_as_they_are() {
        let telegram = Simulator::start().await.unwrap();
        let odd = json!({ "update_id": 900_000_000, "message": 17, "beside": null });
        assert_eq!(telegram.push(odd.clone()), 900_000_000);
        assert_eq!(telegram.push(json!({})), 900_000_001);
        telegram.push_raw("{\"update_id\": 900000005, \"message\": {}}");
        let updates = Bot::of(&telegram).updates(json!({})).await;
        let bare = json!({ "update_id": 900_000_001 });
        let raw = json!({ "update_id": 900_000_005, "message": {} });
        assert_eq!(updates, [odd, bare, raw]);

        telegram.push_raw("no JSON at all");
        let answer = Bot::of(&telegram).try_call("getUpdates", json!({})).await.unwrap();
        assert!(String::from_utf8_lossy(&answer.body).contains(",no JSON at all]"));
    }
}
