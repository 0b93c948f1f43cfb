//! Whose request it is: the cookie, and who may go through.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::Role;
use rollcall_service::Standing;

use super::{confirm, session_cookie, sign_in};
use crate::{App, page::Failure, request::query_string};

/// Who may have a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Anybody,
    /// Those with a session, also where they still owe the second factor or have to set one up.
    Begun,
    /// Those who are signed in, also where they have to set a second factor up first, and who proved
    /// their identity lately.
    Setup,
    /// Those with this role, and those who may do more.
    Role(Role),
    /// Those with this role, and those who may do more, if they proved their identity lately.
    Confirmed(Role),
}

/// Lets a request through to its route if whoever sends it may have it, and hands on the session.
pub(crate) async fn check_access(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    if access == Access::Anybody {
        return next.run(request).await;
    }
    let session = match session_cookie::token(&app.settings, request.headers()) {
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
    let query = query_string([("next", wanted(request))]);
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
    let query = query_string([("next", wanted)]);
    Redirect::to(&format!("{}/sign-in?{query}", app.base)).into_response()
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}
