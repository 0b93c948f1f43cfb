use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, Role, TelegramId};

use super::{digest::Digest, log::NewAuditEntry};
use crate::RepositoryError;

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
    /// Whether its admin has a second factor.
    pub has_factor: bool,
    /// Whether the second factor has still to be given: until then nobody is signed in.
    pub owes_factor: bool,
    /// When its admin last proved their identity; `None` for never in this session.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// A session in the list of an admin's own, whether it has expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// The hash of its token.
    pub token: Digest,
    /// The browser and system, in words; "" where they are not known.
    pub device: String,
    /// The address of the person when it began; "" where it is not known.
    pub address: String,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to the minute or so.
    pub last_used_at: DateTime<Utc>,
    /// Whether the second factor has still to be given.
    pub owes_factor: bool,
}

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of its token.
    pub token: Digest,
    /// Whose it is.
    pub admin: Admin,
    /// The hash of the password that was verified, for an account.
    pub password_hash: Option<String>,
    /// The browser and system, in words.
    pub device: String,
    /// The address of the person.
    pub address: String,
}

/// What came of beginning a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There is no such account, it is disabled, or its password is another one by now.
    Refused,
    /// It has begun, and its admin owes a second factor.
    OwesFactor,
    /// It has begun.
    Whole,
}

/// What must not be older than this is forgotten; see [`AdminSessionRepository::forget`].
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    /// Sessions that were not used since.
    pub used_before: DateTime<Utc>,
    /// Sessions that began before.
    pub signed_in_before: DateTime<Utc>,
    /// Links that were made before.
    pub linked_before: DateTime<Utc>,
    /// Invitations that were good until then.
    pub expired_before: DateTime<Utc>,
    /// Failures to sign in that were not followed by another one since.
    pub failed_before: DateTime<Utc>,
}

/// Who is signed in, and the links to sign in with. What is changed and its entry in the audit log
/// are one transaction.
#[async_trait]
pub trait AdminSessionRepository: Send + Sync {
    /// Begins a session at the time of its entry. For an account, only if it is not disabled and has
    /// this password's hash still. Where the admin has a second factor, the session owes it, and the
    /// entry's action becomes [`AuditAction::PassedFirstFactor`](rollcall_domain::AuditAction).
    async fn open_session(
        &self,
        session: &NewSession,
        entry: &NewAuditEntry,
    ) -> Result<Opened, RepositoryError>;

    /// The session with this token.
    async fn session(&self, token: Digest) -> Result<Option<StoredSession>, RepositoryError>;

    /// Up to `limit` sessions of an admin, the one used last first.
    async fn sessions(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<ListedSession>, RepositoryError>;

    /// Notes that a session is being used.
    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// Ends a session of an admin; answers whether there was one. Where there was none, nothing is
    /// added to the audit log.
    async fn close_session(
        &self,
        token: Digest,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Ends every session of an admin but `kept`; answers how many there were.
    async fn close_sessions(
        &self,
        admin: &Admin,
        kept: Option<Digest>,
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

    /// Forgets what is old, up to `limit` rows of each kind; answers how many rows there were.
    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError>;
}
