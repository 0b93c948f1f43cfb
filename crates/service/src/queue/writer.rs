//! A thread that registers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use crossbeam_channel::Receiver;
use rollcall_domain::{Clock, Registration};
use rollcall_repository::{Batch, RepositoryError, UserRepository};

use super::{
    call::{Call, FULL_BATCH, distribute},
    desk::{Desk, Part},
};
use crate::ServiceError;

/// Registers the queue of one shard, batch by batch.
///
/// It holds the storage only while it registers a batch. So the storage is closed together with the
/// service, without a wait for this thread.
pub(super) struct Writer {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queued: Receiver<Call>,
    pub(super) desk: Arc<Desk>,
    /// Whether the log says that the database does not answer.
    pub(super) is_noted: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread. Returns whether it could be started.
    pub(super) fn start(self) -> bool {
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
                self.is_noted.store(false, Ordering::Relaxed);
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
