//! The days of the demo, and the times within them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

/// Into how many moments a day is divided: a share of it is one of them.
pub(super) const SHARES: u32 = 1 << 20;

/// How much happens in each hour of the day, UTC.
const HOURS: [u64; 24] =
    [3, 2, 1, 1, 1, 2, 3, 5, 6, 6, 7, 7, 8, 7, 7, 7, 8, 9, 10, 11, 11, 10, 8, 5];

const DAY_SECONDS: u32 = 24 * 60 * 60;

/// So many days, of which the last one is today.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    /// How many seconds of the last day have passed.
    passed: u32,
}

impl Period {
    pub(super) fn new(days: u32, now: DateTime<Utc>) -> Self {
        let last = now.date_naive();
        let first = last.checked_sub_days(Days::new(u64::from(days).saturating_sub(1)));
        let passed = now.num_seconds_from_midnight();
        Self { first: first.unwrap_or(last), last, passed }
    }

    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |day| *day <= last)
    }

    /// What part of a day has passed, of a thousand.
    pub(super) fn passed_per_mille(&self, day: NaiveDate) -> u32 {
        if day < self.last { 1000 } else { self.passed * 1000 / DAY_SECONDS }
    }

    /// The time at which so large a share of what happens on a day is done; of today, only of what
    /// has happened by now. The larger the share, the later.
    pub(super) fn moment(&self, day: NaiveDate, share: u32) -> DateTime<Utc> {
        let second = second_of_day(share);
        let of_today = second * u64::from(self.passed) / u64::from(DAY_SECONDS);
        let second = if day < self.last { second } else { of_today };
        let since_midnight = TimeDelta::seconds(i64::try_from(second).unwrap_or_default());
        day.and_time(NaiveTime::MIN).and_utc() + since_midnight
    }
}

fn second_of_day(share: u32) -> u64 {
    let mut left = u64::from(share) * HOURS.iter().sum::<u64>();
    for (hour, weight) in (0..).zip(HOURS) {
        let of_hour = weight * u64::from(SHARES);
        if left < of_hour {
            return hour * 3600 + left * 3600 / of_hour;
        }
        left -= of_hour;
    }
    u64::from(DAY_SECONDS) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_order_and_never_lie_ahead() {
        for now in ["2026-11-23T00:00:00Z", "2026-11-23T09:30:00Z", "2026-11-23T23:59:59.5Z"] {
            let now: DateTime<Utc> = now.parse().unwrap();
            let period = Period::new(2, now);
            assert_eq!(period.days().count(), 2);
            let shares = (0..SHARES).step_by(997).chain([SHARES - 1, SHARES]);
            let times: Vec<_> = shares
                .clone()
                .map(|share| period.moment(period.first, share))
                .chain(shares.map(|share| period.moment(period.last, share)))
                .collect();
            assert!(times.is_sorted());
            assert!(times.iter().all(|time| *time <= now));
            assert_eq!(times.first().unwrap().to_string(), "2026-11-22 00:00:00 UTC");
        }
    }
}
