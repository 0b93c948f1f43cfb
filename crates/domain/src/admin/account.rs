use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::{LabelName, TelegramId};

/// What an admin may do. Each role includes the rights of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May view the dashboard and the users.
    Viewer,
    /// May also write notes and change preferences.
    Editor,
    /// May also delete and export users, manage admins, and read the audit log.
    Owner,
}

impl Role {
    /// Every role, with the least rights first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// The role's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_name(text).ok_or(InvalidRole)
    }
}

/// The text is not the name of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; expected viewer, editor or owner")]
pub struct InvalidRole;

/// The name of an admin's account: 1 to 64 characters of `A-Z a-z 0-9 . _ @ -`.
///
/// Letters are stored in lower case, so that names that differ only in case are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdminName(String);

impl AdminName {
    /// The most characters that a name may have.
    pub const MAX_CHARS: usize = 64;

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdminName {
    type Err = InvalidAdminName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        if (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidAdminName)
        }
    }
}

impl fmt::Display for AdminName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text cannot be the name of an account. The error does not contain the text, because people
/// type passwords into the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a name for an account; expected 1 to {max} characters of A-Z a-z 0-9 . _ @ -",
    max = AdminName::MAX_CHARS
)]
pub struct InvalidAdminName;

/// An admin who uses the web admin, or a program that uses the API.
///
/// Shown and stored as the account's name, or as `telegram:` and the id, or as `api:` and the name of
/// the key. The latter two cannot be the name of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Admin {
    /// An admin with a name and a password.
    Account(AdminName),
    /// An admin who signs in by a link from the bot.
    Telegram(TelegramId),
    /// A program with the key of this name. It never has a session.
    Program(LabelName),
}

const TELEGRAM: &str = "telegram:";
const PROGRAM: &str = "api:";

impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => name.fmt(f),
            Self::Telegram(id) => write!(f, "{TELEGRAM}{id}"),
            Self::Program(key) => write!(f, "{PROGRAM}{key}"),
        }
    }
}

impl FromStr for Admin {
    type Err = InvalidAdmin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text.strip_prefix(TELEGRAM), text.strip_prefix(PROGRAM)) {
            (Some(id), _) => id.parse().map(Self::Telegram).map_err(|_| InvalidAdmin),
            (_, Some(key)) => key.parse().map(Self::Program).map_err(|_| InvalidAdmin),
            (None, None) => text.parse().map(Self::Account).map_err(|_| InvalidAdmin),
        }
    }
}

/// The text does not identify an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an admin; expected the name of an account, or telegram: and an id")]
pub struct InvalidAdmin;

/// An admin's account, without its password and second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccount {
    /// The name to sign in with.
    pub name: AdminName,
    /// The role of the account.
    pub role: Role,
    /// Whether signing in with it is disabled.
    pub is_disabled: bool,
    /// Whether a second factor is set up.
    pub has_second_factor: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The time of the last sign-in.
    pub last_signed_in_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_are_parsed_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        for admin in ["ada", "telegram:1815", "ada.l@example.org"] {
            assert_eq!(admin.parse::<Admin>().unwrap().to_string(), admin);
        }
        assert!(
            ["", "telegram:", "telegram:x", "a b"].iter().all(|it| it.parse::<Admin>().is_err())
        );
    }

    #[test]
    fn each_role_includes_the_ones_before() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Owner);
    }

    #[test]
    fn names_of_accounts_ignore_case() {
        let name = |text: &str| text.parse::<AdminName>();
        assert_eq!(name("Ada"), name("aDA"));
        assert_eq!(name("Ada-L_1.x@y").unwrap().as_str(), "ada-l_1.x@y");
        assert!(name(&"a".repeat(64)).is_ok());
        for odd in ["", " ada", "ada:1", "Жук", "a\u{0}", &"a".repeat(65)] {
            assert_eq!(name(odd), Err(InvalidAdminName), "{odd:?}");
        }
        assert_eq!(
            InvalidAdminName.to_string(),
            "not a name for an account; expected 1 to 64 characters of A-Z a-z 0-9 . _ @ -"
        );
    }
}
