//! The responses of errors: JSON with `error`, a sentence, and what helps a program besides.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

/// An error, as the client gets it.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    fields: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let fields = Map::from_iter([("error".to_owned(), Value::String(error.into()))]);
        Self { status, fields, headers: Vec::new() }
    }

    /// 400: the request is wrong.
    pub(crate) fn invalid(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// 429: the client should wait.
    pub(crate) fn wait(error: &str, wait: Duration) -> Self {
        // Whole seconds, rounded up.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, error);
        error.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// 503: the storage failed. The client should send the request again.
    pub(crate) fn unavailable(error: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, error);
        error.with_header(header::RETRY_AFTER, HeaderValue::from(1))
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Value::Object(self.fields))).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The response of a server that has no database yet.
pub fn not_ready() -> Response {
    ApiError::unavailable("the bot is starting; send the request again").into_response()
}
