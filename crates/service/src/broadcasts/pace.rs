//! How fast broadcasts go on at the moment, from what was seen within the last half minute.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

/// How far back the pace is measured.
const LOOKS_BACK: TimeDelta = TimeDelta::seconds(30);
/// The shortest time over which it is measured.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);
/// The most sightings of a broadcast that are kept.
const MOST: usize = 64;

/// When how many recipients of a broadcast had an outcome.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<i64, Counts>>);

/// How many recipients had an outcome at some moments, the oldest first.
type Counts = VecDeque<(DateTime<Utc>, u64)>;

impl Paces {
    /// Notes how many recipients of a broadcast have an outcome. Returns how many get one each second,
    /// once that was seen for long enough.
    pub fn note(&self, broadcast: i64, settled: u64, at: DateTime<Utc>) -> Option<f64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, seen| seen.back().is_some_and(|(last, _)| at - *last <= LOOKS_BACK));
        let seen = all.entry(broadcast).or_default();
        while seen.len() >= MOST || seen.front().is_some_and(|(first, _)| at - *first > LOOKS_BACK)
        {
            seen.pop_front();
        }
        let first = seen.front().copied();
        // Several pages may look at the same time.
        if seen.back().is_none_or(|(last, _)| at - *last >= TimeDelta::milliseconds(500)) {
            seen.push_back((at, settled));
        }
        let (since, before) = first?;
        let time = at - since;
        if time < SHORTEST {
            return None;
        }
        let number = u32::try_from(settled.saturating_sub(before)).unwrap_or(u32::MAX);
        Some(f64::from(number) / time.as_seconds_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_pace_is_that_of_the_last_half_minute() {
        let paces = Paces::default();
        assert_eq!(paces.note(1, 0, at(0)), None);
        assert_eq!(paces.note(1, 10, at(1)), None);
        assert_eq!(paces.note(1, 40, at(2)), Some(20.0));
        assert_eq!(paces.note(1, 40, at(30)), Some(40.0 / 30.0));
        // The first sightings are too old, and nothing has happened since.
        assert_eq!(paces.note(1, 40, at(40)), Some(0.0));
        assert_eq!(paces.note(2, 40, at(40)), None);
    }

    #[test]
    fn what_was_not_seen_for_long_is_forgotten() {
        let paces = Paces::default();
        assert_eq!(paces.note(1, 0, at(0)), None);
        assert_eq!(paces.note(2, 0, at(100)), None);
        assert_eq!(paces.0.lock().unwrap().len(), 1);
        assert_eq!(paces.note(1, 1_000, at(100)), None);
        // Many pages at once do not push out what was seen before.
        for _ in 0..1_000 {
            paces.note(1, 1_000, at(101));
        }
        assert_eq!(paces.note(1, 1_100, at(110)), Some(10.0));
    }
}
