//! What recipients of a broadcast did after its message.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::{Arm, VariantFigures};

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
    /// A recipient of this arm did something.
    Of(Arm, ArmResponse),
}

/// What a recipient of an [`Arm`] did after the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArmResponse {
    /// The recipient blocked the bot within [`BLOCK_COUNTS_FOR`].
    Blocked,
    /// The recipient pressed a button.
    Pressed,
    /// The recipient opted out of the category within
    /// [`OPT_OUT_COUNTS_FOR`](crate::OPT_OUT_COUNTS_FOR), and has not opted in again.
    OptedOut,
    /// The recipient pressed the button of this number.
    Button(u16),
}

impl ArmResponse {
    fn name(self) -> String {
        match self {
            Self::Blocked => "blocked".to_owned(),
            Self::Pressed => "pressed".to_owned(),
            Self::OptedOut => "opted_out".to_owned(),
            Self::Button(number) => format!("button {number}"),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "blocked" => Self::Blocked,
            "pressed" => Self::Pressed,
            "opted_out" => Self::OptedOut,
            name => Self::Button(name.strip_prefix("button ")?.parse().ok()?),
        })
    }
}

impl BroadcastResponse {
    /// The name, as it is stored.
    pub fn name(self) -> String {
        match self {
            Self::Blocked => "blocked".to_owned(),
            Self::Pressed => "pressed".to_owned(),
            Self::Button(number) => format!("button {number}"),
            Self::Of(arm, response) => format!("{} {}", arm.name(), response.name()),
        }
    }

    /// The response with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "blocked" => Some(Self::Blocked),
            "pressed" => Some(Self::Pressed),
            name => match name.split_once(' ')? {
                ("button", number) => number.parse().ok().map(Self::Button),
                (arm, response) => {
                    Some(Self::Of(Arm::from_name(arm)?, ArmResponse::from_name(response)?))
                }
            },
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

    /// The figures of an arm whose message `sent` recipients got.
    pub fn figures(&self, arm: Arm, sent: u64) -> VariantFigures {
        let of = |response| self.of(BroadcastResponse::Of(arm, response));
        VariantFigures {
            sent,
            pressed: of(ArmResponse::Pressed),
            blocked: of(ArmResponse::Blocked),
        }
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
    fn each_response_has_a_name() {
        use {ArmResponse as OfArm, BroadcastResponse as Response};
        let arm = Arm::from_name("B").unwrap();
        for (response, name) in [
            (Response::Blocked, "blocked"),
            (Response::Button(12), "button 12"),
            (Response::Of(arm, OfArm::Pressed), "B pressed"),
            (Response::Of(arm, OfArm::Button(3)), "B button 3"),
            (Response::Of(Arm::Winner, OfArm::OptedOut), "winner opted_out"),
        ] {
            assert_eq!(
                (response.name().as_str(), Response::from_name(name)),
                (name, Some(response))
            );
        }
        assert_eq!(Response::from_name("F blocked"), None);
    }

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
