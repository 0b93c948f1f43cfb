//! How long the statistics take to read, and to count again, in a database of many users with a year
//! of activity, which `manage demo-data` fills.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use chrono::Days;
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{ActivityService, DayRange};
use tokio::process::Command;

use crate::database::Databases;

/// How many days of activity there are.
pub(crate) const DAYS: &str = "365";
/// How many days a dashboard shows.
const SHOWN: u64 = 90;
/// How often each is read.
const READS: usize = 500;

/// Measures in databases that it fills, or in one that is there.
pub(crate) async fn run(databases: &Databases, users: i64, there: Option<&str>) -> Result<()> {
    if let Some(url) = there {
        println!("The statistics in {url}");
        return read(url).await;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: the statistics of {users} users");
        let users = users.to_string();
        let load = ["demo-data", "--users", &users, "--days", DAYS];
        told("demo-data", manage(database.url(), &load).await?);
        read(database.url()).await?;
    }
    Ok(())
}

async fn read(url: &str) -> Result<()> {
    let store = DieselUserRepository::new(Database::open(url.parse()?).await?);
    let activity = ActivityService::new(store, SystemClock);
    let today = activity.today();
    let shown = DayRange::new(today - Days::new(SHOWN - 1), today)?;
    told_times("get_user_stats", || activity.get_stats()).await?;
    told_times("a dashboard of 90 days", || activity.get_activity(shown)).await?;
    let check = ["stats", "rebuild", "--check"];
    told("stats rebuild --check", manage(url, &check).await?);
    println!();
    Ok(())
}

/// Runs the release `manage`; answers how long it took, and its largest resident memory in MiB.
pub(crate) async fn manage(database: &str, arguments: &[&str]) -> Result<(Duration, f64)> {
    let manage = std::env::current_exe()?.with_file_name("manage");
    ensure!(manage.exists(), "there is no {}: cargo build --release", manage.display());
    let mut command = Command::new(manage);
    command.args(arguments).env("DATABASE_URL", database).current_dir(std::env::temp_dir());
    resident_while(command.stdout(Stdio::null()))
        .await
        .with_context(|| format!("manage {}", arguments.join(" ")))
}

/// Runs a program; answers how long it took, and its largest resident memory in MiB.
pub(crate) async fn resident_while(command: &mut Command) -> Result<(Duration, f64)> {
    let begun = Instant::now();
    let mut process = command.kill_on_drop(true).spawn()?;
    let id = process.id().context("a process that runs")?;
    let mut resident = 0.0_f64;
    let status = loop {
        tokio::select! {
            status = process.wait() => break status?,
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                resident = resident.max(resident_mib(id).unwrap_or_default());
            }
        }
    };
    ensure!(status.success(), "{status}");
    Ok((begun.elapsed(), resident))
}

fn resident_mib(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

pub(crate) fn told(what: &str, (elapsed, resident): (Duration, f64)) {
    println!("  {what:44} {:>9.1} s, at most {resident:.0} MiB", elapsed.as_secs_f64());
}

/// Reads something again and again, and prints how long that takes.
pub(crate) async fn told_times<T, E: std::error::Error + Send + Sync + 'static>(
    what: &str,
    read: impl AsyncFn() -> Result<T, E>,
) -> Result<()> {
    // Warm.
    read().await?;
    let mut took = Vec::new();
    for _ in 0..READS {
        let begun = Instant::now();
        read().await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    let [median, p99] = [took.len() / 2, took.len() * 99 / 100].map(|place| took[place]);
    println!("  {what:44} {median:>9.2} ms in the median, {p99:.2} ms in the 99th percentile");
    Ok(())
}
