use std::{mem, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_domain::{
    Chat, ChatKind, Clock, Event, Interaction, InteractionKind, Profile, QUARANTINE_DAYS,
    QuarantinedUpdate, Registration, TelegramId, TelegramUser, UnreachableReason, UserStats,
    Username, WHOLE_UPDATE_DAYS,
};
use rollcall_repository::{ActivityRepository, Batch, UserRepository};

use crate::{
    ActivityService, ServiceError,
    queue::{FULL_BATCH, Queue},
};

/// Registers, finds and deletes users. Cheap to clone; clones share one queue.
#[derive(Clone)]
pub struct UserService {
    users: Arc<dyn UserRepository>,
    activity: ActivityService,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl UserService {
    /// Creates a service over `users`, with its own queue and threads. The threads end when the
    /// last clone of the service is dropped and everything in the queue is registered.
    pub fn new(
        users: impl UserRepository + ActivityRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let (users, clock): (_, Arc<dyn Clock>) = (Arc::new(users), Arc::new(clock));
        let activity = ActivityService::over(users.clone(), clock.clone());
        Self { queue: Queue::start(users.clone(), clock.clone()), users, activity, clock }
    }

    /// Registers `interactions` as if one after the other, and returns one registration for each
    /// once they are durable. A time in the future counts as now. An interaction whose `update_id`
    /// was registered in the last 48 hours changes nothing and is not counted again.
    ///
    /// The interactions of one user are registered in their order. Different users may be in
    /// different transactions, of up to 1,000 interactions each. If only some transactions fail,
    /// the result is an error. You can then register everything again, because duplicates are
    /// recognised.
    ///
    /// # Errors
    /// If the storage fails. The failed transactions changed nothing.
    pub async fn register(
        &self,
        interactions: &[Interaction],
    ) -> Result<Vec<Registration>, ServiceError> {
        self.register_with(interactions.to_vec(), Vec::new()).await
    }

    /// Registers `interactions` like [`UserService::register`], and stores updates that could not
    /// be read in full. With up to 1,000 interactions, each is stored in the same transaction as
    /// its interaction.
    ///
    /// # Errors
    /// If the storage fails. The failed transactions changed nothing.
    pub async fn register_with(
        &self,
        mut interactions: Vec<Interaction>,
        mut quarantined: Vec<QuarantinedUpdate>,
    ) -> Result<Vec<Registration>, ServiceError> {
        let now = self.clock.now();
        interactions
            .iter_mut()
            .for_each(|interaction| interaction.at = clamp_time(interaction.at, now));
        let logged = log::log_enabled!(log::Level::Debug).then(|| interactions.clone());
        let mut registrations = Vec::with_capacity(interactions.len());
        while !interactions.is_empty() || !quarantined.is_empty() {
            let rest = interactions.split_off(interactions.len().min(FULL_BATCH));
            let batch = Batch { interactions, quarantined: mem::take(&mut quarantined) };
            registrations.extend(self.queue.register(batch).await?);
            interactions = rest;
        }
        logged.iter().flatten().zip(&registrations).for_each(log_registration);
        Ok(registrations)
    }

    /// Checks whether registration works, with a new user, so that no corrupt row can interfere.
    /// Leaves nothing behind.
    ///
    /// # Errors
    /// If the storage rejects that too, or fails.
    pub async fn rehearse(&self) -> Result<(), ServiceError> {
        Ok(self.users.rehearse(self.clock.now()).await?)
    }

    /// How many interactions are queued or in progress.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How long a registration has been under way, if it takes so long (5 seconds) that the storage probably
    /// does not answer.
    pub fn stalled(&self) -> Option<Duration> {
        self.queue.stalled()
    }

    /// Waits until nothing is queued or in progress. Calls that are made meanwhile wait behind it.
    pub async fn finish(&self) {
        self.queue.finish().await;
    }

    /// Purges expired rows: update_ids after 48 hours, quarantined updates after 14 days, and after 7 days
    /// if they are kept whole, because the bot behind did not accept them. Each call
    /// purges a limited number, and returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let forgotten = self
            .users
            .forget(
                now - UPDATE_ID_RETENTION,
                now - QUARANTINE_RETENTION,
                now - WHOLE_RETENTION,
                FORGET,
            )
            .await?;
        Ok(forgotten > 0)
    }

    /// Registers that the user with this profile is active now.
    ///
    /// # Errors
    /// If the storage fails. Nothing was changed then.
    pub async fn get_or_create_user(
        &self,
        profile: &Profile,
    ) -> Result<Registration, ServiceError> {
        let call = Interaction::new(self.clock.now(), profile.clone(), InteractionKind::Call);
        self.register(&[call]).await?.pop().ok_or(ServiceError::Stopped)
    }

    /// Finds the user with this id.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn get_user_by_telegram_id(
        &self,
        id: TelegramId,
    ) -> Result<Option<TelegramUser>, ServiceError> {
        Ok(self.users.find(id).await?)
    }

    /// Finds the user with this username, ignoring the case of ASCII letters.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn get_user_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, ServiceError> {
        Ok(self.users.find_by_username(username).await?)
    }

    /// Registers that an existing user is active now, with the stored profile. Returns whether the
    /// user exists; it is never created.
    ///
    /// # Errors
    /// If the storage fails. Nothing was changed then.
    pub async fn update_user_last_seen(&self, id: TelegramId) -> Result<bool, ServiceError> {
        if self.users.find(id).await?.is_none() {
            return Ok(false);
        }
        let profile = Profile::of_id(id);
        let touch = Interaction::new(self.clock.now(), profile, InteractionKind::Touch);
        // Erased meanwhile, unless it is stored.
        Ok(self.register(&[touch]).await?.iter().all(|it| it.stored))
    }

    /// Returns the numbers of users, active users and interactions, with those of a week ago.
    /// [`ActivityService`] has them for other days too.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn get_user_stats(&self) -> Result<UserStats, ServiceError> {
        self.activity.get_stats().await
    }

    /// Records that a message to a user, which was sent at `at`, failed permanently. Returns
    /// whether this changed anything: it does not if the user was seen since then.
    ///
    /// # Errors
    /// If the storage fails.
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

    /// Erases users, and returns how many of them existed. They are not stored again until they agree:
    /// see [`Event::Agreed`] and [`UserService::allow`]. Until then,
    /// [`Registration::suppressed`] is set.
    ///
    /// # Errors
    /// If the storage fails. No user was erased then.
    pub async fn delete_users(&self, ids: &[TelegramId]) -> Result<usize, ServiceError> {
        let erased = self.users.erase(ids).await?;
        self.users.empty_log().await;
        Ok(erased)
    }

    /// Deletes users that may return at any time, such as made-up ones; returns how many of them existed.
    ///
    /// # Errors
    /// If the storage fails. No user was deleted then.
    pub async fn forget_users(&self, ids: &[TelegramId]) -> Result<usize, ServiceError> {
        Ok(self.users.delete(ids).await?)
    }

    /// Registers an erased user who agreed to be stored again, in their private chat with the bot. `user`
    /// is what their interaction showed. Returns the registration.
    ///
    /// # Errors
    /// If the storage fails. Nothing was changed then.
    pub async fn agree(&self, user: &TelegramUser) -> Result<Registration, ServiceError> {
        let chat = Chat { id: user.telegram_id.get(), kind: ChatKind::Private };
        let agreed = Interaction {
            chat: Some(chat),
            event: Some(Event::Agreed),
            ..Interaction::new(self.clock.now(), user.profile(), InteractionKind::Call)
        };
        self.register(&[agreed]).await?.pop().ok_or(ServiceError::Stopped)
    }

    /// Allows that an erased user is stored again, from their next interaction on, because they agreed to
    /// it. Returns whether they were erased.
    ///
    /// # Errors
    /// If the storage fails. Nothing was changed then.
    pub async fn allow(&self, id: TelegramId) -> Result<bool, ServiceError> {
        Ok(self.users.allow(id).await?)
    }
}

/// Telegram redelivers an update for at most 24 hours.
const UPDATE_ID_RETENTION: TimeDelta = TimeDelta::hours(48);
const QUARANTINE_RETENTION: TimeDelta = TimeDelta::days(QUARANTINE_DAYS);
/// These contain what users wrote.
const WHOLE_RETENTION: TimeDelta = TimeDelta::days(WHOLE_UPDATE_DAYS);
/// How many rows of a table are purged at once.
const FORGET: u32 = 1000;

/// Limits a time to a plausible one: not before 1970, not in the future, and in whole microseconds,
/// as the databases store it.
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
