use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

/// One token per `every`, and up to `at_once` tokens after a pause.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) at_once: u32,
}

impl Pace {
    /// This many tokens a second, evenly spaced. A user of the tokens that is late may catch up this
    /// much, if more than one token falls into that time.
    pub(crate) fn per_second(rate: NonZeroU32, catch_up: Duration) -> Self {
        let every = Duration::from_secs(1) / rate.get();
        let missed = catch_up.as_nanos().checked_div(every.as_nanos()).unwrap_or(u128::MAX);
        Self { every, at_once: u32::try_from(missed).unwrap_or(u32::MAX).max(1) }
    }
}

/// A token bucket, stored as the time at which it is full again.
pub(crate) struct Bucket {
    pace: Pace,
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, full_at: Instant::now() }
    }

    /// When the next token is available.
    pub(crate) fn token_at(&self) -> Instant {
        let now = Instant::now();
        let without_it = self.full_at.max(now) + self.pace.every;
        let to_fill = self.pace.every * self.pace.at_once;
        without_it.checked_sub(to_fill).map_or(now, |there| there.max(now))
    }

    /// Takes the next token, even in advance. Returns when it is available.
    pub(crate) fn take(&mut self) -> Instant {
        let token_at = self.token_at();
        self.full_at = self.full_at.max(Instant::now()) + self.pace.every;
        token_at
    }

    /// Whether the bucket is full at `at`.
    pub(crate) fn is_full(&self, at: Instant) -> bool {
        self.full_at <= at
    }
}
