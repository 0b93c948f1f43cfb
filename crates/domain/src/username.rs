use std::{fmt, str::FromStr};

use crate::stored_text::{MAX_NAME_CHARS, stored};

/// A username as Telegram sent it, without the leading `@`. Never empty.
///
/// A username does not identify an account, because it can pass to another one. Two usernames are
/// the same if they differ only in the case of ASCII letters, the only letters that Telegram allows
/// in them. Compare them by [`Username::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// A username from the Bot API, without U+0000 and cut at
    /// [`MAX_NAME_CHARS`](crate::MAX_NAME_CHARS) characters; `None` if nothing is left.
    pub fn from_telegram(text: &str) -> Option<Self> {
        let text = stored(text, MAX_NAME_CHARS);
        (!text.is_empty()).then_some(Self(text))
    }

    /// The username, in the upper and lower case that its owner chose.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which usernames are compared: with ASCII letters in lower case. Databases
    /// compute the same with `lower` in the "C" collation.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The username as a `String`.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Parses what a person typed, with or without the `@`.
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

/// The text cannot be a username on Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a username; expected up to 32 of A-Z, a-z, 0-9 and _, with or without a leading @")]
pub struct InvalidUsername;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_parsed_with_and_without_the_sign() {
        let username: Username = "@Ada_1815".parse().unwrap();
        assert_eq!(username.as_str(), "Ada_1815");
        assert_eq!(username.key(), "ada_1815");
        assert_eq!(username.to_string(), "@Ada_1815");
        assert_eq!("Ada_1815".parse::<Username>().unwrap(), username);
    }

    #[test]
    fn impossible_usernames_are_rejected() {
        for text in ["", "@", "two words", "naïve", "@@x", &"x".repeat(33)] {
            assert_eq!(text.parse::<Username>(), Err(InvalidUsername), "{text:?}");
        }
    }

    #[test]
    fn usernames_are_stored_as_sent_except_nul_and_length() {
        assert_eq!(Username::from_telegram("a\0b").unwrap().as_str(), "ab");
        assert_eq!(Username::from_telegram("\0"), None);
        assert_eq!(Username::from_telegram(""), None);
        assert_eq!(
            Username::from_telegram(&"я".repeat(300)).unwrap().as_str().chars().count(),
            255
        );
    }
}
