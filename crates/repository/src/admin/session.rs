use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, Role, TelegramId};

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// A session, expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The admin.
    pub admin: Admin,
    /// The role that the account has now; `None` if it is disabled, or the admin came by Telegram.
    pub account_role: Option<Role>,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, accurate to about a minute.
    pub last_used_at: DateTime<Utc>,
    /// Whether its admin has a second factor.
    pub has_factor: bool,
    /// Whether it still owes the second factor: until then the admin is not signed in.
    pub owes_factor: bool,
    /// When its admin last proved their identity in it; `None` if never.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// A session in an admin's list of their own, expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// The hash of its token.
    pub token: Digest,
    /// The browser and system, in words; "" if unknown.
    pub device: String,
    /// The client's address when it began; "" if unknown.
    pub address: String,
    /// When it began.
    pub signed_in_at: DateTime<Utc>,
    /// When it was last used, to the minute or so.
    pub last_used_at: DateTime<Utc>,
    /// Whether it still owes the second factor.
    pub owes_factor: bool,
}

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of its token.
    pub token: Digest,
    /// The admin.
    pub admin: Admin,
    /// For an account, the hash of the verified password.
    pub password_hash: Option<String>,
    /// The browser and system, in words.
    pub device: String,
    /// The client's address.
    pub address: String,
}

/// The result of opening a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There is no such account, it is disabled, or its password was changed.
    Refused,
    /// It is open, and owes a second factor.
    OwesFactor,
    /// It is open and complete.
    Whole,
}

/// A link to sign in with, expired or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// The user that it was created for.
    pub user: TelegramId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Cut-off times for purging expired rows; see [`AdminSessionRepository::forget`].
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    /// Sessions not used since then.
    pub used_before: DateTime<Utc>,
    /// Sessions that began before then.
    pub signed_in_before: DateTime<Utc>,
    /// Links created before then.
    pub linked_before: DateTime<Utc>,
    /// Sign-ins through the Mini App before then.
    pub opened_before: DateTime<Utc>,
    /// Invitations that expired before then.
    pub expired_before: DateTime<Utc>,
    /// Failed sign-ins without a later one since then.
    pub failed_before: DateTime<Utc>,
}

/// The sessions of admins, and the links to sign in with. A change and its audit entry are one
/// transaction.
#[async_trait]
pub trait AdminSessionRepository: Send + Sync {
    /// Opens a session at the time of its entry. An account must be enabled, and still have this
    /// password hash. If the admin has a second factor, the session owes it, and the entry's action
    /// becomes [`AuditAction::PassedFirstFactor`](rollcall_domain::AuditAction).
    async fn open_session(
        &self,
        session: &NewSession,
        entry: &NewAuditEntry,
    ) -> Result<Opened, RepositoryError>;

    /// The session with this token.
    async fn session(&self, token: Digest) -> Result<Option<StoredSession>, RepositoryError>;

    /// Up to `limit` sessions of an admin, the last used first.
    async fn sessions(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<ListedSession>, RepositoryError>;

    /// Stores that a session was used.
    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// Ends a session of an admin; returns whether it existed. If not, there is no audit entry.
    async fn close_session(
        &self,
        token: Digest,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Ends the sessions of an admin except `kept`; returns how many there were.
    async fn close_sessions(
        &self,
        admin: &Admin,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<usize, RepositoryError>;

    /// Stores a link to sign in with.
    async fn create_link(
        &self,
        token: Digest,
        user: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// Removes and returns a link. Of several callers at once, one gets it.
    async fn take_link(&self, token: Digest) -> Result<Option<StoredLink>, RepositoryError>;

    /// Remembers the hash of Mini App data that signs an admin in. Returns whether it was new. Of
    /// several callers at once, one gets `true`.
    async fn use_mini_app_data(
        &self,
        data: Digest,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Purges expired rows, up to `limit` of each kind; returns how many there were.
    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError>;
}
