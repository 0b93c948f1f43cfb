//! Reads figures from the stored sums.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use chrono::{Days, NaiveDate};
use rollcall_domain::{DayStats, Figure, Label, Lifecycle, ReachabilityChange, month, week};
use rollcall_repository::{ActivityRepository, DaySum, LabelSum, RepositoryError};
use tokio::try_join;

use super::{
    Cohort, Count, DayFigures, DayRange, LifecycleCounts, MonthFigures, Share, SourceFigures,
    WeekFigures,
};

/// The day `days` days before another.
pub(super) fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

/// A sum as a number that is not negative. Sums that are read one after the other may be from
/// different moments, so that their difference can be below zero.
pub(super) fn unsigned(sum: i64) -> u64 {
    sum.max(0).unsigned_abs()
}

/// Sums by figure and day, with their labels. Unknown labels are ignored; a recount finds them.
pub(super) struct SumsByDay(HashMap<(Figure, NaiveDate), Vec<(String, i64)>>);

impl From<Vec<DaySum>> for SumsByDay {
    fn from(rows: Vec<DaySum>) -> Self {
        let mut sums = HashMap::<_, Vec<_>>::new();
        for DaySum { figure, day, label, value } in rows {
            sums.entry((figure, day)).or_default().push((label, value));
        }
        Self(sums)
    }
}

