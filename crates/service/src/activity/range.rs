use chrono::{Days, NaiveDate};

/// Consecutive days in UTC: at least one, and at most [`MAX_DAYS`](Self::MAX_DAYS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    first: NaiveDate,
    last: NaiveDate,
}

impl DayRange {
    /// The longest range: ten years. It is bounded because more days are more rows to read.
    pub const MAX_DAYS: u32 = 3660;

    /// How many days the usual range has, up to today.
    pub const USUAL_DAYS: u32 = 90;

    /// The days from `first` to `last`, both included.
    ///
    /// # Errors
    /// When `first` is after `last`, or the range is too long.
    pub fn new(first: NaiveDate, last: NaiveDate) -> Result<Self, InvalidDayRange> {
        let days = (last - first).num_days() + 1;
        if days < 1 {
            return Err(InvalidDayRange::Reversed { first, last });
        }
        if days > i64::from(Self::MAX_DAYS) {
            return Err(InvalidDayRange::TooLong { first, last, days });
        }
        Ok(Self { first, last })
    }

    /// The `days` days that end with `last`.
    ///
    /// # Errors
    /// When the range is empty or too long.
    pub fn ending(last: NaiveDate, days: u32) -> Result<Self, InvalidDayRange> {
        let first = last.succ_opt().and_then(|end| end.checked_sub_days(Days::new(days.into())));
        Self::new(first.unwrap_or(NaiveDate::MIN), last)
    }

    /// One day.
    pub fn of(day: NaiveDate) -> Self {
        Self { first: day, last: day }
    }

    /// The range of the same length right before this one; `None` before the first possible day.
    pub fn before(self) -> Option<Self> {
        let days = u32::try_from((self.last - self.first).num_days() + 1).ok()?;
        Self::ending(self.first.pred_opt()?, days).ok()
    }

    /// The first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub fn last(self) -> NaiveDate {
        self.last
    }

    /// The days in order.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }

    /// The range without the days before that of the first user; `None` if no day is left.
    pub(super) fn since(self, first_day: Option<NaiveDate>) -> Option<Self> {
        let first = self.first.max(first_day?);
        (first <= self.last).then_some(Self { first, ..self })
    }

    /// The range without the days in the future.
    pub(super) fn until(self, today: NaiveDate) -> Result<Self, InvalidDayRange> {
        if self.first > today {
            return Err(InvalidDayRange::NotYet { first: self.first, today });
        }
        Ok(Self { last: self.last.min(today), ..self })
    }
}

/// Why there are no figures for a range of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDayRange {
    /// The first day is after the last.
    #[error("{first} is after {last}; expected the first day of the range, then its last")]
    Reversed {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// The range is too long.
    #[error("{first} to {last} is {days} days; expected at most {}", DayRange::MAX_DAYS)]
    TooLong {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
        /// The number of days.
        days: i64,
    },
    /// The whole range is in the future.
    #[error("{first} is in the future (today is {today} UTC)")]
    NotYet {
        /// The first day.
        first: NaiveDate,
        /// Today in UTC.
        today: NaiveDate,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_has_a_length_within_bounds() {
        let range = |first, last| DayRange::new(day(first), day(last)).map(|it| it.days().count());
        let error = |first, last| range(first, last).unwrap_err().to_string();
        assert_eq!(range("2026-11-23", "2026-11-23"), Ok(1));
        assert_eq!(range("2026-02-27", "2026-03-01"), Ok(3));
        assert_eq!(range("2016-11-16", "2026-11-23"), Ok(3660));
        assert_eq!(
            error("2016-11-15", "2026-11-23"),
            "2016-11-15 to 2026-11-23 is 3661 days; expected at most 3660"
        );
        assert_eq!(
            error("2026-11-24", "2026-11-23"),
            "2026-11-24 is after 2026-11-23; expected the first day of the range, then its last"
        );
        assert!(DayRange::new(NaiveDate::MIN, NaiveDate::MAX).is_err());
    }

    #[test]
    fn a_range_can_be_given_by_its_end() {
        let today = day("2026-11-23");
        assert_eq!(DayRange::ending(today, 1), DayRange::new(today, today));
        assert_eq!(DayRange::ending(today, 90), DayRange::new(day("2026-08-26"), today));
        assert!(DayRange::ending(today, 0).is_err());
        assert!(DayRange::ending(today, u32::MAX).is_err());
    }

    #[test]
    fn the_range_before_has_the_same_length() {
        let range = DayRange::new(day("2026-11-01"), day("2026-11-23")).unwrap();
        assert_eq!(range.before(), DayRange::new(day("2026-10-09"), day("2026-10-31")).ok());
        assert_eq!(DayRange::of(day("2026-03-01")).before(), Some(DayRange::of(day("2026-02-28"))));
        assert_eq!(DayRange::of(NaiveDate::MIN).before(), None);
    }

    #[test]
    fn days_in_the_future_are_left_out() {
        let range = DayRange::new(day("2026-11-20"), day("2026-12-31")).unwrap();
        let until = |today| range.until(day(today));
        assert_eq!(until("2026-11-23"), DayRange::new(day("2026-11-20"), day("2026-11-23")));
        assert_eq!(until("2027-01-01"), Ok(range));
        assert_eq!(
            until("2026-11-19").unwrap_err().to_string(),
            "2026-11-20 is in the future (today is 2026-11-19 UTC)"
        );
    }
}
