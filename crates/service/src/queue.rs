//! The queue in front of the storage. Interactions that arrive during a commit form the next batch.
//!
//! There is no timer. If the queue is idle, a call is committed at once and alone. Under load,
//! batches grow with the duration of a commit and share its cost.
//!
//! Batches are registered by dedicated threads, as many as the storage has writers. Each thread has
//! a shard of the queue, and each user belongs to one shard. So the interactions of a user stay in
//! order, and the transactions of two shards hardly ever wait for each other.

mod desk;
mod watch;

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender};
use rollcall_domain::{Clock, Interaction, Registration};
use rollcall_repository::{Batch, RepositoryError, UserRepository};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::{
    desk::{Desk, Part},
    watch::{STALLED, Watch},
};
use crate::ServiceError;

/// A batch takes no further call once it holds this many interactions.
pub(crate) const FULL_BATCH: usize = 1000;
/// The most interactions that may be queued or in progress. Further callers wait until there is
/// room.
const CAPACITY: usize = 8 * FULL_BATCH;

type Answer = Result<Vec<Registration>, ServiceError>;

/// What one caller wants to register, and where.
struct Call {
    batch: Batch,
    caller: Caller,
    users: Arc<dyn UserRepository>,
}

/// Where to send the result of a call.
struct Caller {
    /// How many interactions of the batch belong to this caller.
    interactions: usize,
    /// How many quarantined updates of the batch belong to this caller.
    quarantined: usize,
    answer: oneshot::Sender<Answer>,
    /// The call's room in the queue, held until the call is answered.
    _room: OwnedSemaphorePermit,
}

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
        let id = usize::try_from(interaction.telegram_id().get()).unwrap_or_default();
        id % self.shards.len()
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

/// Registers the queue of one shard, batch by batch.
///
/// It holds the storage only while it registers a batch. So the storage is closed together with the
/// service, without a wait for this thread.
struct Writer {
    clock: Arc<dyn Clock>,
    queued: Receiver<Call>,
    desk: Arc<Desk>,
}

impl Writer {
    /// Starts a thread. If it cannot be started, callers get the error that registration has stopped.
    fn start(self) -> bool {
        let started = thread::Builder::new().name("registration".into()).spawn(|| self.work());
        if let Err(error) = &started {
            log::error!(error:%; "a registration thread cannot be started");
        }
        started.is_ok()
    }

    fn work(self) {
        while let Some((users, batch)) = self.next() {
            let result = self.register(&*users, &batch);
            drop(users);
            // If another thread has taken it over, that one answers, and this one is not needed.
            let Some(part) = self.desk.finish() else { return };
            match result {
                // A fault in one caller's row must not fail the others.
                Err(error) if error.is_permanent() && part.callers.len() > 1 => {
                    self.desk.put(part.of_each_caller());
                }
                result => distribute(result.map_err(ServiceError::from), part.into_callers()),
            }
        }
    }

    /// The next batch: what is on the desk, or a call of the queue with the others behind it. `None` once
    /// all handles are dropped. Waits for a call.
    fn next(&self) -> Option<(Arc<dyn UserRepository>, Arc<Batch>)> {
        if let Some(first) = self.desk.first() {
            return Some(first);
        }
        let Call { mut batch, caller, users } = self.queued.recv().ok()?;
        let mut callers = vec![caller];
        while batch.interactions.len() < FULL_BATCH
            && let Ok(call) = self.queued.try_recv()
        {
            batch.interactions.extend(call.batch.interactions);
            batch.quarantined.extend(call.batch.quarantined);
            callers.push(call.caller);
        }
        self.desk.put([Part { batch: Arc::new(batch), callers, users }]);
        self.desk.first()
    }

    fn register(
        &self,
        users: &dyn UserRepository,
        batch: &Batch,
    ) -> Result<Vec<Registration>, RepositoryError> {
        let interactions = u32::try_from(batch.interactions.len()).unwrap_or(u32::MAX);
        metrics::histogram!("rollcall_batch_interactions").record(interactions);
        let begun = Instant::now();
        let is_wanted = || self.desk.is_in_use();
        let result = users.register_while(batch, self.clock.now(), &is_wanted);
        match &result {
            Ok(registrations) => {
                metrics::histogram!("rollcall_commit_seconds").record(begun.elapsed());
                let created = registrations.iter().filter(|it| it.created).count();
                let suppressed = registrations.iter().filter(|it| it.suppressed).count();
                let stored = registrations.iter().filter(|it| it.stored).count();
                count("created", created);
                count("suppressed", suppressed);
                count("not_stored", registrations.len() - stored - suppressed);
                count("updated", stored - created);
                let quarantined = u64::try_from(batch.quarantined.len()).unwrap_or_default();
                metrics::counter!("rollcall_set_aside_total").increment(quarantined);
            }
            Err(error) => {
                metrics::counter!("rollcall_errors_total", "class" => error.class()).increment(1);
            }
        }
        result
    }
}

fn count(result: &'static str, registrations: usize) {
    let registrations = u64::try_from(registrations).unwrap_or_default();
    metrics::counter!("rollcall_registrations_total", "result" => result).increment(registrations);
}

/// Sends each caller its share of the result. Callers that went away are skipped.
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
