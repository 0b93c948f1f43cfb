use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::select};

use chrono::{DateTime, NaiveDate};

use super::*;
use crate::SourceLabel;

proptest! {
    #[test]
    fn days_may_come_in_any_order(user in any_user()) {
        let mut sums = Sums::default();
        user.add_day_by_day(&mut sums);
        prop_assert_eq!(sums, sums_of(std::slice::from_ref(&user)));
    }

    #[test]
    fn sums_equal_a_count_of_all_users(users in vec(any_user(), 0..6)) {
        let sums = sums_of(&users);
        prop_assert_eq!(without_windows(&sums), counted(&users));
        for (figure, window) in [(Figure::Active7, 7), (Figure::Active30, 30)] {
            // From before the first activity until the last window has passed.
            let mut active = 0;
            for day in day(-1).iter_days().take(400) {
                active += value(&sums, figure, day, &Label::NONE);
                let seen = users.iter().filter(|user| user.is_active_within(window, day));
                prop_assert_eq!(active, count(seen), "{:?} on {}", figure, day);
            }
            prop_assert_eq!(active, 0);
        }
    }

    #[test]
    fn subtracting_an_erased_user_leaves_the_sums_of_the_others(users in vec(any_user(), 1..6)) {
        let mut sums = sums_of(&users);
        let erased = sums_of(&users[..1]);
        for (figure, day, label, value) in erased.iter() {
            sums.add(figure, day, label.clone(), -value);
        }
        prop_assert_eq!(sums, sums_of(&users[1..]));
    }
}

#[test]
fn a_late_day_within_both_windows_leaves_them_unchanged() {
    let user = user(0, &[0, 2]);
    let mut sums = sums_of(std::slice::from_ref(&user));
    let before = sums.clone();
    let neighbours = Neighbours { previous: Some(day(0)), next: Some(day(2)), others_of_month: 2 };
    user.origin().add_day(day(1), neighbours, &mut sums);
    for figure in [Figure::Active7, Figure::Active30] {
        let of = |sums: &Sums| -> i64 {
            let steps = sums.iter().filter(|(it, on, ..)| *it == figure && *on <= day(1));
            steps.map(|(.., value)| value).sum()
        };
        assert_eq!((of(&before), of(&sums)), (1, 1));
    }
    assert_eq!(value(&sums, Figure::LifecycleDay, day(1), &"returning".into()), 1);
    assert_eq!(value(&sums, Figure::LifecycleDay, day(1), &"dormant".into()), 0);
    assert_eq!(value(&sums, Figure::LifecycleDay, day(2), &"resurrected".into()), 0);
}

#[test]
fn activity_before_joining_counts_in_the_first_week() {
    let sums = sums_of(&[user(30, &[1, 12, 30, 36, 50])]);
    let ages: Vec<_> = sums
        .iter()
        .filter(|(figure, ..)| *figure == Figure::Cohort)
        .map(|(_, week, age, value)| (week, age.to_string(), value))
        .collect();
    let monday = week(day(30));
    // The days 30 and 36 are a Saturday and the Friday after.
    assert_eq!(ages, [("0", 1), ("1", 1), ("3", 1)].map(|(a, n)| (monday, a.to_owned(), n)));
}

/// The day `offset` days after the first day of these tests, a Thursday.
fn day(offset: i32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 11, 19).unwrap();
    first.checked_add_signed(chrono::TimeDelta::days(offset.into())).unwrap()
}

#[derive(Clone, Debug)]
struct User {
    created_on: NaiveDate,
    source: Option<SourceLabel>,
    /// In the order in which they are recorded.
    days: Vec<NaiveDate>,
}

fn user(created_on: i32, days: &[i32]) -> User {
    let days = days.iter().copied().map(day).collect();
    User { created_on: day(created_on), source: None, days }
}

/// A user who is active on few or on most days, across ends of weeks, months and a year. The days
/// are in any order, and the user joined on one of them.
fn any_user() -> impl Strategy<Value = User> {
    let days = prop_oneof![vec(0..300_i32, 1..12), vec(0..60_i32, 1..50)];
    let source = select(vec![None, Some(SourceLabel::Other), Some(SourceLabel::Own(1))]);
    (days, any::<prop::sample::Index>(), source).prop_map(|(days, created, source)| {
        let mut known = BTreeSet::new();
        let days: Vec<_> = days.into_iter().filter(|it| known.insert(*it)).map(day).collect();
        let created_on = *created.get(&days);
        User { created_on, source, days }
    })
}

impl User {
    fn origin(&self) -> Origin {
        Origin {
            created_on: self.created_on,
            created_in: Hour::of(DateTime::UNIX_EPOCH),
            source: self.source,
        }
    }

    fn sorted_days(&self) -> BTreeSet<NaiveDate> {
        self.days.iter().copied().collect()
    }

