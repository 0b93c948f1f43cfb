//! The range of days in the URL.

use chrono::{Datelike, NaiveDate};
use rollcall_domain::read_day;
use rollcall_service::{DayRange, InvalidDayRange};

use crate::{page::text::quoted, presets::Preset};

/// The preset that is shown by default, and its days.
const DEFAULT: (&str, u32) = ("90d", 90);

/// The chosen days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The days.
    pub(super) range: DayRange,
    /// The preset that they are, if they are one.
    pub(super) preset: Option<Preset>,
    /// What is wrong with the URL. The range is the default then.
    pub(super) trouble: Option<String>,
    /// The last day in the URL, if it is in the future. The range ends today then.
    pub(super) future: Option<NaiveDate>,
}

impl Chosen {
    /// Reads the names and values of a URL.
    pub(super) fn read(pairs: &[(String, String)], today: NaiveDate) -> Self {
        match read(pairs, today) {
            Ok((range, preset)) => {
                let until = pairs.iter().find(|(name, _)| name == "until" && preset.is_none());
                let until = until.and_then(|(_, value)| day(value.trim()).ok());
                let future = until.filter(|until| *until > today);
                Self { range, preset, trouble: None, future }
            }
            Err(trouble) => Self {
                range: default_range(today),
                preset: Preset::named(DEFAULT.0).ok(),
                trouble: Some(format!("{trouble}.")),
                future: None,
            },
        }
    }

    /// The presets that are offered, and whether each is chosen.
    pub(super) fn presets(&self) -> Vec<(Preset, bool)> {
        Preset::of_dashboard().map(|it| (it, Some(it) == self.preset)).collect()
    }
}

/// The range in the URL and its preset, or what is wrong with it. Future days are left out.
fn read(
    pairs: &[(String, String)],
    today: NaiveDate,
) -> Result<(DayRange, Option<Preset>), String> {
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty());
        pair.map(|(_, value)| value.trim())
    };
    let (since, until) =
        (value("since").map(day).transpose()?, value("until").map(day).transpose()?);
    // A preset takes precedence, as in the user list, so that what is shown as chosen applies.
    if let Some(name) = value("range") {
        return preset(name, today);
    }
    let range = match (since, until) {
        (None, None) => return preset(DEFAULT.0, today),
        (Some(since), until) if since > today => {
            let not_yet = InvalidDayRange::NotYet { first: since, today };
            // A first day after the last one is the greater mistake.
            until.map_or(Err(not_yet), |until| DayRange::new(since, until).and(Err(not_yet)))
        }
        (Some(since), until) => DayRange::new(since, until.map_or(today, |it| it.min(today))),
        (None, Some(until)) => DayRange::ending(until.min(today), DEFAULT.1),
    };
    range.map(|range| (range, None)).map_err(|error| error.to_string())
}

fn preset(name: &str, today: NaiveDate) -> Result<(DayRange, Option<Preset>), String> {
    let preset = Preset::named(name)
        .map_err(|expected| format!("“{}” is not a range; {expected}", quoted(name)))?;
    let days = preset.days(today);
    let last = days.last.unwrap_or(today);
    let range = match days.first {
        Some(first) => DayRange::new(first, last),
        None => DayRange::ending(last, DayRange::MAX_DAYS),
    };
    range.map(|range| (range, Some(preset))).map_err(|error| error.to_string())
}

fn default_range(today: NaiveDate) -> DayRange {
    // A single day is a range on any day.
    DayRange::ending(today, DEFAULT.1).unwrap_or_else(|_| DayRange::of(today))
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
        let Chosen { range, preset, trouble, .. } = chosen(url);
        assert_eq!(trouble, None);
        let preset = preset.map_or("", |it| it.url_name);
        format!("{} {} {preset}", range.first(), range.last()).trim().to_owned()
    }

    fn trouble(url: &str) -> String {
        let chosen = chosen(url);
        assert_eq!(chosen.range, super::super::tests::last_90());
        assert_eq!(chosen.preset.map(|it| it.url_name), Some("90d"));
        chosen.trouble.unwrap()
    }

    #[test]
    fn presets_end_today() {
        assert_eq!(days(""), "2026-08-26 2026-11-23 90d");
        assert_eq!(days("since=&until="), "2026-08-26 2026-11-23 90d");
        assert_eq!(days("range=7d"), "2026-11-17 2026-11-23 7d");
        assert_eq!(days("range=today"), "2026-11-23 2026-11-23 today");
        assert_eq!(days("range=yesterday"), "2026-11-22 2026-11-22 yesterday");
        assert_eq!(days("range=365d"), "2025-11-24 2026-11-23 365d");
        assert_eq!(days("range=12m"), "2025-11-24 2026-11-23 12m");
        assert_eq!(days("range=all"), "2016-11-16 2026-11-23 all");
        assert_eq!(days("range=year"), "2026-01-01 2026-11-23 year");
    }

    #[test]
    fn a_preset_and_days_never_apply_together() {
        let both = "since=2026-10-01&until=2026-10-31&range=7d";
        assert_eq!(days(both), "2026-11-17 2026-11-23 7d");
        let chosen = chosen(both).presets().into_iter().filter(|(_, is_chosen)| *is_chosen);
        assert_eq!(chosen.map(|(it, _)| it.url_name).collect::<Vec<_>>(), ["7d"]);
        assert_eq!(days("since=2026-10-01&until=2026-10-31"), "2026-10-01 2026-10-31");
    }

    #[test]
    fn days_outside_the_past_are_left_out() {
        assert_eq!(days("since=2026-11-01"), "2026-11-01 2026-11-23");
        assert_eq!(days("until=2026-06-30"), "2026-04-02 2026-06-30");
        assert_eq!(days("since=2026-11-20&until=2027-01-31"), "2026-11-20 2026-11-23");
        assert_eq!(days("since=2020-01-01&until=2030-12-31"), "2020-01-01 2026-11-23");
        assert_eq!(days("until=2030-01-01"), "2026-08-26 2026-11-23");
    }

    #[test]
    fn invalid_days_are_reported() {
        for bad in ["2026-02-30", "yesterday", "12026-01-01", "%2B12026-01-01", "0001-01-01"] {
            let trouble = trouble(&format!("since={bad}"));
            let expected = "is not a day; expected one such as 2026-11-23, in a year from 1970";
            assert!(trouble.contains(expected), "{trouble}");
        }
        for (url, expected) in [
            ("since=2026-11-02&until=2026-11-01", "2026-11-02 is after 2026-11-01;"),
            ("since=2027-11-02&until=2027-11-01", "2027-11-02 is after 2027-11-01;"),
            ("since=2026-11-24", "2026-11-24 is in the future"),
            ("since=2010-01-01", "2010-01-01 to 2026-11-23 is 6171 days;"),
            ("range=3d", "“3d” is not a range; expected one of today, yesterday, 7d,"),
        ] {
            let trouble = trouble(url);
            assert!(trouble.starts_with(expected), "{trouble}");
        }
    }
}
