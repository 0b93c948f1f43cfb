//! The figures of today.

use std::io::{self, Write};

use rollcall_domain::{Change, UserStats};
use serde_json::{Value, json};

use crate::manage::output::grouped;

/// Prints the figures as a small table.
pub(in crate::manage) fn print(out: &mut impl Write, stats: &UserStats) -> io::Result<()> {
    let before = &stats.week_before;
    let part = |to, from, what| format!("{} {what} ({})", grouped(to), Change { from, to });
    writeln!(
        out,
        "Users        {}, {} can be reached",
        grouped(stats.total_users),
        grouped(stats.reachable_users)
    )?;
    writeln!(
        out,
        "Active       {}, {}, {}",
        part(stats.active_today, before.active, "today"),
        part(stats.active_7_days, before.active_7_days, "in 7 days"),
        part(stats.active_30_days, before.active_30_days, "in 30 days"),
    )?;
    writeln!(
        out,
        "New          {}, {}, {}",
        part(stats.new_today, before.new, "today"),
        part(stats.new_7_days, before.new_7_days, "in 7 days"),
        part(stats.new_30_days, before.new_30_days, "in 30 days"),
    )?;
    writeln!(
        out,
        "Today        {}, {}, {}",
        part(stats.interactions_today, before.interactions, "interactions"),
        part(stats.blocked_today, before.blocked, "blocked"),
        part(stats.unblocked_today, before.unblocked, "unblocked"),
    )?;
    writeln!(
        out,
        "             (UTC days, today included, which is not over; in brackets: the change against \
         a week ago)"
    )
}

pub(super) fn as_json(stats: &UserStats, database_bytes: u64) -> Value {
    let before = &stats.week_before;
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
        "week_before": {
            "active": before.active,
            "active_7_days": before.active_7_days,
            "active_30_days": before.active_30_days,
            "new": before.new,
            "new_7_days": before.new_7_days,
            "new_30_days": before.new_30_days,
            "interactions": before.interactions,
            "blocked": before.blocked,
            "unblocked": before.unblocked,
        },
        "database_bytes": database_bytes,
    })
}
