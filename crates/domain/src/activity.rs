//! How the activity of one user adds to the figures about all of them.
//!
//! Every figure is a sum over the users, so that whoever registers an interaction has to know only
//! the user's own days around it, and so that several writers may add in any order. What one user
//! adds follows from pairs of days that come one after the other in the user's activity: a day that
//! is recorded between two others replaces their pair by two. Recounting everything from the facts
//! takes the same pairs, one user after the other.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::{ReachabilityChange, SourceLabel};

/// What is summed up: of each day (or week, by its Monday, or month, by its first day) and label.
///
/// Those who are erased stay part of the figures, but for the four that tell how many there are
/// now: [`Users`](Self::Users), [`Reachable`](Self::Reachable), [`Language`](Self::Language) and
/// [`SourceReachable`](Self::SourceReachable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Figure {
    /// Users active on the day.
    Active,
    /// By how many more than the day before were active within the 7 days up to the day.
    Active7,
    /// By how many more than the day before were active within the 30 days up to the day.
    Active30,
    /// Users active on so many days of the month, which is the label.
    ActiveDays,
    /// Users of the cohort of a week who were active so many weeks later, which is the label. The
    /// cohort of a week is who was created in it; earlier activity counts as week 0.
    Cohort,
    /// Uses of a command, which is the label.
    Command,
    /// Interactions of a kind, which is the label.
    Kind,
    /// Users created on the day whose language is the label.
    Language,
    /// Users of a [`Lifecycle`] class on the day, which is the label.
    LifecycleDay,
    /// Users of a [`Lifecycle`] class in the week, which is the label.
    LifecycleWeek,
    /// Users created on the day.
    New,
    /// Changes of reach on the day: the obstacle's name, or "unblocked".
    Reachability,
    /// Users created on the day to whom the bot can write now.
    Reachable,
    /// Users created on the day by the deep link of the label, who were active the day after.
    SourceDay1,
    /// As [`SourceDay1`](Self::SourceDay1), but active on the seventh day after.
    SourceDay7,
    /// As [`SourceDay1`](Self::SourceDay1), but active on the thirtieth day after.
    SourceDay30,
    /// Users created on the day by the deep link of the label.
    SourceNew,
    /// Users created on the day by the deep link of the label, to whom the bot can write now.
    SourceReachable,
    /// Starts on the day by the deep link of the label.
    SourceStarts,
    /// Users created on the day who are there now.
    Users,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 20] = [
        Self::Active,
        Self::Active7,
        Self::Active30,
        Self::ActiveDays,
        Self::Cohort,
        Self::Command,
        Self::Kind,
        Self::Language,
        Self::LifecycleDay,
        Self::LifecycleWeek,
        Self::New,
        Self::Reachability,
        Self::Reachable,
        Self::SourceDay1,
        Self::SourceDay7,
        Self::SourceDay30,
        Self::SourceNew,
        Self::SourceReachable,
        Self::SourceStarts,
        Self::Users,
    ];

    /// The figure of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    /// The figure's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Active7 => "active_7",
            Self::Active30 => "active_30",
            Self::ActiveDays => "active_days",
            Self::Cohort => "cohort",
            Self::Command => "command",
            Self::Kind => "kind",
            Self::Language => "language",
            Self::LifecycleDay => "lifecycle_day",
            Self::LifecycleWeek => "lifecycle_week",
            Self::New => "new",
            Self::Reachability => "reach",
            Self::Reachable => "reachable",
            Self::SourceDay1 => "source_day_1",
            Self::SourceDay7 => "source_day_7",
            Self::SourceDay30 => "source_day_30",
            Self::SourceNew => "source_new",
            Self::SourceReachable => "source_reachable",
            Self::SourceStarts => "source_starts",
            Self::Users => "users",
        }
    }

    /// Whether the figure tells who is there now, so that who is erased no longer counts in it.
    pub fn is_of_the_present(self) -> bool {
        matches!(self, Self::Users | Self::Reachable | Self::Language | Self::SourceReachable)
    }

    /// Whether its labels are deep links, of which only so many are told apart.
    pub fn is_by_source(self) -> bool {
        use Figure::{
            SourceDay1, SourceDay7, SourceDay30, SourceNew, SourceReachable, SourceStarts,
        };
        matches!(
            self,
            SourceDay1 | SourceDay7 | SourceDay30 | SourceNew | SourceReachable | SourceStarts
        )
    }

    /// Whether it can be counted again from what is known of the users. Uses of commands and
    /// interactions by kind are facts themselves.
    pub fn is_counted_from_users(self) -> bool {
        !matches!(self, Self::Command | Self::Kind)
    }
}