impl SumsByDay {
    pub(super) fn labels(&self, figure: Figure, day: NaiveDate) -> &[(String, i64)] {
        self.0.get(&(figure, day)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn on(&self, figure: Figure, day: NaiveDate) -> i64 {
        self.labels(figure, day).iter().map(|(_, value)| value).sum()
    }

    /// The sum of all labels over the days from `first` to `last`, both included.
    pub(super) fn total(&self, figure: Figure, first: NaiveDate, last: NaiveDate) -> i64 {
        first.iter_days().take_while(|day| *day <= last).map(|day| self.on(figure, day)).sum()
    }

    /// The changes to unreachable and back to reachable.
    pub(super) fn reach(&self, day: NaiveDate) -> (u64, u64) {
        let (mut blocked, mut unblocked) = (0, 0);
        for (change, value) in self.labels(Figure::Reachability, day) {
            if change == ReachabilityChange::UNBLOCKED {
                unblocked += value;
            } else {
                blocked += value;
            }
        }
        (unsigned(blocked), unsigned(unblocked))
    }

    fn lifecycle(&self, figure: Figure, day: NaiveDate) -> LifecycleCounts {
        let [new, returning, resurrected, dormant] = Lifecycle::ALL.map(|class| {
            let labels = self.labels(figure, day).iter();
            unsigned(labels.filter(|it| it.0 == class.name()).map(|it| it.1).sum())
        });
        LifecycleCounts { new, returning, resurrected, dormant }
    }

    /// The figures of one day. `new` has the users who joined in the 30 days up to it; `windows` has
    /// the number of users active within 7 and within 30 days.
    pub(super) fn stats(&self, day: NaiveDate, new: &Self, windows: [i64; 2]) -> DayStats {
        let new_users = |days: u64| unsigned(new.total(Figure::New, before(day, days - 1), day));
        let [active_7_days, active_30_days] = windows.map(unsigned);
        let (blocked, unblocked) = self.reach(day);
        DayStats {
            active: unsigned(self.on(Figure::Active, day)),
            active_7_days,
            active_30_days,
            new: new_users(1),
            new_7_days: new_users(7),
            new_30_days: new_users(30),
            interactions: unsigned(self.on(Figure::Kind, day)),
            blocked,
            unblocked,
        }
    }

    /// Each day of the range. `base` has the users active within 7 and 30 days before its first day.
    pub(super) fn days(&self, range: DayRange, base: &[i64]) -> Vec<DayFigures> {
        let mut base = base.iter().copied();
        let mut active_7 = base.next().unwrap_or_default();
        let mut active_30 = base.next().unwrap_or_default();
        let figures = |day| {
            active_7 += self.on(Figure::Active7, day);
            active_30 += self.on(Figure::Active30, day);
            let (blocked, unblocked) = self.reach(day);
            DayFigures {
                day,
                active: unsigned(self.on(Figure::Active, day)),
                active_7_days: unsigned(active_7),
                active_30_days: unsigned(active_30),
                new_users: unsigned(self.on(Figure::New, day)),
                interactions: unsigned(self.on(Figure::Kind, day)),
                blocked,
                unblocked,
                lifecycle: self.lifecycle(Figure::LifecycleDay, day),
            }
        };
        range.days().map(figures).collect()
    }

    pub(super) fn weeks(&self, range: DayRange) -> Vec<WeekFigures> {
        let figures = |monday| {
            let lifecycle = self.lifecycle(Figure::LifecycleWeek, monday);
            WeekFigures { monday, lifecycle }
        };
        mondays(range).map(figures).collect()
    }

    pub(super) fn cohorts(&self, range: DayRange, today: NaiveDate) -> Vec<Cohort> {
        let cohort = |monday: NaiveDate| {
            let weeks_later = (week(today) - monday).num_weeks();
            let active = self.numbered(Figure::Cohort, monday, 0..=weeks_later);
            Cohort { monday, active }
        };
        mondays(range).map(cohort).collect()
    }

    pub(super) fn months(&self, range: DayRange) -> Vec<MonthFigures> {
        let figures = |first_day| {
            let users_by_active_days = self.numbered(Figure::ActiveDays, first_day, 1..=31);
            MonthFigures { first_day, users_by_active_days }
        };
        let firsts = range.days().filter(|day| *day == month(*day) || *day == range.first());
        firsts.map(month).map(figures).collect()
    }

    /// The sums with these numbers as labels, in their order.
    fn numbered(
        &self,
        figure: Figure,
        day: NaiveDate,
        numbers: std::ops::RangeInclusive<i64>,
    ) -> Vec<u64> {
        let sums: HashMap<i64, i64> = self
            .labels(figure, day)
            .iter()
            .filter_map(|(label, value)| Some((label.parse().ok()?, *value)))
            .collect();
        numbers.map(|number| unsigned(sums.get(&number).copied().unwrap_or_default())).collect()
    }
}

/// The Mondays of the weeks that have a day in the range.
fn mondays(range: DayRange) -> impl Iterator<Item = NaiveDate> {
    week(range.first()).iter_days().step_by(7).take_while(move |day| *day <= range.last())
}

/// The sums of one figure by label, the largest first. Those beyond `limit` become one entry.
pub(crate) fn counts(sums: &[LabelSum], figure: Figure, limit: usize) -> Vec<Count> {
    let mut counts: Vec<Count> = sums
        .iter()
        .filter(|it| it.figure == figure && it.value > 0)
        .map(|it| Count { label: it.label.clone(), count: unsigned(it.value) })
        .collect();
    counts.sort_by(|a, b| (b.count, &a.label).cmp(&(a.count, &b.label)));
    let others = counts.split_off(limit.min(counts.len()));
    if !others.is_empty() {
        let count = others.iter().map(|it| it.count).sum();
        counts.push(Count { label: Label::OTHER.to_string(), count });
    }
    counts
}

/// The figures of each deep link within a range.
pub(super) struct Sources(BTreeMap<String, SourceFigures>);

impl Sources {
    /// Reads the sums in four parts of the range, by how long ago the users joined: 30 days or more,
    /// 7 or more, 1 or more, or today. A share counts only users who joined at least that many days ago,
    /// so that new links can be compared with old ones.
    pub(super) async fn read(
        activity: &dyn ActivityRepository,
        range: DayRange,
        today: NaiveDate,
    ) -> Result<Self, RepositoryError> {
        let (first, last) = (range.first(), range.last());
        let [end_30, end_7, end_1] = [30, 7, 1].map(|days| before(today, days).min(last));
        let read = |since, last| activity.sums_by_label(&BY_SOURCE, first.max(since), last);
        // An empty part reads nothing.
        let (aged_30, aged_7, aged_1, newest) = try_join!(
            read(first, end_30),
            read(after(end_30), end_7),
            read(after(end_7), end_1),
            read(after(end_1), last),
        )?;
        let mut sources = Self(BTreeMap::new());
        for (age, sums) in [(30, aged_30), (7, aged_7), (1, aged_1), (0, newest)] {
            sums.into_iter().for_each(|sum| sources.add(sum, age));
        }
        Ok(sources)
    }

    /// Adds a sum over days at least `age` days ago.
    fn add(&mut self, LabelSum { figure, label, value }: LabelSum, age: u32) {
        let (source, value) = (self.0.entry(label).or_default(), unsigned(value));
        match figure {
            Figure::SourceNew => {
                source.users += value;
                let days =
                    [(1, &mut source.day_1), (7, &mut source.day_7), (30, &mut source.day_30)];
                for (_, share) in days.into_iter().filter(|(day, _)| *day <= age) {
                    share.whole += value;
                }
            }
            Figure::SourceStarts => source.starts += value,
            Figure::SourceReachable => source.reachable += value,
            Figure::SourceDay1 => source.day_1.part += value,
            Figure::SourceDay7 => source.day_7.part += value,
            Figure::SourceDay30 => source.day_30.part += value,
            _ => {}
        }
    }

    /// The links with most users first, up to `limit`; the rest is one entry.
    pub(super) fn compared(self, limit: usize) -> Vec<SourceFigures> {
        let named = self.0.into_iter().map(|(source, it)| SourceFigures { source, ..it });
        let (others, mut sources): (Vec<_>, Vec<_>) =
            named.partition(|it| it.source == Label::OTHER.text());
        sources.sort_by_key(|it| Reverse((it.users, it.starts)));
        let rest = sources.split_off(limit.min(sources.len()));
        let other = SourceFigures { source: Label::OTHER.to_string(), ..Default::default() };
        let together = others.iter().chain(&rest).fold(other.clone(), plus);
        if together != other {
            sources.push(together);
        }
        sources.retain(|it| it.users > 0 || it.starts > 0);
        sources
    }
}

const BY_SOURCE: [Figure; 6] = [
    Figure::SourceStarts,
    Figure::SourceNew,
    Figure::SourceReachable,
    Figure::SourceDay1,
    Figure::SourceDay7,
    Figure::SourceDay30,
];

fn after(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(NaiveDate::MAX)
}

fn plus(sum: SourceFigures, it: &SourceFigures) -> SourceFigures {
    let share = |a: Share, b: Share| Share { part: a.part + b.part, whole: a.whole + b.whole };
    SourceFigures {
        source: sum.source,
        users: sum.users + it.users,
        starts: sum.starts + it.starts,
        reachable: sum.reachable + it.reachable,
        day_1: share(sum.day_1, it.day_1),
        day_7: share(sum.day_7, it.day_7),
        day_30: share(sum.day_30, it.day_30),
    }
}
