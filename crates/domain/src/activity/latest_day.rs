use chrono::NaiveDate;

use super::calendar::month;

/// A user's latest active day, as stored in the user's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestDay {
    /// The day.
    pub day: NaiveDate,
    /// The number of interactions on it.
    pub interactions: i32,
    /// On how many days of its month the user was active, including this one.
    pub days_of_month: u32,
    /// On how many days the user was active in all.
    pub days_ever: u32,
}

impl LatestDay {
    /// The user's first active day.
    pub fn first(day: NaiveDate, interactions: i32) -> Self {
        Self { day, interactions, days_of_month: 1, days_ever: 1 }
    }

    /// The latest day after `day`, on which the user was active next.
    pub fn followed_by(self, day: NaiveDate, interactions: i32) -> Self {
        let is_same_month = month(self.day) == month(day);
        let days_of_month = if is_same_month { self.days_of_month + 1 } else { 1 };
        Self { day, interactions, days_of_month, days_ever: self.days_ever + 1 }
    }
}
