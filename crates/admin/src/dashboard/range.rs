//! Which days are shown, as it stands in the URL.

use chrono::{Datelike, NaiveDate};
use rollcall_domain::read_day;
use rollcall_service::{DayRange, InvalidDayRange};

use crate::users::query::quoted;

/// Ranges that end today: what stands in the URL, what it is called, and its days.
const PRESETS: [(&str, &str, u32); 4] = [
    ("7d", "7 days", 7),
    ("28d", "28 days", 28),
    ("90d", "90 days", 90),
    ("365d", "365 days", 365),
];
/// The preset whose days are those of the year.
const YEAR: (&str, &str) = ("year", "This year");
/// What is shown where nothing is asked for, or nothing that there is.
const USUAL: (&str, u32) = ("90d", 90);

/// The days that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The days.
    pub(super) range: DayRange,
    /// The preset's name in the URL; "" for days of one's own.
    pub(super) preset: &'static str,
    /// What is wrong with those in the URL. The days are the usual ones then.
    pub(super) trouble: Option<String>,
}

/// A link to a preset.
pub(super) struct Preset {
    pub(super) url_name: &'static str,
    pub(super) name: &'static str,
    pub(super) is_chosen: bool,
}

impl Chosen {
    /// Reads the names and values of a URL.
    pub(super) fn read(pairs: &[(String, String)], today: NaiveDate) -> Self {
        match read(pairs, today) {
            Ok((range, preset)) => Self { range, preset, trouble: None },
            Err(trouble) => {
                Self { range: usual(today), preset: USUAL.0, trouble: Some(format!("{trouble}.")) }
            }
        }
    }

    /// The presets, in the order in which they are offered.
    pub(super) fn presets(&self) -> Vec<Preset> {
        let names = PRESETS.iter().map(|(url_name, name, _)| (*url_name, *name)).chain([YEAR]);
        let preset =
            |(url_name, name)| Preset { url_name, name, is_chosen: url_name == self.preset };
        names.map(preset).collect()
    }
}

/// The range that is asked for and its preset, or what is wrong with it. Days that have not come yet
/// are left out.
fn read(pairs: &[(String, String)], today: NaiveDate) -> Result<(DayRange, &'static str), String> {
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty());
        pair.map(|(_, value)| value.trim())
    };
    let (since, until) =
        (value("since").map(day).transpose()?, value("until").map(day).transpose()?);
    let range = match (since, until) {
        (None, None) => return preset(value("range").unwrap_or(USUAL.0), today),
        (Some(since), until) if since > today => {
            let not_yet = InvalidDayRange::NotYet { first: since, today };
            // A first day after the last one is the greater mistake.
            until.map_or(Err(not_yet), |until| DayRange::new(since, until).and(Err(not_yet)))
        }
        (Some(since), until) => DayRange::new(since, until.map_or(today, |it| it.min(today))),
        (None, Some(until)) => DayRange::ending(until.min(today), USUAL.1),
    };
    range.map(|range| (range, "")).map_err(|error| error.to_string())
}

fn preset(name: &str, today: NaiveDate) -> Result<(DayRange, &'static str), String> {
    let preset = PRESETS.iter().find(|(url_name, ..)| *url_name == name);
    let range = match preset {
        Some((url_name, _, days)) => DayRange::ending(today, *days).map(|it| (it, *url_name)),
        None if name == YEAR.0 => {
            let first = NaiveDate::from_ymd_opt(today.year(), 1, 1).unwrap_or(today);
            DayRange::new(first, today).map(|it| (it, YEAR.0))
        }
        None => return Err(format!("There is no range “{}”", quoted(name))),
    };
    range.map_err(|error| error.to_string())
}

fn usual(today: NaiveDate) -> DayRange {
    // A single day is a range on any day.
    DayRange::ending(today, USUAL.1).unwrap_or_else(|_| DayRange::of(today))
}

/// A day as date fields send it, in years with four digits.
fn day(text: &str) -> Result<NaiveDate, String> {
    let day = read_day(text).ok().filter(|day| day.year() >= 1970);
    day.ok_or_else(|| {
        let text = quoted(text);
        format!(
            "“{text}” is not a day; expected one such as 2026-11-23, in a year from 1970 to 9999"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str) -> Chosen {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(url).unwrap();
        Chosen::read(&pairs, "2026-11-23".parse().unwrap())
    }

    fn days(url: &str) -> String {
        let Chosen { range, preset, trouble } = chosen(url);
        assert_eq!(trouble, None);
        format!("{} {} {preset}", range.first(), range.last()).trim().to_owned()
    }

    fn trouble(url: &str) -> String {
        let chosen = chosen(url);
        assert_eq!((chosen.range, chosen.preset), (super::super::tests::last_90(), "90d"));
        chosen.trouble.unwrap()
    }

    #[test]
    fn presets_end_today() {
        assert_eq!(days(""), "2026-08-26 2026-11-23 90d");
        assert_eq!(days("since=&until="), "2026-08-26 2026-11-23 90d");
        assert_eq!(days("range=7d"), "2026-11-17 2026-11-23 7d");
        assert_eq!(days("range=365d"), "2025-11-24 2026-11-23 365d");
        assert_eq!(days("range=year"), "2026-01-01 2026-11-23 year");
        let names: Vec<_> = chosen("range=year").presets().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["7 days", "28 days", "90 days", "365 days", "This year"]);
    }

    #[test]
    fn days_of_ones_own_go_before_presets() {
        assert_eq!(days("since=2026-10-01&until=2026-10-31&range=7d"), "2026-10-01 2026-10-31");
        assert_eq!(days("since=2026-11-01"), "2026-11-01 2026-11-23");
        assert_eq!(days("until=2026-06-30"), "2026-04-02 2026-06-30");
        assert_eq!(days("since=2026-11-20&until=2027-01-31"), "2026-11-20 2026-11-23");
        assert_eq!(days("since=2020-01-01&until=2030-12-31"), "2020-01-01 2026-11-23");
        assert_eq!(days("until=2030-01-01"), "2026-08-26 2026-11-23");
    }

    #[test]
    fn bad_days_are_told() {
        for bad in ["2026-02-30", "yesterday", "12026-01-01", "%2B12026-01-01", "0001-01-01"] {
            let trouble = trouble(&format!("since={bad}"));
            let expected = "is not a day; expected one such as 2026-11-23, in a year from 1970";
            assert!(trouble.contains(expected), "{trouble}");
        }
        for (url, expected) in [
            ("since=2026-11-02&until=2026-11-01", "2026-11-02 is after 2026-11-01;"),
            ("since=2027-11-02&until=2027-11-01", "2027-11-02 is after 2027-11-01;"),
            ("since=2026-11-24", "2026-11-24 has not come yet;"),
            ("since=2010-01-01", "from 2010-01-01 to 2026-11-23 are 6171 days;"),
            ("range=3d", "There is no range “3d”"),
        ] {
            let trouble = trouble(url);
            assert!(trouble.starts_with(expected), "{trouble}");
        }
    }
}
