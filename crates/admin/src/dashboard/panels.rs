//! The charts of the page, with their legends and tables.

use std::iter::repeat;

use chrono::Days;
use rollcall_service::{Activity, Cohort, Count, DayFigures, MonthFigures, Share};

use super::{
    links::Links,
    spans::{Grain, Span, spans},
    tables::{self, COHORTS, Cell, MONTHS, Subject, Table, WEEKS_LATER, percent},
};
use crate::{
    chart::{Bands, Bar, Series, Shares, Tick, bars, columns, dates, lines, meter, triangle},
    page::text::grouped,
};

/// How many bars are drawn; the table has the rest.
const BARS: usize = 8;

/// A chart with its numbers.
pub(super) struct Panel {
    pub(super) subject: Subject,
    /// What it shows, in a sentence.
    pub(super) intro: String,
    /// The classes and names of the colours, if there are several.
    pub(super) legend: Vec<(&'static str, &'static str)>,
    pub(super) pictures: Vec<Picture>,
    /// Instead of pictures: a table with bars in it.
    pub(super) sources: Vec<Source>,
    pub(super) table: Table,
    /// Where the numbers in each row of the table lead to: to their users. The rest has no link.
    pub(super) links: Vec<Vec<Option<String>>>,
    /// The link to its numbers as a file.
    pub(super) csv: String,
}

/// A chart.
pub(super) struct Picture {
    /// The caption, if there are several pictures.
    pub(super) caption: String,
    /// Made of numbers, fixed words and escaped labels.
    pub(super) svg: String,
}

/// The figures of a deep link.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) starts: String,
    pub(super) measures: [Measure; 5],
}

/// A number in a table, and a bar for it.
pub(super) struct Measure {
    pub(super) text: String,
    pub(super) meter: String,
    /// Where the users are that it counts.
    pub(super) link: Option<String>,
}

/// The panel of a subject. Its file has all days of the range.
pub(super) fn panel(subject: Subject, activity: &Activity, grain: Grain, links: &Links) -> Panel {
    let table = subject.shown(activity, grain);
    let panel = Panel {
        subject,
        intro: String::new(),
        legend: vec![],
        pictures: vec![],
        sources: vec![],
        table,
        links: vec![],
        csv: links.file(subject.name(), activity.range),
    };
    match subject {
        _ if panel.table.is_zero() => panel,
        Subject::Active => active(panel, activity, grain, links),
        Subject::Growth => growth(panel, activity, grain, links),
        Subject::Lifecycle => lifecycle(panel, activity, grain, links),
        Subject::Retention => retention(panel, &activity.cohorts, links),
        Subject::PowerUsers => power_users(panel, &activity.months),
        Subject::Commands => {
            let intro = "Commands that users sent.";
            listed(panel, &activity.commands, intro, tables::command, |_| None)
        }
        Subject::Kinds => listed(panel, &activity.kinds, "What users did.", tables::kind, |_| None),
        Subject::Languages => {
            let intro = "Of the users who joined in these days.";
            let link = |code: &str| links.language(code, activity.range);
            listed(panel, &activity.languages, intro, tables::language, link)
        }
        Subject::Sources => sources(panel, activity, links),
    }
}

impl Panel {
    /// Whether there is anything to see.
    pub(super) fn is_empty(&self) -> bool {
        self.pictures.is_empty() && self.sources.is_empty()
    }

    /// The rows of the table: each cell with its link. The first one is the name of the row.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<(&Cell, Option<&str>)>> {
        let links = self.links.iter().map(Vec::as_slice).chain(repeat([].as_slice()));
        self.table.rows.iter().zip(links).map(|(row, links)| {
            let links = links.iter().map(Option::as_deref).chain(repeat(None));
            row.iter().zip([None].into_iter().chain(links)).collect()
        })
    }

    /// How much room it takes on a wide screen.
    pub(super) fn size(&self) -> &'static str {
        match self.subject {
            Subject::Active | Subject::Sources => "whole",
            Subject::Commands | Subject::Kinds | Subject::Languages => "third",
            _ => "half",
        }
    }

    /// Adds a picture with what it shows, in words.
    fn show(mut self, draw: impl FnOnce(&str) -> String) -> Self {
        let label = format!("{}. The numbers are in the table below.", self.subject.title());
        self.pictures.push(Picture { caption: String::new(), svg: draw(&label) });
        self
    }
}

