//! The numbers of each chart: as a table of the page, and as a file for a spreadsheet.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use chrono::NaiveDate;
use rollcall_service::{Activity, Count, Share, SourceFigures, csv_field};

use super::spans::{Grain, Span, spans};
use crate::page::{
    kind_name, language_name,
    text::{grouped, signed},
};

/// How many cohorts a page shows, and how many weeks of each.
pub(super) const COHORTS: usize = 12;
pub(super) const WEEKS_LATER: usize = 12;
/// Of how many months a page shows the power users.
pub(super) const MONTHS: usize = 4;

/// The subject of a chart and its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Active,
    Growth,
    Lifecycle,
    Retention,
    PowerUsers,
    Commands,
    Kinds,
    Languages,
    Sources,
}

impl Subject {
    /// All of them, in the order of the page.
    pub(super) const ALL: [Self; 9] = [
        Self::Active,
        Self::Growth,
        Self::Lifecycle,
        Self::Retention,
        Self::PowerUsers,
        Self::Commands,
        Self::Kinds,
        Self::Languages,
        Self::Sources,
    ];

    /// Its name in URLs and on the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Growth => "growth",
            Self::Lifecycle => "lifecycle",
            Self::Retention => "retention",
            Self::PowerUsers => "power-users",
            Self::Commands => "commands",
            Self::Kinds => "kinds",
            Self::Languages => "languages",
            Self::Sources => "sources",
        }
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// What it is called.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Active => "Active users",
            Self::Growth => "New and lost users",
            Self::Lifecycle => "Lifecycle",
            Self::Retention => "Retention",
            Self::PowerUsers => "Power users",
            Self::Commands => "Commands",
            Self::Kinds => "Kinds of interactions",
            Self::Languages => "Languages",
            Self::Sources => "Sources",
        }
    }

    /// Whether the heads of its table are months.
    pub(super) fn has_dates_above(self) -> bool {
        self == Self::PowerUsers
    }

    /// What its panel says while there is nothing to show.
    pub(super) fn when_empty(self) -> &'static str {
        match self {
            Self::Active | Self::Lifecycle => "No users were active in these days.",
            Self::Growth => "No users joined or left in these days.",
            Self::Retention => "No users joined in the latest twelve weeks.",
            Self::PowerUsers => "No users were active in these months.",
            Self::Commands => "No commands were sent in these days.",
            Self::Kinds => "No interactions in these days.",
            Self::Languages | Self::Sources => "No users joined in these days.",
        }
    }

    /// Where it is defined on the page of definitions.
    pub(super) fn definition(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Growth => "net-growth",
            Self::Lifecycle => "lifecycle",
            Self::Retention => "cohorts",
            Self::PowerUsers => "power-user-curve",
            Self::Commands => "commands",
            Self::Kinds => "interactions",
            Self::Languages => "languages",
            Self::Sources => "sources",
        }
    }

    /// Its numbers as a page shows them: of the points of its chart.
    pub(super) fn shown(self, activity: &Activity, grain: Grain) -> Table {
        match self {
            Self::Retention => retention(activity, COHORTS, WEEKS_LATER),
            Self::PowerUsers => power_users(activity, MONTHS),
            _ => self.table(activity, grain),
        }
    }

    /// All its numbers, day by day.
    pub(super) fn all(self, activity: &Activity) -> Table {
        self.table(activity, Grain::Day)
    }

    fn table(self, activity: &Activity, grain: Grain) -> Table {
        match self {
            Self::Active => active(activity, grain),
            Self::Growth => growth(activity, grain),
            Self::Lifecycle => lifecycle(activity, grain),
            Self::Retention => retention(activity, usize::MAX, usize::MAX),
            Self::PowerUsers => power_users(activity, usize::MAX),
            Self::Commands => counts(&activity.commands, ["Command", "Uses"], command),
            Self::Kinds => counts(&activity.kinds, ["Kind", "Interactions"], kind),
            Self::Languages => counts(&activity.languages, ["Language", "Users"], language),
            Self::Sources => sources(&activity.sources),
        }
    }
}

/// Numbers in rows, below the names of their columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) heads: Vec<Cow<'static, str>>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One of a table's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Day(NaiveDate),
    /// A day, week or month as a text, such as "2026-11 (23 days)".
    Span(String),
    Count(u64),
    Change(i64),
    Share(Share),
    /// In the future.
    Nothing,
}

