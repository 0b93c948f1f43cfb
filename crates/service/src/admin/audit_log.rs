use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction, AuditEntry, TelegramId};
use rollcall_repository::{AuditChain, AuditFilter, Digest, NewAuditEntry};

use super::service::AdminService;
use crate::ServiceError;

/// The most entries of the audit log that are answered at once.
const MAX_ENTRIES: u32 = 1000;

impl AdminService {
    /// Adds to the audit log what an admin has just done about a user, with what was before and what
    /// is since then.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit(
        &self,
        admin: &Admin,
        action: AuditAction,
        about: Option<TelegramId>,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Result<(), ServiceError> {
        let entry = NewAuditEntry {
            at: self.clock.now(),
            admin: Some(admin.clone()),
            action,
            about,
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        Ok(self.storage.audit(&entry).await?)
    }

    /// Adds to the audit log what somebody has just done on the server, by a management command.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_command(&self, action: AuditAction, new: &str) -> Result<(), ServiceError> {
        let at = self.clock.now();
        Ok(self.storage.audit(&entry(at, None, action, Some(new.to_owned()))).await?)
    }

    /// Adds to the audit log that an admin does the same to several users, all or none of it.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_each(
        &self,
        admin: &Admin,
        action: AuditAction,
        about: &[TelegramId],
    ) -> Result<(), ServiceError> {
        let at = self.clock.now();
        let entry = |id: &TelegramId| NewAuditEntry {
            about: Some(*id),
            ..entry(at, Some(admin), action, None)
        };
        let entries: Vec<NewAuditEntry> = about.iter().map(entry).collect();
        Ok(self.storage.audit_all(&entries).await?)
    }

    /// Verifies that the entries of the audit log are those that were written: none was changed, added
    /// or removed by anything but erasing a user. With `expected`, the hash of an entry that somebody
    /// noted earlier, this entry has to be there still.
    ///
    /// # Errors
    /// When the storage fails. A fault in the log is an answer.
    pub async fn verify_audit_log(
        &self,
        expected: Option<Digest>,
    ) -> Result<AuditChain, ServiceError> {
        Ok(self.storage.verify_audit_log(expected).await?)
    }

    /// Up to `limit` entries of the audit log, at most 1,000, the newest first. What comes after a
    /// page of them is asked for with the last one's id as `before`.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ServiceError> {
        Ok(self.storage.audit_log(filter, before, limit.min(MAX_ENTRIES)).await?)
    }
}

/// An entry of the audit log that is about no user.
pub(super) fn entry(
    at: DateTime<Utc>,
    by: Option<&Admin>,
    action: AuditAction,
    new: Option<String>,
) -> NewAuditEntry {
    NewAuditEntry { at, admin: by.cloned(), action, about: None, old: None, new }
}
