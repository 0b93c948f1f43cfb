//! Deleting many users.

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AuditAction, Clock, Cursor, Selection, SortKey, TelegramId, UserSort, grouped,
};
use rollcall_repository::{DirectoryRepository, MAX_PAGE_SIZE, UserRepository};

use crate::{AdminService, ServiceError, pace::Pace};

/// How many users the first part has.
const FIRST_PART: u32 = 25;
/// By id, so that users who come back after their deletion are not deleted again.
const BY_ID: UserSort = UserSort { key: SortKey::Id, descending: false };

/// Deletes many users for a management command, in parts that hold no lock for long. Each user gets
/// an entry in the audit log, and so does the whole deletion. Cheap to clone.
#[derive(Clone)]
pub struct DeletionService {
    users: Arc<dyn UserRepository>,
    directory: Arc<dyn DirectoryRepository>,
    admins: AdminService,
    clock: Arc<dyn Clock>,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// How many users were deleted.
    pub users: u64,
    /// Whether there are none left; if not, it was stopped.
    pub is_complete: bool,
}

/// Receives how many users are deleted so far, and returns whether the deletion goes on.
pub type DeletionProgress<'a> = &'a (dyn Fn(u64) -> bool + Send + Sync + 'a);

impl DeletionService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl UserRepository + DirectoryRepository + 'static,
        admins: AdminService,
        clock: impl Clock + 'static,
    ) -> Self {
        let storage = Arc::new(storage);
        Self { users: storage.clone(), directory: storage, admins, clock: Arc::new(clock) }
    }

    /// How many of these ids have a user.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count_existing(&self, ids: &[TelegramId]) -> Result<u64, ServiceError> {
        let mut count = 0;
        for some in ids.chunks(READ_AT_ONCE) {
            count += number(self.users.existing(some).await?.len());
        }
        Ok(count)
    }

    /// Deletes the users of a selection who have joined by now. `filter` describes them in the audit
    /// log. If it is stopped, the same call again deletes the others.
    ///
    /// # Errors
    /// If the storage fails. Some users may be deleted then.
    pub async fn delete_matching(
        &self,
        selection: &Selection,
        filter: &str,
        progress: DeletionProgress<'_>,
    ) -> Result<Deletion, ServiceError> {
        let mut work = Work::new(self, progress);
        let ended = work.delete_matching(selection, self.clock.now()).await;
        work.end(ended, filter).await
    }

    /// Deletes the users with these ids. Ids without a user are passed over. If it is stopped, the
    /// same call again deletes the others.
    ///
    /// # Errors
    /// If the storage fails. Some users may be deleted then.
    pub async fn delete_ids(
        &self,
        ids: &[TelegramId],
        progress: DeletionProgress<'_>,
    ) -> Result<Deletion, ServiceError> {
        let mut work = Work::new(self, progress);
        let ended = work.delete_ids(ids).await;
        work.end(ended, "given ids").await
    }
}

/// How many ids are looked up at once.
const READ_AT_ONCE: usize = 1_000;

/// A deletion that goes on.
struct Work<'a> {
    service: &'a DeletionService,
    progress: DeletionProgress<'a>,
    pace: Pace,
    deleted: u64,
}

impl<'a> Work<'a> {
    fn new(service: &'a DeletionService, progress: DeletionProgress<'a>) -> Self {
        Self { service, progress, pace: Pace::beginning(FIRST_PART), deleted: 0 }
    }

    /// Returns whether all are deleted.
    async fn delete_matching(
        &mut self,
        selection: &Selection,
        until: DateTime<Utc>,
    ) -> Result<bool, ServiceError> {
        let mut place: Option<Cursor> = None;
        loop {
            let directory = &self.service.directory;
            let page = directory.select(selection, BY_ID, place, MAX_PAGE_SIZE).await?;
            let before = page.rows.into_iter().map(|row| row.user);
            let before = before.filter(|user| user.created_at <= until);
            let ids: Vec<TelegramId> = before.map(|user| user.telegram_id).collect();
            if !self.delete(&ids).await? {
                return Ok(false);
            }
            place = page.next;
            if place.is_none() {
                return Ok(true);
            }
        }
    }

    /// Returns whether all are deleted.
    async fn delete_ids(&mut self, ids: &[TelegramId]) -> Result<bool, ServiceError> {
        for some in ids.chunks(READ_AT_ONCE) {
            let existing = self.service.users.existing(some).await?;
            if !self.delete(&existing).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes users part by part. Returns whether the deletion goes on.
    async fn delete(&mut self, mut ids: &[TelegramId]) -> Result<bool, ServiceError> {
        while !ids.is_empty() {
            let size = usize::try_from(self.pace.size()).unwrap_or(usize::MAX);
            let (part, rest) = ids.split_at_checked(size).unwrap_or((ids, &[]));
            ids = rest;
            // Written first, so that no user is deleted without an entry. It has only the id.
            let admins = &self.service.admins;
            admins.audit_command_each(AuditAction::DeletedUser, part).await?;
            let began = Instant::now();
            self.deleted += number(self.service.users.erase(part).await?);
            self.pace.follow(began.elapsed());
            if !(self.progress)(self.deleted) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the entry of the whole deletion to the audit log.
    async fn end(
        self,
        ended: Result<bool, ServiceError>,
        chosen: &str,
    ) -> Result<Deletion, ServiceError> {
        let users = self.deleted;
        if users > 0 {
            let noun = if users == 1 { "user" } else { "users" };
            let stopped = if matches!(ended, Ok(true)) { "" } else { "; stopped before its end" };
            let what = format!("{} {noun}: {chosen}{stopped}", grouped(users));
            self.service.admins.audit_command(AuditAction::DeletedUsers, &what).await?;
        }
        Ok(Deletion { users, is_complete: ended? })
    }
}

fn number(users: usize) -> u64 {
    users.try_into().unwrap_or(u64::MAX)
}
