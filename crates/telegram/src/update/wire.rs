//! The JSON of updates, as far as we use it. Each field stays raw and is read by itself, so an invalid
//! field does not spoil the others.

use std::borrow::Cow;

use rollcall_domain::{Profile, TelegramId};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::kinds::is_known;
use crate::{destination::Topic, json::Text};

/// An update: its id, and its content under the name of its kind.
pub(super) struct Envelope<'a> {
    pub(super) update_id: Option<i64>,
    pub(super) content: Option<(Cow<'a, str>, &'a RawValue)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an update")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
                let mut envelope = Envelope { update_id: None, content: None };
                while let Some(Text(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    if name == "update_id" {
                        envelope.update_id = serde_json::from_str(value.get()).ok();
                    } else if is_known(&name)
                        || (envelope.content.is_none() && value.get().starts_with('{'))
                    {
                        envelope.content = Some((name, value));
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// The fields of an update's content that we use: the user, the time and the place.
#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) from: Option<&'a RawValue>,
    pub(super) user: Option<&'a RawValue>,
    pub(super) boost: Option<&'a RawValue>,
    pub(super) source: Option<&'a RawValue>,
    pub(super) sender_chat: Option<IgnoredAny>,
    pub(super) date: Option<&'a RawValue>,
    pub(super) edit_date: Option<&'a RawValue>,
    pub(super) chat: Option<&'a RawValue>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) data: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) migrate_to_chat_id: Option<&'a RawValue>,
    pub(super) migrate_from_chat_id: Option<&'a RawValue>,
    pub(super) new_chat_member: Option<&'a RawValue>,
    pub(super) is_topic_message: Option<&'a RawValue>,
    pub(super) message_thread_id: Option<&'a RawValue>,
    pub(super) direct_messages_topic: Option<&'a RawValue>,
}

impl<'a> Content<'a> {
    /// The place of the content, if it is a message.
    pub(super) fn place(&self) -> InChat<'a> {
        InChat {
            chat: self.chat,
            message_id: None,
            text: None,
            reply_markup: None,
            business_connection_id: None,
            is_topic_message: self.is_topic_message,
            message_thread_id: self.message_thread_id,
            direct_messages_topic: self.direct_messages_topic,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Member<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Boost<'a> {
    #[serde(borrow)]
    pub(super) source: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Source<'a> {
    #[serde(borrow)]
    pub(super) user: Option<&'a RawValue>,
}

/// The place of a message.
#[derive(Deserialize)]
pub(super) struct InChat<'a> {
    #[serde(borrow)]
    pub(super) chat: Option<&'a RawValue>,
    pub(super) message_id: Option<&'a RawValue>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) reply_markup: Option<&'a RawValue>,
    pub(super) business_connection_id: Option<IgnoredAny>,
    pub(super) is_topic_message: Option<&'a RawValue>,
    pub(super) message_thread_id: Option<&'a RawValue>,
    pub(super) direct_messages_topic: Option<&'a RawValue>,
}

impl InChat<'_> {
    /// The topic of the message. `message_thread_id` is a topic only if the message says so: in other
    /// supergroups it numbers the replies to a message, and nothing can be sent there.
    pub(super) fn topic(&self) -> serde_json::Result<Option<Topic>> {
        if let Some(topic) = self.direct_messages_topic {
            let DirectMessagesTopic { topic_id } = serde_json::from_str(topic.get())?;
            return Ok(Some(Topic::DirectMessages(topic_id)));
        }
        let thread = self
            .message_thread_id
            .filter(|_| self.is_topic_message.is_some_and(|raw| raw.get() == "true"));
        thread.map(|id| serde_json::from_str(id.get()).map(Topic::Thread)).transpose()
    }
}

#[derive(Deserialize)]
struct DirectMessagesTopic {
    topic_id: i64,
}

#[derive(Deserialize)]
pub(super) struct RawChat<'a> {
    pub(super) id: i64,
    #[serde(rename = "type", borrow)]
    pub(super) kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) id: i64,
}

/// A user. Only the id is required.
#[derive(Deserialize)]
pub(super) struct User<'a> {
    pub(super) id: i64,
    #[serde(borrow)]
    pub(super) first_name: Option<Text<'a>>,
    pub(super) last_name: Option<Text<'a>>,
    pub(super) username: Option<Text<'a>>,
    pub(super) language_code: Option<Text<'a>>,
    pub(super) is_bot: Option<bool>,
}

impl User<'_> {
    pub(super) fn of_id(id: i64) -> Self {
        Self {
            id,
            first_name: None,
            last_name: None,
            username: None,
            language_code: None,
            is_bot: None,
        }
    }

    pub(super) fn profile(&self, id: TelegramId) -> Profile {
        let Some(Text(first_name)) = &self.first_name else { return Profile::of_id(id) };
        let or_empty = |text: &Option<Text<'_>>| {
            text.as_ref().map(|Text(text)| text.to_string()).unwrap_or_default()
        };
        Profile::new(id, first_name)
            .last_name(&or_empty(&self.last_name))
            .username(&or_empty(&self.username))
            .language_code(&or_empty(&self.language_code))
            .is_bot(self.is_bot.unwrap_or_default())
    }
}
