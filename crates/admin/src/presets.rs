//! Ranges of days that end today: those that the dashboard, the user list and their exports know by
//! a name.

use chrono::{Datelike, Days, NaiveDate};

/// A range of days that ends today. Every page understands each of them in its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preset {
    /// Its name in URLs.
    pub(crate) url_name: &'static str,
    pub(crate) title: &'static str,
    /// The title where there is little room.
    pub(crate) short_title: &'static str,
    length: Length,
    is_in_list: bool,
    is_on_dashboard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Days(u64),
    SinceNewYear,
}

const fn days(url_name: &'static str, titles: [&'static str; 2], days: u64) -> Preset {
    let [title, short_title] = titles;
    let length = Length::Days(days);
    Preset { url_name, title, short_title, length, is_in_list: true, is_on_dashboard: true }
}

const PRESETS: [Preset; 7] = [
    Preset { is_on_dashboard: false, ..days("today", ["Today", "Today"], 1) },
    days("7d", ["Last 7 days", "7 days"], 7),
    Preset { is_in_list: false, ..days("28d", ["Last 28 days", "28 days"], 28) },
    Preset { is_on_dashboard: false, ..days("30d", ["Last 30 days", "30 days"], 30) },
    days("90d", ["Last 90 days", "90 days"], 90),
    days("365d", ["Last 365 days", "365 days"], 365),
    Preset {
        url_name: "year",
        title: "This year",
        short_title: "This year",
        length: Length::SinceNewYear,
        is_in_list: false,
        is_on_dashboard: true,
    },
];

impl Preset {
    /// The preset of this name, or the names that there are.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = PRESETS.into_iter().find(|it| it.url_name == name);
        let names = || PRESETS.map(|it| it.url_name).join(", ");
        found.ok_or_else(|| format!("expected one of {}", names()))
    }

    /// Those that the user list offers.
    pub(crate) fn of_list() -> impl Iterator<Item = Self> {
        PRESETS.into_iter().filter(|it| it.is_in_list)
    }

    /// Those that the dashboard offers.
    pub(crate) fn of_dashboard() -> impl Iterator<Item = Self> {
        PRESETS.into_iter().filter(|it| it.is_on_dashboard)
    }

    pub(crate) fn first_day(self, today: NaiveDate) -> NaiveDate {
        let first = match self.length {
            Length::Days(days) => today.checked_sub_days(Days::new(days - 1)),
            Length::SinceNewYear => NaiveDate::from_ymd_opt(today.year(), 1, 1),
        };
        first.unwrap_or(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_end_today() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let first = |name| Preset::named(name).unwrap().first_day(today).to_string();
        assert_eq!(first("today"), "2026-11-23");
        assert_eq!(first("7d"), "2026-11-17");
        assert_eq!(first("365d"), "2025-11-24");
        assert_eq!(first("year"), "2026-01-01");
        assert!(Preset::named("3d").unwrap_err().starts_with("expected one of today, 7d, 28d,"));
    }
}
