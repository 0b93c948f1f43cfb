//! Error pages.

use std::borrow::Cow;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_domain::error_chain;
use rollcall_service::ServiceError;

use super::{Layout, render};
use crate::App;

/// Why a request cannot be answered as asked.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such page or user.
    NotFound,
    /// The request is invalid or cannot be done; with the message to show.
    Refused(&'static str),
    /// The same, with a message that quotes the input; see [`Failure::invalid`].
    Invalid(String),
    /// Too many such requests are running; with the message to show.
    Busy(&'static str),
    /// The service failed.
    Service(ServiceError),
}

impl Failure {
    /// The input cannot be understood, as this sentence explains.
    pub(crate) fn invalid(what: String) -> Self {
        Self::Invalid(format!("{what} Nothing was done."))
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Refused(reason) => bad_request(reason.into()),
            Self::Invalid(reason) => bad_request(reason.into()),
            Self::Busy(reason) => {
                let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                response.extensions_mut().insert(Reason(reason.into()));
                response
            }
            Self::Service(error) => {
                log::error!(error = error_chain(&error); "could not answer a request");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn bad_request(reason: Cow<'static, str>) -> Response {
    let mut response = StatusCode::BAD_REQUEST.into_response();
    response.extensions_mut().insert(Reason(reason));
    response
}

/// The message to show in place of the status's own.
#[derive(Clone)]
struct Reason(Cow<'static, str>);

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    layout: Layout,
    title: &'static str,
    text: Cow<'static, str>,
}

/// Adds an error page to an answer with an error status and no page of its own.
pub(crate) async fn explain(State(app): State<App>, response: Response) -> Response {
    let status = response.status();
    let is_page = |value: &HeaderValue| value.as_bytes().starts_with(b"text/html");
    let says_no = status.is_client_error() || status.is_server_error();
    if !says_no || response.headers().get(header::CONTENT_TYPE).is_some_and(is_page) {
        return response;
    }
    let (title, text) = words(status);
    let reason = response.extensions().get::<Reason>().map(|Reason(reason)| reason.clone());
    let text = reason.unwrap_or(text.into());
    let layout = Layout::for_anybody(&app);
    let (parts, body) = render(&Message { layout, title, text }).into_parts();
    let mut response = response.map(|_| body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(parts.headers);
    response
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => (
            "You are not signed in",
            "Nothing was changed. Sign in and send it again. To keep what you wrote, sign in from \
             another tab.",
        ),
        StatusCode::FORBIDDEN => (
            "You are not allowed to do this",
            "Your role does not allow it, or the request did not come from a page of this admin. \
             Nothing was changed.",
        ),
        StatusCode::NOT_FOUND => {
            ("Page not found", "This page doesn’t exist, or the user was deleted.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("This is too long", "Nothing was changed. Shorten it and send it again.")
        }
        status if status.is_client_error() => {
            ("Invalid request", "No page of this admin sends such a request. Nothing was changed.")
        }
        _ => (
            "Something went wrong",
            "The server could not answer. Its log shows the reason. Try again in a moment.",
        ),
    }
}