    fn weeks(&self) -> BTreeSet<NaiveDate> {
        self.days.iter().copied().map(week).collect()
    }

    /// As registrations do it.
    fn add_day_by_day(&self, sums: &mut Sums) {
        let mut known = BTreeSet::new();
        for &day in &self.days {
            let others = known.iter().filter(|other| month(**other) == month(day));
            let neighbours = Neighbours {
                previous: known.range(..day).next_back().copied(),
                next: known.range(day..).next().copied(),
                others_of_month: others.count().try_into().unwrap(),
            };
            self.origin().add_day(day, neighbours, sums);
            known.insert(day);
        }
    }

    fn is_active_within(&self, window: i64, day: NaiveDate) -> bool {
        self.days.iter().any(|it| (0..window).contains(&(day - *it).num_days()))
    }

    /// Whether the user was active in the nth week after the week of joining.
    fn is_active_at_age(&self, age: i64) -> bool {
        let created = week(self.created_on);
        let age_of = |week: NaiveDate| (week - created).num_weeks().max(0);
        self.weeks().into_iter().any(|week| age_of(week) == age)
    }
}

/// As a recount does it.
fn sums_of(users: &[User]) -> Sums {
    let mut sums = Sums::default();
    for user in users {
        user.origin().add_days(user.sorted_days(), &mut sums);
    }
    sums
}

/// Every figure except the windows, counted over the users for each day, week and month.
fn counted(users: &[User]) -> Sums {
    let mut sums = Sums::default();
    let range: BTreeSet<_> = day(-40).iter_days().take(440).collect();
    let weeks = range.iter().copied().map(week).collect::<BTreeSet<_>>();
    for &day in &range {
        let active = count(users.iter().filter(|user| user.days.contains(&day)));
        sums.add(Figure::Active, day, Label::NONE, active);
    }
    count_lifecycles(Figure::LifecycleDay, 1, &range, users, User::sorted_days, &mut sums);
    count_lifecycles(Figure::LifecycleWeek, 7, &weeks, users, User::weeks, &mut sums);
    for &week in &weeks {
        let cohort: Vec<_> =
            users.iter().filter(|user| calendar::week(user.created_on) == week).collect();
        for age in 0..60 {
            let active = cohort.iter().filter(|user| user.is_active_at_age(age));
            let label = Label::Number(age.try_into().unwrap());
            sums.add(Figure::Cohort, week, label, count(active));
        }
    }
    for month in range.iter().copied().map(month).collect::<BTreeSet<_>>() {
        let active_days =
            |user: &User| count(user.days.iter().filter(|day| calendar::month(**day) == month));
        for days in 1..=31 {
            let users = users.iter().filter(|user| active_days(user) == days);
            let label = Label::Number(days.try_into().unwrap());
            sums.add(Figure::ActiveDays, month, label, count(users));
        }
    }
    count_sources(users, &mut sums);
    sums
}

/// Follows PostHog's definitions word by word.
fn count_lifecycles(
    figure: Figure,
    period: i64,
    periods: &BTreeSet<NaiveDate>,
    users: &[User],
    active: impl Fn(&User) -> BTreeSet<NaiveDate>,
    sums: &mut Sums,
) {
    for active in users.iter().map(active) {
        for &now in periods {
            let before = now - chrono::TimeDelta::days(period);
            let was_active_earlier = active.iter().any(|it| *it < before);
            let class = match (active.contains(&before), active.contains(&now)) {
                (true, true) => "returning",
                (false, true) if was_active_earlier => "resurrected",
                (false, true) => "new",
                (true, false) => "dormant",
                (false, false) => continue,
            };
            sums.add(figure, now, class.into(), 1);
        }
    }
}

fn count_sources(users: &[User], sums: &mut Sums) {
    let figures = [(Figure::SourceDay1, 1), (Figure::SourceDay7, 7), (Figure::SourceDay30, 30)];
    for user in users {
        for (figure, days) in figures {
            if user.days.contains(&(user.created_on + chrono::TimeDelta::days(days))) {
                sums.add(figure, user.created_on, user.source.into(), 1);
            }
        }
    }
}

fn without_windows(sums: &Sums) -> Sums {
    let mut others = Sums::default();
    for (figure, day, label, value) in sums.iter() {
        if !matches!(figure, Figure::Active7 | Figure::Active30) {
            others.add(figure, day, label.clone(), value);
        }
    }
    others
}

fn value(sums: &Sums, figure: Figure, day: NaiveDate, label: &Label) -> i64 {
    let is_it = |it: &(Figure, NaiveDate, &Label, i64)| (it.0, it.1, it.2) == (figure, day, label);
    sums.iter().find(is_it).map_or(0, |(.., value)| value)
}

fn count(them: impl Iterator) -> i64 {
    them.count().try_into().unwrap()
}
