use std::{fmt, str::FromStr};

use crate::profile::stored;

/// A username as Telegram sent it, without the leading `@`. Never empty.
///
/// A username is no identity: it passes from one account to another. Two usernames are the same
/// when they differ only in the case of ASCII letters, which is all that Telegram allows in them;
/// compare [`Username::key`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// A username as the Bot API sends it: U+0000 removed and cut at
    /// [`MAX_NAME_CHARS`](crate::MAX_NAME_CHARS) characters; `None` where nothing is left.
    pub fn from_telegram(text: &str) -> Option<Self> {
        let text = stored(text, crate::MAX_NAME_CHARS);
        (!text.is_empty()).then_some(Self(text))
    }

    /// The username with the case in which its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two usernames share when Telegram takes them for the same one: ASCII letters in lower
    /// case. Databases compute the same with `lower` in the "C" collation.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The username as a value of its own.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Reads what a person typed, with or without the `@`.
impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix('@').unwrap_or(text);
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > 32 || !name.chars().all(allowed) {
            return Err(InvalidUsername);
        }
        Ok(Self(name.to_owned()))
    }
}

/// Shows the username with its `@`.
impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// Text that cannot be a username on Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a username; expected up to 32 of A-Z, a-z, 0-9 and _, with or without a leading @")]
pub struct InvalidUsername;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        let username: Username = "@Ada_1815".parse().unwrap();
        assert_eq!(username.as_str(), "Ada_1815");
        assert_eq!(username.key(), "ada_1815");
        assert_eq!(username.to_string(), "@Ada_1815");
        assert_eq!("Ada_1815".parse::<Username>().unwrap(), username);
    }

    #[test]
    fn refuses_what_cannot_be_one() {
        for text in ["", "@", "two words", "naïve", "@@x", &"x".repeat(33)] {
            assert_eq!(text.parse::<Username>(), Err(InvalidUsername), "{text:?}");
        }
    }

    #[test]
    fn what_telegram_sends_is_kept_but_for_nul_and_length() {
        assert_eq!(Username::from_telegram("a\0b").unwrap().as_str(), "ab");
        assert_eq!(Username::from_telegram("\0"), None);
        assert_eq!(Username::from_telegram(""), None);
        assert_eq!(
            Username::from_telegram(&"я".repeat(300)).unwrap().as_str().chars().count(),
            255
        );
    }
}
