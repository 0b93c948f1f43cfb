//! `manage fetch-games`.

use std::{
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use chrono::{Days, NaiveDate};
use clap::Args;
use rollcall_domain::{Clock, SystemClock, grouped, read_day};
use rollcall_nhl::{Games, Skipped, read_games};
use rollcall_service::{Decoded, ScheduleService};

use super::output::{progress_bar, stdout};
use crate::{
    environment::Environment,
    services::Services,
    settings::{NhlSettings, ScheduleArguments},
    values::whole,
};

/// The largest file that is read; a season has a few MiB.
const LARGEST_FILE_BYTES: u64 = 64 << 20;
/// How many unreadable games are listed one by one.
const SKIPPED_LISTED: usize = 20;

#[derive(Args)]
#[command(after_help = "\
The bot fetches the next weeks by itself, every six hours. Use this command for the rest: a whole \
season, past days, or a machine that cannot reach the NHL. You can run it again at any time: it writes \
only new and changed games, and withdraws games that are missing from a complete week.

Examples:
  manage fetch-games                                    the next seven days
  manage fetch-games --date 2026-10-06 --days 270       a season
  manage fetch-games --from-file week.json              a response saved with
    curl -o week.json https://api-web.nhle.com/v1/schedule/2026-11-23

Exits with 1 if a week could not be fetched, or if no game could be read.")]
pub struct FetchGames {
    /// First day, in the NHL's calendar, such as 2026-11-23 [default: today]
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    date: Option<NaiveDate>,
    /// Number of days, up to 400; weeks are fetched as a whole
    #[arg(long, value_name = "NUMBER", default_value_t = 7, value_parser = whole(1..=400_u32))]
    days: u32,
    /// Read a saved response of the NHL's API from this file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["date", "days"])]
    from_file: Option<PathBuf>,
    #[command(flatten)]
    schedule: ScheduleArguments,
}

/// The number of games by outcome, and the games that were skipped.
#[derive(Default)]
struct Report {
    new: u64,
    changed: u64,
    unchanged: u64,
    withdrawn: u64,
    skipped: Vec<Skipped>,
}

impl FetchGames {
    pub(super) async fn run(
        self,
        services: Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        let settings = self.schedule.settings(environment)?;
        let settings = settings.context("SCHEDULE is off; expected nhl")?;
        let schedule = services.schedule();
        let mut report = Report::default();
        let fetched = match self.from_file.clone() {
            Some(file) => {
                let games = tokio::task::spawn_blocking(move || read_file(&file)).await??;
                report.store(&schedule, games).await
            }
            None => self.fetch(&schedule, settings.nhl, &mut report).await,
        };
        let has_nothing = report.new + report.changed + report.unchanged + report.withdrawn == 0;
        if fetched.is_ok() || !has_nothing {
            report.print()?;
        }
        fetched?;
        match has_nothing && !report.skipped.is_empty() {
            true => bail!("no game could be read"),
            false => Ok(ExitCode::SUCCESS),
        }
    }

    /// Fetches week by week; the weeks before a failed one are stored.
    async fn fetch(
        &self,
        schedule: &ScheduleService,
        nhl: Option<NhlSettings>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let nhl =
            nhl.context("NHL_API_URL is off; expected a URL such as https://api-web.nhle.com")?;
        let client = nhl.client()?;
        let today = schedule.nhl_today();
        let first = self.date.unwrap_or(today);
        let after = first.checked_add_days(Days::new(self.days.into()));
        let after = after.context("--date is too late in the calendar")?;
        let bar = progress_bar("days");
        bar.set_length(self.days.into());
        let mut next = Some(first);
        while let Some(day) = next.filter(|day| *day < after) {
            let week = client.week(day).await.with_context(|| format!("the week from {day}"))?;
            next = week.next.filter(|next| *next > day);
            report.store(schedule, week).await?;
            let done = next.unwrap_or(after).min(after) - first;
            bar.set_position(done.num_days().unsigned_abs());
        }
        bar.finish_and_clear();
        if (first..after).contains(&today) {
            schedule.note_refresh().await?;
        }
        Ok(())
    }
}

fn read_file(file: &PathBuf) -> anyhow::Result<Games> {
    let name = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {name}"))?.len();
    if size > LARGEST_FILE_BYTES {
        bail!("{name} is larger than {} MiB", LARGEST_FILE_BYTES >> 20);
    }
    let mut bytes = Vec::new();
    (std::fs::File::open(file).and_then(|file| Decoded::new(file).read_to_end(&mut bytes)))
        .with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8 text"))?;
    read_games(&text, SystemClock.now())
        .with_context(|| format!("{name} is not a response of the NHL's API"))
}

impl Report {
    async fn store(&mut self, schedule: &ScheduleService, games: Games) -> anyhow::Result<()> {
        let stored = schedule.store_days(&games.games, &games.days).await?;
        self.new += stored.new;
        self.changed += stored.changed;
        self.unchanged += stored.unchanged;
        self.withdrawn += stored.withdrawn;
        self.skipped.extend(games.skipped);
        Ok(())
    }

    fn print(&self) -> anyhow::Result<()> {
        let mut out = stdout();
        let skipped = u64::try_from(self.skipped.len()).unwrap_or(u64::MAX);
        writeln!(
            out,
            "{} new, {} changed, {} unchanged, {} withdrawn, {} skipped",
            grouped(self.new),
            grouped(self.changed),
            grouped(self.unchanged),
            grouped(self.withdrawn),
            grouped(skipped),
        )?;
        for Skipped { id, reason } in self.skipped.iter().take(SKIPPED_LISTED) {
            match id {
                Some(id) => writeln!(out, "  skipped the game {id}: {reason}")?,
                None => writeln!(out, "  skipped a game without an id: {reason}")?,
            }
        }
        if self.skipped.len() > SKIPPED_LISTED {
            writeln!(out, "  … and {} more", self.skipped.len() - SKIPPED_LISTED)?;
        }
        Ok(())
    }
}
