use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use rollcall_domain::{
    Clock, Interaction, InteractionKind, Profile, Registration, TelegramId, TelegramUser,
    UserStats, Username,
};
use rollcall_repository::{Page, PageRequest, UserRepository};

use crate::{
    ServiceError,
    queue::{FULL_BATCH, Queue},
};

/// Registers users, and answers who they are. Cheap to clone; clones share one queue.
#[derive(Clone)]
pub struct UserService {
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl UserService {
    /// A service over `users`, with a queue of its own that works on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(users: impl UserRepository + 'static, clock: impl Clock + 'static) -> Self {
        let users: Arc<dyn UserRepository> = Arc::new(users);
        Self { queue: Queue::start(users.clone()), users, clock: Arc::new(clock) }
    }

    /// Records `interactions`, as if one after the other, and answers one registration for each
    /// once they are durable. A time that lies in the future counts as now.
    ///
    /// Up to 1,000 interactions are one transaction; more become several.
    ///
    /// # Errors
    /// When the storage fails; of the last transaction nothing was recorded then.
    pub async fn register(
        &self,
        interactions: &[Interaction],
    ) -> Result<Vec<Registration>, ServiceError> {
        let now = self.clock.now();
        let mut registrations = Vec::with_capacity(interactions.len());
        for batch in interactions.chunks(FULL_BATCH) {
            let batch = batch.iter().cloned().map(|interaction| timely(interaction, now));
            registrations.extend(self.queue.register(batch.collect()).await?);
        }
        if log::log_enabled!(log::Level::Debug) {
            interactions.iter().zip(&registrations).for_each(log_registration);
        }
        Ok(registrations)
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

    /// How many users there are, and were active or new today and in the last days.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_user_stats(&self) -> Result<UserStats, ServiceError> {
        Ok(self.users.stats(self.clock.now().date_naive()).await?)
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

    /// Deletes users; answers how many of them there were.
    ///
    /// # Errors
    /// When the storage fails; nobody was deleted then.
    pub async fn delete_users(&self, ids: &[TelegramId]) -> Result<usize, ServiceError> {
        Ok(self.users.delete(ids).await?)
    }
}

/// The interaction with a time that can be: not before 1970, not in the future, and in whole
/// microseconds, as the databases store it.
fn timely(mut interaction: Interaction, now: DateTime<Utc>) -> Interaction {
    interaction.at = interaction.at.min(now).max(DateTime::UNIX_EPOCH).trunc_subsecs(6);
    interaction
}

fn log_registration((interaction, registration): (&Interaction, &Registration)) {
    log::debug!(
        telegram_id = interaction.telegram_id().get(),
        kind = interaction.kind.name(),
        created = registration.created;
        "registered"
    );
}
