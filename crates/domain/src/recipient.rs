//! What became of the recipients of a broadcast.

use std::collections::BTreeMap;

use crate::Arm;

/// What became of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecipientState {
    /// The message waits.
    Queued,
    /// The message is going out.
    Claimed,
    /// Telegram took the message.
    Sent,
    /// Telegram refused the message.
    Failed,
    /// The bot cannot write to the user.
    Unreachable,
    /// The message was not to be sent: see the reason.
    Skipped,
    /// A crash or a lost response leaves unknown whether the message was sent.
    Unknown,
}

impl RecipientState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Claimed,
        Self::Sent,
        Self::Failed,
        Self::Unreachable,
        Self::Skipped,
        Self::Unknown,
    ];

    /// The state's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// Why a recipient was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The user has opted out of the category.
    OptedOut,
    /// The user was erased after the broadcast was prepared.
    Erased,
    /// The broadcast had taken longer than it may.
    Expired,
    /// The user got as many messages of the category within a week as it allows.
    Capped,
    /// The user belongs to the part that is held out, to compare the others with.
    HeldOut,
}

impl SkipReason {
    /// The reason's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Erased => "erased",
            Self::Expired => "expired",
            Self::Capped => "capped",
            Self::HeldOut => "held_out",
        }
    }
}

/// How many recipients of each arm have each state since their message went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArmSums(pub BTreeMap<(Arm, RecipientState), u64>);

impl ArmSums {
    /// How many of an arm have this state.
    pub fn of(&self, arm: Arm, state: RecipientState) -> u64 {
        self.0.get(&(arm, state)).copied().unwrap_or_default()
    }

    /// How many there are in an arm.
    pub fn all(&self, arm: Arm) -> u64 {
        self.0.iter().filter(|((its, _), _)| *its == arm).map(|(_, users)| users).sum()
    }
}

/// How many recipients of a broadcast have each state and reason; the reason is empty if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientSums(pub BTreeMap<(RecipientState, String), u64>);

impl RecipientSums {
    /// How many have this state.
    pub fn of(&self, state: RecipientState) -> u64 {
        self.0.iter().filter(|((its, _), _)| *its == state).map(|(_, users)| users).sum()
    }

    /// How many there are.
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many were held out.
    pub fn held_out(&self) -> u64 {
        let reason = (RecipientState::Skipped, SkipReason::HeldOut.name().to_owned());
        self.0.get(&reason).copied().unwrap_or_default()
    }

    /// How many have an outcome.
    pub fn settled(&self) -> u64 {
        self.all() - self.of(RecipientState::Queued) - self.of(RecipientState::Claimed)
    }
}