/// As people read it.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Span(text) => f.write_str(text),
            Self::Day(day) => day.fmt(f),
            Self::Count(count) => f.write_str(&grouped(*count)),
            Self::Change(change) => f.write_str(&signed(*change)),
            Self::Share(share) => f.write_str(&percent(*share)),
            Self::Nothing => Ok(()),
        }
    }
}

impl Table {
    fn new<const N: usize>(heads: [&'static str; N], rows: Vec<Vec<Cell>>) -> Self {
        Self { heads: heads.map(Cow::from).to_vec(), rows }
    }

    /// Whether all its numbers are zero, apart from those that name the rows.
    pub(super) fn is_zero(&self) -> bool {
        let numbers = self.rows.iter().flat_map(|row| row.iter().skip(1));
        numbers.clone().all(|cell| match cell {
            Cell::Count(count) => *count == 0,
            Cell::Change(change) => *change == 0,
            Cell::Share(share) => share.part == 0,
            Cell::Text(_) | Cell::Day(_) | Cell::Span(_) | Cell::Nothing => true,
        })
    }

    /// As a file in the form of RFC 4180, which spreadsheets read as numbers and texts: a text that
    /// one would take for a formula has an apostrophe before it.
    pub(super) fn csv(&self) -> String {
        let mut csv = String::new();
        let heads = self.heads.iter().map(|head| csv_field(head)).collect::<Vec<_>>();
        push(&mut csv, &heads);
        for row in &self.rows {
            push(&mut csv, &row.iter().map(Cell::field).collect::<Vec<_>>());
        }
        csv
    }
}

impl Cell {
    /// Whether the script may write it in the viewer's locale.
    pub(super) fn is_date(&self) -> bool {
        matches!(self, Self::Day(_) | Self::Span(_))
    }

    fn field(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Span(text) => csv_field(text),
            Self::Count(count) => count.to_string().into(),
            Self::Change(change) => change.to_string().into(),
            Self::Day(_) | Self::Share(_) | Self::Nothing => self.to_string().into(),
        }
    }
}

