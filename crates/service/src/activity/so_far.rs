//! Today's figures, compared with the same hours of earlier days.

use chrono::NaiveDate;
use rollcall_domain::{
    Change, Comparison, Figure, Hour, ReachabilityChange, SameHours, TodaySoFar,
};

use super::read::{SumsByDay, before, unsigned};

/// The figures of today, and their sums by hour.
pub(super) const BY_HOUR: [Figure; 5] = [
    Figure::ActiveHour,
    Figure::BlockedHour,
    Figure::InteractionHour,
    Figure::NewHour,
    Figure::UnblockedHour,
];

/// Compares the full hours of today with those of a day and of a week ago. `hour` is the present
/// one, and `first_day` that of the first user.
pub(super) fn today_so_far(
    sums: &SumsByDay,
    today: NaiveDate,
    hour: Hour,
    first_day: Option<NaiveDate>,
) -> TodaySoFar {
    let figure = |by_hour, whole: &dyn Fn(NaiveDate) -> i64| {
        // A day has all hours if they add up to the day: users of a version that did not record
        // hours are missing in them.
        let until_hour = |day| {
            let hours = || sums.labels(by_hour, day).iter();
            let is_complete = hours().map(|(_, value)| value).sum::<i64>() == whole(day);
            let is_full = |label: &str| label.parse().is_ok_and(|it: u8| it < hour.number());
            let full = hours().filter(|(label, _)| is_full(label)).map(|(_, value)| value).sum();
            is_complete.then(|| unsigned(full))
        };
        let now = until_hour(today).filter(|_| hour.number() > 0);
        let since = |days| {
            let (day, to) = (before(today, days), now?);
            if first_day? > day {
                return Comparison::with_no_users(to);
            }
            Some(Comparison::Change(Change { from: until_hour(day)?, to }))
        };
        SameHours { day_before: since(1), week_before: since(7) }
    };
    let on = |figure| move |day| sums.on(figure, day);
    let changes = |is_unblocked: bool| {
        move |day| {
            let changes = sums.labels(Figure::Reachability, day).iter();
            let changes =
                changes.filter(|(it, _)| (it == ReachabilityChange::UNBLOCKED) == is_unblocked);
            changes.map(|(_, value)| value).sum()
        }
    };
    TodaySoFar {
        full_hours: hour.number().into(),
        active: figure(Figure::ActiveHour, &on(Figure::Active)),
        new: figure(Figure::NewHour, &on(Figure::New)),
        interactions: figure(Figure::InteractionHour, &on(Figure::Kind)),
        blocked: figure(Figure::BlockedHour, &changes(false)),
        unblocked: figure(Figure::UnblockedHour, &changes(true)),
    }
}
