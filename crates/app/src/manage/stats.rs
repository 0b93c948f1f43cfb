//! `manage stats`.

use std::{io::Write, process::ExitCode};

use clap::Args;
use rollcall_domain::UserStats;
use rollcall_repository_diesel::Database;
use serde_json::{Value, json};

use super::{
    output::{print_json, size, stdout},
    service,
};

#[derive(Args, Debug)]
pub struct Stats {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub(super) async fn run(self, database: Database) -> anyhow::Result<ExitCode> {
        let database_bytes = database.size_bytes().await?;
        let stats = service(database).get_user_stats().await?;
        if self.json {
            print_json(&as_json(&stats, database_bytes))?;
        } else {
            print(&mut stdout(), &stats)?;
            writeln!(stdout(), "Database  {}", size(database_bytes))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the figures as a small table.
pub(super) fn print(out: &mut impl Write, stats: &UserStats) -> std::io::Result<()> {
    writeln!(out, "Users     {}, {} can be reached", stats.total_users, stats.reachable_users)?;
    writeln!(
        out,
        "Active    {} today, {} in 7 days, {} in 30 days",
        stats.active_today, stats.active_7_days, stats.active_30_days
    )?;
    writeln!(
        out,
        "New       {} today, {} in 7 days, {} in 30 days (UTC days, today included)",
        stats.new_today, stats.new_7_days, stats.new_30_days
    )
}

fn as_json(stats: &UserStats, database_bytes: u64) -> Value {
    json!({
        "total_users": stats.total_users,
        "reachable_users": stats.reachable_users,
        "active_today": stats.active_today,
        "active_7_days": stats.active_7_days,
        "active_30_days": stats.active_30_days,
        "new_today": stats.new_today,
        "new_7_days": stats.new_7_days,
        "new_30_days": stats.new_30_days,
        "database_bytes": database_bytes,
    })
}
