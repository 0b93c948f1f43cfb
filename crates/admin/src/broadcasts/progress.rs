//! How far a broadcast is: as a part of its page, and streamed to a script.

use std::{convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use futures_util::stream;
use rollcall_domain::{
    Broadcast, BroadcastState, RecipientState, RecipientSums, ResponseSums, error_chain,
};
use tokio::time::{Instant, sleep};

use super::{
    activity::Activity,
    find::find,
    responses::{ResponseRow, responses},
    variants::{VariantRow, standing, variants},
    words,
};
use crate::{
    App,
    page::{Failure, Layout, text},
    request::EVENTS,
};

/// The time between two reports.
const PACE: Duration = Duration::from_secs(1);
/// How long a stream lasts. The browser asks again then, and shows that its session has ended.
const LONGEST: Duration = Duration::from_secs(60);
/// How many reasons are listed.
const REASONS: usize = 20;
/// The width of the picture of all recipients.
const WIDTH: u64 = 1000;

/// How far a broadcast is.
#[derive(Template)]
#[template(path = "broadcast_progress.html")]
pub(super) struct Progress {
    broadcast: Broadcast,
    /// "12,345 of 20,000 recipients have an outcome".
    summary: String,
    percent: String,
    bar: Bar,
    outcomes: Vec<Outcome>,
    reasons: Vec<Reason>,
    /// How many reasons are not listed.
    more_reasons: usize,
    /// What recipients did after the message.
    responses: Vec<ResponseRow>,
    /// What became of each variant, and how far their test is.
    variants: Vec<VariantRow>,
    test: Option<String>,
    /// How many of them were active in the following days.
    activity: Activity,
    /// In how long the first of the recipients that wait for their time is due.
    next_due: Option<String>,
    /// How many messages go out each second, and how long the rest takes at that pace.
    pace: Option<(String, Option<String>)>,
}

/// A state of recipients.
struct Outcome {
    name: &'static str,
    class: &'static str,
    number: String,
    percent: String,
    meaning: &'static str,
}

/// Why recipients did not get the message.
struct Reason {
    state: &'static str,
    text: String,
    number: u64,
}

impl Reason {
    fn number(&self) -> String {
        text::grouped(self.number)
    }
}

/// The recipients of a broadcast by state, as a picture.
#[derive(Debug, Template)]
#[template(path = "broadcast_bar.html")]
pub(super) struct Bar {
    label: String,
    /// The class, where it begins, and how wide it is.
    parts: Vec<(&'static str, u64, u64)>,
}

impl Bar {
    pub(super) fn of(sums: &RecipientSums) -> Self {
        let all = sums.all().max(1);
        let mut parts = Vec::new();
        let mut label = Vec::new();
        let (mut before, mut begin) = (0_u64, 0);
        for state in SHOWN {
            let users = sums.of(state);
            if users == 0 {
                continue;
            }
            label.push(format!(
                "{} {}",
                text::grouped(users),
                words::outcome(state).to_lowercase()
            ));
            before += users;
            // Rounded at its ends, so that the parts fill the whole.
            let end = scaled(before, all);
            // A single failure among millions is seen, too.
            let width = (end - begin).max(if state == RecipientState::Queued { 0 } else { 2 });
            parts.push((state.name(), begin.min(WIDTH - 2), width));
            begin = end;
        }
        Self { label: label.join(", "), parts }
    }
}

/// So many of `all` in the width of the picture.
fn scaled(users: u64, all: u64) -> u64 {
    let scaled = u128::from(users) * u128::from(WIDTH) / u128::from(all.max(1));
    u64::try_from(scaled).unwrap_or(WIDTH)
}

/// The states in the order of the picture.
const SHOWN: [RecipientState; 7] = [
    RecipientState::Sent,
    RecipientState::Unknown,
    RecipientState::Failed,
    RecipientState::Unreachable,
    RecipientState::Skipped,
    RecipientState::Claimed,
    RecipientState::Queued,
];

impl Progress {
    /// How far a broadcast is now.
    pub(super) async fn of(app: &App, broadcast: Broadcast) -> Result<Self, Failure> {
        let sums = app.broadcasts.sums(broadcast.id).await?;
        let done = app.broadcasts.responses(broadcast.id).await?;
        let pace = match broadcast.state {
            BroadcastState::Sending => {
                app.paces.note(broadcast.id, sums.settled(), app.clock.now())
            }
            _ => None,
        };
        let now = app.clock.now();
        let next_due = app.broadcasts.next_due(&broadcast).await?.filter(|at| *at > now);
        let next_due = next_due.map(|at| words::duration(at - now));
        let activity = app.broadcasts.activity(broadcast.id).await?;
        let activity = Activity::new(&broadcast, &sums, activity);
        let arms = app.broadcasts.arm_sums(broadcast.id).await?;
        let variants = variants(&broadcast, &arms, &done);
        let test = standing(&broadcast);
        Ok(Self { next_due, activity, variants, test, ..Self::new(broadcast, &sums, &done, pace) })
    }

    fn new(
        broadcast: Broadcast,
        sums: &RecipientSums,
        done: &ResponseSums,
        pace: Option<f64>,
    ) -> Self {
        let (all, settled) = (sums.all(), sums.settled());
        let outcome = |state: RecipientState| {
            let number = sums.of(state);
            (number > 0).then(|| Outcome {
                name: words::outcome(state),
                class: state.name(),
                number: text::grouped(number),
                percent: text::percent(number, all),
                meaning: words::outcome_meaning(state, &broadcast),
            })
        };
        let mut reasons: Vec<Reason> = sums
            .0
            .iter()
            .filter(|((_, reason), _)| !reason.is_empty())
            .map(|((state, reason), number)| Reason {
                state: words::outcome(*state),
                text: words::reason(*state, reason),
                number: *number,
            })
            .collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.number));
        let more_reasons = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        Self {
            summary: match broadcast.state {
                BroadcastState::Preparing => format!("{} stored so far", words::recipients(all)),
                _ => format!("{} of {} done", text::grouped(settled), words::recipients(all)),
            },
            percent: text::percent(settled, all),
            bar: Bar::of(sums),
            outcomes: SHOWN.into_iter().filter_map(outcome).collect(),
            reasons,
            more_reasons,
            responses: responses(&broadcast, sums, done),
            activity: Activity::None,
            variants: Vec::new(),
            test: None,
            next_due: None,
            pace: pace.map(|pace| (pace_text(pace), remaining(all - settled, pace))),
            broadcast,
        }
    }

    /// Whether the page has to be loaded again when this changes.
    pub(super) fn standing(&self) -> String {
        let state = self.broadcast.state;
        let reason = state.reason().map(|reason| reason.name()).unwrap_or_default();
        let winner = self.broadcast.decision.as_ref().map(|it| it.winner.to_string());
        format!("{}{reason}{}", state.name(), winner.unwrap_or_default())
    }

    /// Whether messages are going out.
    fn is_sending(&self) -> bool {
        self.broadcast.state == BroadcastState::Sending
    }
}

