//! `manage stats`.

mod rebuild;
mod report;
mod series;
mod sparkline;
mod table;
mod today;

use std::{io::Write, process::ExitCode};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use rollcall_domain::read_day;
use rollcall_repository_diesel::Database;
use rollcall_service::{Activity, ActivityService, DayRange, InvalidDayRange};

use super::{
    activity,
    output::{print_json, size, stdout},
};
use crate::environment::Environment;
use sparkline::Sparklines;

pub(super) use today::print;

/// How many days are summed up where nothing else is asked for.
const DAYS: u32 = 30;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, after_long_help = DEFINITIONS)]
pub struct Stats {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print the figures of a range of days: its first day, such as 2026-11-23. Without --until the
    /// range ends today
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    since: Option<NaiveDate>,
    /// The range's last day. Without --since it has 30 days
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    until: Option<NaiveDate>,
    /// Print JSON: today's figures, or everything there is about the range
    #[arg(long)]
    json: bool,
    /// Print the figures of each day as CSV (RFC 4180), of the last 30 days or the range
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What can be done to the figures.
#[derive(Debug, Subcommand)]
enum Action {
    /// Count every figure again from what is known of the users, and mend those that differ
    ///
    /// The figures are kept as sums that every registration adds to, so they are right without
    /// this. It is there to prove that, and to mend what somebody has changed by hand. The bot may
    /// run meanwhile.
    Rebuild(rebuild::Rebuild),
}

const DEFINITIONS: &str = "\
What the figures mean:

  Active       Users who did something that reached the bot: wrote, pressed a button, reacted…; on
               the day, in the 7 and in the 30 days up to it (DAU, WAU, MAU).
  Sticky       The part of the users active in 30 days that was active on the day (DAU of MAU).
  New          Users whose first interaction it was that the bot knows of.
  Blocked      How often it was noted that somebody can no longer be reached: has blocked the bot,
               is gone, or never started it.
  Unblocked    How often it was noted that somebody can be reached again.
  Growth       New, less blocked, plus unblocked.
  First time   Users who were active for the first time,
  Returning    who were active as in the period before, the day or week,
  Resurrected  who were active, not in the period before, but earlier,
  Dormant      who were not active, but in the period before.
  Deep link    The link by which users came; how many of them can still be reached, and which part
               was active on exactly the 1st, 7th and 30th day after they came, of those for whom
               that day has come.

Days are in UTC, weeks begin on Monday. Today, this week and this month are not over.
docs/statistics.md has the exact rules.";

impl Stats {
    pub(super) async fn run(
        self,
        database: Database,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        if let Some(Action::Rebuild(command)) = self.action {
            return command.run(activity(database)).await;
        }
        let database_bytes = database.size_bytes().await?;
        let service = activity(database);
        let figures = service.get_activity(self.range(service.today())?).await?;
        if self.csv {
            series::write_csv(&mut stdout(), &figures)?;
        } else if self.is_of_a_range() {
            self.print_range(&figures, environment)?;
        } else {
            self.print_today(&service, &figures, database_bytes, environment).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn is_of_a_range(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    fn range(&self, today: NaiveDate) -> Result<DayRange, InvalidDayRange> {
        match (self.since, self.until) {
            (Some(since), Some(until)) => DayRange::new(since, until),
            (Some(since), None) => DayRange::new(since, since.max(today)),
            (None, until) => DayRange::ending(until.unwrap_or(today), DAYS),
        }
    }

    fn print_range(&self, figures: &Activity, environment: &Environment) -> anyhow::Result<()> {
        if self.json {
            return print_json(&series::as_json(figures));
        }
        let mut out = stdout();
        report::print_summary(&mut out, figures, Sparklines::of(environment))?;
        report::print_tables(&mut out, figures).map_err(Into::into)
    }

    async fn print_today(
        &self,
        service: &ActivityService,
        figures: &Activity,
        database_bytes: u64,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        let stats = service.get_stats().await?;
        if self.json {
            return print_json(&today::as_json(&stats, database_bytes));
        }
        let mut out = stdout();
        print(&mut out, &stats)?;
        writeln!(out, "Database     {}\n", size(database_bytes))?;
        report::print_summary(&mut out, figures, Sparklines::of(environment)).map_err(Into::into)
    }
}
