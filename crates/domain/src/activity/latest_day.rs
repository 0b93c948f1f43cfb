use chrono::NaiveDate;

use super::{ActiveDay, Hour, calendar::month};

/// A user's latest active day, as stored in the user's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestDay {
    /// The day.
    pub day: NaiveDate,
    /// The number of interactions on it.
    pub interactions: i32,
    /// The hour of the first of them, if it is known.
    pub first_hour: Option<Hour>,
    /// On how many days of its month the user was active, including this one.
    pub days_of_month: u32,
    /// On how many days the user was active in all.
    pub days_ever: u32,
}

impl LatestDay {
    /// The user's first active day.
    pub fn first(ActiveDay { day, first_hour }: ActiveDay, interactions: i32) -> Self {
        Self { day, interactions, first_hour, days_of_month: 1, days_ever: 1 }
    }

    /// The day itself.
    pub fn active(self) -> ActiveDay {
        ActiveDay { day: self.day, first_hour: self.first_hour }
    }

    /// The latest day after this one, on which the user was active next.
    pub fn followed_by(self, next: ActiveDay, interactions: i32) -> Self {
        let ActiveDay { day, first_hour } = next;
        let is_same_month = month(self.day) == month(day);
        let days_of_month = if is_same_month { self.days_of_month + 1 } else { 1 };
        Self { day, interactions, first_hour, days_of_month, days_ever: self.days_ever + 1 }
    }
}
