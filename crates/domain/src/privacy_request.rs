//! What people ask about their data.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};

/// How long an owner has for a request: the month of article 12 (3) of the GDPR, and the 30 days of
/// Telegram's terms for bot developers.
pub const REQUEST_IS_DUE_AFTER: TimeDelta = TimeDelta::days(30);

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// A person wants a copy of their data.
    Copy,
    /// A person wants their data erased.
    Erasure,
    /// Telegram asks to erase a person's data.
    Telegram,
}

impl RequestKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Erasure, Self::Telegram];

    /// The kind's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Erasure => "erasure",
            Self::Telegram => "telegram",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RequestKind {
    type Err = UnknownRequestKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or(UnknownRequestKind)
    }
}

/// The text is not the name of a [`RequestKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected copy, erasure or telegram")]
pub struct UnknownRequestKind;

/// A request, which does not show whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyRequest {
    /// Its number.
    pub id: i64,
    /// The beginning of the keyed hash of the person's id, by which requests of one person are
    /// recognised.
    pub person: String,
    /// What it is about.
    pub kind: RequestKind,
    /// When it was made.
    pub asked_at: DateTime<Utc>,
    /// Until when it must be done.
    pub due_at: DateTime<Utc>,
    /// When it was done; `None` while it is open.
    pub done_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_read_back() {
        for kind in RequestKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("all".parse::<RequestKind>(), Err(UnknownRequestKind));
    }
}
