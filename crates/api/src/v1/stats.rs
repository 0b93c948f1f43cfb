//! Today's figures.

use axum::{Json, extract::State};
use serde_json::Value;

use super::{json, refusal};
use crate::{app::App, error::ApiError};

/// The numbers of users, active users and interactions.
pub(crate) async fn show(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let stats = app.services.reads.activity.get_stats().await;
    Ok(Json(json::stats(&stats.map_err(|error| refusal::service(&app, &error))?)))
}
