//! Whose request it is: the cookie, and who may go through.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{SessionToken, Standing};

use crate::{Access, App, Settings, confirm, cookie, explain::Failure, query, sign_in};

/// Lets a request through to its route if whoever sends it may have it, and hands on the session.
pub(crate) async fn guard(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    if access == Access::Anybody {
        return next.run(request).await;
    }
    let session = match token(&app.settings, request.headers()) {
        Some(token) => match app.admins.session(&token).await {
            Ok(session) => session,
            Err(error) => return Failure::from(error).into_response(),
        },
        None => None,
    };
    let Some(session) = session else { return to_sign_in(&app, &request) };
    let (role, is_sure) = match access {
        Access::Anybody | Access::Begun => (None, false),
        Access::Setup => (None, true),
        Access::Role(role) => (Some(role), false),
        Access::Confirmed(role) => (Some(role), true),
    };
    match session.standing {
        Standing::OwesFactor if access != Access::Begun => return to_confirm(&app, &request),
        Standing::OwesSetup if role.is_some() => return to_set_up(&app),
        Standing::OwesFactor | Standing::OwesSetup | Standing::Whole => {}
    }
    if role.is_some_and(|role| session.role < role) {
        return StatusCode::FORBIDDEN.into_response();
    }
    request.extensions_mut().insert(session.clone());
    if is_sure && !session.is_confirmed {
        return match request.method().is_safe() {
            true => to_confirm(&app, &request),
            false => confirm::ask_before(app, session, request).await,
        };
    }
    next.run(request).await
}

/// Sends somebody to the page that asks for a proof of their identity.
fn to_confirm(app: &App, request: &Request) -> Response {
    if !request.method().is_safe() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let query = query::pairs([("next", wanted(request))]);
    Redirect::to(&format!("{}/confirm?{query}", app.base)).into_response()
}

/// Sends somebody who needs a second factor to where it is set up.
fn to_set_up(app: &App) -> Response {
    Redirect::to(&format!("{}/account/second-factor", app.base)).into_response()
}

/// What a request asks for.
fn wanted(request: &Request) -> &str {
    request.uri().path_and_query().map_or("", |it| it.as_str())
}

/// Sends somebody who is not signed in to where they can.
fn to_sign_in(app: &App, request: &Request) -> Response {
    if !request.method().is_safe() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let wanted = wanted(request);
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
