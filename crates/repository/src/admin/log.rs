use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction, AuditEntry, TelegramId};

use super::digest::Digest;
use crate::error::RepositoryError;

/// An entry to add to the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// The admin; `None` for a command on the server.
    pub admin: Option<Admin>,
    /// The action.
    pub action: AuditAction,
    /// The user that it is about.
    pub about: Option<TelegramId>,
    /// The old value.
    pub old: Option<String>,
    /// The new value.
    pub new: Option<String>,
}

/// A filter for entries of the audit log: all, unless more is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only entries about this user.
    pub about: Option<TelegramId>,
    /// Only entries by this admin.
    pub by: Option<Admin>,
    /// Only entries of this action.
    pub action: Option<AuditAction>,
}

impl AuditFilter {
    /// Every entry.
    pub fn all() -> Self {
        Self::default()
    }

    /// Keeps the entries about a user.
    pub fn about(self, user: TelegramId) -> Self {
        Self { about: Some(user), ..self }
    }

    /// Keeps the entries by an admin.
    pub fn by(self, admin: Admin) -> Self {
        Self { by: Some(admin), ..self }
    }

    /// Keeps one action.
    pub fn action(self, action: AuditAction) -> Self {
        Self { action: Some(action), ..self }
    }
}

/// The result of verifying the chain of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChain {
    /// How many entries are unchanged and in their order.
    pub entries: u64,
    /// How many entries are older than the chain, and cannot be verified.
    pub older: u64,
    /// The hash of the last entry that was verified.
    pub newest: Digest,
    /// The first fault, if there is one.
    pub fault: Option<AuditFault>,
}

/// A fault of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// An entry lacks its hash.
    #[error("entry {id} has no hash: it was not written by Rollcall")]
    Unchained {
        /// The entry.
        id: i64,
    },
    /// An entry's values were changed.
    #[error("the values of entry {id} were changed")]
    Values {
        /// The entry.
        id: i64,
    },
    /// An entry does not follow the previous one.
    #[error("entry {id} was changed, or one before it was changed, added or removed")]
    Link {
        /// The entry.
        id: i64,
    },
    /// The newest known entry is missing.
    #[error("the newest entries are missing")]
    NewestMissing,
    /// The entry with the caller's hash is missing.
    #[error("no entry has the expected hash: the log was written again, or is another database's")]
    NotExpected,
}

/// The log of the admins' actions.
#[async_trait]
pub trait AuditLogRepository: Send + Sync {
    /// Adds an entry.
    async fn audit(&self, entry: &NewAuditEntry) -> Result<(), RepositoryError>;

    /// Adds entries, all or none.
    async fn audit_all(&self, entries: &[NewAuditEntry]) -> Result<(), RepositoryError>;

    /// Verifies that the entries are unchanged, the oldest first, up to the first fault. With
    /// `expected`, one of them must have this hash.
    async fn verify_audit_log(
        &self,
        expected: Option<Digest>,
    ) -> Result<AuditChain, RepositoryError>;

    /// Up to `limit` entries, the newest first; only those before the entry `before`, if it is
    /// given.
    async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, RepositoryError>;
}
