//! The dashboard, which is the first page: how the bot is doing, in a range of days.

pub(crate) mod definitions;
mod links;
mod now;
mod panels;
mod range;
mod spans;
mod tables;
mod tiles;

use askama::Template;
use axum::{
    extract::{Path, Query as Pairs, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use rollcall_domain::{Counted, Days};
use rollcall_service::{Activity, DayRange, Totals};

use crate::{
    App,
    page::{Failure, Layout, render},
    presets::Preset,
    request::asks_for_events,
};
use links::Links;
use now::Now;
use panels::{Panel, panel};
use range::Chosen;
use spans::Grain;
use tables::{COHORTS, Subject};
use tiles::{Tile, of_range, of_today};

/// In a range of at most this many days, today is a large part.
const WEEK: usize = 7;
/// How many days the course of a figure has.
const COURSE_DAYS: usize = 30;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    layout: Layout,
    is_first_run: bool,
    /// The panel "Just now".
    now: String,
    trouble: Option<String>,
    /// The last day that was asked for, if it is in the future.
    future: Option<NaiveDate>,
    presets: Vec<(Preset, bool)>,
    /// The range for the fields.
    since: NaiveDate,
    until: NaiveDate,
    today: NaiveDate,
    count: usize,
    of_today: [Vec<Tile>; 2],
    of_range: Vec<Tile>,
    panels: Vec<Panel>,
}

/// Shows the figures of the chosen days.
pub(crate) async fn show(
    State(app): State<App>,
    layout: Layout,
    headers: HeaderMap,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    if asks_for_events(&headers) {
        return now::event(&app, &layout).await;
    }
    let Now { html: now, has_users } = now::read(&app, &layout).await?;
    let today = app.activity.today();
    let chosen = Chosen::read(&pairs, today);
    let (stats, mut activity, (latest, cohorts)) = tokio::try_join!(
        app.activity.get_stats(),
        app.activity.get_activity(chosen.range),
        app.activity.get_days(latest_cohorts(today))
    )?;
    activity.cohorts = cohorts;
    let totals_before = app.activity.get_totals_before(activity.range).await?;
    let has_bots = app.directory.facets().await?.bots != Counted::Exactly(0);
    let links = Links { base: &app.base, today, has_bots };
    let course = latest.get(latest.len().saturating_sub(COURSE_DAYS)..).unwrap_or_default();
    let totals: Totals = activity.days.iter().copied().collect();
    let count = activity.days.len();
    let joined = Days::between(activity.range.first(), activity.range.last());
    let is_open = activity.range.last() == today && count <= WEEK;
    Ok(render(&Page {
        layout: layout.tab("dashboard"),
        now,
        // Not by the figures: they may leave out the only users, and the page for an empty database
        // reloads as soon as there are any.
        is_first_run: !has_users && totals == Totals::default(),
        presets: chosen.presets(),
        trouble: chosen.trouble,
        future: chosen.future,
        since: activity.range.first(),
        until: activity.range.last(),
        today,
        count,
        of_today: of_today(&stats, course, &links),
        of_range: of_range(count, is_open, &totals, totals_before.as_ref(), links.joined(joined)),
        panels: panels(&links, &activity),
    }))
}

/// The numbers of one chart, as a file.
pub(crate) async fn file(
    State(app): State<App>,
    Path(name): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let subject = name.strip_suffix(".csv").and_then(Subject::named).ok_or(Failure::NotFound)?;
    let today = app.activity.today();
    let chosen = Chosen::read(&pairs, today);
    if let Some(trouble) = chosen.trouble {
        return Err(Failure::invalid(trouble));
    }
    let mut activity = app.activity.get_activity(chosen.range).await?;
    if subject == Subject::Retention {
        (_, activity.cohorts) = app.activity.get_days(cohorts_of(chosen.range, today)).await?;
    }
    let (first, last) = (activity.range.first(), activity.range.last());
    let name = format!("{}-{first}-{last}.csv", subject.name());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, subject.all(&activity).csv()).into_response())
}

fn panels(links: &Links, activity: &Activity) -> Vec<Panel> {
    let grain = Grain::of(activity.days.len());
    Subject::ALL.map(|it| panel(it, activity, grain, links)).into()
}

/// The weeks of the latest cohorts, which the page shows whatever its range is.
fn latest_cohorts(today: NaiveDate) -> DayRange {
    let weeks = u64::try_from(COHORTS).unwrap_or_default();
    let days = chrono::Days::new((weeks - 1) * 7);
    let first = rollcall_domain::week(today).checked_sub_days(days);
    DayRange::new(first.unwrap_or(today), today).unwrap_or_else(|_| DayRange::of(today))
}

/// The days of a file of cohorts: from the first week of the range, and the latest ones at least.
fn cohorts_of(range: DayRange, today: NaiveDate) -> DayRange {
    let latest = latest_cohorts(today);
    DayRange::new(range.first().min(latest.first()), today).unwrap_or(latest)
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
            let links = Links { base: "/admin", today: today(), has_bots: false };
            let started = Instant::now();
            let rounds = 5;
            let mut bytes = 0;
            for _ in 0..rounds {
                bytes = panels(&links, &activity).iter().map(size).sum();
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
    fn a_page_has_the_latest_twelve_cohorts() {
        let first_and_last = |it: DayRange| format!("{} {}", it.first(), it.last());
        assert_eq!(first_and_last(latest_cohorts(today())), "2026-09-07 2026-11-23");
        let sunday = today().pred_opt().unwrap();
        assert_eq!(first_and_last(latest_cohorts(sunday)), "2026-08-31 2026-11-22");
        // A file has those of its range, too.
        let [short, long] = [DayRange::of(today()), last_90()].map(|it| cohorts_of(it, today()));
        assert_eq!(first_and_last(short), "2026-09-07 2026-11-23");
        assert_eq!(first_and_last(long), "2026-08-26 2026-11-23");
    }
}
