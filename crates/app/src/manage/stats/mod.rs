//! `manage stats`.

mod period;
mod rebuild;
mod report;
mod series;
mod sparkline;
mod today;

use std::{io::Write, process::ExitCode};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use rollcall_service::{Activity, ActivityService, DayRange, InvalidDayRange};

use super::output::{print_json, size, stdout};
use crate::{environment::Environment, services::Services, values::OneOf};
use period::Period;
use report::Part;
use sparkline::Sparklines;

pub(super) use today::print;

/// How many days are reported by default.
const DAYS: u32 = 30;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, after_long_help = DEFINITIONS)]
pub struct Stats {
    #[command(subcommand)]
    action: Option<Action>,
    /// First day of a range to report: a day such as 2026-11-23, a month such as 2026-11, today,
    /// yesterday, or 7d for the last seven days. Without --until the range ends today
    #[arg(long, value_name = "PERIOD")]
    since: Option<Period>,
    /// Last day of the range: a day, a month, which means its last day, today or yesterday. Without
    /// --since the range has 30 days
    #[arg(long, value_name = "PERIOD", value_parser = period::last)]
    until: Option<Period>,
    /// Print one table only, for the range or the last 30 days
    #[arg(long, value_name = "NAME", value_parser = OneOf(&Part::NAMED))]
    only: Option<Part>,
    /// Print JSON: today's figures, or all figures of the range
    #[arg(long)]
    json: bool,
    /// Print daily figures as CSV (RFC 4180), for the range or the last 30 days
    #[arg(long, conflicts_with_all = ["json", "only"])]
    csv: bool,
}

/// What can be done with the figures.
#[derive(Debug, Subcommand)]
enum Action {
    /// Recount every figure from the stored users, and correct those that differ
    ///
    /// Every registration updates the figures, so they are right without a rebuild. Use it to verify
    /// that, or to correct figures that were changed by hand. The bot may run meanwhile.
    Rebuild(rebuild::Rebuild),
}

const DEFINITIONS: &str = "\
Examples:
  manage stats                                          today's figures, and the last 30 days
  manage stats --since yesterday                        yesterday and today
  manage stats --since yesterday --until yesterday      yesterday
  manage stats --since 7d --only commands               which commands were used in seven days
  manage stats --since 2026-10 --until 2026-11          two months
  manage stats --since 28d --csv > days.csv             a row for each day

What the figures mean:

  Active       Users who interacted with the bot: wrote, pressed a button, reacted…; on the day, and
               in the 7 and 30 days up to it (DAU, WAU, MAU).
  Sticky       Users active on the day, as a share of the users active in 30 days (DAU / MAU).
  New          Users whose first known interaction was on the day.
  Blocked      How often a user became unreachable: blocked the bot, deleted their account, or never
               started the bot.
  Unblocked    How often a user became reachable again.
  Growth       New minus blocked plus unblocked.
  First time   Users active for the first time.
  Returning    Users active in this period (day or week) and in the one before.
  Resurrected  Users active in this period, not in the one before, but earlier.
  Dormant      Users active in the period before, but not in this one.
  Deep link    The link through which users joined: how many are still reachable, and the share
               active exactly 1, 7 and 30 days after joining, if that day has come.

Days are in UTC, and weeks start on Monday. Today, this week and this month are still in progress.
docs/statistics.md has the exact rules.";

impl Stats {
    pub(super) async fn run(
        self,
        services: Services,
        environment: &Environment,
    ) -> anyhow::Result<ExitCode> {
        if let Some(Action::Rebuild(command)) = self.action {
            return command.run(services.activity()).await;
        }
        let database_bytes = services.database().size_bytes().await?;
        let service = services.activity();
        let figures = service.get_activity(self.range(service.today())?).await?;
        if self.csv {
            series::write_csv(&mut stdout(), &figures)?;
        } else if self.only.is_some() || self.is_of_a_range() {
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
        let since = self.since.map(|it| it.first(today));
        let until = self.until.map(|it| it.last(today));
        match (since, until) {
            (Some(since), Some(until)) => DayRange::new(since, until),
            (Some(since), None) => DayRange::new(since, since.max(today)),
            (None, until) => DayRange::ending(until.unwrap_or(today), DAYS),
        }
    }

    fn print_range(&self, figures: &Activity, environment: &Environment) -> anyhow::Result<()> {
        if self.json {
            return print_json(&series::as_json(figures, self.only));
        }
        let mut out = stdout();
        if let Some(part) = self.only {
            return report::print_table(&mut out, figures, part).map_err(Into::into);
        }
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
