use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AuditAction, AuditEntry, TelegramId};
use rollcall_repository::{AuditChain, AuditFilter, Digest, NewAuditEntry};

use super::service::AdminService;
use crate::ServiceError;

/// The most entries of the audit log in one page.
const MAX_ENTRIES: u32 = 1000;

impl AdminService {
    /// Adds an admin's action to the audit log: about which user, and the values before and after.
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

    /// Adds the action of a management command to the audit log.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_command(&self, action: AuditAction, new: &str) -> Result<(), ServiceError> {
        let at = self.clock.now();
        Ok(self.storage.audit(&entry(at, None, action, Some(new.to_owned()))).await?)
    }

    /// Adds an admin's action on several users to the audit log: one entry for each user, or none if
    /// the storage fails.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_each(
        &self,
        admin: &Admin,
        action: AuditAction,
        about: &[TelegramId],
    ) -> Result<(), ServiceError> {
        self.audit_all(Some(admin), action, about).await
    }

    /// Adds the action of a management command on several users to the audit log: one entry for each
    /// user, or none if the storage fails.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn audit_command_each(
        &self,
        action: AuditAction,
        about: &[TelegramId],
    ) -> Result<(), ServiceError> {
        self.audit_all(None, action, about).await
    }

    async fn audit_all(
        &self,
        by: Option<&Admin>,
        action: AuditAction,
        about: &[TelegramId],
    ) -> Result<(), ServiceError> {
        let at = self.clock.now();
        let entry =
            |id: &TelegramId| NewAuditEntry { about: Some(*id), ..entry(at, by, action, None) };
        let entries: Vec<NewAuditEntry> = about.iter().map(entry).collect();
        Ok(self.storage.audit_all(&entries).await?)
    }

    /// Verifies the audit log: that no entry was changed, added or removed later, except by erasing a
    /// user. `expected` is the hash of an entry, noted earlier, which must still be in the log.
    ///
    /// # Errors
    /// When the storage fails. A fault in the log is part of the result, not an error.
    pub async fn verify_audit_log(
        &self,
        expected: Option<Digest>,
    ) -> Result<AuditChain, ServiceError> {
        Ok(self.storage.verify_audit_log(expected).await?)
    }

    /// Up to `limit` entries of the audit log, at most 1,000, the newest first. For the next page, pass
    /// the id of the last entry as `before`.
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

/// An entry of the audit log about no user.
pub(super) fn entry(
    at: DateTime<Utc>,
    by: Option<&Admin>,
    action: AuditAction,
    new: Option<String>,
) -> NewAuditEntry {
    NewAuditEntry { at, admin: by.cloned(), action, about: None, old: None, new }
}
