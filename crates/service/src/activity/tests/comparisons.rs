//! What today and a range are compared with, and where figures begin.

use rollcall_domain::{
    Change, Comparison, Facts, Figure, Label, Origin, SameHours, Sums, TodaySoFar,
};
use rollcall_testkit::TestClock;

use super::{
    Activity, ActivityService, DayRange, InMemory, active, day, noon, range, service, story,
};

#[tokio::test]
async fn today_is_compared_with_the_full_hours_of_other_days() {
    let mut sums = Sums::default();
    let mut add = |on: &str, hour: u32, users: i64| {
        let label = || Label::Number(hour);
        sums.add(Figure::Active, day(on), Label::NONE, users);
        sums.add(Figure::ActiveHour, day(on), label(), users);
        sums.add(Figure::Kind, day(on), "text".into(), 2 * users);
        sums.add(Figure::InteractionHour, day(on), label(), 2 * users);
    };
    // Today is the 23rd, and 18 hours of it are over.
    for (on, hour, users) in [
        ("2026-11-23", 0, 3),
        ("2026-11-23", 17, 4),
        ("2026-11-23", 18, 50),
        ("2026-11-22", 17, 10),
        ("2026-11-22", 18, 100),
        ("2026-11-16", 9, 2),
        ("2026-11-16", 23, 300),
    ] {
        add(on, hour, users);
    }
    let so_far = async |sums: &Sums, at: &str| {
        let service = ActivityService::new(InMemory(sums.clone()), TestClock::at(at));
        service.get_stats().await.unwrap().so_far
    };
    let evening = so_far(&sums, "2026-11-23T18:59:59Z").await;
    assert_eq!(evening.full_hours, 18);
    assert_eq!(evening.active, against(7, 10, 2));
    assert_eq!(evening.interactions, against(14, 20, 4));
    assert_eq!(evening.new, against(0, 0, 0));
    // A new hour of all days counts.
    let later = so_far(&sums, "2026-11-23T19:00:00Z").await;
    assert_eq!(later.active, against(57, 110, 2));
    // No hour of the day is full.
    let early = so_far(&sums, "2026-11-23T00:59:59Z").await;
    assert_eq!(early, TodaySoFar::default());

    // A day on which one user has no hour, because an older version recorded it.
    let mut incomplete = sums.clone();
    incomplete.add(Figure::Active, day("2026-11-16"), Label::NONE, 1);
    let evening = so_far(&incomplete, "2026-11-23T18:00:00Z").await;
    assert_eq!(evening.active, SameHours { week_before: None, ..against(7, 10, 2) });
    assert_eq!(evening.interactions, against(14, 20, 4));
    incomplete.add(Figure::Active, day("2026-11-23"), Label::NONE, 1);
    let evening = so_far(&incomplete, "2026-11-23T18:00:00Z").await;
    assert_eq!(evening.active, SameHours::default());
}

#[tokio::test]
async fn days_before_the_first_user_are_not_compared() {
    let mut sums = Sums::default();
    for on in ["2026-11-20", "2026-11-23"] {
        let days = [active(on)];
        let facts = Facts {
            origin: Origin::new(noon(on), None),
            language_code: None,
            is_reachable: false,
            days: &days,
            reach_changes: &[],
            starts: &[],
        };
        facts.add_to(&mut sums);
    }
    let stats = service(sums).get_stats().await.unwrap();
    assert_eq!((stats.first_day, stats.week_before), (Some(day("2026-11-20")), None));
    let new = Some(Comparison::New);
    assert_eq!(stats.so_far.active, SameHours { week_before: new, ..against(1, 0, 0) });
    // A figure of zero is no news.
    assert_eq!(stats.so_far.blocked, SameHours { week_before: None, ..against(0, 0, 0) });
    assert_eq!(stats.since_week(stats.active_7_days, |week| week.active_7_days), new);
    assert_eq!(stats.since_week(0, |week| week.blocked), None);
}

#[tokio::test]
async fn figures_begin_with_the_first_user() {
    let story = story();
    assert_eq!(story.first_day().await.unwrap(), Some(day("2026-10-28")));
    // The usual range has 90 days once there have been users for so long.
    assert_eq!(story.usual_range().await.unwrap(), range("2026-10-28", "2026-11-23"));
    let activity = story.get_activity(range("2026-01-01", "2026-10-29")).await.unwrap();
    assert_eq!(activity.range, range("2026-10-28", "2026-10-29"));
    assert_eq!(activity.days.len(), 2);
    let mondays: Vec<_> = activity.weeks.iter().map(|it| it.monday).collect();
    assert_eq!(mondays, [day("2026-10-26")]);
    assert_eq!(activity.cohorts.len(), 1);
    let months: Vec<_> = activity.months.iter().map(|it| it.first_day).collect();
    assert_eq!(months, [day("2026-10-01")]);

    let before = range("2026-01-01", "2026-10-27");
    let activity = story.get_activity(before).await.unwrap();
    assert_eq!(activity, Activity::without_days(before));
    let nobody = service(Sums::default());
    assert_eq!(nobody.first_day().await.unwrap(), None);
    assert_eq!(nobody.usual_range().await.unwrap(), DayRange::of(day("2026-11-23")));
    let days = nobody.get_activity(DayRange::of(day("2026-11-23"))).await.unwrap().days;
    assert_eq!(days, []);
}

#[tokio::test]
async fn the_usual_range_has_at_most_ninety_days() {
    let mut sums = Sums::default();
    sums.add(Figure::Active, day("2020-01-01"), Label::NONE, 1);
    let usual = service(sums).usual_range().await.unwrap();
    assert_eq!(usual, range("2026-08-26", "2026-11-23"));
}

#[tokio::test]
async fn a_range_is_compared_only_if_there_were_users_throughout_the_days_before() {
    let story = story();
    let before = async |first, last| story.get_totals_before(range(first, last)).await.unwrap();
    let totals = story.get_totals(range("2026-10-28", "2026-11-09")).await.unwrap();
    assert!(totals.new_users > 0);
    assert_eq!(before("2026-11-10", "2026-11-22").await, Some(totals));
    assert_eq!(before("2026-11-10", "2026-11-23").await, None);
    assert_eq!(
        service(Sums::default())
            .get_totals_before(range("2026-11-10", "2026-11-22"))
            .await
            .unwrap(),
        None
    );
}

/// A figure of today against yesterday and the day a week ago.
pub(super) fn against(now: u64, yesterday: u64, week_ago: u64) -> SameHours {
    let change = |from| Some(Comparison::Change(Change { from, to: now }));
    SameHours { day_before: change(yesterday), week_before: change(week_ago) }
}
