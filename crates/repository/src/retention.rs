use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use crate::{error::RepositoryError, user::UserRepository};

/// Deletes what is older than an owner wants to keep, in small steps.
#[async_trait]
pub trait RetentionRepository: UserRepository {
    /// How much there is from before these times.
    async fn expired(&self, before: Cutoffs) -> Result<Expired, RepositoryError>;

    /// At most how many users are known only from messages to a business account. Which kinds of updates a
    /// user has sent is not stored. So it counts those without a private chat, deep link or use of a
    /// command who, on each day of theirs, were no more active than all such messages of that day.
    async fn business_customers(&self) -> Result<u64, RepositoryError>;

    /// Deletes up to `limit` of the users whose last UTC day of activity is before `day`, those who were
    /// inactive for longest first. Returns how many. They may return as new users. A user who becomes
    /// active meanwhile stays.
    async fn delete_inactive(&self, day: NaiveDate, limit: u32) -> Result<usize, RepositoryError>;

    /// Deletes up to `limit` notes that were last written before `at`; returns how many.
    async fn delete_notes(&self, at: DateTime<Utc>, limit: u32) -> Result<usize, RepositoryError>;

    /// Deletes up to `limit` entries of the audit log from before `at`, the oldest first; returns how
    /// many. The others still verify.
    async fn delete_audit_entries(
        &self,
        at: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError>;
}

/// What is older expired; `None` if it never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cutoffs {
    /// Users whose last UTC day of activity is before this one.
    pub inactive: Option<NaiveDate>,
    /// Notes that were last written before this time.
    pub notes: Option<DateTime<Utc>>,
    /// Entries of the audit log from before this time.
    pub audit: Option<DateTime<Utc>>,
}

/// How much has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Inactive users.
    pub users: u64,
    /// Notes.
    pub notes: u64,
    /// Entries of the audit log.
    pub audit_entries: u64,
}
