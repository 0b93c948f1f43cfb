//! The figures in large digits, each with its change.

use std::cmp::Ordering;

use rollcall_domain::{Change, Comparison, DayStats, SameHours, UserStats};
use rollcall_service::{Share, Totals};

use super::{
    spans::mean,
    tables::{percent, signed},
};
use crate::page::text::grouped;

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) trend: Option<Trend>,
    /// The figure that the trend compares with, or another detail.
    pub(super) note: String,
}

/// The change of a figure, shown by an arrow and in words, not by colour alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trend {
    pub(super) arrow: &'static str,
    /// The arrow as a word, for screen readers.
    pub(super) word: &'static str,
    /// The CSS class: good, bad or neutral.
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// What an increase means.
#[derive(Clone, Copy)]
enum More {
    Good,
    Bad,
    /// Nothing yet, because the day is still in progress.
    Open,
}

/// Today's figures, compared with those of a week ago; of today, the full hours are compared.
pub(super) fn of_today(now: &UserStats) -> Vec<Tile> {
    let hour = format!("by {:02}:00 UTC", now.so_far.full_hours);
    let today = |name, value, same_hours: SameHours, more| {
        let note = |change: Change| {
            format!("{} {hour}, {} a week ago", grouped(change.to), grouped(change.from))
        };
        compared(name, value, same_hours.week_before, more, note)
    };
    let tile = |name, value, ago: fn(&DayStats) -> u64, more| {
        let note = |change: Change| format!("{} a week ago", grouped(change.from));
        compared(name, value, now.since_week(value, ago), more, note)
    };
    let share = Share { part: now.reachable_users, whole: now.total_users };
    let part = |share: Share| match share.whole {
        0 => String::new(),
        _ => format!("{} of all users", percent(share)),
    };
    vec![
        plain("Users", now.total_users, format!("{} new in 7 days", grouped(now.new_7_days))),
        today("Active today", now.active_today, now.so_far.active, More::Good),
        tile("Active in 7 days", now.active_7_days, |ago| ago.active_7_days, More::Open),
        tile("Active in 30 days", now.active_30_days, |ago| ago.active_30_days, More::Good),
        today("Interactions today", now.interactions_today, now.so_far.interactions, More::Good),
        plain("Reachable", now.reachable_users, part(share)),
        today("New today", now.new_today, now.so_far.new, More::Good),
        tile("New in 7 days", now.new_7_days, |ago| ago.new_7_days, More::Open),
        tile("New in 30 days", now.new_30_days, |ago| ago.new_30_days, More::Good),
        today("Blocked today", now.blocked_today, now.so_far.blocked, More::Bad),
    ]
}

/// The figures of a range, compared with as many days before. The comparison is open if today is a
/// large part of the range.
pub(super) fn of_range(
    days: usize,
    is_open: bool,
    now: &Totals,
    before: Option<&Totals>,
) -> Vec<Tile> {
    let Some(before) = before else { return of_range_alone(days, now) };
    let open = |more| if is_open { More::Open } else { more };
    let tile = |name, from, to, more| against(name, from, to, open(more), "before");
    let growth = (before.net_growth(), now.net_growth());
    let per_day = [before, now].map(|totals| mean(totals.active_days, days));
    // The trend comes from the sums, because the means are rounded. There is no percentage of zero.
    let active = if per_day[0] == 0 { per_day } else { [before.active_days, now.active_days] };
    vec![
        Tile {
            value: grouped(per_day[1]),
            note: format!("{} before", grouped(per_day[0])),
            ..tile("Active per day", active[0], active[1], More::Good)
        },
        tile("Interactions", before.interactions, now.interactions, More::Good),
        tile("New users", before.new_users, now.new_users, More::Good),
        tile("Blocked", before.blocked, now.blocked, More::Bad),
        Tile {
            name: "Net growth",
            value: signed(growth.1),
            trend: Some(trend(
                growth.1.cmp(&growth.0),
                open(More::Good),
                signed(growth.1 - growth.0),
            )),
            note: format!("{} before", signed(growth.0)),
        },
    ]
}

/// The figures of a range that has nothing to be compared with, because there were no users yet.
fn of_range_alone(days: usize, now: &Totals) -> Vec<Tile> {
    let new = |value| if value > 0 { "new".to_owned() } else { String::new() };
    let tile = |name, value| plain(name, value, new(value));
    vec![
        tile("Active per day", mean(now.active_days, days)),
        tile("Interactions", now.interactions),
        tile("New users", now.new_users),
        tile("Blocked", now.blocked),
        Tile {
            value: signed(now.net_growth()),
            ..plain("Net growth", 0, new(now.net_growth().unsigned_abs()))
        },
    ]
}

