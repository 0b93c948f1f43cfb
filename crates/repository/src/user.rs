use std::num::NonZeroUsize;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Interaction, QuarantinedUpdate, ReachabilityChange, Registration, StartPayload, TelegramId,
    TelegramUser, UnreachableReason, Username,
};

use crate::{Page, PageRequest, RepositoryError};

/// What is recorded together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What people did.
    pub interactions: Vec<Interaction>,
    /// Updates that are kept because they could not be read in full, or not registered. One that is
    /// kept already stays as it is, but for being noted as registered, and for who is recognised in
    /// it.
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
    /// Records a batch in one transaction, its interactions as if one after the other, by the rules
    /// of [`TelegramUser::observe`]. Answers one registration for each interaction, in their order,
    /// once the batch is durable; on an error nothing of it was recorded.
    ///
    /// No two users hold the same username: of those that claim it, the one with the later
    /// interaction keeps it, and of equally late ones the one recorded last; for the others it
    /// becomes `None`.
    ///
    /// An interaction whose `update_id` was recorded before, as far as [`forget`](Self::forget) has
    /// left that known, changes nothing and is not counted; it is answered with the user as it
    /// stands. `now` is when the batch is recorded: what lies in the future then is not taken for
    /// true; see [`TelegramUser::observe`].
    ///
    /// Blocks until then, so it is not to be called on an async thread. Not async itself, because
    /// this is what a bot does all day, and each change of threads takes as long as the statements
    /// of a small batch.
    fn register(
        &self,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Vec<Registration>, RepositoryError>;

    /// Registers a made-up user, twice, and rolls it back: whether a user could be registered `now`
    /// that has no row yet, so that none can be spoilt.
    async fn rehearse(&self, now: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// How many batches may well be registered at once, by as many threads.
    fn writers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Forgets update_ids recorded before `recorded_before`, and updates set aside that came before
    /// `received_before`: up to `limit` of each. Answers how many were forgotten.
    async fn forget(
        &self,
        recorded_before: DateTime<Utc>,
        received_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError>;

    /// The user with this id.
    async fn find(&self, id: TelegramId) -> Result<Option<TelegramUser>, RepositoryError>;

    /// The user with this username, ignoring the case of ASCII letters.
    async fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError>;

    /// One page of all users, those created last first; of equal ones, those of the larger ids.
    async fn list(&self, request: PageRequest) -> Result<Page<TelegramUser>, RepositoryError>;

    /// Notes that a message could not be delivered to a user at `at`, for good. Answers whether
    /// that is news: it is not where the user was known to be out of reach for that, has been seen since,
    /// or is not there. A `last_seen` that lies in the future at `now` tells nothing of that.
    async fn mark_unreachable(
        &self,
        id: TelegramId,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// When and why a user could no longer be reached or could be again, latest first, up to
    /// `limit` changes.
    async fn reach_history(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<ReachabilityChange>, RepositoryError>;

    /// By which deep links a user came, and when, latest first, up to `limit` times.
    async fn starts(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, StartPayload)>, RepositoryError>;

    /// Deletes the users with these ids, with their history and the updates of theirs that were set
    /// aside; answers how many there were. What they count in the figures about the past stays, and
    /// so do the entries of the audit log about them, but without values.
    async fn delete(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError>;
}