fn bands(spans: &[Span]) -> Bands {
    let days: Vec<_> = spans.iter().map(|it| it.figures.day).collect();
    Bands { names: spans.iter().map(Span::title).collect(), ticks: dates(&days), links: vec![] }
}

fn series(
    spans: &[Span],
    class: &'static str,
    name: &'static str,
    of: fn(&DayFigures) -> u64,
) -> Series {
    Series { class, name, values: spans.iter().map(|it| of(&it.figures)).collect() }
}

fn active(mut panel: Panel, activity: &Activity, grain: Grain, links: &Links) -> Panel {
    let spans = spans(activity, grain);
    // For a week or a month, DAU is a mean, which stands for no users.
    let on_the_day =
        |days: rollcall_domain::Days| links.active(days).filter(|_| grain == Grain::Day);
    let of_span = |it: &Span| {
        let days = it.range();
        vec![on_the_day(days), links.active_within(7, days), links.active_within(30, days)]
    };
    panel.links = spans.iter().map(of_span).collect();
    let series = [
        series(&spans, "c1", "DAU", |it| it.active),
        series(&spans, "c2", "WAU", |it| it.active_7_days),
        series(&spans, "c3", "MAU", |it| it.active_30_days),
    ];
    let intro = "Users active on the day (DAU), within 7 days (WAU) and within 30 days (MAU)";
    panel.intro = match grain {
        Grain::Day => format!("{intro}."),
        Grain::Week => format!("{intro}, by week. DAU is the mean of its days."),
        Grain::Month => format!("{intro}, by month. DAU is the mean of its days."),
    };
    panel.legend = vec![("c1", "DAU"), ("c2", "WAU"), ("c3", "MAU")];
    let links = spans.iter().map(|it| on_the_day(it.range())).collect();
    panel.show(|label| lines(label, &Bands { links, ..bands(&spans) }, &series))
}

fn growth(mut panel: Panel, activity: &Activity, grain: Grain, links: &Links) -> Panel {
    let spans = spans(activity, grain);
    let joined = |it: &Span| (it.figures.new_users > 0).then(|| links.joined(it.range()));
    panel.links = spans.iter().map(|it| vec![joined(it)]).collect();
    let up = [
        series(&spans, "c1", "New", |it| it.new_users),
        series(&spans, "c2", "Unblocked", |it| it.unblocked),
    ];
    let down = [series(&spans, "c4", "Blocked", |it| it.blocked)];
    let names = spans.iter().map(|it| it.counted(it.title())).collect();
    panel.intro = format!("New, returned and lost users per {}.", by(grain));
    panel.legend = vec![("c1", "New"), ("c2", "Unblocked"), ("c4", "Blocked, below")];
    let links = spans.iter().map(joined).collect();
    panel.show(|label| columns(label, &Bands { names, links, ..bands(&spans) }, &up, &down, 0))
}

fn lifecycle(mut panel: Panel, activity: &Activity, grain: Grain, links: &Links) -> Panel {
    let spans = spans(activity, grain);
    panel.links = spans.iter().map(|it| lifecycle_links(it, links)).collect();
    let up = [
        series(&spans, "c1", "Returning", |it| it.lifecycle.returning),
        series(&spans, "c2", "First time", |it| it.lifecycle.new),
        series(&spans, "c3", "Resurrected", |it| it.lifecycle.resurrected),
    ];
    let down = [series(&spans, "c4", "Dormant", |it| it.lifecycle.dormant)];
    let before = match grain {
        Grain::Day => "Active users, by whether they were also active the day before.",
        Grain::Week => "Active users, by whether they were also active the week before.",
        Grain::Month => {
            "Active users, by whether they were also active the week before: the mean of each month’s weeks."
        }
    };
    panel.intro = before.to_owned();
    panel.legend = vec![
        ("c1", "Returning"),
        ("c2", "First time"),
        ("c3", "Resurrected"),
        ("c4", "Dormant, below"),
    ];
    let active = |it: &Span| it.period(links.today).and_then(|[_, period]| links.active(period));
    let links = spans.iter().map(active).collect();
    panel.show(|label| columns(label, &Bands { links, ..bands(&spans) }, &up, &down, 0))
}

/// Of the four classes: the users who joined in the period, and, while it is in progress, those whose
/// last day is in the period before.
fn lifecycle_links(span: &Span, links: &Links) -> Vec<Option<String>> {
    let Some([before, period]) = span.period(links.today) else { return vec![] };
    let is_in_progress = period.last == Some(links.today);
    let it = &span.figures.lifecycle;
    let new = (it.new > 0).then(|| links.joined(period));
    let dormant = (is_in_progress && it.dormant > 0).then(|| links.last_seen(before));
    vec![new, None, None, dormant]
}

