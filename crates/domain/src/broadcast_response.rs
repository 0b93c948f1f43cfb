//! What recipients of a broadcast did after its message.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

/// How long after its message a block counts as one of the broadcast.
pub const BLOCK_COUNTS_FOR: Duration = Duration::hours(24);
/// How much earlier than its message a block may seem, because Telegram's clock is another one, and has
/// whole seconds.
const CLOCKS_DIFFER_BY: Duration = Duration::minutes(1);

/// What a recipient did after the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BroadcastResponse {
    /// The recipient blocked the bot within [`BLOCK_COUNTS_FOR`].
    Blocked,
    /// The recipient pressed a button.
    Pressed,
    /// The recipient pressed the button of this number; see [`BroadcastButton`](crate::BroadcastButton).
    Button(u16),
}

impl BroadcastResponse {
    /// The name, as it is stored.
    pub fn name(self) -> String {
        match self {
            Self::Blocked => "blocked".to_owned(),
            Self::Pressed => "pressed".to_owned(),
            Self::Button(number) => format!("button {number}"),
        }
    }

    /// The response with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "blocked" => Some(Self::Blocked),
            "pressed" => Some(Self::Pressed),
            name => name.strip_prefix("button ")?.parse().ok().map(Self::Button),
        }
    }
}

/// How many recipients of a broadcast did what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseSums(pub BTreeMap<BroadcastResponse, u64>);

impl ResponseSums {
    /// How many recipients did this.
    pub fn of(&self, response: BroadcastResponse) -> u64 {
        self.0.get(&response).copied().unwrap_or_default()
    }
}

/// Whether a block at `blocked_at` is a response to a message that was sent at `sent_at`.
pub fn is_response(blocked_at: DateTime<Utc>, sent_at: DateTime<Utc>) -> bool {
    let after = blocked_at - sent_at;
    -CLOCKS_DIFFER_BY <= after && after < BLOCK_COUNTS_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_response_for_a_day() {
        let sent_at = DateTime::UNIX_EPOCH + Duration::days(9);
        for (seconds, expected) in
            [(-61, false), (-60, true), (0, true), (86_399, true), (86_400, false)]
        {
            let blocked_at = sent_at + Duration::seconds(seconds);
            assert_eq!(is_response(blocked_at, sent_at), expected, "{seconds}");
        }
    }
}
