//! Days, weeks or months of a range: as many as a chart has room for.

use chrono::{Days, Months, NaiveDate};
use rollcall_domain::{month, week};
use rollcall_service::{Activity, DayFigures, LifecycleCounts};

/// The most days that are drawn one by one, and the most that are drawn by week.
const MOST_BY_DAY: usize = 120;
const MOST_BY_WEEK: usize = 800;

/// The period of one point or column of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Day,
    Week,
    Month,
}

impl Grain {
    /// The grain for a number of days.
    pub(super) fn of(days: usize) -> Self {
        if days <= MOST_BY_DAY {
            Self::Day
        } else if days <= MOST_BY_WEEK {
            Self::Week
        } else {
            Self::Month
        }
    }

    /// The head of its column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "Day",
            Self::Week => "Week of",
            Self::Month => "Month",
        }
    }

    fn first_of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => week(day),
            Self::Month => month(day),
        }
    }
}

/// The figures of a day, or of the days of a week or a month that are in the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    grain: Grain,
    /// How many of its days are in the range.
    days: usize,
    /// Where it lies: in `day` its first day of the range. Of active users it has the mean of its
    /// days, of those active within 7 and 30 days what holds on its last day, of lifecycles those
    /// of the week, and in a month the mean of its weeks. The rest is added up.
    pub(super) figures: DayFigures,
}

impl Span {
    /// Its name in a table.
    pub(super) fn name(&self) -> String {
        let first = self.grain.first_of(self.figures.day);
        match self.grain {
            Grain::Month => first.format("%Y-%m").to_string(),
            Grain::Day | Grain::Week => first.to_string(),
        }
    }

    /// Its name in a tooltip.
    pub(super) fn title(&self) -> String {
        match self.grain {
            Grain::Week => format!("Week of {}", self.name()),
            Grain::Day | Grain::Month => self.name(),
        }
    }

    /// Its days that are in the range.
    pub(super) fn range(&self) -> rollcall_domain::Days {
        let first = self.figures.day;
        let later = u64::try_from(self.days.saturating_sub(1)).unwrap_or_default();
        let last = first.checked_add_days(Days::new(later)).unwrap_or(first);
        rollcall_domain::Days::between(first, last)
    }

    /// The day or week whose lifecycle it has, as far as it is not in the future, and the one before.
    /// `None` for a month, whose lifecycle is a mean.
    pub(super) fn period(&self, today: NaiveDate) -> Option<[rollcall_domain::Days; 2]> {
        let length = match self.grain {
            Grain::Day => 1,
            Grain::Week => 7,
            Grain::Month => return None,
        };
        let days = |first: NaiveDate| {
            let last = first.checked_add_days(Days::new(length - 1))?;
            Some(rollcall_domain::Days::between(first, last.min(today)))
        };
        let first = self.grain.first_of(self.figures.day);
        Some([days(first.checked_sub_days(Days::new(length))?)?, days(first)?])
    }

    /// Its name where its days are added up. It has the number of days if part of the week or month is
    /// outside the range.
    pub(super) fn counted(&self, name: String) -> String {
        let first = self.grain.first_of(self.figures.day);
        let end = match self.grain {
            Grain::Day => first.checked_add_days(Days::new(1)),
            Grain::Week => first.checked_add_days(Days::new(7)),
            Grain::Month => first.checked_add_months(Months::new(1)),
        };
        let whole = end.map_or(0, |end| (end - first).num_days());
        match self.days {
            days if i64::try_from(days) == Ok(whole) => name,
            1 => format!("{name} (1 day)"),
            days => format!("{name} ({days} days)"),
        }
    }
}

/// The figures by a grain.
pub(super) fn spans(activity: &Activity, grain: Grain) -> Vec<Span> {
    let same = |a: &DayFigures, b: &DayFigures| grain.first_of(a.day) == grain.first_of(b.day);
    let chunks = activity.days.chunk_by(same);
    chunks
        .filter_map(|days| {
            let figures = together(activity, grain, days)?;
            Some(Span { grain, days: days.len(), figures })
        })
        .collect()
}

