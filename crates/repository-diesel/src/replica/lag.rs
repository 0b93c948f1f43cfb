use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::status::WalPosition;

/// How many positions are remembered. If there are more, every other one is forgotten.
const MOST: usize = 1000;

/// How far a replica is behind, by our own clock: the time since the primary was at the first position
/// that the replica has not replayed. So neither an idle primary nor clocks that differ look like a lag,
/// and a replica that has lost its connection to the primary does.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Positions of the primary, and when it was there.
    positions: VecDeque<(Instant, WalPosition)>,
    /// The first position that was ever noted, until it is replayed.
    first: Option<WalPosition>,
    has_begun: bool,
}

impl Lag {
    /// Notes a position of the primary.
    pub(super) fn note(&mut self, now: Instant, position: WalPosition) {
        if !self.has_begun {
            self.has_begun = true;
            self.first = Some(position);
        }
        match self.positions.back() {
            // Another server has become the primary, without the end of the old one's log.
            Some((_, last)) if *last > position => self.positions.clear(),
            Some((_, last)) if *last == position => return,
            _ => {}
        }
        if self.positions.len() >= MOST {
            let mut is_kept = false;
            self.positions.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
        self.positions.push_back((now, position));
    }

    /// The lag of a replica that has replayed the log up to a position. If it is behind since before the
    /// first note, what happened before is unknown: `age`, how long ago its last transaction was
    /// committed, then counts too.
    pub(super) fn of(&mut self, now: Instant, replayed: WalPosition, age: Duration) -> Duration {
        while self.positions.front().is_some_and(|(_, position)| *position <= replayed) {
            self.positions.pop_front();
        }
        if self.first.is_some_and(|first| first <= replayed) {
            self.first = None;
        }
        let Some((since, _)) = self.positions.front() else { return Duration::ZERO };
        let lag = now.saturating_duration_since(*since);
        match self.first {
            // A transaction that was just committed is not replayed yet on any replica.
            Some(_) if !lag.is_zero() => lag.max(age),
            _ => lag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    #[test]
    fn the_lag_begins_with_the_first_position_that_is_not_replayed() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let seconds = Duration::from_secs;
        let mut lag = Lag::default();
        lag.note(at(0), WalPosition(100));
        assert_eq!(lag.of(at(0), WalPosition(100), seconds(3600)), NONE, "the primary was idle");
        lag.note(at(1), WalPosition(200));
        lag.note(at(2), WalPosition(300));
        assert_eq!(lag.of(at(4), WalPosition(150), seconds(3600)), seconds(3));
        assert_eq!(lag.of(at(5), WalPosition(200), NONE), seconds(3));
        lag.note(at(9), WalPosition(300));
        assert_eq!(lag.of(at(9), WalPosition(300), NONE), NONE, "the primary is idle again");
    }

    #[test]
    fn a_replica_that_was_behind_before_is_as_old_as_its_last_transaction() {
        let begin = Instant::now();
        let later = begin + Duration::from_secs(1);
        let age = Duration::from_secs(90);
        let mut lag = Lag::default();
        lag.note(begin, WalPosition(100));
        assert_eq!(lag.of(begin, WalPosition(50), age), NONE, "it may have been on its way");
        assert_eq!(lag.of(later, WalPosition(50), age), age);
        assert_eq!(lag.of(later, WalPosition(100), age), NONE);
    }

    #[test]
    fn a_new_primary_may_lack_the_end_of_the_log() {
        let begin = Instant::now();
        let later = begin + Duration::from_secs(9);
        let mut lag = Lag::default();
        lag.note(begin, WalPosition(300));
        lag.note(later, WalPosition(200));
        assert_eq!(lag.of(later, WalPosition(100), NONE), NONE);
        assert_eq!(lag.of(later + Duration::from_secs(1), WalPosition(200), NONE), NONE);
    }

    #[test]
    fn a_long_lag_is_remembered_in_bounded_memory() {
        let begin = Instant::now();
        let mut lag = Lag::default();
        for second in 0..100_000 {
            lag.note(begin + Duration::from_secs(second), WalPosition(second.try_into().unwrap()));
        }
        assert!(lag.positions.len() <= MOST);
        let now = begin + Duration::from_secs(100_000);
        assert_eq!(lag.of(now, WalPosition(-1), NONE), Duration::from_secs(100_000));
    }
}
