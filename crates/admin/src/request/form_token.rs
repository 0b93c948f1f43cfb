//! Forms, and whether they are ours, where a browser does not say.
//!
//! Browsers tell where a form comes from by `Sec-Fetch-Site`, which they leave out over http to
//! another machine, and by `Origin`, which `Referrer-Policy: no-referrer` makes `null`. Where both
//! are silent, a form counts as ours if it carries the same random token as a cookie of ours: other
//! sites can read neither, and the cookie, being strict, does not come with what they send.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use rollcall_service::{ServiceError, random_bytes};

use super::cookie;
use crate::App;

/// The name of the field that carries the token.
pub(crate) const FIELD: &str = "form_token";

/// The largest form that is read: a note, or the ids of a page of users.
pub(crate) const LARGEST_BODY_BYTES: usize = 64 * 1024;

const TOKEN_BYTES: usize = 16;

/// What the forms of this browser carry.
#[derive(Clone)]
pub(crate) struct FormToken(pub(crate) String);

/// Hands on the token for the forms of a page, and vouches for a form that carries it.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let cookie = cookie::read(&app.settings, cookie::FORM, request.headers());
    let known = cookie.filter(|token| is_token(token));
    let token = match &known {
        Some(token) => token.clone(),
        None => match new_token() {
            Ok(token) => token,
            Err(error) => {
                log::error!(error:% = error; "there is no randomness for a form's token");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        },
    };
    if let Some(token) = known.as_deref().filter(|_| is_untold(&request)) {
        request = match vouch(request, token).await {
            Ok(request) => request,
            Err(refusal) => return refusal.into_response(),
        };
    }
    request.extensions_mut().insert(FormToken(token.clone()));
    let response = next.run(request).await;
    match known {
        None if is_page(&response) => cookie::set(&app.settings, cookie::FORM, &token, response),
        _ => response,
    }
}

/// Whether a browser sends something without telling from where.
fn is_untold(request: &Request) -> bool {
    let headers = request.headers();
    *request.method() == Method::POST
        && !headers.contains_key("sec-fetch-site")
        && headers.get(header::ORIGIN).is_some_and(|origin| origin == "null")
}

/// Takes the origin that says nothing from a form with the token; the check that comes next lets
/// those through that have none.
async fn vouch(request: Request, token: &str) -> Result<Request, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY_BYTES).await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if pairs.iter().any(|(name, value)| name == FIELD && value == token) {
        parts.headers.remove(header::ORIGIN);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn new_token() -> Result<String, ServiceError> {
    let bytes: [u8; TOKEN_BYTES] = random_bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn is_token(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())
}
