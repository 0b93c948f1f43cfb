//! Pausing, resuming and cancelling a broadcast.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{Broadcast, RecipientState};
use rollcall_service::{BroadcastChange, Session};

use super::{
    find::{find, page_of, refusal},
    words,
};
use crate::{
    App,
    page::{Failure, Layout, render},
    request::value,
};

/// Asks before a broadcast is cancelled.
#[derive(Template)]
#[template(path = "cancel_broadcast.html")]
struct Question {
    layout: Layout,
    broadcast: Broadcast,
    /// How many recipients would not get it.
    queued: String,
    has_recipients: bool,
}

/// Pauses a broadcast.
pub(crate) async fn pause(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    change(&app, &session, &id, BroadcastChange::Pause).await
}

/// Resumes a paused broadcast.
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    change(&app, &session, &id, BroadcastChange::Resume).await
}

/// Asks before a broadcast is cancelled.
pub(crate) async fn ask_to_cancel(
    State(app): State<App>,
    layout: Layout,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    if broadcast.state.has_ended() {
        return Ok(Redirect::to(&page_of(&app, broadcast.id)).into_response());
    }
    let sums = app.broadcasts.sums(broadcast.id).await?;
    Ok(render(&Question {
        layout: layout.tab("broadcasts"),
        queued: words::recipients(sums.of(RecipientState::Queued)),
        has_recipients: broadcast.started_at.is_some(),
        broadcast,
    }))
}

/// Cancels a broadcast.
pub(crate) async fn cancel(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    if value(&pairs, "sure").is_empty() {
        return Err(Failure::Refused("Tick the box to confirm. Nothing was cancelled."));
    }
    change(&app, &session, &id, BroadcastChange::Cancel).await
}

/// Changes the state of a broadcast, and shows it.
pub(super) async fn change(
    app: &App,
    session: &Session,
    id: &str,
    change: BroadcastChange,
) -> Result<Response, Failure> {
    let id = find(app, id).await?.id;
    let changed = app.broadcasts.change(id, change, Some(&session.admin)).await;
    let id = changed.map_err(refusal)?.id;
    let done = match change {
        BroadcastChange::Start => "start",
        BroadcastChange::Schedule => "schedule",
        BroadcastChange::Pause => "pause",
        BroadcastChange::Resume => "resume",
        BroadcastChange::Cancel => "cancel",
    };
    Ok(Redirect::to(&format!("{}?done={done}", page_of(app, id))).into_response())
}
