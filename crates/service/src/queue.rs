//! The queue in front of the storage: what arrives while one batch is being committed forms the
//! next one.
//!
//! There is no timer. A call that finds the queue idle is committed at once, alone; under load the
//! batches grow by themselves to what one commit takes, and the cost of a commit is shared.
//!
//! Batches are registered by threads of their own: as many as the storage can serve at once. Each
//! has a shard of the queue, and each user belongs to one shard: what a user does stays in order, and
//! the shards' transactions hardly ever wait for each other.

use std::{collections::BTreeMap, sync::Arc, thread, time::Instant};

use crossbeam_channel::{Receiver, Sender};
use rollcall_domain::{Clock, Interaction, Registration};
use rollcall_repository::{Batch, RepositoryError, UserRepository};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::ServiceError;

/// A batch takes no further call once it holds this many interactions.
pub(crate) const FULL_BATCH: usize = 1000;
/// How many interactions may be queued or under way; further callers wait until there is room.
const CAPACITY: usize = 8 * FULL_BATCH;

type Answer = Result<Vec<Registration>, ServiceError>;

/// What one caller wants recorded, and where.
struct Call {
    batch: Batch,
    caller: Caller,
    users: Arc<dyn UserRepository>,
}

/// Where to answer a call.
struct Caller {
    /// How many of the batch's interactions are this caller's.
    interactions: usize,
    /// How many of the updates that it sets aside.
    quarantined: usize,
    answer: oneshot::Sender<Answer>,
    /// The call's room in the queue, held until it is answered.
    _room: OwnedSemaphorePermit,
}

/// The queue's entrance. The threads behind it end when the last entrance is gone and everything
/// that was queued is done.
#[derive(Clone)]
pub(crate) struct Queue {
    users: Arc<dyn UserRepository>,
    shards: Arc<[Sender<Call>]>,
    room: Arc<Semaphore>,
}

impl Queue {
    /// Starts the threads.
    pub(crate) fn start(users: Arc<dyn UserRepository>, clock: Arc<dyn Clock>) -> Self {
        let shard = |_| {
            // Bounded by the room.
            let (shard, queued) = crossbeam_channel::unbounded();
            let writer = Writer { clock: clock.clone(), queued };
            let started =
                thread::Builder::new().name("registration".into()).spawn(|| writer.work());
            if let Err(error) = started {
                // Callers are told that registration has stopped.
                log::error!(error:%; "a registration thread cannot be started");
            }
            shard
        };
        let shards = (0..users.writers().get()).map(shard).collect();
        Self { users, shards, room: Arc::new(Semaphore::new(CAPACITY)) }
    }

    /// How many interactions are queued or under way.
    pub(crate) fn len(&self) -> usize {
        CAPACITY - self.room.available_permits()
    }

    /// Answers when what is in the batch, at most a full one, is durable. A caller that goes away
    /// earlier does not keep it from becoming so. On an error, the users of one shard may be recorded
    /// all the same, and those of another not.
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

    /// The shard of whoever interacted.
    fn shard(&self, interaction: &Interaction) -> usize {
        let id = usize::try_from(interaction.telegram_id().get()).unwrap_or_default();
        id % self.shards.len()
    }

    /// The parts of a batch, by their shards. An update that is set aside goes with its interaction.
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

    /// Queues a part of a batch; answers where its answer will come.
    async fn send(
        &self,
        shard: usize,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Answer>, ServiceError> {
        let (interactions, quarantined) = (batch.interactions.len(), batch.quarantined.len());
        let room = (interactions + quarantined).min(CAPACITY);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        // The semaphore is never closed, so there is room in the end.
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

/// Registers what is queued, batch by batch.
///
/// Holds the storage only while it has something to register, so that the storage ends with the
/// service, and not when this thread happens to notice.
struct Writer {
    clock: Arc<dyn Clock>,
    queued: Receiver<Call>,
}

impl Writer {
    fn work(self) {
        while let Some((users, batch, callers)) = self.next() {
            let interactions = u32::try_from(batch.interactions.len()).unwrap_or(u32::MAX);
            metrics::histogram!("rollcall_batch_interactions").record(interactions);
            match self.register(&*users, &batch) {
                // What lies in one caller's row is not to be everybody's.
                Err(error) if error.is_permanent() && callers.len() > 1 => {
                    self.register_apart(&*users, &batch, callers);
                }
                result => {
                    drop(users);
                    distribute(result.map_err(ServiceError::from), callers);
                }
            }
        }
    }

    /// Waits for a call, and takes what else has come by then; `None` once nothing can come.
    fn next(&self) -> Option<(Arc<dyn UserRepository>, Batch, Vec<Caller>)> {
        let Call { mut batch, caller, users } = self.queued.recv().ok()?;
        let mut callers = vec![caller];
        while batch.interactions.len() < FULL_BATCH
            && let Ok(call) = self.queued.try_recv()
        {
            batch.interactions.extend(call.batch.interactions);
            batch.quarantined.extend(call.batch.quarantined);
            callers.push(call.caller);
        }
        Some((users, batch, callers))
    }

    fn register(
        &self,
        users: &dyn UserRepository,
        batch: &Batch,
    ) -> Result<Vec<Registration>, RepositoryError> {
        let begun = Instant::now();
        let result = users.register(batch, self.clock.now());
        match &result {
            Ok(registrations) => {
                metrics::histogram!("rollcall_commit_seconds").record(begun.elapsed());
                let created = registrations.iter().filter(|it| it.created).count();
                count("created", created);
                count("updated", registrations.len() - created);
                let quarantined = u64::try_from(batch.quarantined.len()).unwrap_or_default();
                metrics::counter!("rollcall_set_aside_total").increment(quarantined);
            }
            Err(error) => {
                metrics::counter!("rollcall_errors_total", "class" => error.class()).increment(1);
            }
        }
        result
    }

    /// Registers what each caller brought by itself.
    fn register_apart(&self, users: &dyn UserRepository, batch: &Batch, callers: Vec<Caller>) {
        let (mut interactions, mut quarantined) = (&*batch.interactions, &*batch.quarantined);
        for caller in callers {
            let (its_interactions, others) = interactions.split_at(caller.interactions);
            let (its_quarantined, others_quarantined) = quarantined.split_at(caller.quarantined);
            (interactions, quarantined) = (others, others_quarantined);
            let its = Batch {
                interactions: its_interactions.to_vec(),
                quarantined: its_quarantined.to_vec(),
            };
            let result = self.register(users, &its);
            distribute(result.map_err(ServiceError::from), vec![caller]);
        }
    }
}

fn count(result: &'static str, registrations: usize) {
    let registrations = u64::try_from(registrations).unwrap_or_default();
    metrics::counter!("rollcall_registrations_total", "result" => result).increment(registrations);
}

/// Gives each caller its share of the answer. One that went away is passed over.
fn distribute(result: Answer, callers: Vec<Caller>) {
    let mut registrations = result.map(Vec::into_iter);
    for caller in callers {
        let share = match &mut registrations {
            Ok(registrations) => Ok(registrations.by_ref().take(caller.interactions).collect()),
            Err(error) => Err(error.clone()),
        };
        drop(caller.answer.send(share));
    }
}
