//! The errors of the services as responses.

use axum::http::StatusCode;
use rollcall_domain::FilterError;
use rollcall_service::{AudienceError, BroadcastError, LabelError, ServiceError};

use crate::{access::failed, app::App, error::ApiError};

/// 404: there is no such thing.
pub(super) fn missing(what: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, what)
}

/// A filter that cannot be read: `at` is the number of characters before the wrong one.
pub(super) fn filter(error: &FilterError) -> ApiError {
    ApiError::invalid(error.to_string()).with("at", error.at)
}

pub(super) fn service(app: &App, error: &ServiceError) -> ApiError {
    failed(app, error)
}

pub(super) fn audience(app: &App, error: AudienceError) -> ApiError {
    match error {
        AudienceError::Service(error) => failed(app, &error),
        error => ApiError::invalid(error.to_string()),
    }
}

pub(super) fn label(app: &App, error: LabelError) -> ApiError {
    match error {
        LabelError::Service(error) => failed(app, &error),
        LabelError::Unknown(..) => missing(error.to_string()),
        error => ApiError::new(StatusCode::CONFLICT, error.to_string()),
    }
}

pub(super) fn broadcast(app: &App, error: BroadcastError) -> ApiError {
    match error {
        BroadcastError::Service(error) => failed(app, &error),
        BroadcastError::Missing(_) => missing(error.to_string()),
        BroadcastError::State { .. }
        | BroadcastError::Nobody(_)
        | BroadcastError::AllLeftOut(_) => ApiError::new(StatusCode::CONFLICT, error.to_string()),
        error => ApiError::invalid(error.to_string()),
    }
}
