use std::{num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Interaction, QuarantinedUpdate, Registration, TelegramId, TelegramUser, UnreachableReason,
    Username,
};

use crate::error::RepositoryError;

/// The interactions and updates that are recorded together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What users did.
    pub interactions: Vec<Interaction>,
    /// Updates that are quarantined because they could not be read in full, or not registered. Of
    /// one that is quarantined already, only its registration and its user are updated.
    pub quarantined: Vec<QuarantinedUpdate>,
}

impl From<Vec<Interaction>> for Batch {
    fn from(interactions: Vec<Interaction>) -> Self {
        Self { interactions, quarantined: Vec::new() }
    }
}

/// The store of users.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Records a batch in one transaction, with the result of recording its interactions one after
    /// the other by the rules of [`TelegramUser::observe`]. Returns one registration for each
    /// interaction, in their order, once the batch is durable; after an error nothing of it was
    /// recorded.
    ///
    /// No two users hold the same username. Of those that claim it, the one with the latest
    /// interaction keeps it, and of equally late ones the one recorded last; for the others it
    /// becomes `None`.
    ///
    /// An interaction whose `update_id` was recorded before, and not yet [purged](Self::forget),
    /// changes nothing and is not counted; it is answered with the user as it is stored. One of a user
    /// that is [suppressed](Self::erase) stores nothing about the user, nor is its update quarantined:
    /// it only counts among the interactions, by kind and time. `now` is
    /// when the batch is recorded: times after it are not trusted, see [`TelegramUser::observe`].
    ///
    /// Blocks, so it must not be called on an async thread. It is not async, because a bot does
    /// this all day, and each change of threads costs as much as the statements of a small batch.
    fn register(
        &self,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Vec<Registration>, RepositoryError> {
        self.register_while(batch, now, &|| true)
    }

    /// Does the same as [`register`](Self::register), but asks before the end of the transaction whether
    /// the batch is still wanted. If not, nothing of it is recorded, which is an error.
    fn register_while(
        &self,
        batch: &Batch,
        now: DateTime<Utc>,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Registration>, RepositoryError>;

    /// How long a batch may be under way. Then the storage may never answer, and another attempt on
    /// another thread has a chance: it may reach another server. `None` if it has none.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Notes that a batch has been under way for `silence`, longer than [`patience`](Self::patience).
    /// Connections that were opened before it began may get no answer either, so they are not used again.
    fn distrust_connections(&self, _silence: Duration) {}

    /// Registers a fake user twice and rolls it back. This checks whether a user without a row, so
    /// without a corrupt one, could be registered `now`.
    async fn rehearse(&self, now: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// How many batches can usefully be registered at once, by as many threads.
    fn writers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Which of the writers registers a user, from 0.
    fn writer_of(&self, id: TelegramId) -> usize {
        usize::try_from(id.get()).unwrap_or_default() % self.writers()
    }

    /// Purges `update_id`s recorded before `recorded_before`, and quarantined updates received
    /// before `received_before`, or before `whole_before` if they are whole, because the bot behind did
    /// not accept them: up to `limit` of each. Returns how many were purged.
    async fn forget(
        &self,
        recorded_before: DateTime<Utc>,
        received_before: DateTime<Utc>,
        whole_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError>;

    /// The user with this id.
    async fn find(&self, id: TelegramId) -> Result<Option<TelegramUser>, RepositoryError>;

    /// The user with this username, ignoring the case of ASCII letters.
    async fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError>;

    /// Records that a message could not be delivered to a user at `at`, permanently. Returns
    /// whether that is new: it is not if the user was known to be unreachable for this reason, was
    /// seen later, or does not exist. A `last_seen` that lies in the future at `now` does not count
    /// as later.
    async fn mark_unreachable(
        &self,
        id: TelegramId,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Those of these ids that have a user, sorted.
    async fn existing(&self, ids: &[TelegramId]) -> Result<Vec<TelegramId>, RepositoryError>;

    /// Erases the users with these ids, as [`delete`](Self::delete) does, and suppresses those that it
    /// found: from then on they are not stored again, whatever registers or imports them, until an
    /// interaction is [their agreement](rollcall_domain::Event::Agreed) or they are
    /// [allowed](Self::allow). Only a keyed hash of each id is kept. An import or a registration at the
    /// same time, of whichever process, counts as before or after it.
    async fn erase(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError>;

    /// Allows that an erased user is stored again, from their next interaction on. Returns whether they
    /// were suppressed.
    async fn allow(&self, id: TelegramId) -> Result<bool, RepositoryError>;

    /// Deletes the users with these ids, with their histories and quarantined updates; returns how
    /// many there were. What they count in the figures about the past stays, and so do the audit
    /// entries about them, but without values. Those who return are new users.
    async fn delete(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError>;

    /// Removes what erased users have left in the log of the database, once an erasure is complete. Waits
    /// up to two seconds for a moment without other work, and logs if there is none. A store without
    /// such a log does nothing.
    async fn empty_log(&self) {}
}
