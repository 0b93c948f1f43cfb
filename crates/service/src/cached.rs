//! What is read often and changes seldom, kept for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ServiceError;

/// What was read last, and the turn to read it again.
pub(crate) struct Cached<T> {
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

impl<T: Clone> Cached<T> {
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    };

    use tokio::{sync::Semaphore, task::yield_now};

    use super::*;

    /// Something kept for a second, and a place to read it from, which counts and waits.
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

        /// Asks at a second; answers how many readings there had been then.
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
            // The last of them come long after what is being read was asked for.
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
