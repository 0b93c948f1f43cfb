//! What answers users.

use async_trait::async_trait;
use rollcall_domain::Registration;

use crate::update::{ButtonPress, CommandMessage};

/// Answers the commands and buttons of a bot. Every user that it is called for is
/// registered already.
///
/// Answers are sent by the [`Outbox`](crate::Outbox), in order within a chat. Those that there is no
/// room for are not asked for.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The names of the bot's commands, without slashes, in lower case. Others are registered as
    /// messages that are no commands, and not answered.
    fn commands(&self) -> &'static [&'static str];

    /// Answers what somebody asks for. Best effort: what fails is logged, and not asked for again.
    async fn handle(&self, request: Request, registration: Registration);
}

/// What somebody asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// A command was typed.
    Command(CommandMessage),
    /// A button was pressed.
    ButtonPress(ButtonPress),
}

impl Request {
    /// The chat in which it is answered, in the order of what is asked there.
    pub(crate) fn chat_id(&self) -> Option<i64> {
        match self {
            Self::Command(message) => Some(message.from.chat_id),
            Self::ButtonPress(press) => press.message.map(|(_, place)| place.destination.chat_id),
        }
    }
}