fn together(activity: &Activity, grain: Grain, days: &[DayFigures]) -> Option<DayFigures> {
    let (first, last) = (days.first()?, days.last()?);
    let sum = |of: fn(&DayFigures) -> u64| days.iter().map(of).sum::<u64>();
    Some(DayFigures {
        active: mean(sum(|it| it.active), days.len()),
        active_7_days: last.active_7_days,
        active_30_days: last.active_30_days,
        new_users: sum(|it| it.new_users),
        interactions: sum(|it| it.interactions),
        blocked: sum(|it| it.blocked),
        unblocked: sum(|it| it.unblocked),
        lifecycle: match grain {
            Grain::Day => first.lifecycle,
            Grain::Week | Grain::Month => of_weeks(activity, first.day, last.day),
        },
        day: first.day,
    })
}

/// The mean of the weeks that have one of the days.
fn of_weeks(activity: &Activity, first: NaiveDate, last: NaiveDate) -> LifecycleCounts {
    let ends = |monday: NaiveDate| monday.checked_add_days(Days::new(6)).unwrap_or(monday);
    let weeks: Vec<LifecycleCounts> = activity
        .weeks
        .iter()
        .filter(|week| week.monday <= last && ends(week.monday) >= first)
        .map(|week| week.lifecycle)
        .collect();
    let mean = |of: fn(&LifecycleCounts) -> u64| mean(weeks.iter().map(of).sum(), weeks.len());
    LifecycleCounts {
        new: mean(|it| it.new),
        returning: mean(|it| it.returning),
        resurrected: mean(|it| it.resurrected),
        dormant: mean(|it| it.dormant),
    }
}

/// The rounded mean.
pub(super) fn mean(sum: u64, count: usize) -> u64 {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    (sum + count / 2).checked_div(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::tests::activity;

    fn shown(days: usize, grain: Grain) -> Vec<String> {
        let text = |span: &Span| {
            let it = &span.figures;
            let (name, lifecycle) = (span.name(), it.lifecycle.returning);
            format!("{name}: {} {} {} {lifecycle}", it.active, it.active_30_days, it.new_users)
        };
        spans(&activity(days), grain).iter().map(text).collect()
    }

    #[test]
    fn many_days_become_weeks_and_months() {
        let grains = [1, 90, 120, 121, 800, 801, 3660].map(Grain::of);
        use Grain::{Day, Month, Week};
        assert_eq!(grains, [Day, Day, Day, Week, Week, Month, Month]);
    }

    #[test]
    fn spans_add_up() {
        // The made-up figures of a day hang on its number from the end: see `activity`.
        assert_eq!(shown(3, Grain::Day).len(), 3);
        for days in [9, 40, 400] {
            let sum = |grain| -> u64 {
                spans(&activity(days), grain).iter().map(|it| it.figures.new_users).sum()
            };
            assert_eq!(sum(Grain::Week), sum(Grain::Day));
            assert_eq!(sum(Grain::Month), sum(Grain::Day));
        }
        assert_eq!(shown(9, Grain::Week).len(), 3);
        assert_eq!(shown(9, Grain::Week)[0].split(':').next(), Some("2026-11-09"));
        assert_eq!(shown(40, Grain::Month).len(), 2);
        assert_eq!(shown(40, Grain::Month)[1].split(':').next(), Some("2026-11"));
    }

    #[test]
    fn parts_of_weeks_and_months_show_their_number_of_days() {
        let counted = |days, grain| -> Vec<String> {
            let spans = spans(&activity(days), grain);
            spans.iter().map(|it| it.counted(it.name())).collect()
        };
        assert_eq!(
            counted(12, Grain::Week),
            ["2026-11-09 (4 days)", "2026-11-16", "2026-11-23 (1 day)"]
        );
        let range = spans(&activity(12), Grain::Week)[0].range();
        let day = |text: &str| text.parse().unwrap();
        // The week's first days are outside the range.
        assert_eq!(range, rollcall_domain::Days::between(day("2026-11-12"), day("2026-11-15")));
        assert_eq!(counted(56, Grain::Month), ["2026-09 (2 days)", "2026-10", "2026-11 (23 days)"]);
        assert_eq!(counted(2, Grain::Day), ["2026-11-22", "2026-11-23"]);
    }

    #[test]
    fn means_are_rounded() {
        assert_eq!([mean(0, 0), mean(5, 2), mean(4, 3)], [0, 3, 1]);
    }
}
