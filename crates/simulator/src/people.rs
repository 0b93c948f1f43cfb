//! People and chats.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::names::{Name, random_username};

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
    /// The first name, which may be empty.
    pub first_name: String,
    /// The last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The username, without the `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The IETF tag of the language of the person's Telegram app.
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

    /// A person whose name, language and username depend only on `id`.
    pub fn generated(id: i64) -> Self {
        let mut rng = Rng::with_seed(id.unsigned_abs());
        let mut person = Self::new(id, "");
        person.rename(&mut rng);
        person.username = random_username(&mut rng, id);
        person
    }

    /// Gives the person another name, and its language. The username stays.
    pub(crate) fn rename(&mut self, rng: &mut Rng) {
        let name = Name::random(rng);
        let is_same = self.first_name == name.first_name;
        let suffix = if is_same { " ✨" } else { "" };
        self.first_name = format!("{}{suffix}", name.first_name);
        self.last_name = name.last_name.map(str::to_owned);
        if let Some(language_code) = name.language_code {
            self.language_code = Some(language_code.to_owned());
        }
    }

    /// The same account with this first name.
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

    /// The same account without a last name.
    pub fn without_last_name(mut self) -> Self {
        self.last_name = None;
        self
    }

    /// The same account without a username.
    pub fn without_username(mut self) -> Self {
        self.username = None;
        self
    }

    /// The same account without a language: not every Telegram app sends one.
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

/// The kind of a [`Chat`].
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

/// A chat, as the Bot API's [Chat] object shows it.
///
/// [Chat]: https://core.telegram.org/bots/api#chat
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The person's id for a private chat, a negative number for the others.
    pub id: i64,
    /// The kind of the chat.
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
    /// Whether it is the direct messages chat of a channel.
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

    /// A small group; its id is a negative number such as -4123456789.
    pub fn group(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Group, title.into())
    }

    /// A large group; its id starts with -100.
    pub fn supergroup(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Supergroup, title.into())
    }

    /// A channel; its id starts with -100.
    pub fn channel(id: i64, title: impl Into<String>) -> Self {
        Self::titled(id, ChatKind::Channel, title.into())
    }

    /// A large group with topics.
    pub fn forum(id: i64, title: impl Into<String>) -> Self {
        Self { is_forum: true, ..Self::supergroup(id, title) }
    }

    /// The direct messages chat of a channel, with one topic per person.
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
