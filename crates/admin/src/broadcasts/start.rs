//! Starting a broadcast, after a page that shows what happens then.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use rollcall_domain::{Broadcast, BroadcastState, Variant};
use rollcall_service::{BroadcastChange, Session};

use super::{
    audience::Audience,
    change::change,
    find::{find, page_of, users_of},
    message::Bubbles,
    words,
};
use crate::{
    App,
    page::{Failure, Layout, render, time_zone},
    request::value,
};

/// How long the page counts the audience before it shows an estimate.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Template)]
#[template(path = "start_broadcast.html")]
struct Page {
    layout: Layout,
    broadcast: Broadcast,
    audience: Result<Audience, String>,
    filter: String,
    list: String,
    days_of: Option<String>,
    messages: Vec<(Option<Variant>, Bubbles)>,
    /// How the winner is found.
    test: Option<String>,
    /// The time of its plan, if that is still to come.
    later: Option<DateTime<Utc>>,
    /// The same by each user's own clock.
    local_time: Option<String>,
}

/// Shows what happens when a broadcast starts.
pub(crate) async fn ask(
    State(app): State<App>,
    layout: Layout,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    if !matches!(broadcast.state, BroadcastState::Draft | BroadcastState::Scheduled) {
        return Ok(Redirect::to(&page_of(&app, broadcast.id)).into_response());
    }
    let plan = &broadcast.plan;
    let now = app.clock.now();
    let is_draft = broadcast.state == BroadcastState::Draft;
    Ok(render(&Page {
        layout: layout.tab("broadcasts"),
        audience: Audience::of(&app, plan, PATIENCE).await?,
        filter: plan.filter.to_string(),
        list: users_of(&app, plan),
        days_of: plan.filter.depends_on_days().then(|| time_zone::name(plan.zone)),
        messages: Bubbles::of_plan(plan, &app.base),
        test: words::test(plan),
        later: plan.planned_for().filter(|at| *at > now && is_draft),
        local_time: words::local_time(plan),
        broadcast,
    }))
}

/// Starts a broadcast now, or lets it start at its time.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let wanted = match value(&pairs, "when") {
        "now" => BroadcastChange::Start,
        "later" => BroadcastChange::Schedule,
        _ => return Err(Failure::Refused("A field is missing. Nothing was started.")),
    };
    change(&app, &session, &id, wanted).await
}
