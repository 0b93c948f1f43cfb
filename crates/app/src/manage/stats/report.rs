//! The figures of a range as text.

use std::io::{self, Write};

use rollcall_domain::grouped;
use rollcall_service::{
    Activity, Cohort, Count, DayFigures, LifecycleCounts, Share, SourceFigures,
};

use super::sparkline::Sparklines;
use crate::manage::output::safe;
use crate::manage::table::Table;

/// How many weeks of a cohort and how many months fit in a line; JSON has all.
const WEEKS_LATER: usize = 12;
const MONTHS: usize = 12;

/// Prints the range in a few lines.
pub(super) fn print_summary(
    out: &mut impl Write,
    figures: &Activity,
    sparklines: Sparklines,
) -> io::Result<()> {
    let Activity { range, days, .. } = figures;
    let sum = |of: fn(&DayFigures) -> u64| days.iter().map(of).sum::<u64>();
    let active = sum(|it| it.active);
    let tenths = (active * 10).checked_div(length(days)).unwrap_or_default();
    let mean = format!("{}.{}", grouped(tenths / 10), tenths % 10);
    let growth: i64 = days.iter().map(DayFigures::net_growth).sum();
    let stickiness = Share { part: active, whole: sum(|it| it.active_30_days) };
    writeln!(out, "{} days, from {} to {} (UTC)", days.len(), range.first(), range.last())?;
    writeln!(out, "Active       {mean} users a day on average{}", busiest(days))?;
    writeln!(
        out,
        "Sticky       {} of the users active in 30 days are active on a given day",
        percent(stickiness)
    )?;
    writeln!(out, "Actions      {} interactions", grouped(sum(|it| it.interactions)))?;
    writeln!(
        out,
        "Growth       {} new, {} blocked, {} unblocked: {}",
        grouped(sum(|it| it.new_users)),
        grouped(sum(|it| it.blocked)),
        grouped(sum(|it| it.unblocked)),
        signed(growth)
    )?;
    let active: Vec<u64> = days.iter().map(|it| it.active).collect();
    let new: Vec<u64> = days.iter().map(|it| it.new_users).collect();
    for (name, numbers) in [("Active users", active), ("New users", new)] {
        if let Some(line) = sparklines.line(&numbers) {
            writeln!(out, "{name:12} {line}")?;
        }
    }
    Ok(())
}

fn busiest(days: &[DayFigures]) -> String {
    match days.iter().max_by_key(|it| it.active).filter(|it| it.active > 0) {
        Some(it) => format!(", {} on {}, the busiest day", grouped(it.active), it.day),
        None => String::new(),
    }
}

fn length(days: &[DayFigures]) -> u64 {
    u64::try_from(days.len()).unwrap_or(u64::MAX)
}

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Days,
    Lifecycle,
    Weeks,
    Cohorts,
    Months,
    Kinds,
    Commands,
    Languages,
    Sources,
}

impl Part {
    /// All tables in the order of the report, by the names that JSON has for their figures.
    pub(super) const NAMED: [(&str, Self); 9] = [
        ("days", Self::Days),
        ("lifecycle", Self::Lifecycle),
        ("weeks", Self::Weeks),
        ("cohorts", Self::Cohorts),
        ("months", Self::Months),
        ("kinds", Self::Kinds),
        ("commands", Self::Commands),
        ("languages", Self::Languages),
        ("sources", Self::Sources),
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Days => "Day by day",
            Self::Lifecycle => "Lifecycle of users by day",
            Self::Weeks => "Lifecycle of users by week",
            Self::Cohorts => "Retention: share of the users of a week active N weeks later",
            Self::Months => "Users by number of active days in the month",
            Self::Kinds => "Interactions by kind",
            Self::Commands => "Commands",
            Self::Languages => "New users by language",
            Self::Sources => {
                "New users by deep link, and the share active 1, 7 and 30 days after joining"
            }
        }
    }

    fn table(self, figures: &Activity) -> Table {
        match self {
            Self::Days => days(figures),
            Self::Lifecycle => lifecycle_of_days(figures),
            Self::Weeks => lifecycle_of_weeks(figures),
            Self::Cohorts => cohorts(figures),
            Self::Months => active_days(figures),
            Self::Kinds => counts(&figures.kinds, "KIND", "INTERACTIONS"),
            Self::Commands => counts(&figures.commands, "COMMAND", "USES"),
            Self::Languages => counts(&figures.languages, "LANGUAGE", "USERS"),
            Self::Sources => sources(&figures.sources),
        }
    }
}

/// Prints all figures of the range. Empty tables are left out.
pub(super) fn print_tables(out: &mut impl Write, figures: &Activity) -> io::Result<()> {
    for (_, part) in Part::NAMED {
        let table = part.table(figures);
        if !table.is_empty() {
            writeln!(out, "\n{}", part.title())?;
            table.print(out)?;
        }
    }
    Ok(())
}

