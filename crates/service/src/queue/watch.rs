//! Looks after the threads: a storage that never answers must not stop registration.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rollcall_domain::Clock;

use super::{call::Call, desk::Desk, writer::Writer};

/// A batch that is under way for this long has probably lost its server.
pub(super) const STALLED: Duration = Duration::from_secs(5);
/// How often the threads are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A handle to the thread that looks after the others. It ends with the last handle.
#[derive(Clone)]
pub(super) struct Watch {
    desks: Desks,
    _handle: Sender<()>,
}

/// The desk of each shard's thread.
type Desks = Arc<[Mutex<Arc<Desk>>]>;

impl Watch {
    /// Starts a thread for each of the queues, and the one that looks after them. A batch that is under way
    /// for longer than `patience` is given to a new thread.
    pub(super) fn start(
        queues: Vec<Receiver<Call>>,
        clock: Arc<dyn Clock>,
        patience: Option<Duration>,
    ) -> Self {
        let new_desk = |_| Mutex::new(Arc::new(Desk::with(VecDeque::new())));
        let desks: Desks = (0..queues.len()).map(new_desk).collect();
        let (handle, ended) = crossbeam_channel::bounded(0);
        let is_noted = Arc::default();
        let mut watcher = Watcher { desks: desks.clone(), queues, clock, patience, is_noted };
        watcher.start_writers();
        let started = thread::Builder::new()
            .name("registration-watch".into())
            .spawn(move || watcher.work(&ended));
        if let Err(error) = started {
            log::error!(error:%; "registration is not looked after: a thread cannot be started");
        }
        Self { desks, _handle: handle }
    }

    /// How long the oldest batch has been under way.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.desks.iter().filter_map(|desk| current(desk).under_way()).max()
    }
}

struct Watcher {
    desks: Desks,
    queues: Vec<Receiver<Call>>,
    clock: Arc<dyn Clock>,
    patience: Option<Duration>,
    /// Whether the log says that the database does not answer, until it does.
    is_noted: Arc<AtomicBool>,
}

impl Watcher {
    /// Without its thread, nobody keeps a queue, so that callers get the error that registration has stopped.
    fn start_writers(&mut self) {
        let queues = std::mem::take(&mut self.queues);
        for (desk, queued) in self.desks.iter().zip(queues) {
            let has_writer = self.writer(&queued, current(desk)).start();
            self.queues.push(if has_writer { queued } else { crossbeam_channel::never() });
        }
    }

    fn work(self, ended: &Receiver<()>) {
        let every = self.patience.map_or(LOOK_EVERY, |patience| LOOK_EVERY.min(patience / 4));
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            for (desk, queued) in self.desks.iter().zip(&self.queues) {
                self.look_at(desk, queued);
            }
        }
    }

    fn look_at(&self, place: &Mutex<Arc<Desk>>, queued: &Receiver<Call>) {
        let desk = current(place);
        let Some(under_way) = desk.under_way() else { return };
        if under_way >= STALLED && !self.is_noted.swap(true, Ordering::Relaxed) {
            log::warn!(
                seconds = under_way.as_secs();
                "a registration is under way for long: the database does not answer"
            );
        }
        if self.patience.is_some_and(|patience| under_way >= patience) {
            log::warn!(
                seconds = under_way.as_secs();
                "the database has not answered a registration, which is tried on another connection"
            );
            let parts = desk.leave();
            parts.iter().for_each(|part| part.users.distrust_connections(under_way));
            let desk = Arc::new(Desk::with(parts));
            *place.lock().unwrap_or_else(PoisonError::into_inner) = desk.clone();
            // If the thread cannot be started, this is tried again.
            let _has_writer = self.writer(queued, desk).start();
        }
    }

    fn writer(&self, queued: &Receiver<Call>, desk: Arc<Desk>) -> Writer {
        let (clock, is_noted) = (self.clock.clone(), self.is_noted.clone());
        Writer { clock, queued: queued.clone(), desk, is_noted }
    }
}

fn current(desk: &Mutex<Arc<Desk>>) -> Arc<Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
