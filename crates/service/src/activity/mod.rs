//! Figures about the activity of all users, read from the sums that registration keeps: what that
//! costs depends on the days that are asked for, not on how many users there are.

mod figures;
mod range;
mod read;

use std::sync::Arc;

use chrono::NaiveDate;
use rollcall_domain::{Clock, Figure, ReachabilityChange, UserStats, month, week};
use rollcall_repository::{ActivityRepository, Difference};
use tokio::{sync::Mutex, try_join};

pub use figures::{
    Activity, Cohort, Count, DayFigures, LifecycleCounts, MAX_LABELS, MonthFigures, Share,
    SourceFigures, Totals, WeekFigures,
};
pub use range::{DayRange, InvalidDayRange};

use crate::ServiceError;
pub(crate) use read::counts;
use read::{Sources, SumsByDay, before, unsigned};

/// Tells how many people use the bot, whether they stay, where they come from and what they use.
/// Cheap to clone.
#[derive(Clone)]
pub struct ActivityService {
    activity: Arc<dyn ActivityRepository>,
    clock: Arc<dyn Clock>,
    /// Who has it reads a range: of ten years that is some 40 MB, and several connections that
    /// registration may want.
    turn: Arc<Mutex<()>>,
}

impl ActivityService {
    /// A service over `activity`.
    pub fn new(activity: impl ActivityRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self::over(Arc::new(activity), Arc::new(clock))
    }

    pub(crate) fn over(activity: Arc<dyn ActivityRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { activity, clock, turn: Arc::default() }
    }

    /// The present day in UTC.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    /// The figures of a range of days. Days that have not come yet are left out. One range is read
    /// at a time; who asks for another waits.
    ///
    /// # Errors
    /// When none of the days has come yet, or the storage fails.
    pub async fn get_activity(&self, range: DayRange) -> Result<Activity, ServiceError> {
        let today = self.today();
        let range = range.until(today)?;
        // Weeks and months may begin before the range does.
        let since = week(range.first()).min(month(range.first()));
        let _turn = self.turn.lock().await;
        let (base, by_day, by_label, sources) = try_join!(
            self.activity.totals(&WINDOWS, before(range.first(), 1)),
            self.activity.sums_by_day(&BY_DAY, since, range.last()),
            self.activity.sums_by_label(&BY_LABEL, range.first(), range.last()),
            Sources::read(&*self.activity, range, today),
        )?;
        let by_day = SumsByDay::from(by_day);
        Ok(Activity {
            days: by_day.days(range, &base),
            weeks: by_day.weeks(range),
            cohorts: by_day.cohorts(range, today),
            months: by_day.months(range),
            kinds: counts(&by_label, Figure::Kind, usize::MAX),
            commands: counts(&by_label, Figure::Command, usize::MAX),
            languages: counts(&by_label, Figure::Language, MAX_LABELS),
            sources: sources.compared(MAX_LABELS),
            range,
        })
    }