/// Prints one table, also if it is empty.
pub(super) fn print_table(out: &mut impl Write, figures: &Activity, part: Part) -> io::Result<()> {
    let range = figures.range;
    writeln!(out, "{}, from {} to {} (UTC)", part.title(), range.first(), range.last())?;
    match part.table(figures) {
        table if table.is_empty() => writeln!(out, "There are no figures for these days."),
        table => table.print(out),
    }
}

fn days(figures: &Activity) -> Table {
    let mut table = Table::new(
        [
            "DAY",
            "ACTIVE",
            "7 DAYS",
            "30 DAYS",
            "STICKY",
            "NEW",
            "BLOCKED",
            "UNBLOCKED",
            "GROWTH",
            "INTERACTIONS",
        ],
        1,
    );
    for it in &figures.days {
        table.row([
            it.day.to_string(),
            grouped(it.active),
            grouped(it.active_7_days),
            grouped(it.active_30_days),
            percent(it.stickiness()),
            grouped(it.new_users),
            grouped(it.blocked),
            grouped(it.unblocked),
            signed(it.net_growth()),
            grouped(it.interactions),
        ]);
    }
    table
}

fn lifecycle_of_days(figures: &Activity) -> Table {
    let rows = figures.days.iter().map(|it| (it.day.to_string(), it.lifecycle));
    lifecycle("DAY", rows)
}

fn lifecycle_of_weeks(figures: &Activity) -> Table {
    let rows = figures.weeks.iter().map(|it| (it.monday.to_string(), it.lifecycle));
    lifecycle("WEEK OF", rows)
}

fn lifecycle(period: &str, rows: impl Iterator<Item = (String, LifecycleCounts)>) -> Table {
    let headings = [period, "FIRST TIME", "RETURNING", "RESURRECTED", "DORMANT"];
    let mut table = Table::new(headings, 1);
    for (period, it) in rows {
        let counts = [it.new, it.returning, it.resurrected, it.dormant];
        table.row([period].into_iter().chain(counts.map(grouped)));
    }
    table
}

fn cohorts(figures: &Activity) -> Table {
    let oldest = figures.cohorts.iter().map(|it| it.active.len()).max().unwrap_or_default();
    let weeks_later = 1..oldest.min(WEEKS_LATER + 1);
    let headings = weeks_later.clone().map(|weeks| format!("+{weeks}"));
    let mut table =
        Table::new(["WEEK OF".to_owned(), "JOINED".to_owned()].into_iter().chain(headings), 1);
    for it in &figures.cohorts {
        let shares = weeks_later.clone().filter_map(|weeks| Cohort::share(it, weeks)).map(percent);
        table.row([it.monday.to_string(), grouped(it.users())].into_iter().chain(shares));
    }
    table
}

/// A column for each of the latest months, and a row for each number of days.
fn active_days(figures: &Activity) -> Table {
    let skipped = figures.months.len().saturating_sub(MONTHS);
    let months: Vec<_> = figures.months.iter().skip(skipped).collect();
    let headings = months.iter().map(|it| it.first_day.format("%Y-%m").to_string());
    let mut table = Table::new(["DAYS".to_owned()].into_iter().chain(headings), 1);
    for days in 1..=31_usize {
        let of_month = |users: &Vec<u64>| users.get(days - 1).copied().unwrap_or_default();
        let users: Vec<u64> = months.iter().map(|it| of_month(&it.users_by_active_days)).collect();
        if users.iter().any(|users| *users > 0) {
            table.row([days.to_string()].into_iter().chain(users.into_iter().map(grouped)));
        }
    }
    table
}

fn counts(counts: &[Count], what: &str, of: &str) -> Table {
    let mut table = Table::new([what, of], 1);
    for it in counts {
        table.row([name(&it.label, "unknown"), grouped(it.count)]);
    }
    table
}

fn sources(sources: &[SourceFigures]) -> Table {
    let headings = ["DEEP LINK", "USERS", "STARTS", "REACHABLE", "DAY 1", "DAY 7", "DAY 30"];
    let mut table = Table::new(headings, 1);
    for it in sources {
        table.row([
            name(&it.source, "(none)"),
            grouped(it.users),
            grouped(it.starts),
            grouped(it.reachable),
            percent(it.day_1),
            percent(it.day_7),
            percent(it.day_30),
        ]);
    }
    table
}

fn name(label: &str, unnamed: &str) -> String {
    if label.is_empty() { unnamed.to_owned() } else { safe(label) }
}

/// "12.3%", or "-" if there is nothing to divide by.
fn percent(share: Share) -> String {
    match share.per_mille() {
        Some(per_mille) => format!("{}.{}%", per_mille / 10, per_mille % 10),
        None => "-".to_owned(),
    }
}

fn signed(number: i64) -> String {
    let sign = match number.signum() {
        -1 => "-",
        0 => "",
        _ => "+",
    };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}
