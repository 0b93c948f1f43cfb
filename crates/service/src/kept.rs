//! What is read often and changes seldom, kept for a while.

use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::ServiceError;

/// What was read last, and the turn to read it again.
pub(crate) struct Kept<T> {
    fresh_for: TimeDelta,
    last: RwLock<Option<(DateTime<Utc>, T)>>,
    turn: Mutex<()>,
}

impl<T: Clone> Kept<T> {
    /// Nothing yet. What is read will be given out for `fresh_for`, before it is read again.
    pub(crate) fn new(fresh_for: TimeDelta) -> Self {
        Self { fresh_for, last: RwLock::default(), turn: Mutex::default() }
    }

    /// What is kept, if it is fresh `now`, else what `read` answers. One reads at a time; who comes
    /// meanwhile gets what there was, and waits only where that is twice as old as it may be.
    pub(crate) async fn get<F>(
        &self,
        now: DateTime<Utc>,
        read: impl FnOnce() -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        if let Some(fresh) = self.not_older(now, self.fresh_for) {
            return Ok(fresh);
        }
        let _turn = match (self.turn.try_lock(), self.not_older(now, self.fresh_for * 2)) {
            (Ok(turn), _) => turn,
            (Err(_), Some(stale)) => return Ok(stale),
            (Err(_), None) => self.turn.lock().await,
        };
        // Who had the turn before may have read it.
        if let Some(fresh) = self.not_older(now, self.fresh_for) {
            return Ok(fresh);
        }
        let value = read().await?;
        self.set(Some((now, value.clone())));
        Ok(value)
    }

    /// Has it read again.
    pub(crate) fn forget(&self) {
        self.set(None);
    }

    /// What was read less than `age` ago; what a clock that was set back has from the future is old.
    fn not_older(&self, now: DateTime<Utc>, age: TimeDelta) -> Option<T> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = last.as_ref()?;
        (*at <= now && now - at < age).then(|| value.clone())
    }

    fn set(&self, last: Option<(DateTime<Utc>, T)>) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
