//! Whose request it is: the cookie, and who may go through.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::SessionToken;

use crate::{Access, App, Settings, cookie, explain::Failure, query, sign_in};

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
    if !request.method().is_safe() {
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
    cookie::read(settings, cookie::SESSION, headers)
}

/// Adds the cookie of a new session to an answer. It lasts as long as the browser runs, and the
/// session no longer than the server lets it.
pub(crate) fn begin(settings: &Settings, token: &SessionToken, response: Response) -> Response {
    cookie::set(settings, cookie::SESSION, token.as_str(), response)
}

/// Takes the cookie back.
pub(crate) fn end(settings: &Settings, response: Response) -> Response {
    cookie::remove(settings, cookie::SESSION, response)
}
