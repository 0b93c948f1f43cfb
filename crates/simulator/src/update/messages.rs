//! Messages.

use serde_json::{Value, json};

use super::Update;
use crate::people::{Chat, Person};

/// The author that Telegram shows for messages of anonymous group admins.
const GROUP_ANONYMOUS_BOT: i64 = 1_087_968_824;
/// The author that Telegram shows for posts forwarded from a channel to its discussion group.
const CHANNEL_FORWARDER: i64 = 777_000;

/// Messages in a person's private chat with the bot, or in another chat with [`Update::in_chat`].
impl Update {
    /// A text; a command at its start is marked as an entity, as on Telegram.
    pub fn text(person: &Person, text: impl Into<String>) -> Self {
        Self::written("message", person, text.into())
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

    /// A text of an anonymous admin of a group.
    pub fn anonymous_admin(group: &Chat, text: impl Into<String>) -> Self {
        let pseudo_user =
            Person::new(GROUP_ANONYMOUS_BOT, "Group").username("GroupAnonymousBot").bot();
        Self::text(&pseudo_user, text).in_chat(group).with("sender_chat", json!(group))
    }

    /// A post of a channel, forwarded automatically to its discussion group.
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

    /// A text in the direct messages chat of a channel. The id of the person's topic is the
    /// person's id.
    pub fn direct_message(person: &Person, chat: &Chat, text: impl Into<String>) -> Self {
        let topic = json!({ "topic_id": person.id, "user": person });
        Self::text(person, text).in_chat(chat).with("direct_messages_topic", topic)
    }

    /// The service messages about a group that became a supergroup, one in each of the two chats.
    pub fn migrated(person: &Person, group: &Chat, supergroup: &Chat) -> [Self; 2] {
        let message = |chat: &Chat| Self::new("message", by_person(person)).in_chat(chat);
        [
            message(group).with("migrate_to_chat_id", supergroup.id),
            message(supergroup).with("migrate_from_chat_id", group.id),
        ]
    }

    /// A text that mentions the bot in a chat of which it is not a member.
    pub fn guest_message(person: &Person, text: impl Into<String>) -> Self {
        Self::written("guest_message", person, text.into()).with("guest_query_id", "guest-1")
    }

    pub(super) fn written(kind: &str, person: &Person, text: String) -> Self {
        Self::new(kind, by_person(person)).with_text(text)
    }

    fn posted(kind: &str, channel: &Chat, text: String) -> Self {
        Self::new(kind, json!({ "chat": channel, "sender_chat": channel })).with_text(text)
    }
}

pub(super) fn by_person(person: &Person) -> Value {
    json!({ "from": person, "chat": Chat::private(person) })
}
