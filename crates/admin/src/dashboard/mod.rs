//! The dashboard, which is the first page: how the bot is doing, in a range of days.

pub(crate) mod definitions;
mod panels;
mod range;
mod spans;
mod tables;
mod tiles;

use askama::Template;
use axum::{
    extract::{Path, Query as Pairs, State},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use rollcall_service::{Activity, DayRange, Totals};

use crate::{
    App,
    page::{Failure, Layout, render},
    presets::Preset,
};
use panels::{Panel, panel};
use range::Chosen;
use spans::Grain;
use tables::Subject;
use tiles::{Tile, of_range, of_today};

/// In a range of at most this many days, today is a large part.
const WEEK: usize = 7;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    layout: Layout,
    is_first_run: bool,
    trouble: Option<String>,
    presets: Vec<(Preset, bool)>,
    /// The range for the fields.
    since: NaiveDate,
    until: NaiveDate,
    today: NaiveDate,
    /// The days in words.
    days: String,
    count: usize,
    of_today: Vec<Tile>,
    of_range: Vec<Tile>,
    panels: Vec<Panel>,
}

/// Shows the figures of the chosen days.
pub(crate) async fn show(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let today = app.activity.today();
    let chosen = Chosen::read(&pairs, today);
    let (stats, activity) =
        tokio::try_join!(app.activity.get_stats(), app.activity.get_activity(chosen.range))?;
    let totals_before = app.activity.get_totals_before(activity.range).await?;
    let totals: Totals = activity.days.iter().copied().collect();
    let count = activity.days.len();
    let is_open = activity.range.last() == today && count <= WEEK;
    Ok(render(&Page {
        layout: layout.tab("dashboard"),
        is_first_run: stats.total_users == 0 && totals == Totals::default(),
        presets: chosen.presets(),
        trouble: chosen.trouble,
        since: activity.range.first(),
        until: activity.range.last(),
        today,
        days: in_words(activity.range),
        count,
        of_today: of_today(&stats),
        of_range: of_range(count, is_open, &totals, totals_before.as_ref()),
        panels: panels(&app.base, &activity),
    }))
}

/// The numbers of one chart, as a file.
pub(crate) async fn file(
    State(app): State<App>,
    Path(name): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let subject = name.strip_suffix(".csv").and_then(Subject::named).ok_or(Failure::NotFound)?;
    let chosen = Chosen::read(&pairs, app.activity.today());
    if let Some(trouble) = chosen.trouble {
        return Err(Failure::invalid(trouble));
    }
    let activity = app.activity.get_activity(chosen.range).await?;
    let (first, last) = (activity.range.first(), activity.range.last());
    let name = format!("{}-{first}-{last}.csv", subject.name());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, subject.all(&activity).csv()).into_response())
}

fn panels(base: &str, activity: &Activity) -> Vec<Panel> {
    let grain = Grain::of(activity.days.len());
    let (first, last) = (activity.range.first(), activity.range.last());
    let csv = |name| format!("{base}/figures/{name}.csv?since={first}&until={last}");
    Subject::ALL.map(|it| panel(it, activity, grain, csv(it.name()))).into()
}

fn in_words(range: DayRange) -> String {
    let day = |day: NaiveDate| day.format("%b %-d, %Y").to_string();
    if range.first() == range.last() {
        return day(range.first());
    }
    format!("{} – {}", day(range.first()), day(range.last()))
}

#[cfg(test)]
mod tests {
    use rollcall_service::{
        Cohort, Count, DayFigures, LifecycleCounts, MonthFigures, Share, SourceFigures, WeekFigures,
    };

    use super::*;

    fn today() -> NaiveDate {
        "2026-11-23".parse().unwrap()
    }

    pub(super) fn last_90() -> DayRange {
        DayRange::ending(today(), 90).unwrap()
    }

    /// Figures of so many days up to today, made up from the days' numbers, with labels that are
    /// markup and formulas.
    pub(super) fn activity(days: usize) -> Activity {
        let range = DayRange::ending(today(), u32::try_from(days).unwrap()).unwrap();
        let lifecycle = |n: u64| LifecycleCounts {
            new: 10 + n % 7,
            returning: 40 + n,
            resurrected: n % 11,
            dormant: 20 + n % 13,
        };
        let figures = |(n, day): (u64, NaiveDate)| DayFigures {
            day,
            active: 50 + n + n % 7 * 9,
            active_7_days: 200 + 3 * n,
            active_30_days: 500 + 5 * n,
            new_users: 10 + n % 7,
            interactions: 300 + n * 4,
            blocked: n % 5 * 3,
            unblocked: n % 3,
            lifecycle: lifecycle(n),
        };
        let mondays = rollcall_domain::week(range.first()).iter_days().step_by(7);
        let mondays: Vec<_> = mondays.take_while(|it| *it <= range.last()).collect();
        let cohort = |(n, monday): (usize, NaiveDate)| {
            let later = (1..mondays.len() - n).map(|it| 90 / u64::try_from(it + 1).unwrap());
            Cohort { monday, active: [100].into_iter().chain(later).collect() }
        };
        let month = |first_day| MonthFigures {
            first_day,
            users_by_active_days: (1..=31).map(|days| 930 / days).collect(),
        };
        let months = range.days().map(rollcall_domain::month);
        let mut months: Vec<_> = months.collect();
        months.dedup();
        let count = |label: &str, count| Count { label: label.to_owned(), count };
        let source = |source: &str, users| SourceFigures {
            source: source.to_owned(),
            users,
            starts: users + 3,
            reachable: users - 1,
            day_1: Share { part: users / 2, whole: users },
            day_7: Share { part: 1, whole: users },
            day_30: Share { part: 0, whole: 0 },
        };
        Activity {
            days: (0..).zip(range.days()).map(figures).collect(),
            weeks: (0..)
                .zip(&mondays)
                .map(|(n, monday)| WeekFigures { monday: *monday, lifecycle: lifecycle(n) })
                .collect(),
            cohorts: mondays.iter().copied().enumerate().map(cohort).collect(),
            months: months.into_iter().map(month).collect(),
            kinds: vec![count("callback_query", 4_000), count("text", 1_000)],
            commands: vec![count("start", 1_200), count("(other)", 30), count("=1+1", 1)],
            languages: vec![count("en", 90), count("<script>alert(1)</script>", 2)],
            sources: vec![source("", 1_500), source("spring_sale", 40), source("-1+cmd", 2)],
            range,
        }
    }

    #[test]
    fn drawing_is_quick() {
        use std::time::Instant;
        for days in [1, 90, 365, 3_660] {
            let activity = activity(days);
            let started = Instant::now();
            let rounds = 5;
            let mut bytes = 0;
            for _ in 0..rounds {
                bytes = panels("/admin", &activity).iter().map(size).sum();
            }
            let took = started.elapsed() / rounds;
            println!("{days} days: {took:?}, {bytes} bytes of pictures");
            assert!(bytes < 200 * 1024, "{days} days: {bytes} bytes");
        }
    }

    fn size(panel: &Panel) -> usize {
        panel.pictures.iter().map(|it| it.svg.len()).sum()
    }

    #[test]
    fn ranges_in_words() {
        assert_eq!(in_words(last_90()), "Aug 26, 2026 – Nov 23, 2026");
        assert_eq!(in_words(DayRange::of(today())), "Nov 23, 2026");
    }
}