fn by(grain: Grain) -> &'static str {
    match grain {
        Grain::Day => "day",
        Grain::Week => "week",
        Grain::Month => "month",
    }
}

fn retention(mut panel: Panel, cohorts: &[Cohort], links: &Links) -> Panel {
    let first = cohorts.len().saturating_sub(COHORTS);
    let rows: Vec<Shares> = cohorts.iter().skip(first).map(|it| shares(it, links)).collect();
    let of_cohort = |it: &Shares| {
        let before = it.shares.len().saturating_sub(1);
        let none = std::iter::repeat_n(None, before);
        [it.link.clone()].into_iter().chain(none).chain([it.open_link.clone()]).collect()
    };
    panel.links = rows.iter().map(of_cohort).collect();
    let longest = rows.iter().map(|row| row.shares.len()).max().unwrap_or_default();
    let ages: Vec<String> = (1..=longest).map(|week| format!("W{week}")).collect();
    panel.intro = "Share of each week’s new users who were active in the following weeks (W1, \
                   W2…). Always the latest twelve weeks. Dashed: this week, which is still in \
                   progress."
        .to_owned();
    panel.show(|label| triangle(label, ["Week of", "Users"], &ages, &rows))
}

fn shares(cohort: &Cohort, links: &Links) -> Shares {
    let sunday = cohort.monday.checked_add_days(Days::new(6)).unwrap_or(cohort.monday);
    let days = rollcall_domain::Days::between(cohort.monday, sunday);
    let weeks = cohort.active.len().saturating_sub(1);
    let share = |week| cohort.share(week).and_then(Share::per_mille);
    let is_open = (1..=WEEKS_LATER).contains(&weeks);
    // Of this week, the list knows all who were active.
    let this_week = rollcall_domain::Days::between(rollcall_domain::week(links.today), links.today);
    let active = cohort.active.last().copied().unwrap_or_default();
    Shares {
        name: cohort.monday.to_string(),
        link: (cohort.users() > 0).then(|| links.joined(days)),
        size: grouped(cohort.users()),
        shares: (1..=weeks.min(WEEKS_LATER)).map(share).collect(),
        is_open,
        open_link: links.stayed(days, this_week).filter(|_| is_open && active > 0),
    }
}

fn power_users(mut panel: Panel, months: &[MonthFigures]) -> Panel {
    let first = months.len().saturating_sub(MONTHS);
    let shown = || months.iter().skip(first);
    let most = shown().flat_map(|it| it.users_by_active_days.iter().copied()).max();
    let limit = match first {
        0 => String::new(),
        _ => format!(" Showing the latest {MONTHS} months; the CSV file has all."),
    };
    panel.intro =
        format!("Number of users who were active on 1, 2, … 31 days of the month.{limit}");
    panel.pictures = shown().map(|month| curve(month, most.unwrap_or_default())).collect();
    panel
}

fn curve(month: &MonthFigures, most: u64) -> Picture {
    let caption = month.first_day.format("%Y-%m").to_string();
    let name = |days: usize| {
        if days == 1 { "Active on 1 day".to_owned() } else { format!("Active on {days} days") }
    };
    let tick = |days: usize| Tick::new(days - 1, days.to_string());
    let bands = Bands {
        names: (1..=31).map(name).collect(),
        ticks: [1, 10, 20, 30].map(tick).to_vec(),
        links: vec![],
    };
    let values = month.users_by_active_days.clone();
    let users = [Series { class: "c1", name: "Users", values }];
    let label = format!("Power users in {caption}. The numbers are in the table below.");
    Picture { svg: columns(&label, &bands, &users, &[], most), caption }
}

fn listed(
    mut panel: Panel,
    counts: &[Count],
    intro: &str,
    name: fn(&str) -> String,
    link: impl Fn(&str) -> Option<String>,
) -> Panel {
    panel.intro = intro.to_owned();
    let whole = counts.iter().map(|it| it.count).sum();
    let bar = |label, count, class, link| {
        let share = percent(Share { part: count, whole });
        Bar { label, value: count, text: format!("{} · {share}", grouped(count)), class, link }
    };
    panel.links = counts.iter().map(|it| vec![link(&it.label)]).collect();
    let bar_of = |it: &Count| bar(name(&it.label), it.count, "c1", link(&it.label));
    let mut shown: Vec<Bar> = counts.iter().take(BARS).map(bar_of).collect();
    let rest = counts.get(BARS..).unwrap_or_default();
    if !rest.is_empty() {
        let label = format!("{} more", rest.len());
        shown.push(bar(label, rest.iter().map(|it| it.count).sum(), "c4", None));
    }
    if shown.is_empty() { panel } else { panel.show(|label| bars(label, &shown)) }
}

