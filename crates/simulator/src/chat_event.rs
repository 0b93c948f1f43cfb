//! Events in the chats between people and the bot, as they happen.

use crate::people::Person;

/// One event in a chat; [`Simulator::subscribe`] receives each of them.
///
/// [`Simulator::subscribe`]: crate::Simulator::subscribe
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatEvent {
    /// A person wrote a text to the bot.
    Wrote {
        /// The author.
        person: Person,
        /// The text.
        text: String,
    },
    /// A person pressed a button.
    Pressed {
        /// The person.
        person: Person,
        /// The button's `callback_data`.
        data: String,
        /// The button's label, if the message has such a button.
        label: Option<String>,
    },
    /// A person blocked the bot.
    Blocked {
        /// The person.
        person: Person,
    },
    /// A person unblocked the bot.
    Unblocked {
        /// The person.
        person: Person,
    },
    /// A person caused an update of another kind.
    Other {
        /// The person.
        person: Person,
        /// The kind of the update, such as `inline_query`.
        kind: String,
    },
    /// The bot sent a message.
    Answered {
        /// The chat; a person's id for their private chat.
        chat_id: i64,
        /// The person, if it is a private chat.
        person: Option<Person>,
        /// The text, without markup.
        text: String,
        /// The labels of the buttons below the text.
        buttons: Vec<String>,
    },
    /// The bot edited one of its messages.
    Edited {
        /// The chat; a person's id for their private chat.
        chat_id: i64,
        /// The person, if it is a private chat.
        person: Option<Person>,
        /// The new text, without markup.
        text: String,
        /// The labels of the buttons below the text.
        buttons: Vec<String>,
    },
}
