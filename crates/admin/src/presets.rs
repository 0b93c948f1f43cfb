//! Ranges of days up to today: those that the dashboard, the user list and their exports know by a
//! name.

use chrono::{Datelike, Months, NaiveDate};
use rollcall_domain::{DayRange, Days};

/// A range of days that moves with the day. Every page understands each of them in its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preset {
    /// Its name in URLs.
    pub(crate) url_name: &'static str,
    pub(crate) title: &'static str,
    /// The title where there is little room.
    pub(crate) short_title: &'static str,
    length: Length,
    offered_by: &'static [Page],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// So many days up to today.
    Days(u32),
    Yesterday,
    Months(u32),
    SinceNewYear,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Dashboard,
    List,
}

const BOTH: &[Page] = &[Page::Dashboard, Page::List];
const DASHBOARD: &[Page] = &[Page::Dashboard];
const LIST: &[Page] = &[Page::List];

const fn preset(
    url_name: &'static str,
    [title, short_title]: [&'static str; 2],
    length: Length,
    offered_by: &'static [Page],
) -> Preset {
    Preset { url_name, title, short_title, length, offered_by }
}

const PRESETS: [Preset; 10] = [
    preset("today", ["Today", "Today"], Length::Days(1), BOTH),
    preset("yesterday", ["Yesterday", "Yesterday"], Length::Yesterday, BOTH),
    preset("7d", ["Last 7 days", "7 days"], Length::Days(7), BOTH),
    preset("28d", ["Last 28 days", "28 days"], Length::Days(28), DASHBOARD),
    preset("30d", ["Last 30 days", "30 days"], Length::Days(30), LIST),
    preset("90d", ["Last 90 days", "90 days"], Length::Days(90), BOTH),
    preset("12m", ["Last 12 months", "12 months"], Length::Months(12), DASHBOARD),
    preset("365d", ["Last 365 days", "365 days"], Length::Days(365), LIST),
    preset("year", ["This year", "This year"], Length::SinceNewYear, &[]),
    preset("all", ["All time", "All"], Length::Always, DASHBOARD),
];

impl Preset {
    /// The preset of this name, or the names that there are.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = PRESETS.into_iter().find(|it| it.url_name == name);
        let names = || PRESETS.map(|it| it.url_name).join(", ");
        found.ok_or_else(|| format!("expected one of {}", names()))
    }

    /// Those that the form of the user list offers.
    pub(crate) fn of_list() -> impl Iterator<Item = Self> {
        PRESETS.into_iter().filter(|it| it.offered_by.contains(&Page::List))
    }

    /// Those that the dashboard offers.
    pub(crate) fn of_dashboard() -> impl Iterator<Item = Self> {
        PRESETS.into_iter().filter(|it| it.offered_by.contains(&Page::Dashboard))
    }

    /// How many days up to today it has, if it always has as many.
    pub(crate) fn age(self) -> Option<u32> {
        match self.length {
            Length::Days(days) => Some(days),
            _ => None,
        }
    }

    /// What follows a field in a filter to select its days, such as `<7d`.
    pub(crate) fn in_a_filter(self, today: NaiveDate) -> String {
        let range = match (self.age(), self.days(today)) {
            (Some(age), _) => DayRange::YoungerThan(age),
            (None, Days { first: Some(first), last: Some(last) }) => DayRange::Between(first, last),
            (None, Days { first, .. }) => DayRange::Since(first.unwrap_or_default()),
        };
        range.to_string()
    }

    /// Its days as of `today`. An end that is not set is open.
    pub(crate) fn days(self, today: NaiveDate) -> Days {
        let back = |days| today.checked_sub_days(chrono::Days::new(days)).unwrap_or(today);
        let first = match self.length {
            Length::Days(days) => back(u64::from(days) - 1),
            Length::Yesterday => return Days::between(back(1), back(1)),
            Length::Months(months) => {
                let before = today.checked_sub_months(Months::new(months));
                before.and_then(|day| day.succ_opt()).unwrap_or(today)
            }
            Length::SinceNewYear => NaiveDate::from_ymd_opt(today.year(), 1, 1).unwrap_or(today),
            Length::Always => return Days::default(),
        };
        Days { first: Some(first), last: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_move_with_the_day() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let days = |name| {
            let days = Preset::named(name).unwrap().days(today);
            let text = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
            format!("{}..{}", text(days.first), text(days.last))
        };
        assert_eq!(days("today"), "2026-11-23..");
        assert_eq!(days("yesterday"), "2026-11-22..2026-11-22");
        assert_eq!(days("7d"), "2026-11-17..");
        assert_eq!(days("365d"), "2025-11-24..");
        assert_eq!(days("12m"), "2025-11-24..");
        assert_eq!(days("year"), "2026-01-01..");
        assert_eq!(days("all"), "..");
        let leap_day: NaiveDate = "2024-02-29".parse().unwrap();
        let days = Preset::named("12m").unwrap().days(leap_day);
        assert_eq!(days.first.unwrap().to_string(), "2023-03-01");
        assert!(Preset::named("3d").unwrap_err().starts_with("expected one of today, yesterday,"));
    }

    #[test]
    fn each_page_offers_its_own() {
        let today = "2026-11-23".parse().unwrap();
        let list: Vec<_> = Preset::of_list().map(|it| it.in_a_filter(today)).collect();
        assert_eq!(list, ["<1d", ":2026-11-22", "<7d", "<30d", "<90d", "<365d"]);
        let short: Vec<_> = Preset::of_dashboard().map(|it| it.short_title).collect();
        let expected = ["Today", "Yesterday", "7 days", "28 days", "90 days", "12 months", "All"];
        assert_eq!(short, expected);
    }
}