/// Whether more happens to a broadcast by itself.
pub(super) fn goes_on(state: BroadcastState) -> bool {
    match state {
        BroadcastState::Scheduled | BroadcastState::Preparing | BroadcastState::Sending => true,
        // What is going out gets its outcome after a pause.
        BroadcastState::Paused(_) => true,
        BroadcastState::Draft | BroadcastState::Finished | BroadcastState::Cancelled => false,
    }
}

fn pace_text(pace: f64) -> String {
    match pace {
        0.0 => "no recipients".to_owned(),
        _ if pace < 9.95 => format!("{pace:.1} recipients a second"),
        _ => format!("{pace:.0} recipients a second"),
    }
}

/// How long the rest takes.
fn remaining(rest: u64, pace: f64) -> Option<String> {
    let rest = f64::from(u32::try_from(rest).unwrap_or(u32::MAX));
    let seconds = std::time::Duration::try_from_secs_f64(rest / pace).ok()?;
    Some(words::duration(TimeDelta::from_std(seconds).ok()?))
}

/// Streams how far a broadcast is, until it has ended.
pub(crate) async fn events(
    State(app): State<App>,
    // So that the session is looked up as that of every page.
    _layout: Layout,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    let until = Instant::now() + LONGEST;
    let stream = Stream { app, id: broadcast.id, until, last: None, has_ended: false };
    let events = stream::unfold(stream, async |mut stream| {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    // A proxy that collected the events would make them useless.
    let headers =
        [(header::CONTENT_TYPE, EVENTS), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// What is streamed to one browser.
struct Stream {
    app: App,
    id: i64,
    until: Instant,
    /// The last report; `None` before the first.
    last: Option<String>,
    /// Whether nothing more happens to the broadcast by itself.
    has_ended: bool,
}

impl Stream {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if self.last.is_some() {
            let mut stopping = self.app.stopping.clone();
            tokio::select! {
                () = sleep(PACE) => {}
                Ok(_) = stopping.wait_for(|it| *it) => return None,
            }
        }
        if self.has_ended || Instant::now() > self.until {
            return None;
        }
        let (report, state) = self.report().await?;
        self.has_ended = !goes_on(state);
        if self.last.as_ref() == Some(&report) {
            return Some(": the same\n\n".to_owned());
        }
        let event = event(&report);
        self.last = Some(report);
        Some(event)
    }

    /// The part of the page, and the state.
    async fn report(&self) -> Option<(String, BroadcastState)> {
        let broadcast = self.app.broadcasts.find(self.id).await;
        let broadcast = broadcast
            .inspect_err(|error| {
                log::warn!(error = error_chain(error); "could not look up a broadcast");
            })
            .ok()?;
        let state = broadcast.state;
        let progress = Progress::of(&self.app, broadcast).await.ok()?;
        Some((progress.render().ok()?, state))
    }
}

/// An event with a part of the page.
fn event(html: &str) -> String {
    let lines = html.lines().map(|line| format!("data: {line}\n"));
    format!("retry: 1000\nevent: progress\n{}\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sums(sums: &[(RecipientState, &str, u64)]) -> RecipientSums {
        let sums = sums.iter().map(|(state, reason, n)| ((*state, (*reason).to_owned()), *n));
        RecipientSums(sums.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn the_parts_of_the_bar_fill_it() {
        let third = [
            (RecipientState::Sent, "", 1),
            (RecipientState::Failed, "a", 1),
            (RecipientState::Queued, "", 1),
        ];
        let bar = Bar::of(&sums(&third));
        assert_eq!(bar.parts, [("sent", 0, 333), ("failed", 333, 333), ("queued", 666, 334)]);
        assert_eq!(bar.label, "1 sent, 1 failed, 1 queued");
        assert!(Bar::of(&RecipientSums::default()).parts.is_empty());
        let rare = [(RecipientState::Sent, "", u64::MAX - 1), (RecipientState::Unknown, "", 1)];
        let bar = Bar::of(&sums(&rare));
        assert_eq!(bar.parts, [("sent", 0, 999), ("unknown", 998, 2)]);
    }

    #[test]
    fn the_rest_takes_as_long_as_the_pace_says() {
        assert_eq!(remaining(1_000, 25.0).as_deref(), Some("40 s"));
        assert_eq!(remaining(0, 25.0).as_deref(), Some("0 s"));
        assert_eq!(remaining(1_000, 0.0), None);
        assert_eq!(remaining(u64::MAX, 1e-9), None);
        assert_eq!(pace_text(0.0), "no recipients");
        assert_eq!(pace_text(0.5), "0.5 recipients a second");
        assert_eq!(pace_text(24.6), "25 recipients a second");
    }

    #[test]
    fn an_event_has_every_line_of_the_part() {
        let expected = "retry: 1000\nevent: progress\ndata: <p>\ndata: 1</p>\n\n";
        assert_eq!(event("<p>\n1</p>\n"), expected);
    }
}