/// What a user is on a day or in a week, by PostHog's definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lifecycle {
    /// Active for the first time.
    New,
    /// Active, as in the period before.
    Returning,
    /// Active, not in the period before, but earlier.
    Resurrected,
    /// Not active, but in the period before.
    Dormant,
}

impl Lifecycle {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::New, Self::Returning, Self::Resurrected, Self::Dormant];

    /// The class's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returning => "returning",
            Self::Resurrected => "resurrected",
            Self::Dormant => "dormant",
        }
    }
}

/// What tells the sums of one figure and day apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A number.
    Number(u32),
    /// A name; empty where there is nothing to tell apart, or nothing is known.
    Name(Cow<'static, str>),
}

impl Label {
    /// No label.
    pub const NONE: Self = Self::Name(Cow::Borrowed(""));
    /// Whatever has no label of its own: no command and no deep link can have this name.
    pub const OTHER: Self = Self::Name(Cow::Borrowed("(other)"));

    /// The label as it is stored.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Name(name) => Cow::Borrowed(name),
        }
    }
}

impl From<&'static str> for Label {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for Label {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl From<Option<&str>> for Label {
    fn from(name: Option<&str>) -> Self {
        name.map_or(Self::NONE, |name| Self::Name(Cow::Owned(name.to_owned())))
    }
}

impl From<SourceLabel> for Label {
    /// As sums are stored. No payload begins with `#`.
    fn from(label: SourceLabel) -> Self {
        match label {
            SourceLabel::Own(number) => format!("#{number}").into(),
            SourceLabel::Other => Self::OTHER,
        }
    }
}

