//! The safety stop: too many of the last recipients did not get the message.

use std::collections::VecDeque;

/// How many outcomes are looked at.
const LAST: usize = 500;
/// How many of them in a hundred may be bad.
const PERCENT: usize = 10;

/// The outcomes of the last messages.
#[derive(Debug, Default)]
pub(super) struct Safety {
    last: VecDeque<bool>,
    bad: usize,
}

impl Safety {
    /// Notes an outcome. Returns whether too many of the last ones are bad.
    pub(super) fn note(&mut self, is_bad: bool) -> bool {
        self.last.push_back(is_bad);
        self.bad += usize::from(is_bad);
        if self.last.len() > LAST {
            self.bad -= usize::from(self.last.pop_front() == Some(true));
        }
        self.bad > LAST * PERCENT / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_of_the_last_outcomes_is_too_much() {
        let mut safety = Safety::default();
        // Every tenth: 50 of the last 500.
        assert!((0..5_000).all(|place| !safety.note(place % 10 == 0)));
        assert!(safety.note(true));
        // The bad ones go out of sight.
        assert!(!(0..500).map(|_| safety.note(false)).last().unwrap());
        let mut safety = Safety::default();
        assert!((0..50).all(|_| !safety.note(true)));
        assert!(safety.note(true));
    }
}
