//! The exact number of users of a filter: streamed to a script, or on a page of its own.

use std::{pin::pin, time::Duration};

use askama::Template;
use axum::{
    Extension,
    body::Body,
    extract::{Query as Pairs, State},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_domain::{Admin, Counted, Selection};
use rollcall_service::Session;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    counting::{Report, count_with},
    selected::Selected,
};
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render, text},
    request::{EVENTS, asks_for_events},
};

/// The shortest time between two reports of progress.
const PACE: Duration = Duration::from_millis(250);
/// How long a page without a script waits for the number; a request may take 30 seconds.
const LONGEST: Duration = Duration::from_secs(20);

#[derive(Template)]
#[template(path = "count.html")]
struct Page {
    layout: Layout,
    selected: Selected,
    /// Why the filter is invalid.
    trouble: Option<String>,
    /// The number, and whether it is exact.
    number: Option<(String, bool)>,
}

/// Counts the users of a filter. A script gets the progress and the number as server-sent events; a
/// browser gets a page with the number.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    headers: HeaderMap,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let selected = Selected::read(&pairs, viewer);
    let selection = selected.selection(&app).await?;
    if asks_for_events(&headers) {
        let selection = selection.map_err(Failure::invalid)?;
        return Ok(events(count(&app, &session.admin, selection)));
    }
    let (number, trouble) = match selection {
        Ok(selection) => (Some(wait(count(&app, &session.admin, selection)).await?), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(render(&Page { layout: layout.tab("users"), selected, trouble, number }))
}

fn count(app: &App, admin: &Admin, selection: Selection) -> mpsc::Receiver<Report> {
    let audience = app.audience.clone();
    let work = async move |progress| audience.count(&selection, progress).await;
    count_with(&app.counts, admin, app.stopping.clone(), work)
}

/// The number for a page, and whether it is exact.
async fn wait(mut reports: mpsc::Receiver<Report>) -> Result<(String, bool), Failure> {
    let mut longest = pin!(sleep_until(Instant::now() + LONGEST));
    let mut so_far = None;
    loop {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = &mut longest => return so_far.map(|it| (it, false)).ok_or(BUSY),
        };
        match report {
            Some(Report::Waiting) => {}
            Some(Report::SoFar(users, thousandths)) => {
                so_far = estimate(users, thousandths).or(so_far);
            }
            Some(Report::Exactly(users)) => {
                return Ok((text::users(Counted::Exactly(users)), true));
            }
            Some(Report::Failed) => {
                return Err(Failure::Busy("The users could not be counted. Try again later."));
            }
            None => {
                return Err(Failure::Busy(
                    "You began another count, which ended this one. Reload the page to count again.",
                ));
            }
        }
    }
}

const BUSY: Failure = Failure::Busy(
    "Counting takes longer than a page can wait, or other counts are running. Try again later, or use \
     `manage count` on the server.",
);

/// The reports as server-sent events, at a pace that a browser can show. When it leaves, they are
/// dropped, and the count ends.
fn events(reports: mpsc::Receiver<Report>) -> Response {
    let events = stream::unfold((reports, None), async |(mut reports, pause)| {
        if let Some(pause) = pause {
            sleep_until(pause).await;
        }
        let report = reports.recv().await?;
        let pause = matches!(report, Report::SoFar(..)).then(|| Instant::now() + PACE);
        let event = Ok::<_, std::convert::Infallible>(event(report));
        Some((event, (reports, pause)))
    });
    // A proxy that collected the events would make them useless.
    let headers =
        [(header::CONTENT_TYPE, EVENTS), (HeaderName::from_static("x-accel-buffering"), "no")];
    (headers, Body::from_stream(events)).into_response()
}

fn event(report: Report) -> String {
    match report {
        Report::Waiting => "event: wait\ndata: waiting for other counts…\n\n".to_owned(),
        Report::SoFar(users, thousandths) => match estimate(users, thousandths) {
            Some(estimate) => format!("event: progress\ndata: {estimate}\n\n"),
            // A comment: the page keeps the estimate that it has.
            None => ": counting\n\n".to_owned(),
        },
        Report::Exactly(users) => {
            format!("event: exact\ndata: {}\n\n", text::users(Counted::Exactly(users)))
        }
        Report::Failed => "event: failed\ndata: could not be counted\n\n".to_owned(),
    }
}

/// What a part of the table shows about the whole; `None` if how large the part is, is not known.
fn estimate(users: u64, thousandths: u16) -> Option<String> {
    let percent = thousandths / 10;
    let all = users.checked_mul(1000).and_then(|all| all.checked_div(thousandths.into()));
    Some(match all {
        _ if thousandths == 0 => return None,
        Some(all) if all > 0 => {
            format!("{} · {percent}% counted", text::users(Counted::About(all)))
        }
        _ => format!("at least {} · {percent}% counted", text::grouped(users)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_says_that_it_is_one() {
        let estimate = |users, thousandths| estimate(users, thousandths).unwrap();
        assert_eq!(estimate(0, 400), "at least 0 · 40% counted");
        assert_eq!(estimate(1_230_000, 400), "about 3.1 million users · 40% counted");
        assert_eq!(estimate(5_000, 1000), "about 5,000 users · 100% counted");
        assert_eq!(estimate(u64::MAX, 1), "at least 18,446,744,073,709,551,615 · 0% counted");
    }

    #[test]
    fn a_report_is_one_event() {
        assert_eq!(event(Report::Exactly(1)), "event: exact\ndata: 1 user\n\n");
        assert_eq!(event(Report::Exactly(0)), "event: exact\ndata: no users\n\n");
        let progress = event(Report::SoFar(50, 100));
        assert_eq!(progress, "event: progress\ndata: about 500 users · 10% counted\n\n");
        assert_eq!(event(Report::SoFar(0, 0)), ": counting\n\n");
    }
}
