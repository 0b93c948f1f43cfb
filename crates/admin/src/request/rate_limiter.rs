//! How many requests each address may send: a token bucket each.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rollcall_domain::client_network;

/// How many requests an address may send at once, and then per second. A page takes about ten
/// requests, and a live search some more.
const AT_ONCE: f64 = 600.0;
const A_SECOND: f64 = 60.0;
/// The most addresses that are remembered. They take some hundred KiB.
const MOST_ADDRESSES: usize = 10_000;
/// After this time a bucket is full again, and is forgotten.
const FULL_AGAIN: Duration = Duration::from_secs(10);

/// How often each address may ask: a token bucket each.
#[derive(Default)]
pub(crate) struct RateLimiter {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn tokens(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at);
        A_SECOND.mul_add(since.as_secs_f64(), self.tokens).min(AT_ONCE)
    }
}

impl RateLimiter {
    pub(super) fn admits(&self, address: IpAddr, now: Instant) -> bool {
        // No code panics while holding the lock.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES {
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < FULL_AGAIN);
        }
        if buckets.len() >= MOST_ADDRESSES {
            // These are many clients at once; other limits apply to them.
            return true;
        }
        let bucket =
            buckets.entry(client_network(address)).or_insert(Bucket { tokens: AT_ONCE, at: now });
        let tokens = bucket.tokens(now);
        let admitted = tokens >= 1.0;
        *bucket = Bucket { tokens: if admitted { tokens - 1.0 } else { tokens }, at: now };
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_own_limit() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let admitted =
            |address: IpAddr, at, of: u32| (0..of).filter(|_| limiter.admits(address, at)).count();
        assert_eq!(admitted(one, start, 1000), 600);
        assert_eq!(admitted("2001:db8::2".parse().unwrap(), start, 10), 0, "the same network");
        assert_eq!(admitted("192.0.2.1".parse().unwrap(), start, 10), 10);
        assert_eq!(admitted(one, start + Duration::from_secs(2), 1000), 120);
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        for n in 0..20_000_u32 {
            assert!(limiter.admits(std::net::Ipv4Addr::from_bits(n).into(), start));
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MOST_ADDRESSES);
        assert!(limiter.admits("192.0.2.1".parse().unwrap(), start + FULL_AGAIN));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
