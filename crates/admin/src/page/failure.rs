//! Answers for when something cannot be had: in words, on a page.

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

/// Why a page cannot be had.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such thing.
    NotFound,
    /// What was sent makes no sense, or cannot be done; with what to tell about it.
    Refused(&'static str),
    /// The same, in words that name what was sent; see [`Failure::invalid`].
    Invalid(String),
    /// There is no room for it just now, which this sentence says.
    Busy(&'static str),
    /// The service failed.
    Service(ServiceError),
}

impl Failure {
    /// Something that was sent cannot be understood, which this sentence says.
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
                log::error!(error = error_chain(&error); "a page cannot be answered");
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

/// What to tell besides the status.
#[derive(Clone)]
struct Reason(Cow<'static, str>);

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    layout: Layout,
    title: &'static str,
    text: Cow<'static, str>,
}

/// Writes the page of an answer that says no.
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
            "Nothing was changed. Sign in, in another tab if you do not want to lose what you \
             wrote, and send it again.",
        ),
        StatusCode::FORBIDDEN => (
            "You may not do this",
            "Either your role does not include it, or the request did not come from a page of \
             this admin. Nothing was changed.",
        ),
        StatusCode::NOT_FOUND => {
            ("There is nothing here", "What you look for was deleted, or never was there.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("This is too long", "Nothing was changed. Make it shorter, and send it again.")
        }
        status if status.is_client_error() => (
            "This cannot be done",
            "The request is not one that this page could have sent. Nothing was changed.",
        ),
        _ => (
            "This did not work",
            "The server could not answer; its log says why. Try again in a moment.",
        ),
    }
}
