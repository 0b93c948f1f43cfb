//! Who talks to the bot, and where.

use serde::{Deserialize, Serialize};

use crate::names;

/// A Telegram account, as the Bot API's [User] object shows it.
///
/// [User]: https://core.telegram.org/bots/api#user
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Telegram's id of the account, which is also the id of its private chat with the bot.
    pub id: i64,
    /// Whether the account is a bot.
    #[serde(default)]
    pub is_bot: bool,
    /// The first name; Telegram sends it always, possibly empty.
    pub first_name: String,
    /// The last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The username, without the `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The IETF tag of the language of the person's Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
}

impl Person {
    /// A person with a first name and nothing else.
    pub fn new(id: i64, first_name: impl Into<String>) -> Self {
        Self {
            id,
            is_bot: false,
            first_name: first_name.into(),
            last_name: None,
            username: None,
            language_code: None,
        }
    }

    /// Somebody with a name, language and username that only depend on `id`.
    pub fn made_up(id: i64) -> Self {
        names::made_up(id)
    }

    /// The same account under another first name.
    pub fn first_name(mut self, first_name: impl Into<String>) -> Self {
        self.first_name = first_name.into();
        self
    }

    /// The same account with this last name.
    pub fn last_name(mut self, last_name: impl Into<String>) -> Self {
        self.last_name = Some(last_name.into());
        self
    }

    /// The same account with this username, given without the `@`.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The same account with this language.
    pub fn language_code(mut self, language_code: impl Into<String>) -> Self {
        self.language_code = Some(language_code.into());
        self
    }

    /// The same account after it gave up its last name.
    pub fn without_last_name(mut self) -> Self {
        self.last_name = None;
        self
    }

    /// The same account after it gave up its username.
    pub fn without_username(mut self) -> Self {
        self.username = None;
        self
    }

    /// The same account with a Telegram that does not tell its language.
    pub fn without_language_code(mut self) -> Self {
        self.language_code = None;
        self
    }

    /// The same account as a bot.
    pub fn bot(mut self) -> Self {
        self.is_bot = true;
        self
    }
}

/// What kind of a chat a [`Chat`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// A person and the bot.
    Private,
    /// A small group.
    Group,
    /// A large group.
    Supergroup,
    /// A channel.
    Channel,
}

/// A place where messages are written, as the Bot API's [Chat] object shows it.
///
/// [Chat]: https://core.telegram.org/bots/api#chat
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The person's id for a private chat, a negative number for the others.
    pub id: i64,
    /// What kind of a chat this is.
    #[serde(rename = "type")]
    pub kind: ChatKind,
    /// The title of a group or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The username of the person, group or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The person's first name, in a private chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The person's last name, in a private chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Whether it is a supergroup with topics.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_forum: bool,
    /// Whether it is where people write to a channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_direct_messages: bool,
}

impl Chat {
    /// The private chat of a person with the bot.
    pub fn private(person: &Person) -> Self {
        Self {
            id: person.id,
            kind: ChatKind::Private,
            title: None,
            username: person.username.clone(),
            first_name: Some(person.first_name.clone()),
            last_name: person.last_name.clone(),
            is_forum: false,
            is_direct_messages: false,
        }
    }

    /// A small group; Telegram gives these negative ids such as -4123456789.
    pub fn group(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Group, title.into())
    }

    /// A large group; Telegram gives these ids that start with -100.
    pub fn supergroup(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Supergroup, title.into())
    }

    /// A channel; Telegram gives these ids that start with -100.
    pub fn channel(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Channel, title.into())
    }

    /// A large group with topics.
    pub fn forum(id: i64, title: impl Into<String>) -> Self {
        Self { is_forum: true, ..Self::supergroup(id, title) }
    }

    /// The chat in which people write to a channel, each in a topic of their own.
    pub fn direct_messages(id: i64, title: impl Into<String>) -> Self {
        Self { is_direct_messages: true, ..Self::supergroup(id, title) }
    }

    fn titled(id: i64, kind: ChatKind, title: String) -> Self {
        Self {
            id,
            kind,
            title: Some(title),
            username: None,
            first_name: None,
            last_name: None,
            is_forum: false,
            is_direct_messages: false,
        }
    }
}
