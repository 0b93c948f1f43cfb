use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The source of time. Code that needs the time takes a clock, so that a test can control it.
pub trait Clock: Send + Sync {
    /// The current time in UTC, in whole microseconds, which is what the databases store.
    fn now(&self) -> DateTime<Utc>;
}

/// A shared clock shows the time of the clock inside.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        C::now(self)
    }
}

/// How far two correct clocks may differ. The value is larger than the error of a server's clock
/// plus the duration of a request.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(10);

/// Whether a time lies in the future by more than [`CLOCK_TOLERANCE`].
pub(crate) fn is_ahead(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at.signed_duration_since(now) > CLOCK_TOLERANCE
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}
