//! Destinations within chats: topics, direct messages of channels, and groups that became
//! supergroups.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::params::Params;
use crate::people::{Chat, ChatKind};
use crate::update::Update;

/// The topics and migrations of all chats.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Whether each topic is open, by chat and thread.
    topics: HashMap<(i64, i64), bool>,
    /// The supergroup that each migrated group has become.
    moved: HashMap<i64, i64>,
}

impl Places {
    /// Adds the topic of an update: a topic exists once a person has written in it.
    pub(crate) fn add_topic_of(&mut self, update: &Update, chat: &Chat) {
        let content = update.content();
        if content.get("is_topic_message") == Some(&json!(true))
            && let Some(thread) = content.get("message_thread_id").and_then(Value::as_i64)
        {
            self.topics.entry((chat.id, thread)).or_insert(true);
        }
    }

    pub(crate) fn close_topic(&mut self, chat_id: i64, thread: i64) {
        self.topics.insert((chat_id, thread), false);
    }

    pub(crate) fn delete_topic(&mut self, chat_id: i64, thread: i64) {
        self.topics.remove(&(chat_id, thread));
    }

    pub(crate) fn migrate(&mut self, from: i64, to: i64) {
        self.moved.insert(from, to);
    }

    /// Refuses calls for a group that has become a supergroup.
    pub(crate) fn check_chat(&self, chat_id: i64) -> Result<(), ApiError> {
        self.moved.get(&chat_id).map_or(Ok(()), |to| Err(ApiError::migrated(*to)))
    }

