//! The queue in front of the storage. Interactions that arrive during a commit form the next batch.
//!
//! There is no timer. If the queue is idle, a call is committed at once and alone. Under load,
//! batches grow with the duration of a commit and share its cost.
//!
//! Batches are registered by dedicated threads, as many as the storage has writers. Each thread has
//! a shard of the queue, and each user belongs to one shard. So the interactions of a user stay in
//! order, and the transactions of two shards hardly ever wait for each other.

mod call;
mod desk;
mod watch;
mod writer;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crossbeam_channel::Sender;
use rollcall_domain::{Clock, Interaction};
use rollcall_repository::{Batch, UserRepository};
use tokio::sync::{Semaphore, oneshot};

pub(crate) use self::call::FULL_BATCH;
use self::{
    call::{Answer, Call, Caller},
    watch::{STALLED, Watch},
};
use crate::ServiceError;

/// The most interactions that may be queued or in progress. Further callers wait until there is
/// room.
const CAPACITY: usize = 8 * FULL_BATCH;

/// A handle to the queue. The threads end when the last handle is dropped and everything in the
/// queue is registered.
#[derive(Clone)]
pub(crate) struct Queue {
    users: Arc<dyn UserRepository>,
    shards: Arc<[Sender<Call>]>,
    watch: Watch,
    room: Arc<Semaphore>,
}

impl Queue {
    /// Starts the threads.
    pub(crate) fn start(users: Arc<dyn UserRepository>, clock: Arc<dyn Clock>) -> Self {
        // Bounded by the semaphore.
        let (shards, queues): (Vec<_>, Vec<_>) =
            (0..users.writers().get()).map(|_| crossbeam_channel::unbounded()).unzip();
        let watch = Watch::start(queues, clock, users.patience());
        Self { users, shards: shards.into(), watch, room: Arc::new(Semaphore::new(CAPACITY)) }
    }

    /// How many interactions are queued or in progress.
    pub(crate) fn len(&self) -> usize {
        CAPACITY - self.room.available_permits()
    }

    /// How long the storage has not answered, if a batch is under way for longer than usual.
    pub(crate) fn stalled(&self) -> Option<Duration> {
        self.watch.longest().filter(|longest| *longest >= STALLED)
    }

    /// Waits until every call is answered.
    pub(crate) async fn finish(&self) {
        let all = u32::try_from(CAPACITY).unwrap_or(u32::MAX);
        // The semaphore is never closed, so this always ends with the permits.
        drop(self.room.acquire_many(all).await);
    }

    /// Returns once the batch, of at most [`FULL_BATCH`], is durable. If the caller goes away
    /// earlier, the batch is registered nevertheless. On an error, the users of one shard may be
    /// registered and those of another not.
    pub(crate) async fn register(&self, batch: Batch) -> Answer {
        let shard_of_each: Vec<usize> =
            batch.interactions.iter().map(|interaction| self.shard(interaction)).collect();
        let mut answers = Vec::new();
        for (shard, part) in self.split(batch, &shard_of_each) {
            answers.push((shard, self.send(shard, part).await?));
        }
        let mut registrations = BTreeMap::new();
        for (shard, answer) in answers {
            let answer = answer.await.map_err(|_| ServiceError::Stopped)?;
            registrations.insert(shard, answer?.into_iter());
        }
        let next = |shard: usize| registrations.get_mut(&shard)?.next();
        shard_of_each.into_iter().map(next).collect::<Option<_>>().ok_or(ServiceError::Stopped)
    }

    /// The shard of the user who interacted.
    fn shard(&self, interaction: &Interaction) -> usize {
        self.users.writer_of(interaction.telegram_id()).min(self.shards.len().saturating_sub(1))
    }

    /// Splits a batch by shards. A quarantined update goes with its interaction.
    fn split(&self, batch: Batch, shard_of_each: &[usize]) -> BTreeMap<usize, Batch> {
        let Batch { interactions, quarantined } = batch;
        let first = shard_of_each.first().copied().unwrap_or_default();
        if shard_of_each.iter().all(|shard| *shard == first) {
            return BTreeMap::from([(first, Batch { interactions, quarantined })]);
        }
        let mut parts: BTreeMap<usize, Batch> = BTreeMap::new();
        for update in quarantined {
            let is_of =
                |interaction: &&Interaction| interaction.update_id == Some(update.update_id);
            let shard = interactions.iter().find(is_of).map_or(first, |it| self.shard(it));
            parts.entry(shard).or_default().quarantined.push(update);
        }
        for (interaction, shard) in interactions.into_iter().zip(shard_of_each) {
            parts.entry(*shard).or_default().interactions.push(interaction);
        }
        parts
    }

    /// Queues a part of a batch, and returns the receiver of its result.
    async fn send(
        &self,
        shard: usize,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Answer>, ServiceError> {
        let (interactions, quarantined) = (batch.interactions.len(), batch.quarantined.len());
        let room = (interactions + quarantined).min(CAPACITY);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        // The semaphore is never closed, so this always ends with a permit.
        let room = self.room.clone().acquire_many_owned(room).await;
        let room = room.map_err(|_| ServiceError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        let caller = Caller { interactions, quarantined, answer, _room: room };
        let call = Call { batch, caller, users: self.users.clone() };
        let shard = self.shards.get(shard).ok_or(ServiceError::Stopped)?;
        shard.send(call).map_err(|_| ServiceError::Stopped)?;
        Ok(answered)
    }
}
