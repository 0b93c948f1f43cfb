//! The time to read the statistics and to recount them, in a large database with a year of activity
//! that `manage demo-data` fills.

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

use crate::{
    database::Databases,
    limit::{BatchContent, Limit},
};

/// The days of activity in the database.
pub(crate) const DAYS: &str = "365";
/// The days that a dashboard shows.
const SHOWN: u64 = 90;
/// The number of reads of each.
const READS: usize = 500;

/// Measures in databases that it fills, or in an existing one.
pub(crate) async fn run(databases: &Databases, users: i64, existing: Option<&str>) -> Result<()> {
    if let Some(url) = existing {
        println!("The statistics in {url}");
        return read(url).await;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: the statistics of {users} users");
        let users = users.to_string();
        let load = ["demo-data", "--users", &users, "--days", DAYS];
        print_run("demo-data", manage(database.url(), &load).await?);
        read(database.url()).await?;
    }
    Ok(())
}

async fn read(url: &str) -> Result<()> {
    let store = DieselUserRepository::new(Database::open(url.parse()?).await?);
    let activity = ActivityService::new(store, SystemClock);
    let today = activity.today();
    let shown = DayRange::new(today - Days::new(SHOWN - 1), today)?;
    print_times("get_user_stats", || activity.get_stats()).await?;
    print_times("a dashboard of 90 days", || activity.get_activity(shown)).await?;
    let check = ["stats", "rebuild", "--check"];
    print_run("stats rebuild --check", manage(url, &check).await?);
    println!();
    Ok(())
}

/// The time and memory of a program.
pub(crate) struct Run {
    pub(crate) elapsed: Duration,
    pub(crate) max_resident_mib: f64,
}

/// Fills a database with users who join over `days`, and prints how long that took.
pub(crate) async fn fill(url: &str, users: &str, days: &str) -> Result<()> {
    let load = ["demo-data", "--users", users, "--days", days];
    print_run("demo-data", manage(url, &load).await?);
    Limit::open(url, 1, BatchContent::Users)?.analyze()
}

/// Runs the release `manage`.
pub(crate) async fn manage(database: &str, arguments: &[&str]) -> Result<Run> {
    let manage = std::env::current_exe()?.with_file_name("manage");
    ensure!(manage.exists(), "{} does not exist: run cargo build --release", manage.display());
    let mut command = Command::new(manage);
    command.args(arguments).env("DATABASE_URL", database).current_dir(std::env::temp_dir());
    run_program(command.stdout(Stdio::null()))
        .await
        .with_context(|| format!("manage {}", arguments.join(" ")))
}

/// Runs a program and measures it.
pub(crate) async fn run_program(command: &mut Command) -> Result<Run> {
    let begun = Instant::now();
    let mut process = command.kill_on_drop(true).spawn()?;
    let id = process.id().context("the process is not running")?;
    let mut max_resident_mib = 0.0_f64;
    let status = loop {
        tokio::select! {
            status = process.wait() => break status?,
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                max_resident_mib =
                    max_resident_mib.max(resident_mib(id).unwrap_or_default());
            }
        }
    };
    ensure!(status.success(), "{status}");
    Ok(Run { elapsed: begun.elapsed(), max_resident_mib })
}

/// The highest memory of this process.
pub(crate) fn peak_mib() -> Result<f64> {
    resident_mib(std::process::id()).context("the memory of this process")
}

fn resident_mib(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

pub(crate) fn print_run(what: &str, run: Run) {
    let Run { elapsed, max_resident_mib } = run;
    println!("  {what:44} {:>9.1} s, at most {max_resident_mib:.0} MiB", elapsed.as_secs_f64());
}

/// Repeats a read, and prints its median and 99th percentile.
pub(crate) async fn print_times<T, E: std::error::Error + Send + Sync + 'static>(
    what: &str,
    read: impl AsyncFn() -> Result<T, E>,
) -> Result<()> {
    // Warm-up.
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
