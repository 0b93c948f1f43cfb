//! What people asked about their data, for owners.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use rollcall_domain::{AuditAction, PrivacyRequest, RequestKind, TelegramId};
use rollcall_service::Session;
use serde::Deserialize;

use crate::{
    App,
    page::{Failure, Layout, render},
};

/// How many open and how many finished requests are shown.
const OPEN: u32 = 200;
const DONE: u32 = 50;

#[derive(Template)]
#[template(path = "requests.html")]
struct Page {
    layout: Layout,
    open: Vec<PrivacyRequest>,
    done: Vec<PrivacyRequest>,
    now: DateTime<Utc>,
    was_added: bool,
    was_finished: bool,
}

/// Shows the open requests and the latest finished ones.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let was = |what: &str| pairs.iter().any(|(name, value)| name == "done" && value == what);
    Ok(render(&Page {
        layout: layout.tab("users"),
        open: app.privacy_requests.open(OPEN).await?,
        done: app.privacy_requests.done(DONE).await?,
        now: app.clock.now(),
        was_added: was("added"),
        was_finished: was("finished"),
    }))
}

#[derive(Deserialize)]
pub(crate) struct NewRequest {
    id: String,
    kind: String,
}

/// Records a request that reached the owner elsewhere.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(NewRequest { id, kind }): Form<NewRequest>,
) -> Result<Response, Failure> {
    let person: TelegramId = id.trim().parse().map_err(|_| {
        Failure::Refused("Not a Telegram id. Expected a number, such as 123456789.")
    })?;
    let kind: RequestKind = kind.parse().map_err(|_| {
        Failure::Refused("Not a kind of request. Expected copy, erasure or telegram.")
    })?;
    let number = app.privacy_requests.add(person, kind).await?;
    let what = format!("{number}: {kind}");
    let action = AuditAction::AddedPrivacyRequest;
    app.admins.audit(&session.admin, action, None, None, Some(&what)).await?;
    Ok(back(&app, "added"))
}

#[derive(Deserialize)]
pub(crate) struct Finished {
    number: String,
}

/// Marks a request as done.
pub(crate) async fn finish(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(Finished { number }): Form<Finished>,
) -> Result<Response, Failure> {
    let wrong =
        Failure::Refused("There is no such open request. Another admin may have finished it.");
    let Ok(number) = number.parse() else { return Err(wrong) };
    if !app.privacy_requests.finish(number).await? {
        return Err(wrong);
    }
    let (action, what) = (AuditAction::FinishedPrivacyRequest, number.to_string());
    app.admins.audit(&session.admin, action, None, None, Some(&what)).await?;
    Ok(back(&app, "finished"))
}

fn back(app: &App, done: &str) -> Response {
    Redirect::to(&format!("{}/requests?done={done}", app.base)).into_response()
}

/// The kind of a request in words.
pub(crate) fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Copy => "A copy of the data",
        RequestKind::Erasure => "Erasure",
        RequestKind::Telegram => "Telegram asked for erasure",
    }
}
