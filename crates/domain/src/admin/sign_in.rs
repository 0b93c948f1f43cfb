use chrono::{DateTime, TimeDelta, Utc};

/// How often signing in failed, with one account or from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInFailures {
    /// How often.
    pub count: u32,
    /// When it last did.
    pub last_at: DateTime<Utc>,
}

/// How often signing in may fail before the next attempt has to wait: longer each time, twice as
/// long as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimit {
    /// How many failures go without waiting.
    pub free: u32,
    /// How long the first wait is.
    pub first_wait: TimeDelta,
    /// How long a wait becomes at most.
    pub longest_wait: TimeDelta,
}

impl SignInLimit {
    /// Failures are forgotten when there was none for so long.
    pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

    /// How long an attempt at `now` has still to wait; `None` where it need not.
    pub fn wait(&self, failures: SignInFailures, now: DateTime<Utc>) -> Option<TimeDelta> {
        let doublings = self.after(failures, now).checked_sub(self.free)?;
        let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0);
        let wait = factor.and_then(|factor| self.first_wait.checked_mul(factor));
        let wait = wait.map_or(self.longest_wait, |wait| wait.min(self.longest_wait));
        let left = failures.last_at + wait - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// The failures when another one follows at `now`.
    pub fn add(&self, failures: SignInFailures, now: DateTime<Utc>) -> SignInFailures {
        let count = self.after(failures, now).saturating_add(1);
        SignInFailures { count, last_at: now.max(failures.last_at) }
    }

    /// How many failures still count at `now`.
    fn after(&self, failures: SignInFailures, now: DateTime<Utc>) -> u32 {
        if now - failures.last_at > Self::FORGOTTEN_AFTER { 0 } else { failures.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_forgotten() {
        let limit = SignInLimit {
            free: 2,
            first_wait: TimeDelta::seconds(30),
            longest_wait: TimeDelta::seconds(100),
        };
        let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let wait = |count, seconds| {
            let failures = SignInFailures { count, last_at: now - TimeDelta::seconds(seconds) };
            limit.wait(failures, now).map(|wait| wait.num_seconds())
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 40].map(|count| wait(count, 0)),
            [None, None, Some(30), Some(60), Some(100), Some(100)]
        );
        assert_eq!([wait(2, 29), wait(2, 30), wait(u32::MAX, 3601)], [Some(1), None, None]);
        let failures = SignInFailures { count: 4, last_at: now };
        assert_eq!(limit.add(failures, now + TimeDelta::hours(1)).count, 5);
        assert_eq!(limit.add(failures, now + TimeDelta::seconds(3601)).count, 1);
    }
}
