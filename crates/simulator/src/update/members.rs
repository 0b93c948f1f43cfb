//! Members of chats, and reactions.

use serde_json::{Value, json};

use super::{Update, set};
use crate::people::{Chat, Person};

/// Members of chats.
impl Update {
    /// A person blocked the bot in their private chat.
    pub fn blocked(person: &Person) -> Self {
        Self::bot_member(person, &Chat::private(person), "member", "kicked")
    }

    /// A person unblocked the bot.
    pub fn unblocked(person: &Person) -> Self {
        Self::bot_member(person, &Chat::private(person), "kicked", "member")
    }

    /// A person changed the bot's [status] in a chat.
    ///
    /// [status]: https://core.telegram.org/bots/api#chatmember
    pub fn bot_member(actor: &Person, chat: &Chat, before: &str, after: &str) -> Self {
        let content = json!({
            "chat": chat, "from": actor,
            "old_chat_member": member(None, before), "new_chat_member": member(None, after),
        });
        Self::new("my_chat_member", content)
    }

    /// A person changed another person's [status] in a chat.
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

    /// A person asks to join a chat.
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

    /// A reaction on behalf of a chat.
    pub fn anonymous_reaction(actor: &Chat, chat: &Chat, message_id: i64, emoji: &str) -> Self {
        Self::reacted(chat, message_id, emoji).with("actor_chat", json!(actor))
    }

    /// The number of anonymous reactions to a message.
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

/// A member of a chat; `None` means the bot, which Telegram adds.
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
