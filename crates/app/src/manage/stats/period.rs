//! The ends of a range of days, as people type them.

use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};
use rollcall_domain::{InvalidFilter, read_day};
use rollcall_service::DayRange;

/// One or several days, some of which depend on today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    Day(NaiveDate),
    /// The month with this first day.
    Month(NaiveDate),
    Today,
    Yesterday,
    /// So many days, the last of which is today.
    Days(u32),
}

impl Period {
    /// Its first day.
    pub(super) fn first(self, today: NaiveDate) -> NaiveDate {
        let back = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        match self {
            Self::Day(day) | Self::Month(day) => day,
            Self::Today => today,
            Self::Yesterday => back(1),
            Self::Days(days) => back(u64::from(days).saturating_sub(1)),
        }
    }

    /// Its last day.
    pub(super) fn last(self, today: NaiveDate) -> NaiveDate {
        match self {
            Self::Month(first) => {
                let after = first.checked_add_months(Months::new(1));
                after.and_then(|after| after.pred_opt()).unwrap_or(first)
            }
            Self::Days(_) => today,
            day => day.first(today),
        }
    }
}

/// Reads a period that ends a range. A number of days does not: it could mean their first day, too.
pub(super) fn last(text: &str) -> Result<Period, InvalidPeriod> {
    let period = text.parse().ok().filter(|period| !matches!(period, Period::Days(_)));
    period.ok_or(InvalidPeriod::Last)
}

/// The text is not a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidPeriod {
    #[error(
        "{}; or a month such as 2026-11, today, yesterday, or a number of days from 1d to {}d",
        InvalidFilter::Day,
        DayRange::MAX_DAYS
    )]
    First,
    #[error("{}; or a month such as 2026-11, today or yesterday", InvalidFilter::Day)]
    Last,
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "today" => return Ok(Self::Today),
            "yesterday" => return Ok(Self::Yesterday),
            _ => {}
        }
        if let Some(days) = text.strip_suffix('d') {
            let is_plain = days.bytes().all(|byte| byte.is_ascii_digit());
            let days = days
                .parse()
                .ok()
                .filter(|days| is_plain && (1..=DayRange::MAX_DAYS).contains(days));
            return days.map(Self::Days).ok_or(InvalidPeriod::First);
        }
        let month = || read_day(&format!("{text}-01")).map(Self::Month);
        read_day(text).map(Self::Day).or_else(|_| month()).map_err(|_| InvalidPeriod::First)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> String {
        let today: NaiveDate = "2026-11-27".parse().unwrap();
        let period: Period = text.parse().unwrap();
        format!("{}..{}", period.first(today), period.last(today))
    }

    #[test]
    fn periods_are_days_months_and_days_up_to_today() {
        assert_eq!(days("2026-11-23"), "2026-11-23..2026-11-23");
        assert_eq!(days("2026-11"), "2026-11-01..2026-11-30");
        assert_eq!(days("2024-02"), "2024-02-01..2024-02-29");
        assert_eq!(days("9999-12"), "9999-12-01..9999-12-31");
        assert_eq!(days("today"), "2026-11-27..2026-11-27");
        assert_eq!(days("yesterday"), "2026-11-26..2026-11-26");
        assert_eq!(days("1d"), "2026-11-27..2026-11-27");
        assert_eq!(days("7d"), "2026-11-21..2026-11-27");
        assert_eq!(days("3660d"), "2016-11-20..2026-11-27");
    }

    #[test]
    fn a_number_of_days_begins_a_range_but_does_not_end_it() {
        assert_eq!(last("2026-11"), "2026-11".parse());
        assert_eq!(last("7d"), Err(InvalidPeriod::Last));
        assert_eq!(last("x"), Err(InvalidPeriod::Last));
    }

    #[test]
    fn other_texts_are_refused_with_what_is_expected() {
        for wrong in [
            "",
            "d",
            "0d",
            "-7d",
            "+7d",
            "3661d",
            "7 d",
            "7D",
            "7days",
            "1w",
            "2026",
            "2026-13",
            "2026-1",
            "2026-11-",
            "2026-02-30",
            "0000-01",
            "tomorrow",
            "Yesterday",
            " today",
            "99999999999d",
            "2026-11-23T",
        ] {
            assert_eq!(wrong.parse::<Period>(), Err(InvalidPeriod::First), "{wrong:?}");
        }
        assert_eq!(
            InvalidPeriod::First.to_string(),
            "expected a day such as 2026-11-23, in a year from 0001 to 9999; or a month such as \
             2026-11, today, yesterday, or a number of days from 1d to 3660d"
        );
    }
}
