use std::{mem, sync::Arc};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_domain::{
    Clock, Interaction, InteractionKind, Profile, QuarantinedUpdate, ReachabilityChange,
    Registration, StartPayload, TelegramId, TelegramUser, UnreachableReason, UserStats, Username,
};
use rollcall_repository::{ActivityRepository, Batch, Page, PageRequest, UserRepository};

use crate::{
    ActivityService, ServiceError,
    queue::{FULL_BATCH, Queue},
};

/// Registers users, and answers who they are. Cheap to clone; clones share one queue.
#[derive(Clone)]
pub struct UserService {
    users: Arc<dyn UserRepository>,
    activity: ActivityService,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl UserService {
    /// A service over `users`, with a queue of its own and threads that work on it. They end when
    /// the last clone of the service is gone and everything that was queued is done.
    pub fn new(
        users: impl UserRepository + ActivityRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let (users, clock): (_, Arc<dyn Clock>) = (Arc::new(users), Arc::new(clock));
        let activity = ActivityService::over(users.clone(), clock.clone());
        Self { queue: Queue::start(users.clone(), clock.clone()), users, activity, clock }
    }

    /// Records `interactions`, as if one after the other, and answers one registration for each
    /// once they are durable. A time that lies in the future counts as now. An interaction whose
    /// `update_id` was recorded in the last 48 hours changes nothing and is not counted again.
    ///
    /// What one user did is recorded in its order; users may be in several transactions, of up to
    /// 1,000 interactions each. Where some of them are recorded and others fail, the answer is an
    /// error: registering all of it again is right, since updates that were recorded are known.
    ///
    /// # Errors
    /// When the storage fails; of the transactions that failed nothing was recorded then.
    pub async fn register(
        &self,
        interactions: &[Interaction],
    ) -> Result<Vec<Registration>, ServiceError> {
        self.register_with(interactions.to_vec(), Vec::new()).await
    }

    /// Records `interactions` as [`UserService::register`] does, and keeps updates that could not
    /// be read in full, each in the same transaction as its interaction where there are up to 1,000.
    ///
    /// # Errors
    /// When the storage fails; of the transactions that failed nothing was recorded then.
    pub async fn register_with(
        &self,
        mut interactions: Vec<Interaction>,
        mut quarantined: Vec<QuarantinedUpdate>,
    ) -> Result<Vec<Registration>, ServiceError> {
        let now = self.clock.now();
        interactions
            .iter_mut()
            .for_each(|interaction| interaction.at = clamp_time(interaction.at, now));
        let told = log::log_enabled!(log::Level::Debug).then(|| interactions.clone());
        let mut registrations = Vec::with_capacity(interactions.len());
        while !interactions.is_empty() || !quarantined.is_empty() {
            let rest = interactions.split_off(interactions.len().min(FULL_BATCH));
            let batch = Batch { interactions, quarantined: mem::take(&mut quarantined) };
            registrations.extend(self.queue.register(batch).await?);
            interactions = rest;
        }
        told.iter().flatten().zip(&registrations).for_each(log_registration);
        Ok(registrations)
    }

    /// Tries whether a user could be registered that has no row yet, so that none can be spoilt.
    /// Leaves nothing behind.
    ///
    /// # Errors
    /// When the storage refuses that, too, or fails.
    pub async fn rehearse(&self) -> Result<(), ServiceError> {
        Ok(self.users.rehearse(self.clock.now()).await?)
    }

    /// How many interactions wait to be recorded, or are just being.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Forgets what is kept for a while only: update_ids for 48 hours, updates that were set aside
    /// for 14 days. Does a small part of it, and answers whether there may be more.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let forgotten = self
            .users
            .forget(now - UPDATE_ID_RETENTION, now - QUARANTINE_RETENTION, FORGET)
            .await?;
        Ok(forgotten > 0)
    }

