//! Responses in the form of the Bot API (Bot API, "Making requests").

use std::time::Duration;

use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, CONTENT_TYPE, HeaderName, HeaderValue},
};
use reqwest::Body;
use serde_json::json;

/// Headers that are about one connection (RFC 9110, section 7.6.1), and those that a client sets itself.
const OF_A_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// Removes the headers that must not be passed on.
pub(super) fn remove_of_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_A_CONNECTION) {
        headers.remove(name);
    }
}

/// A response with a JSON body.
pub(super) fn respond(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A result that is `true`, with a description.
pub(super) fn done(description: &str) -> Response<Body> {
    let body = json!({"ok": true, "result": true, "description": description});
    respond(StatusCode::OK, body.to_string())
}

/// An error, in the words of Telegram if it has some.
pub(super) fn refuse(status: StatusCode, description: &str) -> Response<Body> {
    let code = status.as_u16();
    let body = json!({"ok": false, "error_code": code, "description": description});
    respond(status, body.to_string())
}

/// Asks to wait, as Telegram does.
pub(super) fn refuse_for(wait: Duration) -> Response<Body> {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    let body = json!({
        "ok": false,
        "error_code": 429,
        "description": format!("Too Many Requests: retry after {seconds}"),
        "parameters": {"retry_after": seconds},
    });
    respond(StatusCode::TOO_MANY_REQUESTS, body.to_string())
}
