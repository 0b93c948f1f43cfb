use chrono::{DateTime, SubsecRound, Utc};

/// Where the time comes from. Whatever needs the time is given a clock, so that a test can hold it.
pub trait Clock: Send + Sync {
    /// The present time in UTC, in whole microseconds: the resolution that the databases store.
    fn now(&self) -> DateTime<Utc>;
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
