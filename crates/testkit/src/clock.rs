use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::Clock;

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    /// A clock that stands at `now`, a time such as "2026-11-23T12:00:00Z".
    pub fn at(now: &str) -> Self {
        Self(Mutex::new(now.parse().expect("a time in RFC 3339")))
    }

    /// Moves the clock by so many seconds.
    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
