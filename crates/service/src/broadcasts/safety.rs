//! The safety stop: too many of the last recipients did not get the message, or do not want it.

use std::collections::VecDeque;

/// How many outcomes are looked at.
const LAST: usize = 500;
/// How many of them in a hundred may be bad.
const PERCENT: u64 = 10;

/// The outcomes of the last messages, and the opt-outs and blocks meanwhile.
#[derive(Debug, Default)]
pub(super) struct Safety {
    /// How many blocks, failures and opt-outs there were with each outcome.
    last: VecDeque<u64>,
    bad: u64,
    /// How many recipients had opted out or blocked the bot at most.
    left: Option<u64>,
}

impl Safety {
    /// Notes an outcome. Returns whether too many of the last ones are bad.
    pub(super) fn note(&mut self, is_bad: bool) -> bool {
        self.last.push_back(is_bad.into());
        self.bad += u64::from(is_bad);
        if self.last.len() > LAST {
            self.bad -= self.last.pop_front().unwrap_or_default();
        }
        self.is_too_much()
    }

    /// Notes how many recipients have opted out or blocked the bot in all. The ones since the last time
    /// count with the latest outcome; the first time, none do. Returns whether too many of the last
    /// outcomes are bad.
    pub(super) fn note_left(&mut self, in_all: u64) -> bool {
        let new = in_all.saturating_sub(self.left.unwrap_or(in_all));
        self.left = self.left.max(Some(in_all));
        if let Some(latest) = self.last.back_mut() {
            *latest += new;
            self.bad += new;
        }
        self.is_too_much()
    }

    fn is_too_much(&self) -> bool {
        self.bad * 100 > u64::try_from(LAST).unwrap_or(u64::MAX) * PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_of_the_last_outcomes_is_too_much() {
        let mut safety = Safety::default();
        // Every tenth: 50 of the last 500.
        assert!((0..5_000).all(|place| !safety.note(place % 10 == 9)));
        assert!(safety.note(true));
        // The bad ones go out of sight.
        assert!(!(0..500).map(|_| safety.note(false)).last().unwrap());
        let mut safety = Safety::default();
        assert!((0..50).all(|_| !safety.note(true)));
        assert!(safety.note(true));
    }

    #[test]
    fn recipients_who_leave_count_like_failures() {
        let mut safety = Safety::default();
        assert!(!safety.note_left(1_000), "those before it began to send do not count");
        safety.note(false);
        // Those that replace undone ones do not count again.
        assert!(!safety.note_left(990) && !safety.note_left(1_025));
        assert!((0..25).all(|_| !safety.note(true)));
        assert!(safety.note_left(1_026));
        // They go out of sight with the outcome that they came with.
        assert!(!(0..500).map(|_| safety.note(false)).last().unwrap());
        assert!(!safety.note_left(1_076) && safety.note_left(1_077));
    }
}
