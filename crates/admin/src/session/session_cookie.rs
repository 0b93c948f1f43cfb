//! The cookie that carries a session's token.

use axum::{http::HeaderMap, response::Response};
use rollcall_service::SessionToken;

use crate::{Settings, request::cookie};

/// The token in a request.
pub(crate) fn token(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    cookie::read(settings, cookie::SESSION, headers)
}

/// Adds the cookie of a new session. The browser deletes it when it closes; the session expires on
/// the server.
pub(crate) fn set(settings: &Settings, token: &SessionToken, response: Response) -> Response {
    cookie::set(settings, cookie::SESSION, token.as_str(), response)
}

/// Removes the cookie.
pub(crate) fn remove(settings: &Settings, response: Response) -> Response {
    cookie::remove(settings, cookie::SESSION, response)
}
