//! Which user a command is about.

use std::str::FromStr;

use rollcall_domain::{TelegramId, Username};

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
