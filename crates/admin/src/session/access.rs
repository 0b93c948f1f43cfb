//! Checks whether a request may use its route.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::Role;
use rollcall_service::Standing;

use super::{confirm, session_cookie, sign_in};
use crate::{
    App,
    page::Failure,
    request::{asks_for_events, query_string},
};

/// The session and role that a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// None: the route is public.
    Anybody,
    /// A session, even if the second factor is still missing or has to be set up.
    Begun,
    /// A recently confirmed session, even if a second factor has to be set up first.
    Setup,
    /// At least this role.
    Role(Role),
    /// At least this role, and a recent confirmation.
    Confirmed(Role),
}

/// Passes a request on to its route, with the session, if the session is sufficient.
pub(crate) async fn check_access(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    if access == Access::Anybody {
        return next.run(request).await;
    }
    let session = match session_cookie::token(&app.settings, request.headers()) {
        Some(token) => {
            // A page that is left open does not keep its session from expiring.
            let session = match asks_for_events(request.headers()) {
                true => app.admins.peek_session(&token).await,
                false => app.admins.session(&token).await,
            };
            match session {
                Ok(session) => session,
                Err(error) => return Failure::from(error).into_response(),
            }
        }
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

/// Redirects to the page that asks for a confirmation.
fn to_confirm(app: &App, request: &Request) -> Response {
    if !request.method().is_safe() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let query = query_string([("next", wanted(request))]);
    Redirect::to(&format!("{}/confirm?{query}", app.base)).into_response()
}

/// Redirects to the set-up of a second factor.
fn to_set_up(app: &App) -> Response {
    Redirect::to(&format!("{}/account/second-factor", app.base)).into_response()
}

/// The path and query of a request.
fn wanted(request: &Request) -> &str {
    request.uri().path_and_query().map_or("", |it| it.as_str())
}

/// Redirects to the sign-in page.
fn to_sign_in(app: &App, request: &Request) -> Response {
    if !request.method().is_safe() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let wanted = wanted(request);
    // Browsers do not send a strict cookie when a link on another site is followed. They send it
    // when a page of ours requests the same address again.
    if is_cross_site(request.headers()) {
        return sign_in::again(wanted);
    }
    let query = query_string([("next", wanted)]);
    Redirect::to(&format!("{}/sign-in?{query}", app.base)).into_response()
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}
