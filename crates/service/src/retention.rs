//! Retention: what an owner wants to keep only for a time is deleted in small steps.

use std::{sync::Arc, time::Instant};

use rollcall_domain::{AuditAction, Clock, RetentionPeriod, grouped};
use rollcall_repository::{Cutoffs, Expired, RetentionRepository};

use crate::{AdminService, ServiceError, pace::Pace};

/// How many users the first step deletes.
const FIRST_PART: u32 = 25;
/// How many notes or entries of the audit log are deleted at once.
const ROWS: u32 = 500;

/// How long things are kept; `None` for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Users, after their last interaction.
    pub inactive: Option<RetentionPeriod>,
    /// Notes, after they were last written.
    pub notes: Option<RetentionPeriod>,
    /// Entries of the audit log.
    pub audit: Option<RetentionPeriod>,
}

/// Deletes inactive users, old notes and old entries of the audit log. Cheap to clone.
#[derive(Clone)]
pub struct RetentionService {
    storage: Arc<dyn RetentionRepository>,
    admins: AdminService,
    clock: Arc<dyn Clock>,
    retention: Retention,
}

impl RetentionService {
    /// Creates a service over `storage`, which keeps things for as long as `retention` says.
    pub fn new(
        storage: impl RetentionRepository + 'static,
        admins: AdminService,
        clock: impl Clock + 'static,
        retention: Retention,
    ) -> Self {
        Self { storage: Arc::new(storage), admins, clock: Arc::new(clock), retention }
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// The times before which things have expired.
    pub fn cutoffs(&self) -> Cutoffs {
        let now = self.clock.now();
        let Retention { inactive, notes, audit } = self.retention;
        Cutoffs {
            inactive: inactive.map(|period| period.before(now).date_naive()),
            notes: notes.map(|period| period.before(now)),
            audit: audit.map(|period| period.before(now)),
        }
    }

    /// How much has expired by now.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn expired(&self) -> Result<Expired, ServiceError> {
        Ok(self.storage.expired(self.cutoffs()).await?)
    }

    /// At most how many users are known only from messages to a business account. Retention leaves them.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn business_customers(&self) -> Result<u64, ServiceError> {
        Ok(self.storage.business_customers().await?)
    }

    /// Deletes what has expired, step by step. After each step it calls `progress` with the number of
    /// users so far, and pauses for as long as the step took, so that registration goes on. Inactive
    /// users did not ask for it, so they may return as new users. Returns how much was deleted.
    ///
    /// # Errors
    /// If the storage fails. What was deleted before stays deleted; the next call goes on.
    pub async fn delete_expired(
        &self,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Expired, ServiceError> {
        let mut deleted = Expired::default();
        let ended = self.delete_users(&mut deleted.users, progress).await;
        if deleted.users > 0
            && let Some(period) = self.retention.inactive
        {
            // Once, because it waits for a moment without other work.
            self.storage.empty_log().await;
            let noun = if deleted.users == 1 { "user" } else { "users" };
            let what = format!("{} {noun}: inactive for {period}", grouped(deleted.users));
            self.admins.audit_command(AuditAction::DeletedUsers, &what).await?;
        }
        ended?;
        let Cutoffs { notes, audit, .. } = self.cutoffs();
        while let Some(at) = notes {
            let rows = number(self.storage.delete_notes(at, ROWS).await?);
            deleted.notes += rows;
            if rows == 0 {
                break;
            }
        }
        while let Some(at) = audit {
            let rows = number(self.storage.delete_audit_entries(at, ROWS).await?);
            deleted.audit_entries += rows;
            if rows == 0 {
                break;
            }
        }
        Ok(deleted)
    }

    async fn delete_users(
        &self,
        deleted: &mut u64,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), ServiceError> {
        let Some(day) = self.cutoffs().inactive else { return Ok(()) };
        let mut pace = Pace::beginning(FIRST_PART);
        loop {
            let size = pace.size();
            let began = Instant::now();
            let users = number(self.storage.delete_inactive(day, size).await?);
            let took = began.elapsed();
            pace.follow(took);
            *deleted += users;
            progress(*deleted);
            // Fewer than `size` may have been inactive still, and others be left.
            if users == 0 {
                return Ok(());
            }
            tokio::time::sleep(took).await;
        }
    }
}

fn number(rows: usize) -> u64 {
    rows.try_into().unwrap_or(u64::MAX)
}
