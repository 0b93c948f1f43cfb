//! A cache for one value that is read often and changes rarely.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ServiceError;

/// The last value, and the lock of the caller that reads the next one.
pub(crate) struct Cached<T> {
    fresh_for: TimeDelta,
    state: Mutex<State<T>>,
    turn: tokio::sync::Mutex<()>,
}

struct State<T> {
    /// The last result, and when its read began.
    last: Option<(DateTime<Utc>, Result<T, ServiceError>)>,
    readings: u64,
    /// How often the value was discarded. A read that was running then has an outdated result.
    forgotten: u64,
}

impl<T: Clone> Cached<T> {
    /// Creates an empty cache, whose values stay fresh for `fresh_for`.
    pub(crate) fn new(fresh_for: TimeDelta) -> Self {
        let state = Mutex::new(State { last: None, readings: 0, forgotten: 0 });
        Self { fresh_for, state, turn: tokio::sync::Mutex::default() }
    }

    /// Returns the cached value if it is fresh at `now`; otherwise reads it by `read`. Only one
    /// caller reads at a time. Meanwhile the others get the old value. If that is older than twice
    /// `fresh_for`, they wait, and get the new value or the error.
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
            // Another caller has read the value since then.
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

    /// Discards the value, so that the next call reads it again.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.last = None;
        state.forgotten += 1;
    }

    /// No code panics while it holds this lock.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    /// The value if it was read less than `age` ago. Entries stamped in the future count as
    /// expired, because the clock was moved back.
    fn not_older(&self, now: DateTime<Utc>, age: TimeDelta) -> Option<T> {
        let (at, value) = self.last.as_ref()?;
        let is_young = *at <= now && now - at < age;
        value.as_ref().ok().filter(|_| is_young).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    };

    use tokio::{sync::Semaphore, task::yield_now};

    use super::*;

    /// A value cached for a second, and a source that counts its reads and can be held.
    #[derive(Clone)]
    struct Desk {
        cached: Arc<Cached<u64>>,
        readings: Arc<AtomicU64>,
        may_read: Arc<Semaphore>,
    }

    impl Desk {
        fn new() -> Self {
            let cached = Arc::new(Cached::new(TimeDelta::seconds(1)));
            Self { cached, readings: Arc::default(), may_read: Arc::new(Semaphore::new(0)) }
        }

        /// Requests the value at a second; returns how many reads there had been then.
        fn ask(&self, second: i64, fails: bool) -> tokio::task::JoinHandle<Option<u64>> {
            let Self { cached, readings, may_read } = self.clone();
            tokio::spawn(async move {
                let read = async || {
                    let reading = readings.fetch_add(1, Relaxed) + 1;
                    may_read.acquire().await.map_err(|_| ServiceError::Stopped)?.forget();
                    if fails { Err(ServiceError::Stopped) } else { Ok(reading) }
                };
                cached.get(DateTime::UNIX_EPOCH + TimeDelta::seconds(second), read).await.ok()
            })
        }
    }

    #[tokio::test]
    async fn who_waits_shares_what_is_read_and_the_error() {
        let desk = Desk::new();
        for (fails, second, expected) in [(true, 0, None), (false, 10, Some(2))] {
            // The last requests come long after the read began.
            let asking: Vec<_> = (0..5).map(|n| desk.ask(second + n, fails)).collect();
            yield_now().await;
            desk.may_read.add_permits(1);
            for asked in asking {
                assert_eq!(asked.await.unwrap(), expected);
            }
        }
        assert_eq!(desk.readings.load(Relaxed), 2);
    }

    #[tokio::test]
    async fn what_is_forgotten_while_it_is_read_is_read_again() {
        let desk = Desk::new();
        let first = desk.ask(0, false);
        yield_now().await;
        desk.cached.forget();
        let second = desk.ask(0, false);
        yield_now().await;
        desk.may_read.add_permits(2);
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Some(1), Some(2)));
        assert_eq!(desk.ask(0, false).await.unwrap(), Some(2));
    }
}