fn sources(mut panel: Panel, activity: &Activity, links: &Links) -> Panel {
    panel.intro = "By which deep links users came, whether the bot can still write to them, and \
                   how many were active 1, 7 and 30 days later."
        .to_owned();
    let most = activity.sources.iter().map(|it| it.users).max().unwrap_or_default();
    let share = |share: Share, link| Measure {
        text: percent(share),
        meter: meter(share.part, share.whole),
        link,
    };
    let row = |it: &rollcall_service::SourceFigures| Source {
        name: tables::source(&it.source),
        starts: grouped(it.starts),
        measures: [
            Measure {
                text: grouped(it.users),
                meter: meter(it.users, most),
                link: links.source(&it.source, activity.range, false),
            },
            share(
                Share { part: it.reachable, whole: it.users },
                links.source(&it.source, activity.range, true),
            ),
            share(it.day_1, None),
            share(it.day_7, None),
            share(it.day_30, None),
        ],
    };
    panel.sources = activity.sources.iter().map(row).collect();
    panel
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::tests::activity;

    /// The filters to which a row leads, counted from the last one.
    fn links(subject: Subject, grain: Grain, from_last: usize) -> Vec<String> {
        let activity = activity(90);
        let links = Links { base: "", today: activity.range.last(), has_bots: false };
        let panel = panel(subject, &activity, grain, &links);
        let rows: Vec<_> = panel.rows().collect();
        let row = &rows[rows.len() - 1 - from_last];
        let filter = |(_, link): &(&Cell, Option<&str>)| {
            let Some(link) = link else { return String::new() };
            let query = link.strip_prefix("/users?").unwrap();
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
            let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((names, pairs[1].1.as_str()), (vec!["filter", "zone"], "UTC"));
            pairs[0].1.clone()
        };
        row.iter().map(filter).collect()
    }

    const TODAY: &str = "seen:2026-11-23";

    #[test]
    fn active_users_lead_to_the_list_where_it_knows_them() {
        let within = |first: &str| format!("seen:{first}..2026-11-23");
        let today = ["", TODAY, &within("2026-11-17"), &within("2026-10-25"), ""];
        assert_eq!(links(Subject::Active, Grain::Day, 0), today);
        assert_eq!(links(Subject::Active, Grain::Day, 1), [""; 5]);
        // The mean of the days of a week is no number of users.
        let week = ["", "", &within("2026-11-17"), &within("2026-10-25"), ""];
        assert_eq!(links(Subject::Active, Grain::Week, 0), week);
    }

    #[test]
    fn classes_of_the_lifecycle_lead_to_their_users() {
        let row = |grain, from_last| links(Subject::Lifecycle, grain, from_last);
        let today = "joined:2026-11-23";
        let yesterday = "seen:2026-11-22";
        assert_eq!(row(Grain::Day, 0), ["", today, "", "", yesterday]);
        // Those who were dormant on another day may have returned.
        assert_eq!(row(Grain::Day, 1)[1..], ["joined:2026-11-22", "", "", ""]);
        let week_before = "seen:2026-11-16..2026-11-22";
        assert_eq!(row(Grain::Week, 0), ["", today, "", "", week_before]);
        assert_eq!(row(Grain::Week, 1)[1], "joined:2026-11-16..2026-11-22");
        assert_eq!(row(Grain::Month, 0), [""; 5]);
    }

    #[test]
    fn cohorts_lead_to_those_who_are_active_this_week() {
        let row = links(Subject::Retention, Grain::Day, 1);
        let joined = "joined:2026-11-16..2026-11-22";
        assert_eq!(row[..3], ["", joined, &format!("{joined} {TODAY}")]);
        assert!(row[3..].iter().all(String::is_empty));
        let row = links(Subject::Retention, Grain::Day, 3);
        assert!(row[1].starts_with("joined:2026-11-02") && row[4].ends_with(TODAY), "{row:?}");
        assert_eq!(row[2..4], ["", ""]);
    }
}
