//! The list of broadcasts.

use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use rollcall_domain::{Broadcast, BroadcastState, RecipientState, RecipientSums};

use super::{find::users_of, progress::Bar, words};
use crate::{
    App,
    page::{Failure, Layout, render, text},
    request::value,
};

/// How many broadcasts a page lists.
const SIZE: u32 = 200;

#[derive(Template)]
#[template(path = "broadcasts.html")]
struct Page {
    layout: Layout,
    rows: Vec<Row>,
    /// Whether these are the newest ones.
    is_first: bool,
    /// The number before which older ones begin.
    older: Option<i64>,
    /// Whether one of them is being prepared or sent, so that the page shows it again by itself.
    is_active: bool,
}

struct Row {
    broadcast: Broadcast,
    state: (&'static str, &'static str),
    why: Option<&'static str>,
    filter: String,
    list: String,
    bar: Bar,
    /// Its recipients, and how many got the message; `None` before it has started.
    numbers: Option<(String, String)>,
}

impl Row {
    fn is_startable(&self) -> bool {
        matches!(self.broadcast.state, BroadcastState::Draft | BroadcastState::Scheduled)
    }

    fn is_active(&self) -> bool {
        matches!(self.broadcast.state, BroadcastState::Preparing | BroadcastState::Sending)
    }

    fn is_paused(&self) -> bool {
        self.broadcast.state.reason().is_some()
    }
}

/// Lists the broadcasts, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let before = value(&pairs, "before").parse().ok();
    let listed = app.broadcasts.list(before, SIZE).await?;
    let is_full = listed.len() >= usize::try_from(SIZE).unwrap_or(usize::MAX);
    let last = listed.last().map(|(broadcast, _)| broadcast.id);
    let row = |(broadcast, sums): (Broadcast, RecipientSums)| Row {
        state: words::state(broadcast.state),
        why: words::why(broadcast.state),
        filter: broadcast.plan.filter.to_string(),
        list: users_of(&app, &broadcast.plan),
        bar: Bar::of(&sums),
        numbers: (sums.all() > 0)
            .then(|| (text::grouped(sums.of(RecipientState::Sent)), words::recipients(sums.all()))),
        broadcast,
    };
    let rows: Vec<Row> = listed.into_iter().map(row).collect();
    Ok(render(&Page {
        layout: layout.tab("broadcasts"),
        is_first: before.is_none(),
        older: last.filter(|_| is_full),
        is_active: rows.iter().any(Row::is_active),
        rows,
    }))
}