impl From<Option<SourceLabel>> for Label {
    fn from(label: Option<SourceLabel>) -> Self {
        label.map_or(Self::NONE, Self::from)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Sums by figure, day and label. None of them is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<(Figure, NaiveDate, Label), i64>);

impl Sums {
    /// Adds `value` to a sum.
    pub fn add(&mut self, figure: Figure, day: NaiveDate, label: Label, value: i64) {
        use std::collections::btree_map::Entry;
        match self.0.entry((figure, day, label)) {
            Entry::Vacant(entry) if value != 0 => {
                entry.insert(value);
            }
            Entry::Vacant(_) => {}
            Entry::Occupied(mut entry) => {
                *entry.get_mut() += value;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }

    /// The sums, ordered by figure, day and label.
    pub fn iter(&self) -> impl Iterator<Item = (Figure, NaiveDate, &Label, i64)> {
        self.0.iter().map(|((figure, day, label), value)| (*figure, *day, label, *value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl IntoIterator for Sums {
    type Item = ((Figure, NaiveDate, Label), i64);
    type IntoIter = std::collections::btree_map::IntoIter<(Figure, NaiveDate, Label), i64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What of a user the figures about its activity depend on, besides that activity.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The UTC day on which the user was created.
    pub created_on: NaiveDate,
    /// As what the deep link counts by which the user came, if there was one.
    pub source: Option<SourceLabel>,
}

/// The days of a user's activity around one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The latest earlier day of activity.
    pub previous: Option<NaiveDate>,
    /// The first later day of activity.
    pub next: Option<NaiveDate>,
    /// How many other days of the same calendar month the user was active on.
    pub others_of_month: u32,
}

impl Origin {
    /// Adds that the user is there.
    pub fn add_user(&self, sums: &mut Sums) {
        sums.add(Figure::New, self.created_on, Label::NONE, 1);
        sums.add(Figure::SourceNew, self.created_on, self.source.into(), 1);
        sums.add(Figure::Users, self.created_on, Label::NONE, 1);
    }

    /// Adds, `sign` times, that the user's client tells this language.
    pub fn add_language(&self, language_code: Option<&str>, sign: i64, sums: &mut Sums) {
        sums.add(Figure::Language, self.created_on, language_code.into(), sign);
    }

    /// Adds, `sign` times, that the bot can write to the user.
    pub fn add_reachable(&self, sign: i64, sums: &mut Sums) {
        sums.add(Figure::Reachable, self.created_on, Label::NONE, sign);
        sums.add(Figure::SourceReachable, self.created_on, self.source.into(), sign);
    }

    /// Adds a day of the user's activity that was not known, which lies between `neighbours`.
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

    /// Adds all days of a user's activity, in their order.
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

    /// Adds, `sign` times, what two days of activity without another between them mean. `None`
    /// stands for what is before the first one, and after the last.
    fn add_pair(
        &self,
        first: Option<NaiveDate>,
        second: Option<NaiveDate>,
        sign: i64,
        sums: &mut Sums,
    ) {
        if let Some(first) = first {
            sums.add(Figure::Active, first, Label::NONE, sign);
            // The user counts from that day until the window has passed, or the next day of
            // activity takes over.
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

    /// In which week after that of its creation the user was active on `day`.
    fn age(&self, day: NaiveDate) -> u32 {
        let weeks = (week(day) - week(self.created_on)).num_weeks();
        u32::try_from(weeks).unwrap_or_default()
    }
}

/// Adds what two periods of activity, one after the other, mean for the lifecycle; a period is so
/// many days.
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

fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The Monday of a day's week (ISO 8601).
pub fn week(day: NaiveDate) -> NaiveDate {
    let days = Days::new(day.weekday().num_days_from_monday().into());
    day.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}

/// The first day of a day's month.
pub fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// Everything that is known of one user and counts in a [`Figure`].
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When and how the user came.
    pub origin: Origin,
    /// The language that the user's client told.
    pub language_code: Option<&'a str>,
    /// Whether the bot can write to the user now.
    pub is_reachable: bool,
    /// The UTC days of the user's activity, sorted, without repetitions.
    pub days: &'a [NaiveDate],
    /// When the user could no longer be reached, or could be again.
    pub reach_changes: &'a [ReachabilityChange],
    /// When the user came by deep links, and as what these count.
    pub starts: &'a [(DateTime<Utc>, SourceLabel)],
}

impl Facts<'_> {
    /// Adds what the user counts in each figure that [is counted from
    /// users](Figure::is_counted_from_users).
    pub fn add_to(&self, sums: &mut Sums) {
        self.origin.add_user(sums);
        self.origin.add_language(self.language_code, 1, sums);
        if self.is_reachable {
            self.origin.add_reachable(1, sums);
        }
        self.origin.add_days(self.days.iter().copied(), sums);
        for change in self.reach_changes {
            add_reachability_change(change, sums);
        }
        for (at, source) in self.starts {
            add_start(*at, *source, sums);
        }
    }
}

/// Adds that a user could no longer be reached, or could be again.
pub fn add_reachability_change(change: &ReachabilityChange, sums: &mut Sums) {
    sums.add(Figure::Reachability, change.at.date_naive(), change.name().into(), 1);
}

/// Adds that a user came by a deep link.
pub fn add_start(at: DateTime<Utc>, source: SourceLabel, sums: &mut Sums) {
    sums.add(Figure::SourceStarts, at.date_naive(), source.into(), 1);
}

/// A user's latest day of activity, as the user's row keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestDay {
    /// The day.
    pub day: NaiveDate,
    /// How many interactions there were on it.
    pub interactions: i32,
    /// On how many days of its month, itself among them, the user was active.
    pub days_of_month: u32,
    /// On how many days the user was ever active.
    pub days_ever: u32,
}

impl LatestDay {
    /// The day, with so many interactions; the first one of all.
    pub fn first(day: NaiveDate, interactions: i32) -> Self {
        Self { day, interactions, days_of_month: 1, days_ever: 1 }
    }

    /// The day after which this one becomes the latest.
    pub fn followed_by(self, day: NaiveDate, interactions: i32) -> Self {
        let is_same_month = month(self.day) == month(day);
        let days_of_month = if is_same_month { self.days_of_month + 1 } else { 1 };
        Self { day, interactions, days_of_month, days_ever: self.days_ever + 1 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    proptest! {
        #[test]
        fn days_may_come_in_any_order(user in any_user()) {
            let mut sums = Sums::default();
            user.add_day_by_day(&mut sums);
            prop_assert_eq!(sums, sums_of(std::slice::from_ref(&user)));
        }

        #[test]
        fn sums_are_what_looking_at_everybody_gives(users in vec(any_user(), 0..6)) {
            let sums = sums_of(&users);
            prop_assert_eq!(without_windows(&sums), looked_at(&users));
            for (figure, window) in [(Figure::Active7, 7), (Figure::Active30, 30)] {
                // From before anybody is active until everybody's window has passed.
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
        fn sums_without_a_user_are_those_of_the_others(users in vec(any_user(), 1..6)) {
            let mut sums = sums_of(&users);
            let erased = sums_of(&users[..1]);
            for (figure, day, label, value) in erased.iter() {
                sums.add(figure, day, label.clone(), -value);
            }
            prop_assert_eq!(sums, sums_of(&users[1..]));
        }
    }

    #[test]
    fn a_late_day_within_both_windows_changes_nothing_of_them() {
        let user = user(0, &[0, 2]);
        let mut sums = sums_of(std::slice::from_ref(&user));
        let before = sums.clone();
        let neighbours =
            Neighbours { previous: Some(day(0)), next: Some(day(2)), others_of_month: 2 };
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
    fn activity_before_the_creation_is_of_the_first_week() {
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

    /// So many days after the one on which these stories begin, a Thursday.
    fn day(offset: i32) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2026, 11, 19).unwrap();
        first.checked_add_signed(chrono::TimeDelta::days(offset.into())).unwrap()
    }

    #[derive(Clone, Debug)]
    struct User {
        created_on: NaiveDate,
        source: Option<SourceLabel>,
        /// In the order in which they come to be known.
        days: Vec<NaiveDate>,
    }

    fn user(created_on: i32, days: &[i32]) -> User {
        let days = days.iter().copied().map(day).collect();
        User { created_on: day(created_on), source: None, days }
    }

    /// A user who is active now and then, or nearly always, over some turns of weeks, months and a
    /// year; whose days come in any order, the one of the creation among them.
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
            Origin { created_on: self.created_on, source: self.source }
        }

        fn sorted_days(&self) -> BTreeSet<NaiveDate> {
            self.days.iter().copied().collect()
        }

        fn weeks(&self) -> BTreeSet<NaiveDate> {
            self.days.iter().copied().map(week).collect()
        }

        /// As whoever registers does it.
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

        /// Whether the user was active in the so-manieth week after that of its creation.
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

    /// Every figure but the windows, found by asking for each day, week and month who was active.
    fn looked_at(users: &[User]) -> Sums {
        let mut sums = Sums::default();
        let range: BTreeSet<_> = day(-40).iter_days().take(440).collect();
        let weeks = range.iter().copied().map(week).collect::<BTreeSet<_>>();
        for &day in &range {
            let active = count(users.iter().filter(|user| user.days.contains(&day)));
            sums.add(Figure::Active, day, Label::NONE, active);
        }
        look_at_lifecycles(Figure::LifecycleDay, 1, &range, users, User::sorted_days, &mut sums);
        look_at_lifecycles(Figure::LifecycleWeek, 7, &weeks, users, User::weeks, &mut sums);
        for &week in &weeks {
            let cohort: Vec<_> =
                users.iter().filter(|user| super::week(user.created_on) == week).collect();
            for age in 0..60 {
                let active = cohort.iter().filter(|user| user.is_active_at_age(age));
                let label = Label::Number(age.try_into().unwrap());
                sums.add(Figure::Cohort, week, label, count(active));
            }
        }
        for month in range.iter().copied().map(month).collect::<BTreeSet<_>>() {
            let active_days =
                |user: &User| count(user.days.iter().filter(|day| super::month(**day) == month));
            for days in 1..=31 {
                let users = users.iter().filter(|user| active_days(user) == days);
                let label = Label::Number(days.try_into().unwrap());
                sums.add(Figure::ActiveDays, month, label, count(users));
            }
        }
        look_at_sources(users, &mut sums);
        sums
    }

    /// PostHog's definitions, word by word.
    fn look_at_lifecycles(
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

    fn look_at_sources(users: &[User], sums: &mut Sums) {
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
        let is_it =
            |it: &(Figure, NaiveDate, &Label, i64)| (it.0, it.1, it.2) == (figure, day, label);
        sums.iter().find(is_it).map_or(0, |(.., value)| value)
    }

    fn count(them: impl Iterator) -> i64 {
        them.count().try_into().unwrap()
    }
}
