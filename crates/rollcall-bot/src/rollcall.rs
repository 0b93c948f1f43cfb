use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rollcall_domain::{
    Clock, Profile, Registration, SystemClock, TelegramId, TelegramUser, UnreachableReason,
    UserStats,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{
    AudienceService, DirectoryService, LabelService, SegmentService, UserService, maintain,
};
use rollcall_telegram::{Intake, TakenUpdate};

use crate::{error::Error, inner::Inner, users::Users};

/// The users of one bot, in a database. Cheap to clone; clones share the database.
///
/// Calls that arrive during a commit share the next one, so many at once are fast. A call returns when
/// what it changed is on the disk: a crash or a drop after that loses nothing.
///
/// In the background it deletes update ids that are older than two days, adds new names to the search,
/// counts saved segments once a day, and works on changes of tags that admins began on the web.
#[derive(Clone)]
pub struct Rollcall(Arc<Inner>);

impl Rollcall {
    pub(crate) fn new(database: Database, commands: &'static [&'static str]) -> Self {
        let storage = || DieselUserRepository::new(database.clone());
        let users = UserService::new(storage(), SystemClock);
        let labels = LabelService::new(storage(), SystemClock);
        let maintained = maintain(
            users.clone(),
            DirectoryService::new(storage(), SystemClock),
            labels.clone(),
            SegmentService::new(storage(), SystemClock),
        );
        let inner = Inner {
            audience: AudienceService::new(storage(), SystemClock),
            intake: Intake::new(users.clone(), SystemClock, commands, |_| None),
            users,
            #[cfg(feature = "admin")]
            labels,
            is_closed: AtomicBool::default(),
            work: Mutex::default(),
            #[cfg(feature = "admin")]
            stopping: tokio::sync::watch::Sender::default(),
            #[cfg(any(feature = "admin", feature = "bot"))]
            database,
        };
        inner.spawn(async move { match maintained.await {} });
        Self(Arc::new(inner))
    }

    /// Registers the user of one update, as Telegram sent it: the JSON of an `Update` of the Bot API. It
    /// recognises an update that comes again within 48 hours by its `update_id`, and counts it once.
    /// What cannot be read in full is kept for 14 days in the quarantine (`manage quarantine list`).
    ///
    /// Returns when that is on the disk, so you can acknowledge the update to Telegram then.
    ///
    /// # Errors
    /// [`Error::InvalidUpdate`] if `update` is something else; [`Error::Storage`] if the database failed.
    /// Then call it again.
    pub async fn register_json(&self, update: &str) -> Result<TakenUpdate, Error> {
        Ok(self.open_inner()?.intake.take_one(update).await?)
    }

    /// Registers the users of several updates in one go, in their order: a JSON array of up to 1,000
    /// updates, or the response of getUpdates. Otherwise like [`Rollcall::register_json`]. Returns what
    /// became of each.
    ///
    /// # Errors
    /// Those of [`Rollcall::register_json`]. After [`Error::Storage`], some may be registered: repeat all.
    pub async fn register_batch(&self, updates: &str) -> Result<Vec<TakenUpdate>, Error> {
        Ok(self.open_inner()?.intake.take(updates.as_bytes()).await?)
    }

    /// Registers that the user with this profile is active now, and returns them.
    ///
    /// # Errors
    /// [`Error::Storage`] if the database failed. Nothing was changed then.
    pub async fn register(&self, profile: Profile) -> Result<Registration, Error> {
        Ok(self.open_inner()?.users.get_or_create_user(&profile).await?)
    }

    /// The user with this Telegram id; `None` if there is none, as for an id that is not positive.
    ///
    /// # Errors
    /// [`Error::Storage`] if the database failed.
    pub async fn user(&self, id: i64) -> Result<Option<TelegramUser>, Error> {
        let Ok(id) = TelegramId::try_from(id) else { return Ok(None) };
        Ok(self.open_inner()?.users.get_user_by_telegram_id(id).await?)
    }

    /// How many users there are, how many are active, new and reachable, and how many interactions there
    /// were today. Reads a few sums, whatever the number of users.
    ///
    /// # Errors
    /// [`Error::Storage`] if the database failed.
    pub async fn stats(&self) -> Result<UserStats, Error> {
        Ok(self.open_inner()?.users.get_user_stats().await?)
    }

    /// The users that a filter selects, such as `lang:de seen<14d`, page by page; an empty filter selects
    /// all. Days are in UTC.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] if the filter cannot be read. The database is asked with the first page.
    pub fn users(&self, filter: &str) -> Result<Users, Error> {
        self.open_inner()?;
        Users::new(self.0.clone(), filter)
    }

    /// Records that a message to a user failed just now, because they cannot be reached. Returns whether
    /// this changed anything: it does not for an unknown user.
    ///
    /// # Errors
    /// [`Error::Storage`] if the database failed.
    pub async fn mark_unreachable(
        &self,
        id: i64,
        reason: UnreachableReason,
    ) -> Result<bool, Error> {
        let Ok(id) = TelegramId::try_from(id) else { return Ok(false) };
        let users = &self.open_inner()?.users;
        Ok(users.mark_unreachable(id, reason, SystemClock.now()).await?)
    }

    /// Waits until all calls in progress are on the disk, and ends the work in the background. Every later
    /// call fails with [`Error::Closed`], also those of clones.
    ///
    /// Without it, nothing that was acknowledged is lost either. But calls that were dropped before they
    /// returned may be stored or not.
    pub async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.work.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        #[cfg(feature = "admin")]
        self.0.stopping.send_replace(true);
        self.0.users.finish().await;
    }

    /// What is inside, unless it is closed.
    pub(crate) fn open_inner(&self) -> Result<&Inner, Error> {
        self.0.check_open()?;
        Ok(&self.0)
    }
}
