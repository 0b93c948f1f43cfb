use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Figure, Hour, Label, Lifecycle, Sums,
    calendar::{later, month, week},
};
use crate::SourceLabel;

/// What the figures about a user's activity depend on, besides the activity itself.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The UTC day on which the user joined.
    pub created_on: NaiveDate,
    /// The hour of that day.
    pub created_in: Hour,
    /// The label of the deep link by which the user joined, if any.
    pub source: Option<SourceLabel>,
}

/// The days of a user's activity around one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The latest earlier day of activity.
    pub previous: Option<NaiveDate>,
    /// The first later day of activity.
    pub next: Option<NaiveDate>,
    /// On how many other days of the same calendar month the user was active.
    pub others_of_month: u32,
}

impl Origin {
    /// The origin of a user who joined at this time, by the deep link of a label.
    pub fn new(created_at: DateTime<Utc>, source: Option<SourceLabel>) -> Self {
        let (created_on, created_in) = (created_at.date_naive(), Hour::of(created_at));
        Self { created_on, created_in, source }
    }

    /// Adds the user itself.
    pub fn add_user(&self, sums: &mut Sums) {
        sums.add(Figure::New, self.created_on, Label::NONE, 1);
        sums.add(Figure::NewHour, self.created_on, self.created_in.into(), 1);
        sums.add(Figure::SourceNew, self.created_on, self.source.into(), 1);
        sums.add(Figure::Users, self.created_on, Label::NONE, 1);
    }

    /// Adds, `sign` times, the language of the user's client.
    pub fn add_language(&self, language_code: Option<&str>, sign: i64, sums: &mut Sums) {
        sums.add(Figure::Language, self.created_on, language_code.into(), sign);
    }

    /// Adds, `sign` times, that the user can be reached.
    pub fn add_reachable(&self, sign: i64, sums: &mut Sums) {
        sums.add(Figure::Reachable, self.created_on, Label::NONE, sign);
        sums.add(Figure::SourceReachable, self.created_on, self.source.into(), sign);
    }

    /// Adds an active day that was not recorded before and lies between `neighbours`.
    pub fn add_day(&self, day: NaiveDate, neighbours: Neighbours, sums: &mut Sums) {
        let Neighbours { previous, next, others_of_month } = neighbours;
        self.add_pair(previous, Some(day), 1, sums);
        self.add_pair(Some(day), next, 1, sums);
        self.add_pair(previous, next, -1, sums);
        let month = month(day);
        if others_of_month > 0 {
            sums.add(Figure::ActiveDays, month, Label::Number(others_of_month), -1);
        }
        sums.add(Figure::ActiveDays, month, Label::Number(others_of_month + 1), 1);
    }

    /// Adds all active days of the user; they must be sorted.
    pub fn add_days(&self, days: impl IntoIterator<Item = NaiveDate>, sums: &mut Sums) {
        let (mut previous, mut of_month) = (None, 0);
        for day in days {
            self.add_pair(previous, Some(day), 1, sums);
            if previous.is_some_and(|previous| month(previous) == month(day)) {
                of_month += 1;
            } else {
                Self::end_month(previous, of_month, sums);
                of_month = 1;
            }
            previous = Some(day);
        }
        self.add_pair(previous, None, 1, sums);
        Self::end_month(previous, of_month, sums);
    }

    fn end_month(last_day: Option<NaiveDate>, days: u32, sums: &mut Sums) {
        if let Some(day) = last_day {
            sums.add(Figure::ActiveDays, month(day), Label::Number(days), 1);
        }
    }

    /// Adds, `sign` times, what two successive active days mean. `None` stands for the time before
    /// the first one, and after the last.
    fn add_pair(
        &self,
        first: Option<NaiveDate>,
        second: Option<NaiveDate>,
        sign: i64,
        sums: &mut Sums,
    ) {
        if let Some(first) = first {
            sums.add(Figure::Active, first, Label::NONE, sign);
            // The user counts until the window has passed or the next active day takes over.
            for (figure, window) in [(Figure::Active7, 7), (Figure::Active30, 30)] {
                let end = later(first, window);
                let end = second.map_or(end, |second| second.min(end));
                sums.add(figure, first, Label::NONE, sign);
                sums.add(figure, end, Label::NONE, -sign);
            }
        }
        add_lifecycle(Figure::LifecycleDay, 1, first, second, sign, sums);
        let weeks = (first.map(week), second.map(week));
        if weeks.0 != weeks.1 {
            add_lifecycle(Figure::LifecycleWeek, 7, weeks.0, weeks.1, sign, sums);
        }
        if let Some(second) = second {
            let age = self.age(second);
            if first.is_none_or(|first| self.age(first) != age) {
                sums.add(Figure::Cohort, week(self.created_on), Label::Number(age), sign);
            }
            let figure = match (second - self.created_on).num_days() {
                1 => Figure::SourceDay1,
                7 => Figure::SourceDay7,
                30 => Figure::SourceDay30,
                _ => return,
            };
            sums.add(figure, self.created_on, self.source.into(), sign);
        }
    }

    /// How many weeks after the week of joining `day` lies; 0 for earlier days.
    fn age(&self, day: NaiveDate) -> u32 {
        let weeks = (week(day) - week(self.created_on)).num_weeks();
        u32::try_from(weeks).unwrap_or_default()
    }
}

/// Adds what two successive active periods mean for the lifecycle. `period` is their length in days.
fn add_lifecycle(
    figure: Figure,
    period: u64,
    first: Option<NaiveDate>,
    second: Option<NaiveDate>,
    sign: i64,
    sums: &mut Sums,
) {
    let after_first = first.map(|first| later(first, period));
    if let Some(second) = second {
        let class = match after_first {
            None => Lifecycle::New,
            Some(after) if after == second => Lifecycle::Returning,
            Some(_) => Lifecycle::Resurrected,
        };
        sums.add(figure, second, class.name().into(), sign);
    }
    if let Some(after) = after_first
        && after_first != second
    {
        sums.add(figure, after, Lifecycle::Dormant.name().into(), sign);
    }
}
