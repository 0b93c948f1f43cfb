//! Error pages.

use std::borrow::Cow;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rollcall_domain::{TelegramId, error_chain};
use rollcall_service::{ServiceError, Standing};

use super::{Layout, render, text::quoted};
use crate::{
    App,
    request::{cookie, form_token},
};

/// Why a request cannot be answered as asked.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such page.
    NotFound,
    /// What the page is about does not exist: the title, and the message to show.
    Missing(&'static str, String),
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
    /// There is no user with this id.
    pub(crate) fn no_user(id: TelegramId) -> Self {
        let text = format!("There is no user with the id {id}. {DELETED_OR_NEW}");
        Self::Missing(USER_NOT_FOUND, text)
    }

    /// This text is no id of a user.
    pub(crate) fn no_id(text: &str) -> Self {
        let text = format!("“{}” is not a Telegram id, such as 123456789.", quoted(text));
        Self::Missing(USER_NOT_FOUND, text)
    }

    /// There is no segment of this name.
    pub(crate) fn no_segment(name: &str) -> Self {
        let text = format!("There is no segment “{}”. It may have been deleted.", quoted(name));
        Self::Missing("Segment not found", text)
    }

    /// There is no account of this name.
    pub(crate) fn no_account(name: &str) -> Self {
        let text = format!("There is no account “{}”. It may have been removed.", quoted(name));
        Self::Missing("Admin not found", text)
    }

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
            Self::Missing(title, text) => {
                because(StatusCode::NOT_FOUND, Reason { title: Some(title), text: text.into() })
            }
            Self::Refused(text) => {
                because(StatusCode::BAD_REQUEST, Reason { title: None, text: text.into() })
            }
            Self::Invalid(text) => {
                because(StatusCode::BAD_REQUEST, Reason { title: None, text: text.into() })
            }
            Self::Busy(text) => {
                because(StatusCode::SERVICE_UNAVAILABLE, Reason { title: None, text: text.into() })
            }
            Self::Service(error) => {
                log::error!(error = error_chain(&error); "could not answer a request");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// An answer with this status, whose page shows the reason.
fn because(status: StatusCode, reason: Reason) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(reason);
    response
}

/// The words to show in place of the status's own.
#[derive(Clone)]
struct Reason {
    title: Option<&'static str>,
    text: Cow<'static, str>,
}

const USER_NOT_FOUND: &str = "User not found";
const DELETED_OR_NEW: &str = "The user was deleted, or has never written to the bot.";

/// An error page of a signed-in admin, with the navigation.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    title: &'static str,
    text: Cow<'static, str>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    layout: Layout,
    title: &'static str,
    text: Cow<'static, str>,
}

/// Adds an error page to an answer with an error status and no page of its own.
pub(crate) async fn explain(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let is_page = |value: &HeaderValue| value.as_bytes().starts_with(b"text/html");
    let says_no = status.is_client_error() || status.is_server_error();
    if !says_no || response.headers().get(header::CONTENT_TYPE).is_some_and(is_page) {
        return response;
    }
    let (title, text) = words(status);
    let reason = response.extensions().get::<Reason>().cloned();
    let (title, text) = match reason {
        Some(Reason { title: own, text }) => (own.unwrap_or(title), text),
        None if status == StatusCode::NOT_FOUND => {
            (title, format!("This page doesn’t exist: {}", quoted(asked.uri.path())).into())
        }
        None => (title, text.into()),
    };
    let page = match signed_in(&app, &mut asked).await {
        Some(layout) => render(&ErrorPage { layout, title, text }),
        None => render(&Message { layout: Layout::for_anybody(&app), title, text }),
    };
    let (parts, body) = page.into_parts();
    let mut response = response.map(|_| body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(parts.headers);
    response
}

/// The layout for an admin who is signed in. This middleware is outside the one that checks sessions,
/// because it also explains the refusals of others.
async fn signed_in(app: &App, asked: &mut Parts) -> Option<Layout> {
    let token = cookie::read(&app.settings, cookie::SESSION, &asked.headers)?;
    // Without an answer, the page is shown as to anybody.
    let session = app.admins.session(&token).await.ok()??;
    if session.standing != Standing::Whole {
        return None;
    }
    asked.extensions.insert(session);
    if let Some(token) = form_token::of(&app.settings, &asked.headers) {
        asked.extensions.insert(token);
    }
    let Ok(layout) = Layout::from_request_parts(asked, app).await;
    Some(layout)
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
        StatusCode::NOT_FOUND => ("Page not found", "This page doesn’t exist."),
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
