//! The recipients of a broadcast, as a value of a filter.

use std::fmt::{self, Display, Formatter};

use crate::RecipientState;

/// The recipients of one broadcast that have a state: `12:failed`. Without a state, those that
/// Telegram took the message for: `12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfBroadcast {
    /// The number of the broadcast.
    pub broadcast: i64,
    /// What became of the message.
    pub state: RecipientState,
}

impl OfBroadcast {
    /// `None` if the text is no such value.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (number, state) = match text.split_once(':') {
            Some((number, state)) => (number, RecipientState::from_name(state)?),
            None => (text, RecipientState::Sent),
        };
        Some(Self { broadcast: read_broadcast(number)?, state })
    }
}

/// The number of a broadcast; `None` if the text is none.
pub(super) fn read_broadcast(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|it| is_number && *it > 0)
}

impl Display for OfBroadcast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.state {
            RecipientState::Sent => write!(f, "{}", self.broadcast),
            state => write!(f, "{}:{}", self.broadcast, state.name()),
        }
    }
}
