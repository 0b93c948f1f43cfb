//! Maps numbers and days to positions: axes end at round numbers, and dates do not overlap.

use chrono::{Datelike, NaiveDate};

/// The height of every chart in its own units. The style sheet sets the height on the page.
pub(super) const HEIGHT: u64 = 1000;
/// The approximate number of steps of an axis.
const STEPS: u64 = 5;
/// The maximum number of dates below a chart.
const MAX_DATES: usize = 9;

/// Maps values to heights, with a number of steps above and below the zero line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    step: u64,
    above: u64,
    below: u64,
}

impl Scale {
    /// A scale with room for the value `above` the zero line, and for the value `below` it.
    pub(super) fn new(above: u64, below: u64) -> Self {
        let step = round_step(above.saturating_add(below));
        Self { step, above: above.div_ceil(step).max(1), below: below.div_ceil(step) }
    }

    /// The height of a value, in units of [`HEIGHT`].
    pub(super) fn length(self, value: u64) -> u64 {
        let whole = u128::from(self.step) * u128::from(self.above + self.below);
        let length = u128::from(value) * u128::from(HEIGHT) + whole / 2;
        u64::try_from(length / whole).unwrap_or(HEIGHT).min(HEIGHT)
    }

    /// The position of the zero line, from the top.
    pub(super) fn zero(self) -> u64 {
        self.length(self.step.saturating_mul(self.above))
    }

    /// The ticks of the axis from top to bottom: position and text. Values below the zero line are
    /// counts too, so they have no sign.
    pub(super) fn ticks(self) -> impl Iterator<Item = (u64, String)> {
        let tick = move |steps: u64| {
            let value = self.step.saturating_mul(steps);
            (self.length(value), short(value))
        };
        let above = (0..=self.above).rev().map(tick);
        let below = (1..=self.below).map(tick);
        above
            .map(move |(length, text)| (self.zero() - length, text))
            .chain(below.map(move |(length, text)| (self.zero() + length, text)))
    }
}

/// The smallest of 1, 2, 5, 10, 20… with which [`STEPS`] steps reach `whole`.
fn round_step(whole: u64) -> u64 {
    let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    powers
        .flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)))
        .find(|step| step.saturating_mul(STEPS) >= whole)
        .unwrap_or(u64::MAX)
}

/// A round number, shortened to fit beside an axis: 950, 1.5K, 20M.
fn short(number: u64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];
    match units.into_iter().find(|(unit, _)| number >= *unit) {
        Some((unit, name)) => match (number / unit, number % unit * 10 / unit) {
            (whole, 0) => format!("{whole}{name}"),
            (whole, tenth) => format!("{whole}.{tenth}{name}"),
        },
        None => number.to_string(),
    }
}

/// A label below the middle of a band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) band: usize,
    pub(crate) label: String,
    /// The date that the label shortens, such as 2026-11-21 or 2026-11; empty if it is complete.
    pub(crate) date: String,
}

impl Tick {
    /// A text that is no date.
    pub(crate) fn new(band: usize, label: String) -> Self {
        Self { band, label, date: String::new() }
    }
}

/// The interval between dates.
#[derive(Clone, Copy)]
enum Every {
    /// Weeks begin on Mondays.
    Days(i32),
    Months(i32),
    Years(i32),
}

const EVERY: [Every; 11] = [
    Every::Days(1),
    Every::Days(2),
    Every::Days(7),
    Every::Days(14),
    Every::Months(1),
    Every::Months(2),
    Every::Months(3),
    Every::Months(6),
    Every::Years(1),
    Every::Years(2),
    Every::Years(5),
];

impl Every {
    /// The number of the interval that contains `day`; each interval gets one date.
    fn number(self, day: NaiveDate) -> i32 {
        let months = day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default();
        match self {
            // The first day of the common era was a Monday.
            Self::Days(days) => (day.num_days_from_ce() - 1).div_euclid(days),
            Self::Months(every) => months.div_euclid(every),
            Self::Years(years) => day.year().div_euclid(years),
        }
    }

    /// The tick of a day, with the year where it begins.
    fn tick(self, band: usize, day: NaiveDate, is_first: bool) -> Tick {
        let (label, date) = match self {
            Self::Days(_) => ("%m-%d", "%Y-%m-%d"),
            Self::Months(_) if is_first || day.month() == 1 => ("%Y-%m", "%Y-%m"),
            Self::Months(_) => ("%m", "%Y-%m"),
            Self::Years(_) => ("%Y", ""),
        };
        let text = |format| day.format(format).to_string();
        Tick { band, label: text(label), date: text(date) }
    }
}

