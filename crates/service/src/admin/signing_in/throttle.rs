//! Refuses sign-ins from memory while they have to wait, and bounds how many are verified at once.
//! So a flood of guesses cannot slow down registration.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_repository::Digest;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many attempts are verified at once.
const AT_ONCE: usize = 8;
/// How many more may wait for a turn.
const WAITING: usize = 64;
/// How many attempts from known devices are verified at once, in a queue of their own, so that they
/// do not wait behind guesses.
const KNOWN_AT_ONCE: usize = 2;
/// How many more of them may wait for a turn.
const KNOWN_WAITING: usize = 16;
/// The longest wait of any limit. A longer one was stored before the clock was set back.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// How many waiting keys are kept in memory: a few MiB.
const MOST_KEYS: usize = 50_000;

/// Limits sign-ins; shared by the clones of a service.
#[derive(Clone)]
pub(in crate::admin) struct Throttle(Arc<Shared>);

struct Shared {
    queue: Queue,
    known_queue: Queue,
    /// Until when attempts with a key are refused.
    refused_until: Mutex<HashMap<Digest, DateTime<Utc>>>,
}

/// Attempts that are being verified, and those that wait for a turn.
struct Queue {
    room: Semaphore,
    turns: Semaphore,
}

/// Permission to verify an attempt, until it is dropped.
pub(in crate::admin) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _room: SemaphorePermit<'a>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self(Arc::new(Shared {
            queue: Queue::new(AT_ONCE, WAITING),
            known_queue: Queue::new(KNOWN_AT_ONCE, KNOWN_WAITING),
            refused_until: Mutex::default(),
        }))
    }
}

impl Throttle {
    /// Waits for a turn; returns `None` at once if too many attempts wait already.
    pub(in crate::admin) async fn turn(&self) -> Option<Turn<'_>> {
        self.0.queue.turn().await
    }

    /// The same for an attempt from a device with a valid token.
    pub(in crate::admin) async fn known_turn(&self) -> Option<Turn<'_>> {
        self.0.known_queue.turn().await
    }

    /// How long an attempt with these keys still has to wait, as far as it is in memory.
    pub(in crate::admin) fn wait(&self, keys: &[Digest], now: DateTime<Utc>) -> Option<TimeDelta> {
        let refused_until = self.lock();
        let waits = keys.iter().filter_map(|key| Some(*refused_until.get(key)? - now));
        waits.filter(|wait| TimeDelta::zero() < *wait && *wait <= LONGEST_WAIT).max()
    }

    /// Refuses attempts with a key for the time of `wait`.
    pub(in crate::admin) fn refuse(&self, key: Digest, wait: TimeDelta, now: DateTime<Utc>) {
        let mut refused_until = self.lock();
        if refused_until.len() >= MOST_KEYS {
            refused_until.retain(|_, until| *until > now);
        }
        // The others are in the storage.
        if refused_until.len() < MOST_KEYS {
            refused_until.insert(key, now + wait);
        }
    }

    /// Removes a key whose failures were cleared.
    pub(in crate::admin) fn forget(&self, key: Digest) {
        self.lock().remove(&key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, DateTime<Utc>>> {
        // Nothing panics while it is held.
        self.0.refused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn new(at_once: usize, waiting: usize) -> Self {
        Self { room: Semaphore::new(at_once + waiting), turns: Semaphore::new(at_once) }
    }

    async fn turn(&self) -> Option<Turn<'_>> {
        let room = self.room.try_acquire().ok()?;
        let turn = self.turns.acquire().await.ok()?;
        Some(Turn { _turn: turn, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn key(n: usize) -> Digest {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        Digest(key)
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    #[test]
    fn a_refusal_lasts_as_long_as_it_says() {
        let throttle = Throttle::default();
        throttle.refuse(key(1), TimeDelta::seconds(30), at(0));
        throttle.refuse(key(2), TimeDelta::seconds(10), at(0));
        let wait = |keys: &[_], second| throttle.wait(keys, at(second));
        assert_eq!(wait(&[key(2), key(1), key(3)], 5), Some(TimeDelta::seconds(25)));
        assert_eq!(wait(&[key(2)], 10), None);
        assert_eq!(wait(&[key(1)], -3600), None, "the clock was an hour ahead");
        assert_eq!(wait(&[key(3)], 0), None);
        throttle.forget(key(1));
        assert_eq!(wait(&[key(1)], 0), None);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..MOST_KEYS + 10 {
            throttle.refuse(key(n), TimeDelta::seconds(30), at(0));
        }
        assert_eq!(throttle.lock().len(), MOST_KEYS);
        throttle.refuse(key(0), TimeDelta::seconds(30), at(60));
        assert_eq!(throttle.lock().len(), 1, "expired keys make room");
    }

    #[tokio::test]
    async fn a_few_are_verified_some_wait_and_the_rest_are_refused() {
        let throttle = Throttle::default();
        let mut turns = Vec::new();
        for _ in 0..AT_ONCE {
            turns.push(throttle.turn().await.unwrap());
        }
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(throttle.turn())).collect();
        for turn in &mut waiting {
            assert!(turn.as_mut().now_or_never().is_none());
        }
        assert!(throttle.turn().await.is_none());
        assert!(throttle.known_turn().now_or_never().flatten().is_some(), "it has its own queue");
        turns.pop();
        assert!(waiting.remove(0).await.is_some());
    }
}
