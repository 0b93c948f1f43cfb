//! What is read often and changes seldom, kept for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ServiceError;

/// What was read last, and the turn to read it again.
pub(crate) struct Kept<T> {
    fresh_for: TimeDelta,
    state: Mutex<State<T>>,
    turn: tokio::sync::Mutex<()>,
}

struct State<T> {
    /// What was read, and when that began.
    last: Option<(DateTime<Utc>, Result<T, ServiceError>)>,
    readings: u64,
    /// How often it was forgotten: what was being read then is old.
    forgotten: u64,
}

impl<T: Clone> Kept<T> {
    /// Nothing yet. What is read will be given out for `fresh_for`, before it is read again.
    pub(crate) fn new(fresh_for: TimeDelta) -> Self {
        let state = Mutex::new(State { last: None, readings: 0, forgotten: 0 });
        Self { fresh_for, state, turn: tokio::sync::Mutex::default() }
    }

    /// What is kept, if it is fresh `now`, else what `read` answers. One reads at a time; who comes
    /// meanwhile gets what there was, or where that is twice as old as it may be waits, and gets
    /// what is read, or the error.
    pub(crate) async fn get<F>(
        &self,
        now: DateTime<Utc>,
        read: impl FnOnce() -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        let (stale, readings) = {
            let state = self.lock();
            if let Some(fresh) = state.not_older(now, self.fresh_for) {
                return Ok(fresh);
            }
            (state.not_older(now, self.fresh_for * 2), state.readings)
        };
        let _turn = match (self.turn.try_lock(), stale) {
            (Ok(turn), _) => turn,
            (Err(_), Some(stale)) => return Ok(stale),
            (Err(_), None) => self.turn.lock().await,
        };
        let forgotten = {
            let state = self.lock();
            // Who had the turn meanwhile read it for all who waited.
            if let Some((_, last)) = state.last.as_ref().filter(|_| state.readings > readings) {
                return last.clone();
            }
            state.forgotten
        };
        let value = read().await;
        let mut state = self.lock();
        if state.forgotten == forgotten {
            state.last = Some((now, value.clone()));
            state.readings += 1;
        }
        value
    }

    /// Has it read again.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.last = None;
        state.forgotten += 1;
    }

    /// Nothing panics while it is held.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    /// What was read less than `age` ago; what a clock that was set back has from the future is old.
    fn not_older(&self, now: DateTime<Utc>, age: TimeDelta) -> Option<T> {
        let (at, value) = self.last.as_ref()?;
        let is_young = *at <= now && now - at < age;
        value.as_ref().ok().filter(|_| is_young).cloned()
    }
}
