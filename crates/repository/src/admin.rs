use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Admin, AdminAccount, AdminName, AuditAction, AuditEntry, Role, SignInLimit, TelegramId,
};

use crate::RepositoryError;

/// The SHA-256 hash of a secret: who reads the database learns nothing to sign in with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// An account and what shows that somebody is its owner.
#[derive(Clone)]
pub struct StoredAccount {
    /// The account.
    pub account: AdminAccount,
    /// The hash of its password, in the PHC string format.
    pub password_hash: String,
}

/// A session as it stands, whether it has expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Whose it is.
    pub admin: Admin,
    /// The role that the account has now; `None` for who came by Telegram, or is disabled.
    pub account_role: Option<Role>,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to the minute or so.
    pub last_used_at: DateTime<Utc>,
}

/// What is added to the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it; `None` for somebody on the server itself.
    pub admin: Option<Admin>,
    /// What was done.
    pub action: AuditAction,
    /// Which user it was about.
    pub about: Option<TelegramId>,
    /// What it was before.
    pub old: Option<String>,
    /// What it is since then.
    pub new: Option<String>,
}

/// Which entries of the audit log are wanted: all, unless it is told what to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those about this user.
    pub about: Option<TelegramId>,
    /// Only those of what this admin did.
    pub by: Option<Admin>,
    /// Only those of this action.
    pub action: Option<AuditAction>,
}

impl AuditFilter {
    /// Every entry.
    pub fn all() -> Self {
        Self::default()
    }

    /// Keeps what was done about a user.
    pub fn about(self, user: TelegramId) -> Self {
        Self { about: Some(user), ..self }
    }

    /// Keeps what an admin did.
    pub fn by(self, admin: Admin) -> Self {
        Self { by: Some(admin), ..self }
    }

    /// Keeps one action.
    pub fn action(self, action: AuditAction) -> Self {
        Self { action: Some(action), ..self }
    }
}

/// What must not be older than this is forgotten; see [`AdminRepository::forget`].
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    /// Sessions that were not used since.
    pub used_before: DateTime<Utc>,
    /// Sessions that began before.
    pub signed_in_before: DateTime<Utc>,
    /// Links that were made before.
    pub linked_before: DateTime<Utc>,
    /// Failures to sign in that were not followed by another one since.
    pub failed_before: DateTime<Utc>,
}

/// What came of disabling or enabling an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabling {
    /// It is so now, or was already.
    Done,
    /// There is none of this name.
    NoSuchAccount,
    /// No other owner's account is enabled.
    LastOwner,
}

/// The store of admins: accounts, sessions, links to sign in with, failures to sign in, and the
/// audit log. What is changed and its entry in the audit log are one transaction.
#[async_trait]
pub trait AdminRepository: Send + Sync {
    /// Stores a new account; answers whether there was none of its name.
    async fn create_account(
        &self,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// The account of this name.
    async fn account(&self, name: &AdminName) -> Result<Option<StoredAccount>, RepositoryError>;

    /// Up to `limit` accounts, by name.
    async fn accounts(&self, limit: u32) -> Result<Vec<AdminAccount>, RepositoryError>;

    /// Changes the password of an account, and ends its sessions; answers whether it exists.
    async fn set_password(
        &self,
        name: &AdminName,
        password_hash: &str,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Disables or enables an account, and ends its sessions. One that is so already stays as it is,
    /// and so does the last one of an owner that is enabled; then nothing is added to the audit log.
    async fn set_disabled(
        &self,
        name: &AdminName,
        is_disabled: bool,
        entry: &NewAuditEntry,
    ) -> Result<Disabling, RepositoryError>;

    /// Counts an attempt to sign in as a failure of each key, before anything else is known of it, so
    /// that attempts at once are counted too. Where one of the limits makes it wait, nothing is
    /// counted, and the answer is for how long.
    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Option<TimeDelta>, RepositoryError>;

    /// An attempt was none: forgets the failures of `forgotten`, and takes one from those of each of
    /// `eased`.
    async fn succeeded(&self, forgotten: Digest, eased: &[Digest]) -> Result<(), RepositoryError>;

    /// Begins a session at the time of its entry. For an account, only if it is not disabled and has
    /// this password's hash still; answers whether it began.
    async fn open_session(
        &self,
        token: Digest,
        admin: &Admin,
        password_hash: Option<&str>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// The session with this token.
    async fn session(&self, token: Digest) -> Result<Option<StoredSession>, RepositoryError>;

    /// Notes that a session is being used.
    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// Ends a session; answers whether there was one. Where there was none, nothing is added to the
    /// audit log.
    async fn close_session(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Ends every session of an admin; answers how many there were.
    async fn close_sessions(
        &self,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<usize, RepositoryError>;

    /// Stores a link for somebody to sign in with.
    async fn create_link(
        &self,
        token: Digest,
        user: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// Takes a link away; answers whose it was and when it was made. Of several who take it at once,
    /// one gets it.
    async fn take_link(
        &self,
        token: Digest,
    ) -> Result<Option<(TelegramId, DateTime<Utc>)>, RepositoryError>;

    /// Adds to the audit log.
    async fn audit(&self, entry: &NewAuditEntry) -> Result<(), RepositoryError>;

    /// Adds to the audit log, all of the entries or none.
    async fn audit_all(&self, entries: &[NewAuditEntry]) -> Result<(), RepositoryError>;

    /// Up to `limit` entries of the audit log, the newest first; only those before the entry
    /// `before`, if one is given.
    async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, RepositoryError>;

    /// Forgets what is old, up to `limit` rows of each kind; answers how many rows there were.
    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError>;
}
