//! The figures in large digits, each with its change.

use std::cmp::Ordering;

use rollcall_domain::{Change, Comparison, DayStats, SameHours, UserStats};
use rollcall_service::{DayFigures, Share, Totals};

use super::{links::Links, spans::mean, tables::percent};
use crate::{
    chart::spark,
    page::text::{grouped, signed},
};

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) trend: Option<Trend>,
    /// The figure that the trend compares with, or another detail.
    pub(super) note: String,
    /// Another figure beside it, with its name.
    pub(super) beside: Option<(&'static str, String)>,
    /// The course of the latest days as a picture; empty for the lesser figures.
    pub(super) spark: String,
    pub(super) link: Option<Link>,
}

/// Where a figure leads to: the users that it counts, or its chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) url: String,
    pub(super) text: &'static str,
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

/// Today's figures, compared with those of a week ago; of today, the full hours are compared. First
/// the five that matter most, with their course over the latest days, and then the others.
pub(super) fn of_today(now: &UserStats, days: &[DayFigures], links: &Links) -> [Vec<Tile>; 2] {
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
    let list = |url: String| Link { url, text: "List" };
    let active = |days| list(links.last_seen(links.latest(days)));
    let chart = |url: &str| Link { url: url.to_owned(), text: "Chart" };
    let course = |what: &str, of: &dyn Fn(&DayFigures) -> u64| {
        let values: Vec<u64> = days.iter().map(of).collect();
        let (least, most) = (values.iter().min(), values.iter().max());
        let [least, most] = [least, most].map(|it| grouped(it.copied().unwrap_or_default()));
        spark(&format!("{what}, the latest {} days: {least} to {most}.", days.len()), &values)
    };
    let stickiness = Share { part: now.active_today, whole: now.active_30_days };
    let first = [
        Tile {
            spark: course("Users active on each day", &|it| it.active),
            ..today("Active today", now.active_today, now.so_far.active, More::Good)
                .linked(active(1))
        },
        Tile {
            spark: course("Users active within 7 days", &|it| it.active_7_days),
            ..tile("Active in 7 days", now.active_7_days, |ago| ago.active_7_days, More::Open)
                .linked(active(7))
        },
        Tile {
            spark: course("Users active within 30 days", &|it| it.active_30_days),
            beside: Some(("Stickiness", percent(stickiness))).filter(|it| !it.1.is_empty()),
            ..tile("Active in 30 days", now.active_30_days, |ago| ago.active_30_days, More::Good)
                .linked(active(30))
        },
        Tile {
            spark: course("New users on each day", &|it| it.new_users),
            ..today("New today", now.new_today, now.so_far.new, More::Good)
                .linked(list(links.joined(links.latest(1))))
        },
        Tile {
            spark: growth(days),
            ..plain("Reachable", now.reachable_users, part(share)).linked(list(links.reachable()))
        },
    ];
    let others = [
        plain("Users", now.total_users, format!("{} new in 7 days", grouped(now.new_7_days)))
            .linked(list(links.everyone())),
        today("Interactions today", now.interactions_today, now.so_far.interactions, More::Good)
            .linked(chart("#kinds")),
        tile("New in 7 days", now.new_7_days, |ago| ago.new_7_days, More::Open)
            .linked(list(links.joined(links.latest(7)))),
        tile("New in 30 days", now.new_30_days, |ago| ago.new_30_days, More::Good)
            .linked(list(links.joined(links.latest(30)))),
        today("Blocked today", now.blocked_today, now.so_far.blocked, More::Bad)
            .linked(chart("#growth")),
    ];
    [first.into(), others.into()]
}

/// The net growth added up, which is how the number of reachable users moved.
fn growth(days: &[DayFigures]) -> String {
    let sums = days.iter().scan(0_i64, |sum, it| {
        *sum = sum.saturating_add(it.net_growth());
        Some(*sum)
    });
    let sums: Vec<i64> = sums.collect();
    let whole = sums.last().copied().unwrap_or_default();
    let label = format!("Net growth of the latest {} days: {}.", days.len(), signed(whole));
    let least = sums.iter().min().copied().unwrap_or_default();
    let values: Vec<u64> = sums.iter().map(|sum| sum.abs_diff(least)).collect();
    spark(&label, &values)
}

/// The figures of a range, compared with as many days before. The comparison is open if today is a
/// large part of the range. `joined` is the link to the users who joined within it.
pub(super) fn of_range(
    days: usize,
    is_open: bool,
    now: &Totals,
    before: Option<&Totals>,
    joined: String,
) -> Vec<Tile> {
    let chart = |url: &str| Link { url: url.to_owned(), text: "Chart" };
    let links = [
        chart("#active"),
        chart("#kinds"),
        Link { url: joined, text: "List" },
        chart("#growth"),
        chart("#growth"),
    ];
    let tiles = match before {
        Some(before) => of_range_compared(days, is_open, now, before),
        None => of_range_alone(days, now),
    };
    tiles.into_iter().zip(links).map(|(tile, link)| tile.linked(link)).collect()
}