    /// The fields that show where in the chat a message with these parameters is.
    ///
    /// # Errors
    /// If Telegram would refuse the message.
    pub(crate) fn of_message(
        &self,
        chat: &Chat,
        params: &Params,
    ) -> Result<Vec<(&'static str, Value)>, ApiError> {
        if chat.is_direct_messages {
            return match params.number("direct_messages_topic_id") {
                Some(id) => Ok(vec![("direct_messages_topic", json!({ "topic_id": id }))]),
                None => {
                    Err(ApiError::bad_request("channel direct messages topic must be specified"))
                }
            };
        }
        let Some(thread) = params.number("message_thread_id") else { return Ok(vec![]) };
        let may_have_topics = chat.is_forum || chat.kind == ChatKind::Private;
        match self.topics.get(&(chat.id, thread)) {
            Some(true) => {
                Ok(vec![("message_thread_id", json!(thread)), ("is_topic_message", json!(true))])
            }
            Some(false) => Err(ApiError::bad_request("TOPIC_CLOSED")),
            None if may_have_topics => Err(ApiError::bad_request("message thread not found")),
            // Other chats ignore it.
            None => Ok(vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::Bot;
    use crate::{Person, Simulator};

    /// Sends a text and returns the message, or the error.
    async fn send(bot: &Bot, mut params: Value) -> Result<Value, Value> {
        params["text"] = json!("hi");
        let (status, mut answer) = bot.call("sendMessage", params).await;
        match status {
            200 => Ok(answer["result"].take()),
            _ => Err(answer),
        }
    }

    fn why(refused: Result<Value, Value>) -> String {
        refused.unwrap_err()["description"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_topic_exists_once_a_person_writes_in_it() {
        let telegram = Simulator::start().await.unwrap();
        let bot = Bot::of(&telegram);
        let ann = Person::new(42, "Ann");
        let forum = Chat::forum(-1_001, "Rink");
        let thread = 1_i64 << 40;
        for chat in [Chat::private(&ann), forum] {
            let (id, not_found) = (chat.id, "Bad Request: message thread not found");
            telegram.push(Update::text(&ann, "hi").in_chat(&chat));
            let there = json!({ "chat_id": id, "message_thread_id": thread });
            assert_eq!(why(send(&bot, there.clone()).await), not_found);

            telegram.push(Update::text(&ann, "hi").in_chat(&chat).in_topic(thread));
            let sent = send(&bot, there.clone()).await.unwrap();
            assert_eq!(
                (&sent["message_thread_id"], &sent["chat"]["id"]),
                (&json!(thread), &json!(id))
            );
            assert_eq!(sent["is_topic_message"], true);

            telegram.close_topic(&chat, thread);
            assert_eq!(why(send(&bot, there.clone()).await), "Bad Request: TOPIC_CLOSED");
            telegram.delete_topic(&chat, thread);
            assert_eq!(why(send(&bot, there).await), not_found);
            let sent = send(&bot, json!({ "chat_id": id })).await.unwrap();
            assert_eq!(sent.get("message_thread_id"), None);
        }
        // A group without topics ignores the thread.
        let group = Chat::group(-5, "Family");
        telegram.introduce_chat(&group);
        let sent = send(&bot, json!({ "chat_id": -5, "message_thread_id": 3 })).await.unwrap();
        assert_eq!(sent.get("message_thread_id"), None);
    }

    #[tokio::test]
    async fn direct_messages_have_a_topic() {
        let telegram = Simulator::start().await.unwrap();
        let bot = Bot::of(&telegram);
        let ann = Person::new(42, "Ann");
        let chat = Chat::direct_messages(-1_001_234, "News");
        telegram.push(Update::direct_message(&ann, &chat, "hi"));
        let updates = bot.updates(json!({})).await;
        let message = &updates[0]["message"];
        assert_eq!(message["chat"]["is_direct_messages"], true);
        assert_eq!(message["direct_messages_topic"]["topic_id"], 42);

        let must = "Bad Request: channel direct messages topic must be specified";
        assert_eq!(why(send(&bot, json!({ "chat_id": -1_001_234 })).await), must);
        let there = json!({ "chat_id": -1_001_234, "direct_messages_topic_id": 42 });
        let sent = send(&bot, there).await.unwrap();
        assert_eq!(sent["direct_messages_topic"]["topic_id"], 42);
    }

    #[tokio::test]
    async fn a_group_that_became_a_supergroup_refuses_messages() {
        let telegram = Simulator::start().await.unwrap();
        let bot = Bot::of(&telegram);
        let ann = Person::new(42, "Ann");
        let (group, rink) = (Chat::group(-5, "Rink"), Chat::supergroup(-1_001_234_567_890, "Rink"));
        telegram.push(Update::text(&ann, "hi").in_chat(&group));
        let sent = send(&bot, json!({ "chat_id": -5 })).await.unwrap();

        telegram.migrate(&group, &rink);
        let refused = send(&bot, json!({ "chat_id": -5 })).await.unwrap_err();
        let gone = json!({
            "ok": false, "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": { "migrate_to_chat_id": -1_001_234_567_890_i64 },
        });
        assert_eq!(refused, gone);
        let edit = json!({ "chat_id": -5, "message_id": sent["message_id"], "text": "hello" });
        assert_eq!(bot.call("editMessageText", edit).await, (400, gone));
        send(&bot, json!({ "chat_id": -1_001_234_567_890_i64 })).await.unwrap();

        for update in Update::migrated(&ann, &group, &rink) {
            telegram.push(update);
        }
        let updates = bot.updates(json!({})).await;
        let [.., there, here] = updates.as_slice() else { panic!("{updates:?}") };
        assert_eq!(there["message"]["chat"]["id"], -5);
        assert_eq!(there["message"]["migrate_to_chat_id"], -1_001_234_567_890_i64);
        assert_eq!(here["message"]["chat"]["id"], -1_001_234_567_890_i64);
        assert_eq!(here["message"]["migrate_from_chat_id"], -5);
    }

    #[tokio::test]
    async fn message_ids_may_need_64_bits() {
        let telegram = Simulator::builder().first_message_id(1 << 40).start().await.unwrap();
        let bot = Bot::of(&telegram);
        telegram.introduce(&Person::new(42, "Ann"));
        let sent = send(&bot, json!({ "chat_id": 42 })).await.unwrap();
        assert_eq!(sent["message_id"], 1_i64 << 40);
        let edit = json!({ "chat_id": 42, "message_id": 1_i64 << 40, "text": "hello" });
        assert_eq!(bot.call("editMessageText", edit).await.0, 200);
    }
}
