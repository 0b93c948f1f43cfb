use std::{fmt, str::FromStr, time::Duration};

use crate::base::database_url::DatabaseUrl;

/// A position in the log of the primary: a change is on a replica once it has replayed the log up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalPosition(pub(super) i64);

impl fmt::Display for WalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a position; expected the number of a byte")]
pub struct InvalidWalPosition;

impl FromStr for WalPosition {
    type Err = InvalidWalPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self).ok_or(InvalidWalPosition)
    }
}

/// How a replica is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How far it is behind the primary, or the reason why it is not read.
    pub lag: Result<Duration, String>,
}