    /// What happened within a range of days, added up: cheaper than all its figures.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_totals(&self, range: DayRange) -> Result<Totals, ServiceError> {
        let sums = self.activity.sums_by_label(&TOTALLED, range.first(), range.last()).await?;
        let mut totals = Totals::default();
        for (figure, label, value) in sums {
            let total = match figure {
                Figure::Active => &mut totals.active_days,
                Figure::New => &mut totals.new_users,
                Figure::Kind => &mut totals.interactions,
                Figure::Reachability if label == ReachabilityChange::UNBLOCKED => {
                    &mut totals.unblocked
                }
                Figure::Reachability => &mut totals.blocked,
                _ => continue,
            };
            *total += unsigned(value);
        }
        Ok(totals)
    }

    /// How many users there are, how many of them were there lately, and what they did today; with
    /// the same of a week ago.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn get_stats(&self) -> Result<UserStats, ServiceError> {
        let today = self.today();
        let week_ago = before(today, 7);
        let (totals, recent, new) = try_join!(
            self.activity.totals(&TOTALS, today),
            self.activity.sums_by_day(&OF_TODAY, week_ago, today),
            // The 30 days up to today, and those up to a week ago.
            self.activity.sums_by_day(&[Figure::New], before(today, 36), today),
        )?;
        let mut totals = totals.into_iter();
        let [users, reachable, active_7, active_30] =
            TOTALS.map(|_| totals.next().unwrap_or_default());
        let (recent, new) = (SumsByDay::from(recent), SumsByDay::from(new));
        let since = |figure| recent.total(figure, before(today, 6), today);
        let windows = [active_7 - since(Figure::Active7), active_30 - since(Figure::Active30)];
        let week_before = recent.stats(week_ago, &new, windows);
        let now = recent.stats(today, &new, [active_7, active_30]);
        Ok(UserStats {
            total_users: unsigned(users),
            reachable_users: unsigned(reachable),
            active_today: now.active,
            active_7_days: now.active_7_days,
            active_30_days: now.active_30_days,
            new_today: now.new,
            new_7_days: now.new_7_days,
            new_30_days: now.new_30_days,
            interactions_today: now.interactions,
            blocked_today: now.blocked,
            unblocked_today: now.unblocked,
            week_before,
        })
    }

    /// Counts everything again from what is known of the users, and answers the sums that are not
    /// what they should be; with `mend` it puts them right. Registration goes on meanwhile.
    ///
    /// `progress` is told now and then how many users have been counted, and how many there are.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn recount(
        &self,
        mend: bool,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<Vec<Difference>, ServiceError> {
        Ok(self.activity.recount(mend, Arc::new(progress)).await?)
    }
}

/// The figures that are kept as differences from day to day.
const WINDOWS: [Figure; 2] = [Figure::Active7, Figure::Active30];

const BY_DAY: [Figure; 10] = [
    Figure::Active,
    Figure::Active7,
    Figure::Active30,
    Figure::ActiveDays,
    Figure::Cohort,
    Figure::Kind,
    Figure::LifecycleDay,
    Figure::LifecycleWeek,
    Figure::New,
    Figure::Reachability,
];

const BY_LABEL: [Figure; 3] = [Figure::Command, Figure::Kind, Figure::Language];

const TOTALS: [Figure; 4] = [Figure::Users, Figure::Reachable, Figure::Active7, Figure::Active30];

const TOTALLED: [Figure; 4] = [Figure::Active, Figure::Kind, Figure::New, Figure::Reachability];

