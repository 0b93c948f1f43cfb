use async_trait::async_trait;
use rollcall_domain::{Registration, TelegramId};

use crate::update::{ButtonPress, CommandMessage, PrivateMessage, TextMessage};

/// Answers the commands and buttons of a bot. Their users are registered before it is called.
///
/// Send answers with the [`Outbox`](crate::Outbox). Requests of one chat are handled in order. Requests
/// that exceed a limit are dropped without calling this.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The names of the bot's commands, without slashes, in lower case. Other commands are registered as
    /// ordinary messages, and not answered.
    fn commands(&self) -> &[&'static str];

    /// The family of the bot's button with this data, such as `settings` for all buttons of the settings.
    /// `None` if the bot has no such button, because users can forge data. Families are constants, so
    /// users cannot add any.
    fn button_family(&self, _data: &str) -> Option<&'static str> {
        None
    }

    /// Whether a text that is not a command is passed to [`Handler::handle`]. It is called for each text
    /// that users send, so it must be quick.
    fn wants(&self, _text: &str) -> bool {
        false
    }

    /// Whether each new message of this user in their private chat is passed to [`Handler::handle`], unless
    /// it is one of the bot's commands or a text that it [wants](Handler::wants). It is called for each
    /// message in a private chat, so it must be quick.
    fn wants_messages_of(&self, _user: TelegramId) -> bool {
        false
    }

    /// Whether it answers this request. If updates are forwarded, those with such a request are not, but for
    /// [`Request::Message`].
    fn answers(&self, _request: &Request) -> bool {
        true
    }

    /// Answers a request. Best effort: log failures, because there is no retry.
    async fn handle(&self, request: Request, registration: Registration);
}

/// What a user asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// A typed command.
    Command(CommandMessage),
    /// A text that the handler [wants](Handler::wants).
    Text(TextMessage),
    /// A message of a user whose messages the handler [wants](Handler::wants_messages_of).
    Message(PrivateMessage),
    /// The press of a button.
    ButtonPress(ButtonPress),
}

impl Request {
    /// The chat in whose order it is answered.
    pub(crate) fn chat_id(&self) -> Option<i64> {
        match self {
            Self::Command(message) => Some(message.from.chat_id),
            Self::Text(message) => Some(message.from.chat_id),
            Self::Message(message) => Some(message.from.chat_id),
            Self::ButtonPress(press) => press.message.map(|(_, place)| place.destination.chat_id),
        }
    }
}
