use chrono::NaiveDate;

use crate::Days;

/// A time whose day a filter can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayField {
    /// The first interaction.
    Joined,
    /// The latest interaction.
    Seen,
    /// When the latest obstacle arose.
    BlockedAt,
}

impl DayField {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Joined, Self::Seen, Self::BlockedAt];

    /// The name in a filter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Seen => "seen",
            Self::BlockedAt => "blocked_at",
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// The days that a filter selects. An age is a number of days before today: today has the age 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayRange {
    /// From one day to another, both included.
    Between(NaiveDate, NaiveDate),
    /// Before this day.
    Before(NaiveDate),
    /// This day or before.
    Until(NaiveDate),
    /// After this day.
    After(NaiveDate),
    /// This day or after.
    Since(NaiveDate),
    /// Less than so many days ago: `<14d` means within the last 14 days, today included.
    YoungerThan(u32),
    /// At most so many days ago.
    NotOlderThan(u32),
    /// More than so many days ago.
    OlderThan(u32),
    /// At least so many days ago.
    NotYoungerThan(u32),
}

impl DayRange {
    /// The days, where `today` is the current day. A day outside of the calendar is its first or
    /// last day.
    pub fn days(self, today: NaiveDate) -> Days {
        let ago = |days: u32| {
            let days = chrono::Days::new(days.into());
            today.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
        };
        let next = |day: NaiveDate| day.succ_opt().unwrap_or(day);
        let previous = |day: NaiveDate| day.pred_opt().unwrap_or(day);
        let since = |day| Days { first: Some(day), last: None };
        let until = |day| Days { first: None, last: Some(day) };
        match self {
            Self::Between(first, last) => Days::between(first, last),
            Self::Before(day) => until(previous(day)),
            Self::Until(day) => until(day),
            Self::After(day) => since(next(day)),
            Self::Since(day) => since(day),
            Self::YoungerThan(age) => since(next(ago(age))),
            Self::NotOlderThan(age) => since(ago(age)),
            Self::OlderThan(age) => until(previous(ago(age))),
            Self::NotYoungerThan(age) => until(ago(age)),
        }
    }

    pub(super) fn of_day(sign: Sign, day: NaiveDate) -> Self {
        match sign {
            Sign::Less => Self::Before(day),
            Sign::LessOrEqual => Self::Until(day),
            Sign::Greater => Self::After(day),
            Sign::GreaterOrEqual => Self::Since(day),
            Sign::Equal => Self::Between(day, day),
        }
    }

    /// `None` for a sign that compares no age.
    pub(super) fn of_age(sign: Sign, age: u32) -> Option<Self> {
        Some(match sign {
            Sign::Less => Self::YoungerThan(age),
            Sign::LessOrEqual => Self::NotOlderThan(age),
            Sign::Greater => Self::OlderThan(age),
            Sign::GreaterOrEqual => Self::NotYoungerThan(age),
            Sign::Equal => return None,
        })
    }
}

/// The numbers that a filter selects, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// The least number.
    pub least: u32,
    /// The greatest number.
    pub greatest: u32,
}

impl NumberRange {
    /// Whether the range has this number.
    pub fn contains(self, number: u32) -> bool {
        (self.least..=self.greatest).contains(&number)
    }

    /// `None` if no number can be meant.
    pub(super) fn of(sign: Sign, number: u32) -> Option<Self> {
        let (least, greatest) = match sign {
            Sign::Less => (0, number.checked_sub(1)?),
            Sign::LessOrEqual => (0, number),
            Sign::Greater => (number.checked_add(1)?, u32::MAX),
            Sign::GreaterOrEqual => (number, u32::MAX),
            Sign::Equal => (number, number),
        };
        Some(Self { least, greatest })
    }
}
