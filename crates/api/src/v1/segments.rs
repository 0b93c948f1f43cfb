//! Segments, and their users.

use axum::{
    Json,
    extract::{Path, State},
};
use rollcall_domain::{Filter, Term};
use serde_json::{Value, json};

use super::{
    json,
    parameters::{Page, Parameters, name},
    refusal, users,
};
use crate::{app::App, error::ApiError};

/// All segments, with their latest sizes.
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let segments = app.services.reads.segments.list().await;
    let segments = segments.map_err(|error| refusal::service(&app, &error))?;
    let segments: Vec<Value> = segments.iter().map(json::segment).collect();
    Ok(Json(json!({ "segments": segments })))
}

/// A page of the users that a segment has now. Its days are those of its own time zone.
pub(crate) async fn users(
    State(app): State<App>,
    Path(segment): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<Json<Value>, ApiError> {
    let segment = name(&segment)?;
    let segments = app.services.reads.audience.segments().await;
    let segments = segments.map_err(|error| refusal::service(&app, &error))?;
    let Some(found) = segments.iter().find(|it| it.name == segment) else {
        return Err(refusal::missing(format!("there is no segment '{segment}'")));
    };
    let filter = page.filter()?.and(Filter::with(Term::Segment(vec![segment])));
    users::page_of(&app, &page, &filter, found.zone).await
}
