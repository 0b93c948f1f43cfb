use chrono::{DateTime, NaiveDate, Timelike, Utc};

use super::{Figure, Label, Sums};

/// An hour of a UTC day, from 0 to 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hour(u8);

impl Hour {
    /// How many hours a day has.
    pub const COUNT: u8 = 24;

    /// The hour with this number.
    pub fn new(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| *number < Self::COUNT).map(Self)
    }

    /// The hour of a time.
    pub fn of(at: DateTime<Utc>) -> Self {
        Self::new(at.hour()).unwrap_or(Self(0))
    }

    /// The number of the hour, from 0 to 23.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl From<Hour> for Label {
    fn from(hour: Hour) -> Self {
        Self::Number(hour.0.into())
    }
}

/// A UTC day on which a user was active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActiveDay {
    /// The day.
    pub day: NaiveDate,
    /// The hour of the user's first interaction on it; `None` if it was recorded by a version that
    /// did not store the hour.
    pub first_hour: Option<Hour>,
}

impl ActiveDay {
    /// The day of a user's only known interaction on it.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self { day: at.date_naive(), first_hour: Some(Hour::of(at)) }
    }
}

/// Counts a user in the hour of the first interaction on a day, `sign` times.
pub fn add_first_hour(day: NaiveDate, hour: Option<Hour>, sign: i64, sums: &mut Sums) {
    if let Some(hour) = hour {
        sums.add(Figure::ActiveHour, day, hour.into(), sign);
    }
}

/// The first hour of a day after an interaction in another one, and its change in the sums. The hour
/// of a day that was recorded without one stays unknown.
pub fn earlier_hour(
    day: NaiveDate,
    known: Option<Hour>,
    other: Option<Hour>,
    sums: &mut Sums,
) -> Option<Hour> {
    let earlier = known.and_then(|known| other.filter(|other| *other < known));
    if earlier.is_none() {
        return known;
    }
    add_first_hour(day, known, -1, sums);
    add_first_hour(day, earlier, 1, sums);
    earlier
}
