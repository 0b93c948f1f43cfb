//! The figures of today.

use std::io::{self, Write};

use rollcall_api::stats_as_json;
use rollcall_domain::{Comparison, DayStats, SameHours, UserStats, grouped};
use serde_json::Value;

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

/// The figures of the API, and the size of the database.
pub(super) fn as_json(stats: &UserStats, database_bytes: u64) -> Value {
    let mut json = stats_as_json(stats);
    if let Value::Object(fields) = &mut json {
        fields.insert("database_bytes".to_owned(), database_bytes.into());
    }
    json
}
