//! What a thread has to register.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rollcall_repository::{Batch, UserRepository};

use super::call::Caller;

/// A batch, and who waits for it.
pub(super) struct Part {
    pub(super) batch: Arc<Batch>,
    pub(super) callers: Vec<Caller>,
    pub(super) users: Arc<dyn UserRepository>,
}

impl Part {
    /// The callers. The storage is given back first.
    pub(super) fn into_callers(self) -> Vec<Caller> {
        self.callers
    }

    /// The part of each caller, to be registered in its own transaction.
    pub(super) fn of_each_caller(self) -> Vec<Self> {
        let (mut interactions, mut quarantined) =
            (&*self.batch.interactions, &*self.batch.quarantined);
        let of_caller = |caller: Caller| {
            let (its_interactions, others) = interactions.split_at(caller.interactions);
            let (its_quarantined, others_quarantined) = quarantined.split_at(caller.quarantined);
            (interactions, quarantined) = (others, others_quarantined);
            let batch = Batch {
                interactions: its_interactions.to_vec(),
                quarantined: its_quarantined.to_vec(),
            };
            Self { batch: Arc::new(batch), callers: vec![caller], users: self.users.clone() }
        };
        self.callers.into_iter().map(of_caller).collect()
    }
}

/// What a thread has to register: it registers the first part, and the others after it. Another thread may
/// take all of it over.
pub(super) struct Desk(Mutex<State>);

struct State {
    parts: VecDeque<Part>,
    /// When the first part was begun.
    begun: Instant,
    /// Whether another thread has taken it over.
    is_left: bool,
}

impl Desk {
    pub(super) fn with(parts: VecDeque<Part>) -> Self {
        let state = State { parts, begun: Instant::now(), is_left: false };
        Self(Mutex::new(state))
    }

    /// Adds parts to an empty desk.
    pub(super) fn put(&self, parts: impl IntoIterator<Item = Part>) {
        let mut state = self.lock();
        // Else they would seem to be under way since the last ones.
        state.begun = Instant::now();
        state.parts.extend(parts);
    }

    /// Begins the first part.
    pub(super) fn first(&self) -> Option<(Arc<dyn UserRepository>, Arc<Batch>)> {
        let mut state = self.lock();
        state.begun = Instant::now();
        state.parts.front().map(|part| (part.users.clone(), part.batch.clone()))
    }

    /// Ends the first part; `None` if another thread has taken it over.
    pub(super) fn finish(&self) -> Option<Part> {
        self.lock().parts.pop_front()
    }

    /// Whether no other thread has taken it over.
    pub(super) fn is_in_use(&self) -> bool {
        !self.lock().is_left
    }

    /// How long the first part has been under way.
    pub(super) fn under_way(&self) -> Option<Duration> {
        let state = self.lock();
        (!state.parts.is_empty()).then(|| state.begun.elapsed())
    }

    /// Takes everything away from the thread, which ends once the storage answers it.
    pub(super) fn leave(&self) -> VecDeque<Part> {
        let mut state = self.lock();
        state.is_left = true;
        std::mem::take(&mut state.parts)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
