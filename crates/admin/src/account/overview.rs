//! The page of an admin's own account.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::Admin;
use rollcall_service::{OwnSession, Passkey, PasskeySite, SecondFactors, Session};
use serde::Deserialize;

use crate::{
    App,
    page::{Failure, Layout, render},
    request::remember_device,
    session::{
        passkey_site::{origins, sites},
        session_cookie,
    },
};

#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    layout: Layout,
    has_password: bool,
    factors: SecondFactors,
    is_required: bool,
    sites: Vec<PasskeySite>,
    sessions: Vec<OwnSession>,
}

impl Page {
    fn origins(&self) -> String {
        origins(&self.sites)
    }

    /// Whether a passkey can be used on this page.
    fn is_for_here(&self, passkey: &Passkey) -> bool {
        self.sites.iter().any(|site| site.host() == passkey.host)
    }

    fn is_only_one(&self) -> bool {
        self.factors.app_since.is_none() && self.factors.passkeys.len() == 1
    }
}

/// Shows the page.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    Ok(render(&Page {
        layout: layout.tab("account"),
        has_password: matches!(session.admin, Admin::Account(_)),
        factors: app.admins.second_factors(&session.admin).await?,
        is_required: app.admins.requires_second_factor(),
        sites: sites(&app.settings, &headers),
        sessions: app.admins.own_sessions(&token).await?,
    }))
}

/// Ends one of the sessions.
pub(crate) async fn end_session(
    State(app): State<App>,
    headers: HeaderMap,
    Form(Which { id }): Form<Which>,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    app.admins.end_own_session(&token, id).await?;
    Ok(to_page(&app))
}

/// Ends all other sessions.
pub(crate) async fn end_others(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    app.admins.end_other_sessions(&token).await?;
    remember_device(&app, &headers, &token, to_page(&app)).await
}

fn to_page(app: &App) -> Response {
    Redirect::to(&format!("{}/account", app.base)).into_response()
}