fn of_range_compared(days: usize, is_open: bool, now: &Totals, before: &Totals) -> [Tile; 5] {
    let open = |more| if is_open { More::Open } else { more };
    let tile = |name, from, to, more| against(name, from, to, open(more), "before");
    let growth = (before.net_growth(), now.net_growth());
    let per_day = [before, now].map(|totals| mean(totals.active_days, days));
    // A percentage comes from the sums, because the means are rounded. A number is one of the means.
    let sums = [before.active_days, now.active_days];
    let active = if sums[0] < Change::LEAST_WHOLE { per_day } else { sums };
    [
        Tile {
            value: grouped(per_day[1]),
            note: format!("{} before", grouped(per_day[0])),
            ..tile("Active per day", active[0], active[1], More::Good)
        },
        tile("Interactions", before.interactions, now.interactions, More::Good),
        tile("New users", before.new_users, now.new_users, More::Good),
        tile("Blocked", before.blocked, now.blocked, More::Bad),
        Tile {
            value: signed(growth.1),
            trend: Some(trend(
                growth.1.cmp(&growth.0),
                open(More::Good),
                signed(growth.1 - growth.0),
            )),
            note: format!("{} before", signed(growth.0)),
            ..plain("Net growth", 0, String::new())
        },
    ]
}

/// The figures of a range that has nothing to be compared with, because there were no users yet.
fn of_range_alone(days: usize, now: &Totals) -> [Tile; 5] {
    let new = |value| if value > 0 { "new".to_owned() } else { String::new() };
    let tile = |name, value| plain(name, value, new(value));
    [
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
    let value = grouped(value);
    Tile { name, value, trend: None, note, beside: None, spark: String::new(), link: None }
}

impl Tile {
    fn linked(self, link: Link) -> Self {
        Self { link: Some(link), ..self }
    }
}

fn against(name: &'static str, from: u64, to: u64, more: More, when: &str) -> Tile {
    let change = Change { from, to };
    let text = change.to_string().replace('-', "−");
    Tile {
        trend: Some(trend(change.direction(), more, text)),
        ..plain(name, to, format!("{} {when}", grouped(from)))
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
    use crate::dashboard::tests::activity;

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
        let days = activity(30).days;
        let links = Links { base: "/admin", today: days[29].day, has_bots: false };
        let of_today = |stats: &UserStats| of_today(stats, &days, &links);
        let [first, others] = of_today(&stats);
        let words = [shown(&first), shown(&others)].concat();
        assert_eq!(words[0], "Active today: 50 ▼ −50% bad (45 by 09:00 UTC, 90 a week ago)");
        assert_eq!(words[1], "Active in 7 days: 0 = ±0  (0 a week ago)");
        assert_eq!(words[2], "Active in 30 days: 1,004 = ±0%  (1,000 a week ago)");
        assert_eq!(words[4], "Reachable: 1,000 (81.0% of all users)");
        assert_eq!(words[5], "Users: 1,234 (30 new in 7 days)");
        assert_eq!(words[6], "Interactions today: 0 ()");
        assert_eq!(words[7], "New in 7 days: 30 ▲ +30  (0 a week ago)");
        assert_eq!(words[8], "New in 30 days: 1,005 ▲ +1% good (1,000 a week ago)");
        assert_eq!(words[9], "Blocked today: 3 ▲ +1 bad (3 by 09:00 UTC, 2 a week ago)");
        assert_eq!(first[2].beside, Some(("Stickiness", "5.0%".to_owned())));
        let link = |tile: &Tile| tile.link.clone().unwrap().url;
        let week = links.last_seen(links.latest(7));
        assert_eq!(link(&first[1]), week);
        assert_eq!(link(&others[0]), "/admin/users");
        assert!(first.iter().all(|it| it.spark.contains("<svg") && it.link.is_some()));
        let label = "Users active on each day, the latest 30 days: ";
        assert!(first[0].spark.contains(label), "{}", first[0].spark);

        let stats = UserStats { week_before: None, ..stats };
        let [first, others] = of_today(&stats);
        assert_eq!(shown(&first)[1], "Active in 7 days: 0 ()");
        assert_eq!(shown(&others)[2], "New in 7 days: 30 (new)");
    }

    #[test]
    fn a_range_with_no_users_before_it_is_new() {
        let now = Totals { active_days: 25, new_users: 8, blocked: 0, ..Default::default() };
        let tiles = of_range(10, false, &now, None, "/users".to_owned());
        assert_eq!(
            shown(&tiles),
            [
                "Active per day: 3 (new)",
                "Interactions: 0 ()",
                "New users: 8 (new)",
                "Blocked: 0 ()",
                "Net growth: +8 (new)",
            ]
        );
        assert_eq!(tiles[2].link.clone().unwrap().url, "/users");
    }

    #[test]
    fn a_range_is_compared_with_as_many_days_before() {
        let before = Totals { active_days: 10, new_users: 5, blocked: 9, ..Default::default() };
        let now = Totals { active_days: 25, new_users: 8, blocked: 1, ..Default::default() };
        assert_eq!(
            shown(&of_range(10, false, &now, Some(&before), String::new())),
            [
                "Active per day: 3 ▲ +2 good (1 before)",
                "Interactions: 0 = ±0  (0 before)",
                "New users: 8 ▲ +3 good (5 before)",
                "Blocked: 1 ▼ −8 good (9 before)",
                "Net growth: +7 ▲ +11 good (−4 before)",
            ]
        );
    }
}