fn push(csv: &mut String, fields: &[Cow<'_, str>]) {
    // Writing into memory cannot fail.
    let _written = write!(csv, "{}\r\n", fields.join(","));
}

fn active(activity: &Activity, grain: Grain) -> Table {
    let heads = [grain.name(), "Active (DAU)", "In 7 days (WAU)", "In 30 days (MAU)", "Stickiness"];
    let row = |name, it: rollcall_service::DayFigures| {
        let counts = [it.active, it.active_7_days, it.active_30_days].map(Cell::Count);
        [name].into_iter().chain(counts).chain([Cell::Share(it.stickiness())]).collect()
    };
    by_span(activity, grain, heads, Span::name, row)
}

fn growth(activity: &Activity, grain: Grain) -> Table {
    let heads = [grain.name(), "New", "Unblocked", "Blocked", "Net growth"];
    let name = |span: &Span| span.counted(span.name());
    by_span(activity, grain, heads, name, |name, it| {
        let counts = [it.new_users, it.unblocked, it.blocked].map(Cell::Count);
        [name].into_iter().chain(counts).chain([Cell::Change(it.net_growth())]).collect()
    })
}

fn lifecycle(activity: &Activity, grain: Grain) -> Table {
    let heads = [grain.name(), "First time", "Returning", "Resurrected", "Dormant"];
    by_span(activity, grain, heads, Span::name, |name, it| {
        let it = it.lifecycle;
        let counts = [it.new, it.returning, it.resurrected, it.dormant].map(Cell::Count);
        [name].into_iter().chain(counts).collect()
    })
}

fn by_span<const N: usize>(
    activity: &Activity,
    grain: Grain,
    heads: [&'static str; N],
    name: impl Fn(&Span) -> String,
    row: impl Fn(Cell, rollcall_service::DayFigures) -> Vec<Cell>,
) -> Table {
    let spans = spans(activity, grain);
    Table::new(heads, spans.iter().map(|it| row(Cell::Span(name(it)), it.figures)).collect())
}

/// The latest cohorts, and the share of each that was active in the weeks after.
fn retention(activity: &Activity, cohorts: usize, weeks: usize) -> Table {
    let first = activity.cohorts.len().saturating_sub(cohorts);
    let cohorts = || activity.cohorts.iter().skip(first);
    let longest = cohorts().map(|it| it.active.len()).max().unwrap_or(1);
    let weeks = longest.saturating_sub(1).min(weeks);
    let later = (1..=weeks).map(|week| Cow::from(format!("Week {week}")));
    let heads = [Cow::from("Week of"), Cow::from("Users")].into_iter().chain(later).collect();
    let row = |cohort: &rollcall_service::Cohort| {
        let share = |week| cohort.share(week).map_or(Cell::Nothing, Cell::Share);
        [Cell::Day(cohort.monday), Cell::Count(cohort.users())]
            .into_iter()
            .chain((1..=weeks).map(share))
            .collect()
    };
    Table { heads, rows: cohorts().map(row).collect() }
}

/// How many users were active on so many days, of the latest months.
fn power_users(activity: &Activity, months: usize) -> Table {
    let first = activity.months.len().saturating_sub(months);
    let months = || activity.months.iter().skip(first);
    let names = months().map(|it| Cow::from(it.first_day.format("%Y-%m").to_string()));
    let heads = [Cow::from("Active days")].into_iter().chain(names).collect();
    let row = |days: usize| {
        let users = months().map(|it| it.users_by_active_days.get(days - 1).copied());
        let users = users.map(|users| Cell::Count(users.unwrap_or_default()));
        [Cell::Count(u64::try_from(days).unwrap_or_default())].into_iter().chain(users).collect()
    };
    Table { heads, rows: (1..=31).map(row).collect() }
}

fn counts(counts: &[Count], [label, number]: [&'static str; 2], name: fn(&str) -> String) -> Table {
    let whole = counts.iter().map(|it| it.count).sum();
    let row = |it: &Count| {
        let share = Share { part: it.count, whole };
        vec![Cell::Text(name(&it.label)), Cell::Count(it.count), Cell::Share(share)]
    };
    Table::new([label, number, "Share"], counts.iter().map(row).collect())
}

fn sources(sources: &[SourceFigures]) -> Table {
    let heads = ["Source", "Users", "Starts", "Reachable", "Day 1", "Day 7", "Day 30"];
    let row = |it: &SourceFigures| {
        let counts = [it.users, it.starts, it.reachable].map(Cell::Count);
        let shares = [it.day_1, it.day_7, it.day_30].map(Cell::Share);
        [Cell::Text(source(&it.source))].into_iter().chain(counts).chain(shares).collect()
    };
    Table::new(heads, sources.iter().map(row).collect())
}

/// A command as users type it. Unknown commands share one label.
pub(super) fn command(label: &str) -> String {
    if label.starts_with('(') { "Other commands".to_owned() } else { format!("/{label}") }
}

pub(super) fn kind(label: &str) -> String {
    kind_name(label).to_owned()
}

pub(super) fn language(label: &str) -> String {
    language_name(label).into_owned()
}

pub(super) fn source(label: &str) -> String {
    match label {
        "" => "No link".to_owned(),
        "(other)" => "Other links".to_owned(),
        label => label.to_owned(),
    }
}

/// A share with one decimal; empty if the whole is zero.
pub(super) fn percent(share: Share) -> String {
    let tenths = share.per_mille();
    tenths.map(|tenths| format!("{}.{}%", tenths / 10, tenths % 10)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::tests::activity;

    #[test]
    fn a_file_says_what_the_table_says() {
        let activity = activity(90);
        for subject in Subject::ALL {
            let table = subject.shown(&activity, Grain::Day);
            let rows = table.csv();
            let mut lines = rows.lines();
            assert_eq!(lines.next().unwrap().split(',').count(), table.heads.len());
            for (line, row) in lines.zip(&table.rows) {
                let shown = row.iter().map(|cell| cell.to_string().replace(',', ""));
                let shown = shown.map(|cell| cell.replace('−', "-"));
                let shown = shown.map(|cell| cell.trim_start_matches('+').to_owned());
                assert_eq!(line.replace('\'', ""), shown.collect::<Vec<_>>().join(","));
            }
            // The page shows all rows of these.
            if !matches!(subject, Subject::Retention | Subject::PowerUsers) {
                assert_eq!(table, subject.all(&activity), "{subject:?}");
            }
        }
    }

    #[test]
    fn each_table_has_a_row_for_each_figure() {
        let activity = activity(90);
        let rows = Subject::ALL.map(|it| it.shown(&activity, Grain::Day).rows.len());
        assert_eq!(rows, [90, 90, 90, 12, 31, 3, 2, 2, 3]);
        assert_eq!(Subject::Retention.shown(&activity, Grain::Day).heads.len(), 13);
        insta::assert_snapshot!(Subject::Sources.all(&activity).csv());
    }

    #[test]
    fn each_subject_has_a_name_of_its_own() {
        for subject in Subject::ALL {
            assert_eq!(Subject::named(subject.name()), Some(subject));
        }
        assert_eq!(Subject::named("users"), None);
    }
}
