//! The cookie that carries a session's token.

use axum::{http::HeaderMap, response::Response};
use rollcall_service::SessionToken;

use crate::{Settings, request::cookie};

/// The token in the cookie of a request.
pub(crate) fn token(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    cookie::read(settings, cookie::SESSION, headers)
}

/// Adds the cookie of a new session to an answer. It lasts as long as the browser runs, and the
/// session no longer than the server lets it.
pub(crate) fn set(settings: &Settings, token: &SessionToken, response: Response) -> Response {
    cookie::set(settings, cookie::SESSION, token.as_str(), response)
}

/// Takes the cookie back.
pub(crate) fn remove(settings: &Settings, response: Response) -> Response {
    cookie::remove(settings, cookie::SESSION, response)
}
