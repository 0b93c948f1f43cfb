mod comparisons;

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use rollcall_domain::{
    ActiveDay, DayStats, Facts, Label, Origin, SameHours, SourceLabel, Sums, TodaySoFar,
    UnreachableReason,
};
use rollcall_repository::{DaySum, LabelSum, RepositoryError};
use rollcall_testkit::TestClock;

use super::*;

use comparisons::against;

#[tokio::test]
async fn each_day_has_its_active_and_new_users() {
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
async fn totals_equal_the_sum_of_the_days() {
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
async fn days_in_the_future_have_no_figures() {
    let activity = story().get_activity(range("2026-11-23", "2026-12-31")).await.unwrap();
    assert_eq!((activity.days.len(), activity.range.last()), (1, day("2026-11-23")));
    let error = story().get_activity(range("2026-11-24", "2026-12-31")).await.unwrap_err();
    assert_eq!(error.to_string(), "2026-11-24 is in the future (today is 2026-11-23 UTC)");
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
async fn weeks_and_months_are_complete() {
    // From a Wednesday to a Wednesday, of which the last two days are in the future.
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
    // Users who joined earlier are in the cohort of their own week.
    let earlier = story().get_activity(range("2026-10-28", "2026-10-28")).await.unwrap();
    assert_eq!(earlier.cohorts, [cohort("2026-10-26", &[1, 0, 1, 0, 0])]);
}

#[tokio::test]
async fn sources_are_compared_by_users_who_joined_long_enough_ago() {
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
async fn the_number_of_labels_is_bounded() {
    let mut sums = Sums::default();
    for n in 0..60_i64 {
        let label = || Label::from(format!("link_{n:02}"));
        let on = day("2026-11-01");
        sums.add(Figure::SourceNew, on, label(), 100 - n);
        sums.add(Figure::SourceDay7, on, label(), 1);
        sums.add(Figure::Language, on, label(), 100 - n);
        sums.add(Figure::Active, on, Label::NONE, 1);
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
async fn today_is_compared_with_a_week_ago() {
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
        first_day: Some(day("2026-10-28")),
        week_before: Some(DayStats {
            active: 1,
            active_7_days: 2,
            active_30_days: 2,
            new: 0,
            new_7_days: 1,
            new_30_days: 2,
            interactions: 1,
            blocked: 0,
            unblocked: 0,
        }),
        so_far: TodaySoFar {
            full_hours: 18,
            active: against(1, 2, 1),
            new: against(0, 1, 0),
            // Their hours were not recorded.
            interactions: SameHours::default(),
            blocked: against(0, 0, 0),
            unblocked: against(0, 1, 0),
        },
    };
    assert_eq!(story().get_stats().await.unwrap(), expected);
    let empty = UserStats {
        so_far: TodaySoFar { full_hours: 18, ..Default::default() },
        ..Default::default()
    };
    assert_eq!(service(Sums::default()).get_stats().await.unwrap(), empty);
}

/// A range has the same figures as the part of a longer range, and as a count of each day.
#[tokio::test]
async fn windows_do_not_depend_on_the_start_of_the_range() {
    let first = day("2026-08-01");
    let people: Vec<Vec<NaiveDate>> = (1..40_usize)
        .map(|n| first.iter_days().skip(n).step_by(1 + n * n % 37).take(n % 9 + 1).collect())
        .collect();
    let mut sums = Sums::default();
    for days in &people {
        Origin::new(midnight(days[0]), None).add_days(days.iter().copied(), &mut sums);
    }
    let activity = service(sums);
    let days = async |range| activity.get_activity(range).await.unwrap().days;
    let whole = days(range("2026-08-01", "2026-11-23")).await;
    for figures in &whole {
        let within = |window| {
            let since = figures.day - Days::new(window);
            let is_active =
                |days: &&Vec<NaiveDate>| days.iter().any(|it| *it > since && *it <= figures.day);
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
async fn a_recount_reports_its_progress() {
    let (sender, reported) = std::sync::mpsc::channel();
    let progress = move |done, all| sender.send((done, all)).unwrap();
    assert_eq!(story().recount(true, progress).await.unwrap(), []);
    assert_eq!(reported.iter().collect::<Vec<_>>(), [(0, 3), (3, 3)]);
}

/// Three users as of Monday, 2026-11-23. One joined long ago, one joined on the 11th by an ad and
/// stays, and one joined yesterday by the ad.
fn story() -> ActivityService {
    let mut sums = Sums::default();
    let ad = SourceLabel::Own(1);
    let (blocked, gone) = (Some(UnreachableReason::Blocked), Some(UnreachableReason::Deactivated));
    let change = |on, obstacle| ReachabilityChange { at: noon(on), obstacle };
    let long_ago = Facts {
        origin: Origin::new(noon("2026-10-28"), None),
        language_code: None,
        is_reachable: false,
        days: &["2026-10-28", "2026-11-10"].map(active),
        reach_changes: &[change("2026-11-21", gone)],
        starts: &[],
    };
    let stays = Facts {
        origin: Origin::new(noon("2026-11-11"), Some(ad)),
        language_code: Some("en"),
        is_reachable: true,
        days: &["2026-11-11", "2026-11-16", "2026-11-20", "2026-11-22"].map(active),
        reach_changes: &[change("2026-11-21", blocked), change("2026-11-22", None)],
        starts: &[(noon("2026-11-11"), ad), (noon("2026-11-16"), ad)],
    };
    let new = Facts {
        origin: Origin::new(noon("2026-11-22"), Some(ad)),
        language_code: Some("en"),
        is_reachable: false,
        days: &["2026-11-22", "2026-11-23"].map(active),
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

/// A day on which a user was first active at noon.
fn active(on: &str) -> ActiveDay {
    ActiveDay::at(noon(on))
}

fn midnight(on: NaiveDate) -> DateTime<Utc> {
    on.and_time(NaiveTime::MIN).and_utc()
}

fn noon(on: &str) -> DateTime<Utc> {
    midnight(day(on)) + TimeDelta::hours(12)
}

fn range(first: &str, last: &str) -> DayRange {
    DayRange::new(day(first), day(last)).unwrap()
}

/// Sums in memory, which do not change.
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

/// A label as a repository returns it: with the payload of the only deep link.
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
    ) -> Result<Vec<DaySum>, RepositoryError> {
        let row = |(figure, day, label, value): (_, _, &Label, _)| DaySum {
            figure,
            day,
            label: named(label),
            value,
        };
        Ok(self.of(figures, first, last).map(row).collect())
    }

    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<LabelSum>, RepositoryError> {
        let mut sums = std::collections::BTreeMap::new();
        for (figure, _, label, value) in self.of(figures, first, last) {
            *sums.entry((figure, named(label))).or_default() += value;
        }
        let sum = |((figure, label), value)| LabelSum { figure, label, value };
        Ok(sums.into_iter().map(sum).collect())
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

    async fn minutes(
        &self,
        _: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, i64)>, RepositoryError> {
        Ok(Vec::new())
    }

    async fn first_day(&self) -> Result<Option<NaiveDate>, RepositoryError> {
        let days = self.of(&[Figure::Active], NaiveDate::MIN, NaiveDate::MAX);
        Ok(days.filter(|it| it.3 > 0).map(|it| it.1).min())
    }

    async fn leave_out(&self, _: &BTreeSet<TelegramId>) -> Result<(), RepositoryError> {
        unimplemented!("not part of these tests")
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
