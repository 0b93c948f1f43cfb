use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Where the time comes from. Whatever needs the time is given a clock, so that a test can hold it.
pub trait Clock: Send + Sync {
    /// The present time in UTC, in whole microseconds: the resolution that the databases store.
    fn now(&self) -> DateTime<Utc>;
}

/// By how much two clocks that are right may differ: more than servers' clocks do, and than an answer
/// takes.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(10);

/// Whether a time lies in the future: further than clocks that are right differ.
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
