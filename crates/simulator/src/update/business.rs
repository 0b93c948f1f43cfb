//! Business accounts, managed bots, and generated answers.

use serde_json::json;

use super::Update;
use crate::people::{Chat, Person};

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

    /// A person created a bot that this bot manages.
    pub fn managed_bot(person: &Person, bot: &Person) -> Self {
        Self::new("managed_bot", json!({ "user": person, "bot": bot }))
    }

    /// A person stopped an answer while the bot was still generating it.
    pub fn stopped_message_generation(chat: &Chat, draft_id: i64) -> Self {
        Self::new("stopped_message_generation", json!({ "chat": chat, "draft_id": draft_id }))
    }
}
