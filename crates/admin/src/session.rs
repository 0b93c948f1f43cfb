//! Whose request it is: the cookie, and who may go through.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::SessionToken;

use crate::{Access, App, Settings, explain::Failure, query, sign_in};

/// The session's cookie. Over https and without a prefix its name begins with `__Host-`, so that
/// browsers take it from nobody else.
const COOKIE: &str = "rollcall_session";

/// Lets a request through to its route if whoever sends it may have it, and hands on the session.
pub(crate) async fn guard(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Access::Role(role) = access else { return next.run(request).await };
    let session = match token(&app.settings, request.headers()) {
        Some(token) => match app.admins.session(&token).await {
            Ok(session) => session,
            Err(error) => return Failure::from(error).into_response(),
        },
        None => None,
    };
    match session {
        None => to_sign_in(&app, &request),
        Some(session) if session.role < role => StatusCode::FORBIDDEN.into_response(),
        Some(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
    }
}

/// Sends somebody who is not signed in to where they can.
fn to_sign_in(app: &App, request: &Request) -> Response {
    if request.method() != Method::GET {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let wanted = request.uri().path_and_query().map_or("", |it| it.as_str());
    // A browser keeps a strict cookie to itself when a link on somebody else's page is followed.
    // Asked again from a page of ours, it sends it.
    if is_cross_site(request.headers()) {
        return sign_in::again(wanted);
    }
    let query = query::pairs([("next", wanted)]);
    Redirect::to(&format!("{}/sign-in?{query}", app.base)).into_response()
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// The token in the cookie of a request.
pub(crate) fn token(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let name = name(settings);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
}

/// Adds the cookie of a new session to an answer. It lasts as long as the browser runs, and the
/// session no longer than the server lets it.
pub(crate) fn begin(settings: &Settings, token: &SessionToken, response: Response) -> Response {
    set(settings, token.as_str(), "", response)
}

/// Takes the cookie back.
pub(crate) fn end(settings: &Settings, response: Response) -> Response {
    set(settings, "", "; Max-Age=0", response)
}

fn set(settings: &Settings, value: &str, more: &str, mut response: Response) -> Response {
    let path = if settings.prefix.is_empty() { "/" } else { &settings.prefix };
    let secure = if settings.is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{more}", name(settings));
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) => {
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        // Neither a token nor a path has characters that a header cannot.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn name(settings: &Settings) -> String {
    let is_hosts = settings.is_https() && settings.prefix.is_empty();
    format!("{}{COOKIE}", if is_hosts { "__Host-" } else { "" })
}
