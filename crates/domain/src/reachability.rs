use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::clock::is_ahead;

/// Whether the bot can write to a user: it can once the user has opened a private chat, until the
/// user blocks the bot or goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Whether the user ever did something in a private chat with the bot.
    pub has_private_chat: bool,
    /// Why the user cannot be reached now; `None` where nothing is in the way.
    pub obstacle: Option<UnreachableReason>,
    /// When the latest obstacle arose.
    pub blocked_at: Option<DateTime<Utc>>,
    /// When the latest obstacle that is gone went away.
    pub unblocked_at: Option<DateTime<Utc>>,
}

impl Reachability {
    /// Whether the bot can write to the user now.
    pub fn is_reachable(&self) -> bool {
        self.has_private_chat && self.obstacle.is_none()
    }

    /// Something stands in the way since `at`; answers the change if that is new. What is known of
    /// a later time stays, unless that lies in the future at `now`.
    pub(crate) fn block(
        &mut self,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<ReachabilityChange> {
        if self.obstacle == Some(obstacle) || self.is_older_than_known(at, now) {
            return None;
        }
        self.obstacle = Some(obstacle);
        self.blocked_at = Some(at);
        Some(ReachabilityChange { at, obstacle: Some(obstacle) })
    }

    /// The user was in the private chat at `at`; answers the change if that is one.
    pub(crate) fn open(
        &mut self,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<ReachabilityChange> {
        self.has_private_chat = true;
        if self.is_older_than_known(at, now) {
            return None;
        }
        self.obstacle.take()?;
        self.unblocked_at = Some(at);
        Some(ReachabilityChange { at, obstacle: None })
    }

    /// Takes in what another record of the same user knows; see
    /// [`TelegramUser::merge`](crate::TelegramUser::merge).
    pub(crate) fn merge(&mut self, other: Self) {
        let has_private_chat = self.has_private_chat || other.has_private_chat;
        if other.changed_at() > self.changed_at() {
            *self = other;
        }
        self.has_private_chat = has_private_chat;
    }

    fn is_older_than_known(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let certain = |known: &DateTime<Utc>| !is_ahead(*known, now);
        [self.blocked_at, self.unblocked_at]
            .iter()
            .flatten()
            .filter(|it| certain(it))
            .any(|it| at < *it)
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.blocked_at.max(self.unblocked_at)
    }
}

/// That a user could no longer be reached, or could be again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachabilityChange {
    /// When it was so.
    pub at: DateTime<Utc>,
    /// What stands in the way since then; `None` where the way is free again.
    pub obstacle: Option<UnreachableReason>,
}

impl ReachabilityChange {
    /// What a change to a free way is called.
    pub const UNBLOCKED: &'static str = "unblocked";

    /// The obstacle's name, or [`UNBLOCKED`](Self::UNBLOCKED).
    pub fn name(&self) -> &'static str {
        self.obstacle.map_or(Self::UNBLOCKED, UnreachableReason::name)
    }
}

/// Why a user cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachableReason {
    /// The user has blocked the bot.
    Blocked,
    /// The account was deleted.
    Deactivated,
    /// Telegram knows no such chat.
    ChatNotFound,
    /// The user has never started the bot.
    NeverStarted,
}

impl UnreachableReason {
    /// Every obstacle.
    pub const ALL: [Self; 4] =
        [Self::Blocked, Self::Deactivated, Self::ChatNotFound, Self::NeverStarted];

    /// The obstacle's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Deactivated => "deactivated",
            Self::ChatNotFound => "chat_not_found",
            Self::NeverStarted => "never_started",
        }
    }

    /// The obstacle of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|obstacle| obstacle.name() == name)
    }
}

/// The payload of a deep link, `/start <payload>`: up to 64 of A-Z, a-z, 0-9, _ and -
/// (Bot features, "Deep linking").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPayload(String);

impl StartPayload {
    /// The payload's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StartPayload {
    type Err = InvalidStartPayload;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidStartPayload)
        }
    }
}

impl fmt::Display for StartPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that cannot be the payload of a deep link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the payload of a deep link; expected up to 64 of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidStartPayload;