const OF_TODAY: [Figure; 5] =
    [Figure::Active, Figure::Active7, Figure::Active30, Figure::Kind, Figure::Reachability];

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
    use rollcall_domain::{DayStats, Facts, Label, Origin, SourceLabel, Sums, UnreachableReason};
    use rollcall_repository::RepositoryError;
    use rollcall_testkit::TestClock;

    use super::*;

    #[tokio::test]
    async fn each_day_tells_who_was_there_and_who_came() {
        let activity = story().get_activity(range("2026-11-20", "2026-11-23")).await.unwrap();
        let shown: Vec<String> = activity.days.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "20: 1/1/2 active, 0 new, 1 interactions, -0 +0 = 0; 0 new 0 back 1 again 0 gone",
                "21: 0/1/2 active, 0 new, 0 interactions, -2 +0 = -2; 0 new 0 back 0 again 1 gone",
                "22: 2/2/3 active, 1 new, 2 interactions, -0 +1 = 2; 1 new 0 back 1 again 0 gone",
                "23: 1/2/3 active, 0 new, 5 interactions, -0 +0 = 0; 0 new 1 back 0 again 1 gone",
            ]
        );
        assert_eq!(activity.days[3].stickiness(), Share { part: 1, whole: 3 });
    }

    #[tokio::test]
    async fn totals_are_what_the_days_add_up_to() {
        let story = story();
        for (first, last) in [("2026-11-20", "2026-11-23"), ("2026-10-01", "2026-11-21")] {
            let range = range(first, last);
            let totals = story.get_totals(range).await.unwrap();
            let activity = story.get_activity(range).await.unwrap();
            assert_eq!(totals, activity.days.into_iter().collect());
            assert!(totals.active_days > 0 && totals.blocked > 0, "{totals:?}");
        }
    }

    #[tokio::test]
    async fn days_to_come_have_no_figures() {
        let activity = story().get_activity(range("2026-11-23", "2026-12-31")).await.unwrap();
        assert_eq!((activity.days.len(), activity.range.last()), (1, day("2026-11-23")));
        let error = story().get_activity(range("2026-11-24", "2026-12-31")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "2026-11-24 has not come yet; expected a first day up to today, which is 2026-11-23 in UTC"
        );
    }

    #[tokio::test]
    async fn one_range_is_read_at_a_time() {
        let story = story();
        let here = story.clone();
        let (turn, today) = (story.turn.lock().await, DayRange::of(story.today()));
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, here.get_activity(today)).await.is_err());
        here.get_stats().await.unwrap();
        drop(turn);
        here.get_activity(today).await.unwrap();
    }

    #[tokio::test]
    async fn weeks_and_months_are_told_as_a_whole() {
        // From a Wednesday to a Tuesday, of which the last two are yet to come.
        let activity = story().get_activity(range("2026-11-18", "2026-11-25")).await.unwrap();
        let lifecycle = |new, returning, resurrected, dormant| LifecycleCounts {
            new,
            returning,
            resurrected,
            dormant,
        };
        assert_eq!(
            activity.weeks,
            [
                WeekFigures { monday: day("2026-11-16"), lifecycle: lifecycle(1, 1, 0, 1) },
                WeekFigures { monday: day("2026-11-23"), lifecycle: lifecycle(0, 1, 0, 1) },
            ]
        );
        let november = &activity.months[..];
        assert_eq!(november.len(), 1);
        assert_eq!(november[0].first_day, day("2026-11-01"));
        let mut curve = vec![0; 31];
        (curve[0], curve[1], curve[3]) = (1, 1, 1);
        assert_eq!(november[0].users_by_active_days, curve);
    }

    #[tokio::test]
    async fn cohorts_last_until_this_week() {
        let activity = story().get_activity(range("2026-11-09", "2026-11-23")).await.unwrap();
        let cohort = |monday, active: &[u64]| Cohort { monday: day(monday), active: active.into() };
        assert_eq!(
            activity.cohorts,
            [
                cohort("2026-11-09", &[1, 1, 0]),
                cohort("2026-11-16", &[1, 1]),
                cohort("2026-11-23", &[0])
            ]
        );
        assert_eq!(activity.cohorts[0].share(1), Some(Share { part: 1, whole: 1 }));
        assert_eq!(activity.cohorts[0].share(3), None);
        // Those who came earlier show when their week is asked for.
        let earlier = story().get_activity(range("2026-10-28", "2026-10-28")).await.unwrap();
        assert_eq!(earlier.cohorts, [cohort("2026-10-26", &[1, 0, 1, 0, 0])]);
    }

    #[tokio::test]
    async fn sources_are_compared_by_those_whose_day_has_come() {
        let activity = story().get_activity(range("2026-10-01", "2026-11-23")).await.unwrap();
        let share = |part, whole| Share { part, whole };
        let source = |source: &str, users, starts, reachable, day_1, day_7, day_30| SourceFigures {
            source: source.to_owned(),
            users,
            starts,
            reachable,
            day_1,
            day_7,
            day_30,
        };
        assert_eq!(
            activity.sources,
            [
                source("ad", 2, 3, 1, share(1, 2), share(0, 1), share(0, 0)),
                source("", 1, 0, 0, share(0, 1), share(0, 1), share(0, 0)),
            ]
        );
        let count = |label: &str, count| Count { label: label.to_owned(), count };
        assert_eq!(activity.languages, [count("en", 2), count("", 1)]);
        assert_eq!(activity.kinds, [count("text", 9), count("command", 2)]);
        assert_eq!(activity.commands, [count("(other)", 1), count("start", 1)]);
    }

    #[tokio::test]
    async fn what_is_told_apart_has_a_bound() {
        let mut sums = Sums::default();
        for n in 0..60_i64 {
            let label = || Label::from(format!("link_{n:02}"));
            let on = day("2026-11-01");
            sums.add(Figure::SourceNew, on, label(), 100 - n);
            sums.add(Figure::SourceDay7, on, label(), 1);
            sums.add(Figure::Language, on, label(), 100 - n);
        }
        sums.add(Figure::SourceNew, day("2026-11-22"), Label::OTHER, 1000);
        let activity = service(sums).get_activity(range("2026-11-01", "2026-11-23")).await.unwrap();
        assert_eq!(activity.sources.len(), MAX_LABELS + 1);
        assert_eq!(activity.sources[49].source, "link_49");
        let other = &activity.sources[50];
        let beyond: u64 = (50..60).map(|n| 100 - n).sum();
        assert_eq!((other.source.as_str(), other.users), ("(other)", 1000 + beyond));
        assert_eq!(other.day_7, Share { part: 10, whole: beyond });
        assert_eq!(other.day_1, Share { part: 0, whole: 1000 + beyond });
        assert_eq!(activity.languages.len(), MAX_LABELS + 1);
        assert_eq!(activity.languages[50], Count { label: "(other)".to_owned(), count: beyond });
    }

    #[tokio::test]
    async fn today_is_told_with_a_week_ago() {
        let expected = UserStats {
            total_users: 3,
            reachable_users: 1,
            active_today: 1,
            active_7_days: 2,
            active_30_days: 3,
            new_today: 0,
            new_7_days: 1,
            new_30_days: 3,
            interactions_today: 5,
            blocked_today: 0,
            unblocked_today: 0,
            week_before: DayStats {
                active: 1,
                active_7_days: 2,
                active_30_days: 2,
                new: 0,
                new_7_days: 1,
                new_30_days: 2,
                interactions: 1,
                blocked: 0,
                unblocked: 0,
            },
        };
        assert_eq!(story().get_stats().await.unwrap(), expected);
        assert_eq!(service(Sums::default()).get_stats().await.unwrap(), UserStats::default());
    }

    /// The days of a range are the same as part of a longer one, and as counted one by one.
    #[tokio::test]
    async fn windows_do_not_depend_on_where_the_range_begins() {
        let first = day("2026-08-01");
        let people: Vec<Vec<NaiveDate>> = (1..40_usize)
            .map(|n| first.iter_days().skip(n).step_by(1 + n * n % 37).take(n % 9 + 1).collect())
            .collect();
        let mut sums = Sums::default();
        for days in &people {
            Origin { created_on: days[0], source: None }.add_days(days.iter().copied(), &mut sums);
        }
        let activity = service(sums);
        let days = async |range| activity.get_activity(range).await.unwrap().days;
        let whole = days(range("2026-08-01", "2026-11-23")).await;
        for figures in &whole {
            let within = |window| {
                let since = figures.day - Days::new(window);
                let is_active = |days: &&Vec<NaiveDate>| {
                    days.iter().any(|it| *it > since && *it <= figures.day)
                };
                u64::try_from(people.iter().filter(is_active).count()).unwrap()
            };
            let active = [figures.active, figures.active_7_days, figures.active_30_days];
            assert_eq!(active, [1, 7, 30].map(within), "{}", figures.day);
        }
        for skipped in 0..whole.len() {
            let part = DayRange::new(whole[skipped].day, day("2026-11-23")).unwrap();
            assert_eq!(days(part).await, whole[skipped..]);
        }
    }

    #[tokio::test]
    async fn a_recount_tells_how_far_it_is() {
        let (told, heard) = std::sync::mpsc::channel();
        let tell = move |done, all| told.send((done, all)).unwrap();
        assert_eq!(story().recount(true, tell).await.unwrap(), []);
        assert_eq!(heard.iter().collect::<Vec<_>>(), [(0, 3), (3, 3)]);
    }

    /// Three people as of Monday, 2026-11-23. One came long ago, one on the 11th by an ad and stays,
    /// and one yesterday by the ad.
    fn story() -> ActivityService {
        let mut sums = Sums::default();
        let ad = SourceLabel::Own(1);
        let (blocked, gone) =
            (Some(UnreachableReason::Blocked), Some(UnreachableReason::Deactivated));
        let change = |on, obstacle| ReachabilityChange { at: noon(on), obstacle };
        let long_ago = Facts {
            origin: Origin { created_on: day("2026-10-28"), source: None },
            language_code: None,
            is_reachable: false,
            days: &["2026-10-28", "2026-11-10"].map(day),
            reach_changes: &[change("2026-11-21", gone)],
            starts: &[],
        };
        let stays = Facts {
            origin: Origin { created_on: day("2026-11-11"), source: Some(ad) },
            language_code: Some("en"),
            is_reachable: true,
            days: &["2026-11-11", "2026-11-16", "2026-11-20", "2026-11-22"].map(day),
            reach_changes: &[change("2026-11-21", blocked), change("2026-11-22", None)],
            starts: &[(noon("2026-11-11"), ad), (noon("2026-11-16"), ad)],
        };
        let new = Facts {
            origin: Origin { created_on: day("2026-11-22"), source: Some(ad) },
            language_code: Some("en"),
            is_reachable: false,
            days: &["2026-11-22", "2026-11-23"].map(day),
            reach_changes: &[],
            starts: &[(noon("2026-11-22"), ad)],
        };
        for facts in [long_ago, stays, new] {
            facts.add_to(&mut sums);
        }
        for (on, texts) in [("2026-11-16", 1), ("2026-11-20", 1), ("2026-11-22", 2)] {
            sums.add(Figure::Kind, day(on), "text".into(), texts);
        }
        sums.add(Figure::Kind, day("2026-11-23"), "text".into(), 5);
        sums.add(Figure::Kind, day("2026-11-10"), "command".into(), 2);
        sums.add(Figure::Command, day("2026-11-10"), "start".into(), 1);
        sums.add(Figure::Command, day("2026-11-10"), Label::OTHER, 1);
        service(sums)
    }

    fn shown(it: &DayFigures) -> String {
        let LifecycleCounts { new, returning, resurrected, dormant } = it.lifecycle;
        format!(
            "{}: {}/{}/{} active, {} new, {} interactions, -{} +{} = {}; \
             {new} new {returning} back {resurrected} again {dormant} gone",
            it.day.format("%d"),
            it.active,
            it.active_7_days,
            it.active_30_days,
            it.new_users,
            it.interactions,
            it.blocked,
            it.unblocked,
            it.net_growth()
        )
    }

    fn service(sums: Sums) -> ActivityService {
        ActivityService::new(InMemory(sums), TestClock::at("2026-11-23T18:00:00Z"))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn noon(on: &str) -> DateTime<Utc> {
        day(on).and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(12)
    }

    fn range(first: &str, last: &str) -> DayRange {
        DayRange::new(day(first), day(last)).unwrap()
    }

    /// Sums that nobody adds to.
    struct InMemory(Sums);

    impl InMemory {
        fn of(
            &self,
            figures: &[Figure],
            first: NaiveDate,
            last: NaiveDate,
        ) -> impl Iterator<Item = (Figure, NaiveDate, &Label, i64)> {
            self.0.iter().filter(move |(figure, day, ..)| {
                figures.contains(figure) && (first..=last).contains(day)
            })
        }
    }

    /// A label as a repository answers it, which has the payload of the only deep link.
    fn named(label: &Label) -> String {
        label.text().replace("#1", "ad")
    }

    #[async_trait]
    impl ActivityRepository for InMemory {
        async fn sums_by_day(
            &self,
            figures: &[Figure],
            first: NaiveDate,
            last: NaiveDate,
        ) -> Result<Vec<(Figure, NaiveDate, String, i64)>, RepositoryError> {
            let row =
                |(figure, day, label, value): (_, _, &Label, _)| (figure, day, named(label), value);
            Ok(self.of(figures, first, last).map(row).collect())
        }

        async fn sums_by_label(
            &self,
            figures: &[Figure],
            first: NaiveDate,
            last: NaiveDate,
        ) -> Result<Vec<(Figure, String, i64)>, RepositoryError> {
            let mut sums = std::collections::BTreeMap::new();
            for (figure, _, label, value) in self.of(figures, first, last) {
                *sums.entry((figure, named(label))).or_default() += value;
            }
            Ok(sums.into_iter().map(|((figure, label), value)| (figure, label, value)).collect())
        }

        async fn totals(
            &self,
            figures: &[Figure],
            last: NaiveDate,
        ) -> Result<Vec<i64>, RepositoryError> {
            let total = |figure: &Figure| {
                self.of(std::slice::from_ref(figure), NaiveDate::MIN, last).map(|it| it.3).sum()
            };
            Ok(figures.iter().map(total).collect())
        }

        async fn recount(
            &self,
            _: bool,
            progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
        ) -> Result<Vec<Difference>, RepositoryError> {
            progress(0, 3);
            progress(3, 3);
            Ok(Vec::new())
        }
    }
}
