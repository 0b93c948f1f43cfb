use std::fmt;

use chrono::NaiveDate;

/// What a user used: a command, or a button of a family. The names are constants of the bot, so users
/// cannot add any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Used {
    /// The command with this name, which has no slash.
    Command(&'static str),
    /// A button of the family with this name.
    Button(&'static str),
}

/// As it is stored and written in filters: `/schedule` for a command, `schedule` for buttons.
impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) => write!(f, "/{name}"),
            Self::Button(family) => f.write_str(family),
        }
    }
}

/// A command or a family of buttons that a user used, and on which days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandUse {
    /// `/schedule` for a command, `schedule` for the buttons of a family.
    pub command: String,
    /// The days of use.
    pub days: DaysOfUse,
}

impl CommandUse {
    /// The name for people, such as `/schedule` or `schedule (buttons)`.
    pub fn name(&self) -> String {
        match self.command.starts_with('/') {
            true => self.command.clone(),
            false => format!("{} (buttons)", self.command),
        }
    }
}

/// On which UTC days a user used something.
///
/// The number of days is exact if each day arrives at most 63 days after a later one. Which of the
/// earlier days were used is not stored, except the first. So a day that arrives later than that counts
/// only if it is before the first one, and the number is never too high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaysOfUse {
    /// The first day.
    pub first: NaiveDate,
    /// The latest day.
    pub last: NaiveDate,
    /// The number of different days.
    pub number: u32,
    /// Bit `n` is set if the day `n` days before the latest is one of them.
    pub recent: u64,
}

impl DaysOfUse {
    /// The first day of use.
    pub fn first(day: NaiveDate) -> Self {
        Self { first: day, last: day, number: 1, recent: 1 }
    }

    /// Adds a day. Returns whether that changes anything.
    pub fn add(&mut self, day: NaiveDate) -> bool {
        let before_last = (self.last - day).num_days();
        let bit = u32::try_from(before_last).ok().and_then(|place| 1_u64.checked_shl(place));
        let is_new =
            day > self.last || day < self.first || bit.is_some_and(|bit| self.recent & bit == 0);
        if !is_new {
            return false;
        }
        if day > self.last {
            let passed = u32::try_from(-before_last).ok();
            let earlier = passed.and_then(|passed| self.recent.checked_shl(passed));
            self.recent = earlier.unwrap_or_default() | 1;
            self.last = day;
        } else {
            self.recent |= bit.unwrap_or_default();
            self.first = self.first.min(day);
        }
        self.number = self.number.saturating_add(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::Days;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn day(number: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + Days::new(number)
    }

    fn days(numbers: &[u64]) -> DaysOfUse {
        let mut days = DaysOfUse::first(day(numbers[0]));
        for number in &numbers[1..] {
            days.add(day(*number));
        }
        days
    }

    #[test]
    fn a_command_has_a_slash_and_a_button_has_none() {
        assert_eq!(Used::Command("schedule").to_string(), "/schedule");
        assert_eq!(Used::Button("schedule").to_string(), "schedule");
    }

    #[test]
    fn a_late_day_counts_once() {
        let mut late = days(&[5, 8, 6]);
        assert_eq!((late.first, late.last, late.number), (day(5), day(8), 3));
        let before = late;
        for known in [5, 6, 8] {
            assert!(!late.add(day(known)), "{known}");
        }
        assert_eq!(late, before);
        assert!(late.add(day(3)));
        assert_eq!((late.first, late.last, late.number), (day(3), day(8), 4));
    }

    #[test]
    fn the_63_days_before_the_latest_are_known_one_by_one() {
        let edge = days(&[0, 70]);
        for (added, number) in [(7, 3), (6, 2), (0, 2), (70, 2), (71, 3)] {
            let mut edge = edge;
            edge.add(day(added));
            edge.add(day(added));
            assert_eq!(edge.number, number, "{added}");
        }
    }

    #[test]
    fn a_day_before_the_first_counts_however_late_it_is() {
        let mut late = days(&[1_000]);
        assert!(late.add(day(3)));
        assert!(!late.add(day(3)));
        assert!(late.add(day(0)));
        assert!(!late.add(day(3)), "it is not known any more whether it was used");
        assert_eq!((late.first, late.number), (day(0), 3));
    }

    proptest! {
        /// Days of any order, as long as none is more than 63 days late.
        #[test]
        fn the_number_is_that_of_the_different_days(moves in vec((0..80_u64, 0..=63_u64), 1..60)) {
            let mut latest = 100;
            let mut all = BTreeSet::from([day(latest)]);
            let mut counted = DaysOfUse::first(day(latest));
            for (forward, back) in moves {
                let number = if forward < 40 { latest - back } else { latest + forward - 40 };
                latest = latest.max(number);
                prop_assert_eq!(counted.add(day(number)), all.insert(day(number)));
                prop_assert_eq!(Some(&counted.first), all.first());
                prop_assert_eq!(Some(&counted.last), all.last());
                prop_assert_eq!(counted.number, u32::try_from(all.len()).unwrap());
            }
        }

        /// Days of any order.
        #[test]
        fn no_day_counts_twice_however_late_it_is(numbers in vec(0..400_u64, 1..60)) {
            let all: BTreeSet<u64> = numbers.iter().copied().collect();
            let counted = days(&numbers);
            prop_assert_eq!(counted.first, day(*all.first().unwrap()));
            prop_assert_eq!(counted.last, day(*all.last().unwrap()));
            prop_assert!(usize::try_from(counted.number).unwrap() <= all.len());
        }
    }
}