/// The dates below bands that begin on these days.
pub(crate) fn dates(days: &[NaiveDate]) -> Vec<Tick> {
    let every = EVERY.into_iter().find(|every| due(days, *every).count() <= MAX_DATES);
    let Some(every) = every else { return vec![] };
    let dates = due(days, every).enumerate();
    dates.map(|(n, (band, day))| every.tick(band, day, n == 0)).collect()
}

/// The bands in which an interval begins, with their days.
fn due(days: &[NaiveDate], every: Every) -> impl Iterator<Item = (usize, NaiveDate)> + '_ {
    let before_all = days.first().and_then(NaiveDate::pred_opt);
    let before = before_all.into_iter().chain(days.iter().copied());
    let pairs = days.iter().copied().zip(before).enumerate();
    pairs
        .filter(move |(_, (day, before))| every.number(*day) != every.number(*before))
        .map(|(band, (day, _))| (band, day))
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    fn ticks(above: u64, below: u64) -> String {
        let ticks = Scale::new(above, below).ticks().map(|(place, text)| format!("{text}@{place}"));
        ticks.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!(ticks(0, 0), "1@0 0@1000");
        assert_eq!(ticks(3, 0), "3@0 2@333 1@667 0@1000");
        assert_eq!(ticks(87, 0), "100@0 80@200 60@400 40@600 20@800 0@1000");
        assert_eq!(ticks(1_234, 0), "1.5K@0 1K@333 500@667 0@1000");
        assert_eq!(ticks(61_000, 0), "80K@0 60K@250 40K@500 20K@750 0@1000");
        assert_eq!(ticks(10_000_000, 0), "10M@0 8M@200 6M@400 4M@600 2M@800 0@1000");
        assert_eq!(ticks(31, 12), "40@0 30@167 20@334 10@500 0@667 10@834 20@1000");
        assert_eq!(ticks(0, 7), "2@0 0@200 2@400 4@600 6@800 8@1000");
        assert!(Scale::new(u64::MAX, u64::MAX).ticks().count() < 10);
    }

    #[test]
    fn values_stay_within_the_chart() {
        for most in [0, 1, 2, 9, 99, 12_345, u64::MAX / 2] {
            let scale = Scale::new(most, most / 3);
            assert!(scale.length(most) <= scale.zero(), "{most}");
            assert!(scale.zero() + scale.length(most / 3) <= HEIGHT, "{most}");
            assert_eq!(scale.length(0), 0);
        }
    }

    fn shown(first: &str, count: usize, step: usize) -> String {
        let first: NaiveDate = first.parse().unwrap();
        let days: Vec<_> = first.iter_days().step_by(step).take(count).collect();
        let ticks = dates(&days);
        ticks.iter().map(|it| format!("{} {}", it.band, it.label)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn dates_are_few_and_begin_something() {
        assert_eq!(shown("2026-11-23", 1, 1), "0 11-23");
        assert_eq!(shown("2026-11-20", 3, 1), "0 11-20, 1 11-21, 2 11-22");
        assert_eq!(shown("2026-10-27", 28, 1), "6 11-02, 13 11-09, 20 11-16, 27 11-23");
        assert_eq!(
            shown("2026-08-26", 90, 1),
            "5 08-31, 19 09-14, 33 09-28, 47 10-12, 61 10-26, 75 11-09, 89 11-23"
        );
        assert_eq!(shown("2025-11-24", 53, 7), "6 2026-01, 14 03, 23 05, 32 07, 41 09, 49 11");
        assert_eq!(dates(&[]), []);
        let whole = |first: &str, step| -> Vec<String> {
            let first: NaiveDate = first.parse().unwrap();
            let days: Vec<_> = first.iter_days().step_by(step).take(2).collect();
            dates(&days).into_iter().map(|it| it.date).collect()
        };
        assert_eq!(whole("2026-11-22", 1), ["2026-11-22", "2026-11-23"]);
        assert_eq!(whole("2026-11-30", 1), ["2026-11-30", "2026-12-01"]);
    }

    #[test]
    fn however_many_days_there_are_dates_fit() {
        let first: NaiveDate = "2016-11-16".parse().unwrap();
        for count in (1..=200).chain((200..=3_660).step_by(31)) {
            let last = first + Days::new(count - 1);
            let days: Vec<_> = first.iter_days().take_while(|day| *day <= last).collect();
            let ticks = dates(&days);
            assert!((1..=MAX_DATES).contains(&ticks.len()), "{count} days: {ticks:?}");
        }
    }
}
