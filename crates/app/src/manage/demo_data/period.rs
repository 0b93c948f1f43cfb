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
    /// Which share of a usual day is over on the last day, of [`SHARES`].
    passed: u32,
}

impl Period {
    pub(super) fn new(days: u32, now: DateTime<Utc>) -> Self {
        let last = now.date_naive();
        let first = last.checked_sub_days(Days::new(u64::from(days).saturating_sub(1)));
        let passed = share_at(now.num_seconds_from_midnight());
        Self { first: first.unwrap_or(last), last, passed }
    }

    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |day| *day <= last)
    }

    /// Which part of what happens on a day is over, of a thousand. By 6:00 it is less than a quarter.
    pub(super) fn passed_per_mille(&self, day: NaiveDate) -> u32 {
        let per_mille = u64::from(self.passed) * 1000 / u64::from(SHARES);
        if day < self.last { 1000 } else { u32::try_from(per_mille).unwrap_or(1000) }
    }

    /// The time at which so large a share of what happens on a day is done; of today, only of what
    /// has happened by now. The larger the share, the later.
    pub(super) fn moment(&self, day: NaiveDate, share: u32) -> DateTime<Utc> {
        let of_today = u64::from(share) * u64::from(self.passed) / u64::from(SHARES);
        let of_today = u32::try_from(of_today).unwrap_or(SHARES);
        let second = second_of_day(if day < self.last { share } else { of_today });
        let since_midnight = TimeDelta::seconds(i64::try_from(second).unwrap_or_default());
        day.and_time(NaiveTime::MIN).and_utc() + since_midnight
    }
}

/// How much happens in an hour of the day (UTC), as a share of the whole day.
pub(crate) fn hour_share(hour: u32) -> f64 {
    let number = |weight: u64| f64::from(u32::try_from(weight).unwrap_or(u32::MAX));
    let hour = usize::try_from(hour).unwrap_or_default();
    number(HOURS.get(hour).copied().unwrap_or_default()) / number(HOURS.iter().sum())
}

/// Which share of a day is done at a second of it; the opposite of [`second_of_day`], rounded down.
fn share_at(second: u32) -> u32 {
    let (hour, within) = (u64::from(second / 3600), u64::from(second % 3600));
    let before: u64 = (0..).zip(HOURS).filter(|(it, _)| *it < hour).map(|(_, weight)| weight).sum();
    let now = HOURS.get(usize::try_from(hour).unwrap_or_default()).copied().unwrap_or_default();
    let done = (before * 3600 + now * within) * u64::from(SHARES);
    u32::try_from(done / (HOURS.iter().sum::<u64>() * 3600)).unwrap_or(SHARES)
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
    fn the_part_of_today_that_is_over_is_that_of_a_usual_day() {
        for (time, expected) in
            [("00:00:00", 0), ("06:00:00", 68), ("12:00:00", 303), ("18:00:00", 620)]
        {
            let now: DateTime<Utc> = format!("2026-11-23T{time}Z").parse().unwrap();
            let period = Period::new(2, now);
            assert_eq!(period.passed_per_mille(period.last), expected, "{time}");
            assert_eq!(period.passed_per_mille(period.first), 1000);
        }
        let all: f64 = (0..24).map(hour_share).sum();
        assert!((all - 1.0).abs() < 1e-9 && hour_share(19) > 3.0 * hour_share(6), "{all}");
    }

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
            assert!(now - *times.last().unwrap() < TimeDelta::seconds(3), "up to now");
            assert_eq!(times.first().unwrap().to_string(), "2026-11-22 00:00:00 UTC");
        }
    }
}
