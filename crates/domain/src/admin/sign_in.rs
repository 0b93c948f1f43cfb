use chrono::{DateTime, TimeDelta, Utc};

/// Failed sign-ins with one account or from one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInFailures {
    /// The number of failures.
    pub count: u32,
    /// The time of the last failure.
    pub last_at: DateTime<Utc>,
}

/// How many sign-ins may fail before the next attempt has to wait. Each wait is twice as long as
/// the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimit {
    /// The number of failures without a wait.
    pub free: u32,
    /// The length of the first wait.
    pub first_wait: TimeDelta,
    /// The longest wait.
    pub longest_wait: TimeDelta,
}

impl SignInLimit {
    /// Failures are forgotten after this time without another one.
    pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

    /// How long an attempt at `now` still has to wait; `None` if it need not wait.
    pub fn wait(&self, failures: SignInFailures, now: DateTime<Utc>) -> Option<TimeDelta> {
        let doublings = self.after(failures, now).checked_sub(self.free)?;
        let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0);
        let wait = factor.and_then(|factor| self.first_wait.checked_mul(factor));
        let wait = wait.map_or(self.longest_wait, |wait| wait.min(self.longest_wait));
        let left = failures.last_at + wait - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// The failures after one more at `now`.
    pub fn add(&self, failures: SignInFailures, now: DateTime<Utc>) -> SignInFailures {
        let count = self.after(failures, now).saturating_add(1);
        SignInFailures { count, last_at: now.max(failures.last_at) }
    }

    /// The number of failures that still count at `now`.
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