    /// Registers that the user with this profile was there just now.
    ///
    /// # Errors
    /// When the storage fails; nothing was recorded then.
    pub async fn get_or_create_user(
        &self,
        profile: &Profile,
    ) -> Result<Registration, ServiceError> {
        let call = Interaction::new(self.clock.now(), profile.clone(), InteractionKind::Call);
        self.register(&[call]).await?.pop().ok_or(ServiceError::Stopped)
    }

    /// The user with this id.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_user_by_telegram_id(
        &self,
        id: TelegramId,
    ) -> Result<Option<TelegramUser>, ServiceError> {
        Ok(self.users.find(id).await?)
    }

    /// The user with this username, ignoring the case of ASCII letters.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_user_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, ServiceError> {
        Ok(self.users.find_by_username(username).await?)
    }

    /// Registers that a known user was there just now, with whatever profile is stored. Answers
    /// whether the user exists; one that does not is not created. A user who is deleted at the same
    /// moment may come back, as one of whom only the id is known.
    ///
    /// # Errors
    /// When the storage fails; nothing was recorded then.
    pub async fn update_user_last_seen(&self, id: TelegramId) -> Result<bool, ServiceError> {
        if self.users.find(id).await?.is_none() {
            return Ok(false);
        }
        let profile = Profile::of_id(id);
        let touch = Interaction::new(self.clock.now(), profile, InteractionKind::Touch);
        self.register(&[touch]).await?;
        Ok(true)
    }

    /// How many users there are, how many of them were there lately, and what they did today; with
    /// the same of a week ago. [`ActivityService`] has it for other days too.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_user_stats(&self) -> Result<UserStats, ServiceError> {
        self.activity.get_stats().await
    }

    /// Page `page`, counted from 1, of all users, those who came last first.
    ///
    /// # Errors
    /// When there can be no such page, or the storage fails.
    pub async fn get_users_list(
        &self,
        page: u32,
        page_size: u32,
    ) -> Result<Page<TelegramUser>, ServiceError> {
        Ok(self.users.list(PageRequest::new(page, page_size)?).await?)
    }

    /// Notes that a message to a user, which was to be sent at `at`, failed for good. Answers
    /// whether that is news: it is none where the user was seen since.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn mark_unreachable(
        &self,
        id: TelegramId,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
    ) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let at = at.min(now).trunc_subsecs(6);
        Ok(self.users.mark_unreachable(id, obstacle, at, now).await?)
    }

    /// When and why a user could no longer be reached or could be again, latest first, up to
    /// `limit` changes.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_reach_history(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<ReachabilityChange>, ServiceError> {
        Ok(self.users.reach_history(id, limit).await?)
    }

    /// By which deep links a user came, and when, latest first, up to `limit` times.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_starts(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, StartPayload)>, ServiceError> {
        Ok(self.users.starts(id, limit).await?)
    }

    /// Deletes users; answers how many of them there were.
    ///
    /// # Errors
    /// When the storage fails; nobody was deleted then.
    pub async fn delete_users(&self, ids: &[TelegramId]) -> Result<usize, ServiceError> {
        Ok(self.users.delete(ids).await?)
    }
}

/// Telegram delivers an update again for at most 24 hours.
const UPDATE_ID_RETENTION: TimeDelta = TimeDelta::hours(48);
const QUARANTINE_RETENTION: TimeDelta = TimeDelta::days(14);
/// How many rows of a table are forgotten at once.
const FORGET: u32 = 1000;

/// A time that can be: not before 1970, not in the future, and in whole microseconds, as the
/// databases store it.
fn clamp_time(at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    at.min(now).max(DateTime::UNIX_EPOCH).trunc_subsecs(6)
}

fn log_registration((interaction, registration): (&Interaction, &Registration)) {
    log::debug!(
        telegram_id = interaction.telegram_id().get(),
        kind = interaction.kind.name(),
        created = registration.created;
        "registered"
    );
}
