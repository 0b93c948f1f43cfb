//! Attempts to sign in that are refused before the storage is asked, and how many are looked at at
//! once: neither a flood of guesses nor of wrong passwords may hold up registration.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_repository::Digest;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many attempts are looked at at once.
const AT_ONCE: usize = 8;
/// How many more may wait for that.
const WAITING: usize = 64;
/// How many attempts from known devices are looked at at once, besides: they do not queue with
/// anybody who guesses.
const KNOWN_AT_ONCE: usize = 2;
/// How many more of them may wait for that.
const KNOWN_WAITING: usize = 16;
/// No limit makes an attempt wait longer: what would is from before the clock was set back.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// How many keys that have to wait are kept: some MiB.
const MOST_KEYS: usize = 50_000;

/// Shared by the clones of a service.
#[derive(Clone)]
pub(in crate::admin) struct Throttle(Arc<Shared>);

struct Shared {
    queue: Queue,
    known_queue: Queue,
    /// Until when attempts with a key are refused.
    refused_until: Mutex<HashMap<Digest, DateTime<Utc>>>,
}

/// Attempts that are looked at, and those that wait for it.
struct Queue {
    room: Semaphore,
    turns: Semaphore,
}

/// Leave to look at an attempt, until it is dropped.
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
    /// Waits for a turn; `None` at once where too many wait already.
    pub(in crate::admin) async fn turn(&self) -> Option<Turn<'_>> {
        self.0.queue.turn().await
    }

    /// The same for an attempt from a device that seems to be known.
    pub(in crate::admin) async fn known_turn(&self) -> Option<Turn<'_>> {
        self.0.known_queue.turn().await
    }

    /// How long an attempt with these keys has still to wait, as far as it is remembered here.
    pub(in crate::admin) fn wait(&self, keys: &[Digest], now: DateTime<Utc>) -> Option<TimeDelta> {
        let refused_until = self.lock();
        let waits = keys.iter().filter_map(|key| Some(*refused_until.get(key)? - now));
        waits.filter(|wait| TimeDelta::zero() < *wait && *wait <= LONGEST_WAIT).max()
    }

    /// Remembers that attempts with a key are refused for so long.
    pub(in crate::admin) fn refuse(&self, key: Digest, wait: TimeDelta, now: DateTime<Utc>) {
        let mut refused_until = self.lock();
        if refused_until.len() >= MOST_KEYS {
            refused_until.retain(|_, until| *until > now);
        }
        // The storage remembers the others.
        if refused_until.len() < MOST_KEYS {
            refused_until.insert(key, now + wait);
        }
    }

    /// Forgets a key, whose failures were forgotten.
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
        assert_eq!(throttle.lock().len(), 1, "what is over makes room");
    }

    #[tokio::test]
    async fn a_few_are_looked_at_some_wait_and_the_rest_is_refused() {
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
