//! A token that proves that a form comes from a page of the admin.
//!
//! Browsers show the origin of a form by `Sec-Fetch-Site`, which they omit over http to another
//! machine, and by `Origin`, which `Referrer-Policy: no-referrer` turns into `null`. Without both, a
//! form is accepted if it contains the same random token as our cookie. Other sites can read
//! neither, and browsers do not send the cookie with their forms, because it is strict.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use futures_util::{StreamExt as _, stream};
use rollcall_service::{ServiceError, random_bytes};

use super::cookie;
use crate::{App, Settings};

/// The name of the field that carries the token.
pub(crate) const FIELD: &str = "form_token";

/// The largest form that is read: a note, or the ids of a page of users.
pub(crate) const LARGEST_BODY_BYTES: usize = 64 * 1024;

/// The most of a form with a file that is read to find the token, which is the first field.
const MOST_BEFORE_BYTES: usize = 1024;

const TOKEN_BYTES: usize = 16;

/// The token of this browser's forms.
#[derive(Clone)]
pub(crate) struct FormToken(pub(crate) String);

/// The token in the cookie of a browser.
pub(crate) fn of(settings: &Settings, headers: &HeaderMap) -> Option<FormToken> {
    let token = cookie::read(settings, cookie::FORM, headers);
    token.filter(|token| is_token(token)).map(FormToken)
}

/// Passes the token on for the forms of a page, and accepts a form that contains it.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let known = of(&app.settings, request.headers()).map(|FormToken(token)| token);
    let token = match &known {
        Some(token) => token.clone(),
        None => match new_token() {
            Ok(token) => token,
            Err(error) => {
                log::error!(error:% = error; "could not create a form token");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        },
    };
    if let Some(token) = known.as_deref().filter(|_| has_no_origin(&request)) {
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

/// Whether the headers of a form do not show its origin.
fn has_no_origin(request: &Request) -> bool {
    let headers = request.headers();
    *request.method() == Method::POST
        && !headers.contains_key("sec-fetch-site")
        && headers.get(header::ORIGIN).is_some_and(|origin| origin == "null")
}

/// Removes the `null` origin of a form with the token. The next check accepts forms without an
/// origin.
async fn vouch(request: Request, token: &str) -> Result<Request, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) {
        let (is_ours, body) = begins_with(token, body).await?;
        if is_ours {
            parts.headers.remove(header::ORIGIN);
        }
        return Ok(Request::from_parts(parts, body));
    }
    let body = to_bytes(body, LARGEST_BODY_BYTES).await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if pairs.iter().any(|(name, value)| name == FIELD && value == token) {
        parts.headers.remove(header::ORIGIN);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Whether the token is the first field of a form with a file. Only the beginning is read, and put back.
async fn begins_with(token: &str, body: Body) -> Result<(bool, Body), StatusCode> {
    let mut rest = body.into_data_stream();
    let (mut chunks, mut beginning) = (Vec::new(), Vec::new());
    while first_value(&beginning).is_none() && beginning.len() < MOST_BEFORE_BYTES {
        let Some(chunk) = rest.next().await else { break };
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        beginning.extend(chunk.iter().take(MOST_BEFORE_BYTES));
        chunks.push(Ok(chunk));
    }
    let is_ours = first_value(&beginning) == Some(token.as_bytes());
    Ok((is_ours, Body::from_stream(stream::iter(chunks).chain(rest))))
}

/// The value of the first field of a form with a file, if it is a [`FIELD`] and its end has come.
fn first_value(form: &[u8]) -> Option<&[u8]> {
    const END: &[u8] = b"\r\n\r\n";
    const NEXT: &[u8] = b"\r\n--";
    let place = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|it| it == part);
    let end = place(form, END)?;
    let head = str::from_utf8(form.get(..end)?).ok()?;
    let value = form.get(end + END.len()..)?;
    let value = value.get(..place(value, NEXT)?)?;
    head.ends_with(&format!("name=\"{FIELD}\"")).then_some(value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_first_field_of_a_form_with_a_file() {
        let form = |name: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nabc\r\n--x--")
        };
        let whole = form(FIELD);
        assert_eq!(first_value(whole.as_bytes()), Some(b"abc".as_slice()));
        assert_eq!(first_value(form("text").as_bytes()), None);
        // Until its end has come, it is unknown.
        for length in 0..whole.len() - b"x--".len() {
            assert_eq!(first_value(&whole.as_bytes()[..length]), None);
        }
    }
}
