use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction, AuditEntry, TelegramId};

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

/// The log of what admins did.
#[async_trait]
pub trait AuditLogRepository: Send + Sync {
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
}
