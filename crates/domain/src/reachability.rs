use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::clock::is_ahead;

/// Whether the bot can write to a user. It can once the user has opened a private chat, until the
/// user blocks the bot or deletes the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Whether the user ever interacted in a private chat with the bot.
    pub has_private_chat: bool,
    /// Why the user is unreachable now; `None` if there is no obstacle.
    pub obstacle: Option<UnreachableReason>,
    /// When the latest obstacle arose.
    pub blocked_at: Option<DateTime<Utc>>,
    /// When an obstacle last ended.
    pub unblocked_at: Option<DateTime<Utc>>,
}

impl Reachability {
    /// Whether the bot can write to the user now.
    pub fn is_reachable(&self) -> bool {
        self.has_private_chat && self.obstacle.is_none()
    }

    /// Records an obstacle that arose at `at`, and returns the change if it is new. A change of a
    /// later time takes precedence, unless it lies in the future at `now`.
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

    /// Records that the user was in the private chat at `at`, and returns the change if the user
    /// was unreachable.
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

    /// Merges another record of the same user; see
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

/// A user became unreachable, or reachable again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachabilityChange {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The obstacle since then; `None` if the user is reachable again.
    pub obstacle: Option<UnreachableReason>,
}

impl ReachabilityChange {
    /// The name of a change to reachable.
    pub const UNBLOCKED: &'static str = "unblocked";

    /// The obstacle's name, or [`UNBLOCKED`](Self::UNBLOCKED).
    pub fn name(&self) -> &'static str {
        self.obstacle.map_or(Self::UNBLOCKED, UnreachableReason::name)
    }
}

/// Why a user is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachableReason {
    /// The user blocked the bot.
    Blocked,
    /// The account was deleted.
    Deactivated,
    /// Telegram knows no such chat.
    ChatNotFound,
    /// The user has never started the bot.
    NeverStarted,
}

impl UnreachableReason {
    /// Every reason.
    pub const ALL: [Self; 4] =
        [Self::Blocked, Self::Deactivated, Self::ChatNotFound, Self::NeverStarted];

    /// The reason's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Deactivated => "deactivated",
            Self::ChatNotFound => "chat_not_found",
            Self::NeverStarted => "never_started",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|obstacle| obstacle.name() == name)
    }
}

/// The payload of a deep link, `/start <payload>`: 1 to 64 of A-Z, a-z, 0-9, _ and -
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

/// The text cannot be the payload of a deep link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the payload of a deep link; expected 1 to 64 of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidStartPayload;
