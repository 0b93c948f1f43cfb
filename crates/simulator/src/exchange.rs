//! What people and the bot say to each other, as it happens.

use crate::people::Person;

/// One thing that somebody did; [`Simulator::subscribe`] tells of each.
///
/// [`Simulator::subscribe`]: crate::Simulator::subscribe
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// A person wrote a text that the bot will get.
    Wrote {
        /// Who wrote.
        person: Person,
        /// What they wrote.
        text: String,
    },
    /// A person pressed a button.
    Pressed {
        /// Who pressed.
        person: Person,
        /// The button's `callback_data`.
        data: String,
    },
    /// A person blocked the bot.
    Blocked {
        /// Who blocked.
        person: Person,
    },
    /// A person lets the bot write again.
    Unblocked {
        /// Who came back.
        person: Person,
    },
    /// A person did something of another kind.
    Did {
        /// Who acted.
        person: Person,
        /// The kind of the update, such as `inline_query`.
        kind: String,
    },
    /// The bot sent a message.
    Answered {
        /// The chat that it was sent to; a person's id for their private chat.
        chat_id: i64,
        /// The person whose private chat it is, if it is one.
        person: Option<Person>,
        /// The text, without markup.
        text: String,
        /// The labels of the buttons below it.
        buttons: Vec<String>,
    },
    /// The bot changed a message that it had sent.
    Edited {
        /// The chat that the message is in.
        chat_id: i64,
        /// The person whose private chat it is, if it is one.
        person: Option<Person>,
        /// The new text, without markup.
        text: String,
        /// The labels of the buttons below it.
        buttons: Vec<String>,
    },
}
