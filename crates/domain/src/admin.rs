//! The people who look after the bot: who they are, what they may do, and the log of what they did.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};

use crate::TelegramId;

/// What an admin may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees.
    Viewer,
    /// Writes notes, and changes preferences.
    Editor,
    /// Looks after admins, deletes and exports.
    Owner,
}

impl Role {
    /// Every role, the one that may do least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    /// The role's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role of this name.
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

/// A text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; expected viewer, editor or owner")]
pub struct InvalidRole;

/// The name of an admin's account: 1 to 64 characters of `A-Z a-z 0-9 . _ @ -`.
///
/// Letters are kept in lower case, so that names that differ only in case are the same.
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

/// A text that cannot be the name of an account. Does not hold the text: people type passwords
/// into the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a name for an account; expected 1 to {max} characters of A-Z a-z 0-9 . _ @ -",
    max = AdminName::MAX_CHARS
)]
pub struct InvalidAdminName;

/// Somebody who acts in the web admin.
///
/// Shown and stored as the account's name, or as `telegram:` and the id, which is no account's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Admin {
    /// Who has a name and a password.
    Account(AdminName),
    /// Who came by a link that the bot sent.
    Telegram(TelegramId),
}

const TELEGRAM: &str = "telegram:";

impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => name.fmt(f),
            Self::Telegram(id) => write!(f, "{TELEGRAM}{id}"),
        }
    }
}

impl FromStr for Admin {
    type Err = InvalidAdmin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(TELEGRAM) {
            Some(id) => id.parse().map(Self::Telegram).map_err(|_| InvalidAdmin),
            None => text.parse().map(Self::Account).map_err(|_| InvalidAdmin),
        }
    }
}

/// A text that names no admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an admin; expected the name of an account, or telegram: and an id")]
pub struct InvalidAdmin;

/// An admin's account, without what shows that somebody is its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccount {
    /// What its owner signs in with.
    pub name: AdminName,
    /// What its owner may do.
    pub role: Role,
    /// Whether nobody can sign in with it.
    pub is_disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody last signed in with it.
    pub last_signed_in_at: Option<DateTime<Utc>>,
}

/// What an admin did, as the audit log has it. To add one: a variant, its place in
/// [`AuditAction::ALL`], and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditAction {
    /// Signed in; the new value is from where.
    SignedIn,
    /// Somebody tried to sign in with an account, and failed; the new value is from where.
    SignInFailed,
    /// Signed out.
    SignedOut,
    /// Ended every session of their own.
    SignedOutEverywhere,
    /// Made an account; the new value is its name and role.
    CreatedAdmin,
    /// Changed the password of an account; the new value is its name.
    ChangedPassword,
    /// Disabled an account; the new value is its name.
    DisabledAdmin,
    /// Enabled an account again; the new value is its name.
    EnabledAdmin,
    /// Looked at what is known of a user.
    ViewedUser,
    /// Changed the note about a user.
    ChangedNote,
    /// Deleted a user.
    DeletedUser,
    /// Took users along in a file; the new value is which.
    ExportedUsers,
    /// Took users in from a file; the new value is how many.
    ImportedUsers,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::CreatedAdmin,
        Self::ChangedPassword,
        Self::DisabledAdmin,
        Self::EnabledAdmin,
        Self::ViewedUser,
        Self::ChangedNote,
        Self::DeletedUser,
        Self::ExportedUsers,
        Self::ImportedUsers,
    ];

    /// The action's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::CreatedAdmin => "created_admin",
            Self::ChangedPassword => "changed_password",
            Self::DisabledAdmin => "disabled_admin",
            Self::EnabledAdmin => "enabled_admin",
            Self::ViewedUser => "viewed_user",
            Self::ChangedNote => "changed_note",
            Self::DeletedUser => "deleted_user",
            Self::ExportedUsers => "exported_users",
            Self::ImportedUsers => "imported_users",
        }
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Something that was done, as it stands in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the log: later entries have larger ones.
    pub id: i64,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it; `None` for somebody on the server itself, by a management command, and where
    /// somebody failed to sign in with an account that is not there.
    pub admin: Option<Admin>,
    /// What was done.
    pub action: AuditAction,
    /// Which user it was about.
    pub about: Option<TelegramId>,
    /// What it was before; gone once the user was erased.
    pub old: Option<String>,
    /// What it is since then; gone once the user was erased.
    pub new: Option<String>,
}

/// How often signing in failed, with one account or from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInFailures {
    /// How often.
    pub count: u32,
    /// When it last did.
    pub last_at: DateTime<Utc>,
}

/// How often signing in may fail before the next attempt has to wait: longer each time, twice as
/// long as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimit {
    /// How many failures go without waiting.
    pub free: u32,
    /// How long the first wait is.
    pub first_wait: TimeDelta,
    /// How long a wait becomes at most.
    pub longest_wait: TimeDelta,
}

impl SignInLimit {
    /// Failures are forgotten when there was none for so long.
    pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

    /// How long an attempt at `now` has still to wait; `None` where it need not.
    pub fn wait(&self, failures: SignInFailures, now: DateTime<Utc>) -> Option<TimeDelta> {
        let doublings = self.after(failures, now).checked_sub(self.free)?;
        let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0);
        let wait = factor.and_then(|factor| self.first_wait.checked_mul(factor));
        let wait = wait.map_or(self.longest_wait, |wait| wait.min(self.longest_wait));
        let left = failures.last_at + wait - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// The failures when another one follows at `now`.
    pub fn add(&self, failures: SignInFailures, now: DateTime<Utc>) -> SignInFailures {
        let count = self.after(failures, now).saturating_add(1);
        SignInFailures { count, last_at: now.max(failures.last_at) }
    }

    /// How many failures still count at `now`.
    fn after(&self, failures: SignInFailures, now: DateTime<Utc>) -> u32 {
        if now - failures.last_at > Self::FORGOTTEN_AFTER { 0 } else { failures.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_name(action.name()), Some(action));
        }
        for admin in ["ada", "telegram:1815", "ada.l@example.org"] {
            assert_eq!(admin.parse::<Admin>().unwrap().to_string(), admin);
        }
        assert!(
            ["", "telegram:", "telegram:x", "a b"].iter().all(|it| it.parse::<Admin>().is_err())
        );
    }

    #[test]
    fn roles_grow() {
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

    #[test]
    fn waits_double_up_to_the_longest_and_are_forgotten() {
        let limit = SignInLimit {
            free: 2,
            first_wait: TimeDelta::seconds(30),
            longest_wait: TimeDelta::seconds(100),
        };
        let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let wait = |count, seconds| {
            let failures = SignInFailures { count, last_at: now - TimeDelta::seconds(seconds) };
            limit.wait(failures, now).map(|wait| wait.num_seconds())
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 40].map(|count| wait(count, 0)),
            [None, None, Some(30), Some(60), Some(100), Some(100)]
        );
        assert_eq!([wait(2, 29), wait(2, 30), wait(u32::MAX, 3601)], [Some(1), None, None]);
        let failures = SignInFailures { count: 4, last_at: now };
        assert_eq!(limit.add(failures, now + TimeDelta::hours(1)).count, 5);
        assert_eq!(limit.add(failures, now + TimeDelta::seconds(3601)).count, 1);
    }
}
