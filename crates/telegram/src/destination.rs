use rollcall_domain::TelegramId;

/// Where a message goes: a chat, and what Telegram needs to reach the right place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The chat.
    pub chat_id: i64,
    /// The topic in it, if any.
    pub topic: Option<Topic>,
}

/// A part of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A topic of a supergroup or of a private chat (`message_thread_id`). Without it, the message goes
    /// to the whole chat.
    Thread(i64),
    /// The direct messages between one user and a channel (`direct_messages_topic_id`). The channel's
    /// direct messages chat accepts no message without it.
    DirectMessages(i64),
}

impl Destination {
    /// A user's private chat with the bot. It can have threads, but no other topics.
    pub fn user(id: TelegramId, topic: Option<Topic>) -> Self {
        let topic = topic.filter(|topic| matches!(topic, Topic::Thread(_)));
        Self { chat_id: id.get(), topic }
    }

    /// The whole chat, if this is a thread in it.
    pub(crate) fn without_thread(self) -> Option<Self> {
        matches!(self.topic, Some(Topic::Thread(_))).then_some(Self { topic: None, ..self })
    }
}

/// The place of one of the bot's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePlace {
    /// The chat and topic.
    pub destination: Destination,
    /// Its number in the chat.
    pub message_id: i64,
}

/// A group that became a supergroup, with a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_chat_has_threads_only() {
        let of = |topic| Destination::user(5.try_into().unwrap(), topic);
        let thread = Some(Topic::Thread(7));
        assert_eq!(of(thread), Destination { chat_id: 5, topic: thread });
        for topic in [None, Some(Topic::DirectMessages(7))] {
            assert_eq!(of(topic), Destination { chat_id: 5, topic: None });
        }
    }
}