/// A figure with what it is compared with.
fn compared(
    name: &'static str,
    value: u64,
    comparison: Option<Comparison>,
    more: More,
    note: impl Fn(Change) -> String,
) -> Tile {
    match comparison {
        Some(Comparison::Change(change)) => {
            let Change { from, to } = change;
            let tile = against(name, from, to, more, "");
            Tile { value: grouped(value), note: note(change), ..tile }
        }
        Some(Comparison::New) => plain(name, value, "new".to_owned()),
        None => plain(name, value, String::new()),
    }
}

fn plain(name: &'static str, value: u64, note: String) -> Tile {
    Tile { name, value: grouped(value), trend: None, note }
}

fn against(name: &'static str, from: u64, to: u64, more: More, when: &str) -> Tile {
    let change = Change { from, to };
    let text = change.to_string().replace('-', "−");
    Tile {
        name,
        value: grouped(to),
        trend: Some(trend(change.direction(), more, text)),
        note: format!("{} {when}", grouped(from)),
    }
}

fn trend(became: Ordering, more: More, text: String) -> Trend {
    let (arrow, word) = match became {
        Ordering::Greater => ("▲", "up"),
        Ordering::Less => ("▼", "down"),
        Ordering::Equal => ("=", "unchanged"),
    };
    let class = match (became, more) {
        (Ordering::Equal, _) | (_, More::Open) => "",
        (Ordering::Greater, More::Good) | (Ordering::Less, More::Bad) => "good",
        _ => "bad",
    };
    Trend { arrow, word, class, text }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::TodaySoFar;

    use super::*;

    fn shown(tiles: &[Tile]) -> Vec<String> {
        let text = |it: &Tile| {
            let trend =
                it.trend.as_ref().map(|it| format!(" {} {} {}", it.arrow, it.text, it.class));
            format!("{}: {}{} ({})", it.name, it.value, trend.unwrap_or_default(), it.note)
        };
        tiles.iter().map(text).collect()
    }

    #[test]
    fn today_is_compared_with_a_week_ago() {
        let week_before = DayStats { new_7_days: 0, ..Default::default() };
        let week_before = DayStats { active_30_days: 1_000, new_30_days: 1_000, ..week_before };
        let same_hours = |from, to| SameHours {
            week_before: Some(Comparison::Change(Change { from, to })),
            day_before: None,
        };
        let stats = UserStats {
            active_30_days: 1_004,
            new_30_days: 1_005,
            total_users: 1_234,
            reachable_users: 1_000,
            active_today: 50,
            new_7_days: 30,
            blocked_today: 3,
            week_before: Some(week_before),
            so_far: TodaySoFar {
                full_hours: 9,
                active: same_hours(90, 45),
                blocked: same_hours(2, 3),
                ..Default::default()
            },
            ..Default::default()
        };
        let tiles = shown(&of_today(&stats));
        assert_eq!(tiles[0], "Users: 1,234 (30 new in 7 days)");
        assert_eq!(tiles[1], "Active today: 50 ▼ −50% bad (45 by 09:00 UTC, 90 a week ago)");
        assert_eq!(tiles[2], "Active in 7 days: 0 = ±0  (0 a week ago)");
        assert_eq!(tiles[3], "Active in 30 days: 1,004 = ±0%  (1,000 a week ago)");
        assert_eq!(tiles[4], "Interactions today: 0 ()");
        assert_eq!(tiles[5], "Reachable: 1,000 (81.0% of all users)");
        assert_eq!(tiles[7], "New in 7 days: 30 ▲ +30  (0 a week ago)");
        assert_eq!(tiles[8], "New in 30 days: 1,005 ▲ +1% good (1,000 a week ago)");
        assert_eq!(tiles[9], "Blocked today: 3 ▲ +50% bad (3 by 09:00 UTC, 2 a week ago)");

        let stats = UserStats { week_before: None, ..stats };
        let tiles = shown(&of_today(&stats));
        assert_eq!(tiles[2], "Active in 7 days: 0 ()");
        assert_eq!(tiles[7], "New in 7 days: 30 (new)");
    }

    #[test]
    fn a_range_with_no_users_before_it_is_new() {
        let now = Totals { active_days: 25, new_users: 8, blocked: 0, ..Default::default() };
        assert_eq!(
            shown(&of_range(10, false, &now, None)),
            [
                "Active per day: 3 (new)",
                "Interactions: 0 ()",
                "New users: 8 (new)",
                "Blocked: 0 ()",
                "Net growth: +8 (new)",
            ]
        );
    }

    #[test]
    fn a_range_is_compared_with_as_many_days_before() {
        let before = Totals { active_days: 10, new_users: 5, blocked: 9, ..Default::default() };
        let now = Totals { active_days: 25, new_users: 8, blocked: 1, ..Default::default() };
        assert_eq!(
            shown(&of_range(10, false, &now, Some(&before))),
            [
                "Active per day: 3 ▲ +150% good (1 before)",
                "Interactions: 0 = ±0  (0 before)",
                "New users: 8 ▲ +60% good (5 before)",
                "Blocked: 1 ▼ −89% good (9 before)",
                "Net growth: +7 ▲ +11 good (−4 before)",
            ]
        );
    }
}
