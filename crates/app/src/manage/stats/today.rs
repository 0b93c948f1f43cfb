//! The figures of today.

use std::io::{self, Write};

use rollcall_domain::{Change, Comparison, DayStats, SameHours, UserStats, grouped};
use serde_json::{Value, json};

/// Prints the figures as a small table.
pub(in crate::manage) fn print(out: &mut impl Write, stats: &UserStats) -> io::Result<()> {
    let so_far = &stats.so_far;
    let today = |now, same_hours: SameHours, what| compared(now, same_hours.week_before, what);
    let window =
        |now, ago: fn(&DayStats) -> u64, what| compared(now, stats.since_week(now, ago), what);
    writeln!(
        out,
        "Users        {}, {} reachable",
        grouped(stats.total_users),
        grouped(stats.reachable_users)
    )?;
    writeln!(
        out,
        "Active       {}, {}, {}",
        today(stats.active_today, so_far.active, "today"),
        window(stats.active_7_days, |ago| ago.active_7_days, "in 7 days"),
        window(stats.active_30_days, |ago| ago.active_30_days, "in 30 days"),
    )?;
    writeln!(
        out,
        "New          {}, {}, {}",
        today(stats.new_today, so_far.new, "today"),
        window(stats.new_7_days, |ago| ago.new_7_days, "in 7 days"),
        window(stats.new_30_days, |ago| ago.new_30_days, "in 30 days"),
    )?;
    writeln!(
        out,
        "Today        {}, {}, {}",
        today(stats.interactions_today, so_far.interactions, "interactions"),
        today(stats.blocked_today, so_far.blocked, "blocked"),
        today(stats.unblocked_today, so_far.unblocked, "unblocked"),
    )?;
    writeln!(
        out,
        "             (UTC days; in brackets: the change from a week ago, {})",
        match so_far.full_hours {
            0 => "for today once an hour is over".to_owned(),
            hours => format!("for today from 00:00 to {hours:02}:00 on both days"),
        }
    )
}

fn compared(now: u64, comparison: Option<Comparison>, what: &str) -> String {
    let comparison = comparison.map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{} {what}{comparison}", grouped(now))
}

pub(super) fn as_json(stats: &UserStats, database_bytes: u64) -> Value {
    let so_far = &stats.so_far;
    json!({
        "total_users": stats.total_users,
        "reachable_users": stats.reachable_users,
        "active_today": stats.active_today,
        "active_7_days": stats.active_7_days,
        "active_30_days": stats.active_30_days,
        "new_today": stats.new_today,
        "new_7_days": stats.new_7_days,
        "new_30_days": stats.new_30_days,
        "interactions_today": stats.interactions_today,
        "blocked_today": stats.blocked_today,
        "unblocked_today": stats.unblocked_today,
        "first_day": stats.first_day.map(|day| day.to_string()),
        "week_before": stats.week_before.as_ref().map(day),
        "today_so_far": {
            "full_hours": so_far.full_hours,
            "active": same_hours(so_far.active),
            "new": same_hours(so_far.new),
            "interactions": same_hours(so_far.interactions),
            "blocked": same_hours(so_far.blocked),
            "unblocked": same_hours(so_far.unblocked),
        },
        "database_bytes": database_bytes,
    })
}

fn day(it: &DayStats) -> Value {
    json!({
        "active": it.active,
        "active_7_days": it.active_7_days,
        "active_30_days": it.active_30_days,
        "new": it.new,
        "new_7_days": it.new_7_days,
        "new_30_days": it.new_30_days,
        "interactions": it.interactions,
        "blocked": it.blocked,
        "unblocked": it.unblocked,
    })
}

/// Both figures of each comparison; `null` if there is nothing to compare with.
fn same_hours(it: SameHours) -> Value {
    let change = |comparison: Option<Comparison>| match comparison? {
        Comparison::Change(Change { from, to }) => Some(json!({ "from": from, "to": to })),
        Comparison::New => None,
    };
    json!({ "day_before": change(it.day_before), "week_before": change(it.week_before) })
}
