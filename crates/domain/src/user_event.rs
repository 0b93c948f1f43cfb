//! What programs outside are notified of.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::{ReachabilityChange, TelegramId, UnreachableReason};

/// What happened to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserEventKind {
    /// The user interacted with the bot for the first time.
    Created,
    /// The user blocked the bot.
    Blocked,
    /// The user can be reached again.
    Unblocked,
}

impl UserEventKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Created, Self::Blocked, Self::Unblocked];

    /// The name for programs, such as `user.created`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "user.created",
            Self::Blocked => "user.blocked",
            Self::Unblocked => "user.unblocked",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a change of reachability, if programs are notified of it.
    pub fn of(change: &ReachabilityChange) -> Option<Self> {
        match change.obstacle {
            None => Some(Self::Unblocked),
            Some(UnreachableReason::Blocked) => Some(Self::Blocked),
            Some(_) => None,
        }
    }
}

/// An event of a user. No user has the same one twice at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserEvent {
    /// The user.
    pub telegram_id: TelegramId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: UserEventKind,
}

/// Why a program outside did not accept an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// The status of its response is not 2xx.
    #[error("it responded with the HTTP status {0}")]
    Status(u16),
    /// Nothing could be sent.
    #[error("it cannot be connected to")]
    NoConnection,
    /// It took too long.
    #[error("it did not respond in time")]
    Timeout,
    /// The connection ended, or what came is not HTTP.
    #[error("it did not respond")]
    NoResponse,
}

impl EventRefusal {
    const STATUS: &str = "status_";

    /// The name for programs, such as `status_503`.
    pub fn name(self) -> String {
        match self {
            Self::Status(status) => format!("{}{status}", Self::STATUS),
            Self::NoConnection => "no_connection".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::NoResponse => "no_response".to_owned(),
        }
    }

    /// The refusal with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "no_connection" => Some(Self::NoConnection),
            "timeout" => Some(Self::Timeout),
            "no_response" => Some(Self::NoResponse),
            _ => name.strip_prefix(Self::STATUS)?.parse().ok().map(Self::Status),
        }
    }
}

/// The kinds of events that are recorded; by default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserEventKinds(u8);

impl UserEventKinds {
    /// Every kind.
    pub fn all() -> Self {
        UserEventKind::ALL.into_iter().fold(Self::default(), Self::with)
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, kind: UserEventKind) -> Self {
        Self(self.0 | Self::bit(kind))
    }

    /// Whether the kind is recorded.
    pub fn has(self, kind: UserEventKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    /// Whether nothing is recorded.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn bit(kind: UserEventKind) -> u8 {
        match kind {
            UserEventKind::Created => 1,
            UserEventKind::Blocked => 2,
            UserEventKind::Unblocked => 4,
        }
    }
}

impl FromStr for UserEventKinds {
    type Err = InvalidUserEventKinds;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut kinds = Self::default();
        for name in text.split(',').map(str::trim) {
            let kind = UserEventKind::from_name(name).ok_or(InvalidUserEventKinds)?;
            kinds = kinds.with(kind);
        }
        Ok(kinds)
    }
}

/// The text does not list kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it has an unknown event; expected one or more of user.created, user.blocked and user.unblocked, \
     separated by commas"
)]
pub struct InvalidUserEventKinds;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_a_name() {
        use EventRefusal::{NoConnection, NoResponse, Status, Timeout};
        for refusal in [Status(503), NoConnection, Timeout, NoResponse] {
            assert_eq!(EventRefusal::from_name(&refusal.name()), Some(refusal));
        }
        for wrong in ["", "status_", "status_x", "503"] {
            assert_eq!(EventRefusal::from_name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn kinds_are_listed_by_name() {
        let kinds: UserEventKinds = "user.created, user.unblocked".parse().unwrap();
        assert!(kinds.has(UserEventKind::Created) && kinds.has(UserEventKind::Unblocked));
        assert!(!kinds.has(UserEventKind::Blocked) && !kinds.is_empty());
        assert!(UserEventKinds::default().is_empty());
        for kind in UserEventKind::ALL {
            assert!(UserEventKinds::all().has(kind));
            assert_eq!(UserEventKind::from_name(kind.name()), Some(kind));
        }
        for wrong in ["", "user.created,", "created", "user.created user.blocked"] {
            assert_eq!(wrong.parse::<UserEventKinds>(), Err(InvalidUserEventKinds), "{wrong}");
        }
    }
}
