//! Where a message goes.

use rollcall_domain::TelegramId;
use serde::Serialize;

/// A chat, and what Telegram needs to reach the right place in it. Serialized as the parameters of
/// the Bot API's methods that send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// The chat.
    pub chat_id: i64,
    /// The part of it, if it has parts.
    #[serde(flatten)]
    pub topic: Option<Topic>,
}

/// A part of a chat that messages belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Topic {
    /// A topic of a supergroup or of a private chat. Without it, the message goes to the chat as a
    /// whole.
    #[serde(rename = "message_thread_id")]
    Thread(i64),
    /// What one person and a channel write to each other. The channel's direct messages chat takes
    /// no message without it.
    #[serde(rename = "direct_messages_topic_id")]
    DirectMessages(i64),
}

impl Destination {
    /// A person's private chat with the bot, which may have threads and no other topics.
    pub fn person(id: TelegramId, topic: Option<Topic>) -> Self {
        let topic = topic.filter(|topic| matches!(topic, Topic::Thread(_)));
        Self { chat_id: id.get(), topic }
    }

    /// The chat as a whole, where that is another place that the message may go to.
    pub(crate) fn without_thread(self) -> Option<Self> {
        matches!(self.topic, Some(Topic::Thread(_))).then_some(Self { topic: None, ..self })
    }
}

/// Where a message of the bot's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePlace {
    /// The chat, and the part of it.
    pub destination: Destination,
    /// Its number in the chat.
    pub message_id: i64,
}

/// A group that became a supergroup, which has an id of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_as_the_bot_api_reads_it() {
        for (topic, expected) in [
            (None, json!({"chat_id": -5})),
            (
                Some(Topic::Thread(1 << 40)),
                json!({"chat_id": -5, "message_thread_id": 1_099_511_627_776_i64}),
            ),
            (
                Some(Topic::DirectMessages(1 << 40)),
                json!({"chat_id": -5, "direct_messages_topic_id": 1_099_511_627_776_i64}),
            ),
        ] {
            let written = serde_json::to_value(Destination { chat_id: -5, topic }).unwrap();
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn a_private_chat_has_threads_only() {
        let of = |topic| Destination::person(5.try_into().unwrap(), topic);
        let thread = Some(Topic::Thread(7));
        assert_eq!(of(thread), Destination { chat_id: 5, topic: thread });
        for topic in [None, Some(Topic::DirectMessages(7))] {
            assert_eq!(of(topic), Destination { chat_id: 5, topic: None });
        }
    }
}
