use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rollcall_domain::ListedUser;

/// What is happening now: the interactions of the last hour, and the users who joined last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JustNow {
    /// The last 60 minutes, the present one last. It is still in progress.
    pub minutes: Vec<MinuteCount>,
    /// The users who joined last, the latest first.
    pub newest: Vec<ListedUser>,
}

/// The interactions of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCount {
    /// The beginning of the minute.
    pub at: DateTime<Utc>,
    /// The number of interactions.
    pub interactions: u64,
}

/// How many minutes are shown.
const MINUTES: i32 = 60;

/// The first minute that is shown at a time.
pub(crate) fn first_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    let present = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    present - TimeDelta::minutes(1) * (MINUTES - 1)
}

/// Each minute from the first on, with its interactions.
pub(crate) fn minutes(first: DateTime<Utc>, sums: Vec<(DateTime<Utc>, i64)>) -> Vec<MinuteCount> {
    let sums: HashMap<_, _> = sums.into_iter().collect();
    let minute = |n| {
        let at = first + TimeDelta::minutes(1) * n;
        let interactions = sums.get(&at).copied().unwrap_or_default();
        MinuteCount { at, interactions: interactions.max(0).unsigned_abs() }
    };
    (0..MINUTES).map(minute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hour_has_sixty_minutes() {
        let at = |time: &str| time.parse::<DateTime<Utc>>().unwrap();
        let first = first_minute(at("2026-11-23T00:30:59.999Z"));
        assert_eq!(first, at("2026-11-22T23:31:00Z"));
        let sums =
            vec![(at("2026-11-22T23:30:00Z"), 9), (first, 1), (at("2026-11-23T00:30:00Z"), 2)];
        let minutes = minutes(first, sums);
        assert_eq!(minutes.len(), 60);
        assert_eq!(minutes[0], MinuteCount { at: first, interactions: 1 });
        assert_eq!(minutes[59], MinuteCount { at: at("2026-11-23T00:30:00Z"), interactions: 2 });
        assert!(minutes[1..59].iter().all(|it| it.interactions == 0));
    }
}
