//! Setting up an authenticator app as a second factor, and recovery codes.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{FactorError, OfferedFactor, RecoveryCode, Session, Standing};
use serde::Deserialize;

use super::qr::Qr;
use crate::{
    App,
    page::{Failure, Layout, render},
    request::remember_device,
    session::{passkey_site::sites, session_cookie},
};

#[derive(Deserialize)]
pub(crate) struct Code {
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct Page {
    layout: Layout,
    trouble: Option<&'static str>,
    is_required: bool,
    qr: Option<Qr>,
    /// In groups of four.
    secret: String,
    /// Whether passkeys can be used on this page.
    has_passkeys: bool,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct Codes {
    layout: Layout,
    is_new: bool,
    codes: Vec<RecoveryCode>,
}

/// Shows the key for an authenticator app, and asks for a code.
pub(crate) async fn set_up(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    match app.admins.offer_second_factor(&token).await? {
        Some(offered) => Ok(render(&Page::new(&app, layout, &headers, &session, &offered, None))),
        None => Ok(to_account(&app)),
    }
}

/// Turns the second factor on, if the code is right, and shows the recovery codes.
pub(crate) async fn turn_on(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
    Form(Code { code }): Form<Code>,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    match app.admins.enable_second_factor(&token, &code).await {
        Ok(Some(codes)) => remember_device(&app, &headers, &token, new_codes(layout, codes)).await,
        Ok(None) => remember_device(&app, &headers, &token, to_account(&app)).await,
        Err(FactorError::WrongCode) => {
            let Some(offered) = app.admins.offer_second_factor(&token).await? else {
                return Ok(to_account(&app));
            };
            let trouble = "The code is wrong. Check that the clock of your phone is right, and \
                           enter the current code from the app.";
            let page =
                render(&Page::new(&app, layout, &headers, &session, &offered, Some(trouble)));
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
        Err(FactorError::NotOffered) => Ok(to_account(&app)),
        Err(FactorError::Storage(error)) => Err(error.into()),
    }
}

/// Turns the second factor off.
pub(crate) async fn turn_off(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    app.admins.disable_second_factor(&token).await?;
    remember_device(&app, &headers, &token, to_account(&app)).await
}

/// Replaces the recovery codes, and shows the new ones.
pub(crate) async fn renew_codes(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
) -> Result<Response, Failure> {
    match app.admins.renew_recovery_codes(&session.admin).await? {
        Some(codes) => Ok(render(&Codes { layout, is_new: false, codes })),
        None => Ok(to_account(&app)),
    }
}

/// Shows the recovery codes of a second factor that has just been set up.
pub(crate) fn new_codes(layout: Layout, codes: Vec<RecoveryCode>) -> Response {
    render(&Codes { layout, is_new: true, codes })
}

fn to_account(app: &App) -> Response {
    Redirect::to(&format!("{}/account", app.base)).into_response()
}

impl Page {
    fn new(
        app: &App,
        layout: Layout,
        headers: &HeaderMap,
        session: &Session,
        offered: &OfferedFactor,
        trouble: Option<&'static str>,
    ) -> Self {
        let secret = offered.secret();
        let groups: Vec<String> = secret
            .as_bytes()
            .chunks(4)
            .map(|group| group.iter().map(|byte| char::from(*byte)).collect())
            .collect();
        Self {
            layout,
            trouble,
            is_required: session.standing == Standing::OwesSetup,
            qr: Qr::new(&offered.uri(&issuer(app))),
            secret: groups.join(" "),
            has_passkeys: !sites(&app.settings, headers).is_empty(),
        }
    }
}

/// The issuer, which apps show beside the admin's name. It has the host, because an admin may have
/// several bots.
fn issuer(app: &App) -> String {
    let origin = app.settings.origin.as_deref();
    match origin.and_then(|origin| origin.split_once("://")) {
        Some((_, host)) => format!("Rollcall {host}"),
        None => "Rollcall".to_owned(),
    }
}
