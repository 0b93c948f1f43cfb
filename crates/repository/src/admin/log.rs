use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction, AuditEntry, TelegramId};

use super::digest::Digest;
use crate::RepositoryError;

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

/// What there is to say about the chain of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChain {
    /// How many entries follow one another as they were written.
    pub entries: u64,
    /// How many entries are from before entries were chained, and cannot be verified.
    pub older: u64,
    /// The hash of the last entry that was verified.
    pub newest: Digest,
    /// What is wrong first, if anything is.
    pub fault: Option<AuditFault>,
}

/// What is wrong with the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// An entry lacks its hash.
    #[error("entry {id} has no hash: it was not written by Rollcall")]
    Unchained {
        /// The entry.
        id: i64,
    },
    /// An entry's values are not those that were written.
    #[error("the values of entry {id} were changed")]
    Values {
        /// The entry.
        id: i64,
    },
    /// An entry does not follow the one before it.
    #[error("entry {id} was changed, or one before it was changed, added or removed")]
    Link {
        /// The entry.
        id: i64,
    },
    /// The newest entry that is known is not there.
    #[error("the newest entries are missing")]
    NewestMissing,
    /// An entry with the hash that the caller knows is not there.
    #[error("no entry has the expected hash: the log was written again, or is another database's")]
    NotExpected,
}

/// The log of what admins did.
#[async_trait]
pub trait AuditLogRepository: Send + Sync {
    /// Adds to the audit log.
    async fn audit(&self, entry: &NewAuditEntry) -> Result<(), RepositoryError>;

    /// Adds to the audit log, all of the entries or none.
    async fn audit_all(&self, entries: &[NewAuditEntry]) -> Result<(), RepositoryError>;

    /// Verifies that the entries are those that were written, the oldest first, up to the first
    /// fault. With `expected`, one of them has to have this hash.
    async fn verify_audit_log(
        &self,
        expected: Option<Digest>,
    ) -> Result<AuditChain, RepositoryError>;

    /// Up to `limit` entries of the audit log, the newest first; only those before the entry
    /// `before`, if one is given.
    async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, RepositoryError>;
}
