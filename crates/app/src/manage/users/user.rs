//! A user on the command line: which one, and as JSON.

use std::str::FromStr;

use rollcall_domain::{StartPayload, TelegramId, TelegramUser, UnreachableReason, Username};
use serde_json::{Value, json};

use crate::manage::output::rfc3339;

/// A user as an id or a username on the command line.
#[derive(Clone, Debug)]
pub(super) enum WhichUser {
    Id(TelegramId),
    Username(Username),
}

impl FromStr for WhichUser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let looks_like_an_id = text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
        if looks_like_an_id && !text.is_empty() {
            return text.parse().map(Self::Id).map_err(|error| format!("{error}"));
        }
        text.parse().map(Self::Username).map_err(|_| {
            "expected a Telegram id such as 123456789, or a username such as @ada".to_owned()
        })
    }
}

pub(super) fn as_json(user: &TelegramUser) -> Value {
    json!({
        "telegram_id": user.telegram_id.get(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username.as_ref().map(Username::as_str),
        "language_code": user.language_code,
        "is_bot": user.is_bot,
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
        "last_seen": rfc3339(user.last_seen),
        "source": user.source.as_ref().map(StartPayload::as_str),
        "reachable": user.reachability.is_reachable(),
        "obstacle": user.reachability.obstacle.map(UnreachableReason::name),
        "blocked_at": user.reachability.blocked_at.map(rfc3339),
        "unblocked_at": user.reachability.unblocked_at.map(rfc3339),
    })
}
