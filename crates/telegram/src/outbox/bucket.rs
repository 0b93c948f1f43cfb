//! Token buckets.

use std::time::Duration;

use tokio::time::Instant;

/// One thing each `every`, and up to `at_once` after a rest.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) at_once: u32,
}

/// A token bucket, kept as the time when it is full again.
pub(crate) struct Bucket {
    pace: Pace,
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, full_at: Instant::now() }
    }

    /// When there is a token.
    pub(crate) fn token_at(&self) -> Instant {
        let now = Instant::now();
        let without_it = self.full_at.max(now) + self.pace.every;
        let to_fill = self.pace.every * self.pace.at_once;
        without_it.checked_sub(to_fill).map_or(now, |there| there.max(now))
    }

    /// Takes a token, even one that is still to come; answers when it is there.
    pub(crate) fn take(&mut self) -> Instant {
        let token_at = self.token_at();
        self.full_at = self.full_at.max(Instant::now()) + self.pace.every;
        token_at
    }

    /// Whether it is full at this time.
    pub(crate) fn is_full(&self, at: Instant) -> bool {
        self.full_at <= at
    }
}
