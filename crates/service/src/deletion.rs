//! Deleting many users.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Admin, AuditAction, Clock, Cursor, Selection, SortKey, TelegramId, UserSort, grouped,
};
use rollcall_repository::{DirectoryRepository, MAX_PAGE_SIZE, UserRepository};

use tokio::time::sleep;

use crate::{AdminService, PrivacyRequestService, ServiceError, pace::Pace};

/// How many users the first part has.
const FIRST_PART: u32 = 25;
/// By id, so that users who come back after their deletion are not deleted again.
const BY_ID: UserSort = UserSort { key: SortKey::Id, descending: false };

/// Deletes users for an admin or a management command, in parts that hold no lock for long. Each user
/// gets an entry in the audit log, and so does the whole deletion. Owners of the bot are left. Cheap to
/// clone.
#[derive(Clone)]
pub struct DeletionService {
    users: Arc<dyn UserRepository>,
    directory: Arc<dyn DirectoryRepository>,
    admins: AdminService,
    requests: PrivacyRequestService,
    clock: Arc<dyn Clock>,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// How many users were deleted.
    pub users: u64,
    /// How many users were left because they are owners of the bot.
    pub owners: u64,
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
        requests: PrivacyRequestService,
        clock: impl Clock + 'static,
    ) -> Self {
        let storage = Arc::new(storage);
        Self {
            users: storage.clone(),
            directory: storage,
            admins,
            requests,
            clock: Arc::new(clock),
        }
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
        let mut work = Work::new(self, None, progress);
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
        let mut work = Work::new(self, None, progress);
        let ended = work.delete_ids(ids).await;
        work.end(ended, "given ids").await
    }

    /// Deletes these users for an admin. `chosen` describes them in the audit log.
    ///
    /// # Errors
    /// If the storage fails. Some users may be deleted then.
    pub async fn delete_for(
        &self,
        admin: &Admin,
        ids: &[TelegramId],
        chosen: &str,
    ) -> Result<Deletion, ServiceError> {
        let mut work = Work::new(self, Some(admin), &|_| true);
        let ended = work.delete_ids(ids).await;
        work.end(ended, chosen).await
    }
}

/// How many ids are looked up at once.
const READ_AT_ONCE: usize = 1_000;

/// A deletion that goes on.
struct Work<'a> {
    service: &'a DeletionService,
    /// `None` for a management command.
    by: Option<&'a Admin>,
    progress: DeletionProgress<'a>,
    pace: Pace,
    /// How long the database is left to others before the next part.
    rest: Duration,
    deleted: u64,
    owners: u64,
}

impl<'a> Work<'a> {
    fn new(
        service: &'a DeletionService,
        by: Option<&'a Admin>,
        progress: DeletionProgress<'a>,
    ) -> Self {
        let pace = Pace::beginning(FIRST_PART);
        Self { service, by, progress, pace, rest: Duration::ZERO, deleted: 0, owners: 0 }
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
            if !(self.progress)(self.deleted) {
                return Ok(false);
            }
        }
    }

    /// Returns whether all are deleted.
    async fn delete_ids(&mut self, ids: &[TelegramId]) -> Result<bool, ServiceError> {
        let mut chunks = ids.chunks(READ_AT_ONCE).peekable();
        while let Some(some) = chunks.next() {
            let existing = self.service.users.existing(some).await?;
            if !self.delete(&existing).await? {
                return Ok(false);
            }
            if chunks.peek().is_some() && !(self.progress)(self.deleted) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes users part by part. Returns whether it deleted all of them.
    async fn delete(&mut self, ids: &[TelegramId]) -> Result<bool, ServiceError> {
        let owners = self.service.admins.telegram_owners().await?;
        let (owners, others): (Vec<TelegramId>, Vec<TelegramId>) =
            ids.iter().partition(|id| owners.contains(*id));
        self.owners += number(owners.len());
        let mut ids = others.as_slice();
        while !ids.is_empty() {
            // As long as the part before was under way. A process that waits for SQLite's lock looks at it
            // only from time to time, and would hardly ever find it free.
            sleep(self.rest).await;
            let part_began = Instant::now();
            let size = usize::try_from(self.pace.size()).unwrap_or(usize::MAX);
            let (part, rest) = ids.split_at_checked(size).unwrap_or((ids, &[]));
            ids = rest;
            // Written first, so that no user is deleted without an entry. It has only the id.
            let admins = &self.service.admins;
            match self.by {
                Some(admin) => admins.audit_each(admin, AuditAction::DeletedUser, part).await?,
                None => admins.audit_command_each(AuditAction::DeletedUser, part).await?,
            }
            let began = Instant::now();
            self.deleted += number(self.service.users.erase(part).await?);
            self.pace.follow(began.elapsed());
            self.service.requests.finish_erasures(part).await?;
            self.rest = part_began.elapsed();
            if !(self.progress)(self.deleted) && !ids.is_empty() {
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
            // Once, because it waits for a moment without other work.
            self.service.users.empty_log().await;
            let noun = if users == 1 { "user" } else { "users" };
            let stopped = if matches!(ended, Ok(true)) { "" } else { "; stopped before its end" };
            let what = format!("{} {noun}: {chosen}{stopped}", grouped(users));
            let (admins, action) = (&self.service.admins, AuditAction::DeletedUsers);
            match self.by {
                Some(admin) => admins.audit(admin, action, None, None, Some(&what)).await?,
                None => admins.audit_command(action, &what).await?,
            }
        }
        Ok(Deletion { users, owners: self.owners, is_complete: ended? })
    }
}

fn number(users: usize) -> u64 {
    users.try_into().unwrap_or(u64::MAX)
}
