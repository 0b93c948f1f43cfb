use std::{mem::discriminant, time::Duration};

use super::status::WalPosition;
use crate::base::server::Server;

/// What is known about a replica.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It can be read.
    Up {
        server: Server,
        /// How far it has replayed the log of the primary; `None` if the server does not say it.
        replayed: Option<WalPosition>,
        lag: Duration,
    },
    /// It cannot be read.
    Down(Reason),
}

/// Why a replica is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was not looked at yet.
    Unknown,
    /// It does not answer.
    Away(String),
    /// It has another database.
    Other(String),
    /// It cannot be used as it is now.
    Unusable(String),
}

impl Reason {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Unknown => "it has not answered yet",
            Self::Away(text) | Self::Other(text) | Self::Unusable(text) => text,
        }
    }
}

impl State {
    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }

    /// Whether it cannot be read for such a reason already.
    pub(super) fn is_down_alike(&self, reason: &Reason) -> bool {
        matches!(self, Self::Down(known) if discriminant(known) == discriminant(reason))
    }

    pub(super) fn server(&self) -> Option<&Server> {
        match self {
            Self::Up { server, .. } => Some(server),
            Self::Down(_) => None,
        }
    }

    pub(super) fn replayed(&self) -> Option<WalPosition> {
        match self {
            Self::Up { replayed, .. } => *replayed,
            Self::Down(_) => None,
        }
    }

    pub(super) fn lag(&self) -> Result<Duration, String> {
        match self {
            Self::Up { lag, .. } => Ok(*lag),
            Self::Down(reason) => Err(reason.text().to_owned()),
        }
    }
}
