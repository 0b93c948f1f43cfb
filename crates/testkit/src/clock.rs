use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::Clock;

/// A clock that only a test advances.
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    /// A clock that shows `now`, a time such as "2026-11-23T12:00:00Z".
    pub fn at(now: &str) -> Self {
        Self(Mutex::new(now.parse().expect("the time is in RFC 3339")))
    }

    /// Advances the clock by a number of seconds.
    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
