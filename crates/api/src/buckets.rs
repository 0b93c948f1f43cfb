//! How often each key, or each address, may ask: a token bucket each.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The most buckets that are remembered.
const MOST: usize = 10_000;

/// How many requests are allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) at_once: f64,
    pub(crate) a_second: f64,
}

pub(crate) struct Buckets<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Takes a token of `key`.
    ///
    /// # Errors
    /// If there is none: how long it takes until there is one.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let Rate { at_once, a_second } = self.rate;
        // No code panics while holding the lock.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = |bucket: &Bucket| {
            let since = now.saturating_duration_since(bucket.at);
            a_second.mul_add(since.as_secs_f64(), bucket.tokens).min(at_once)
        };
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| tokens(bucket) < at_once);
        }
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            // Many keys at once; the bounds on connections and bodies apply to them.
            return Ok(());
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: at_once, at: now });
        let left = tokens(bucket);
        let taken = if left >= 1.0 { 1.0 } else { 0.0 };
        *bucket = Bucket { tokens: left - taken, at: now };
        match left >= 1.0 {
            true => Ok(()),
            false => Err(Duration::from_secs_f64((1.0 - left) / a_second)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { at_once: 3.0, a_second: 2.0 };

    #[test]
    fn each_key_has_its_own_tokens() {
        let (buckets, start) = (Buckets::new(RATE), Instant::now());
        let taken = |key, at| (0..9).filter(|_| buckets.take(key, at).is_ok()).count();
        assert_eq!((taken("a", start), taken("b", start)), (3, 3));
        assert_eq!(buckets.take("a", start), Err(Duration::from_millis(500)));
        assert_eq!(taken("a", start + Duration::from_secs(1)), 2);
        assert_eq!(taken("a", start + Duration::from_secs(60)), 3);
    }

    #[test]
    fn memory_is_bounded() {
        let (buckets, start) = (Buckets::new(RATE), Instant::now());
        for key in 0..2 * MOST {
            assert_eq!(buckets.take(key, start), Ok(()));
        }
        assert_eq!(buckets.buckets.lock().unwrap().len(), MOST);
        assert_eq!(buckets.take(MOST, start + Duration::from_secs(9)), Ok(()));
        assert_eq!(buckets.buckets.lock().unwrap().len(), 1);
    }
}
