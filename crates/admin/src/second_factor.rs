//! Setting an authenticator app up as a second factor, and recovery codes.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{FactorError, OfferedFactor, RecoveryCode, Session, Standing};
use serde::Deserialize;

use crate::{
    App, device,
    explain::Failure,
    frame::{Frame, page},
    passkey_site::sites,
    qr::Qr,
    session,
};

#[derive(Deserialize)]
pub(crate) struct Code {
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct Page {
    frame: Frame,
    trouble: Option<&'static str>,
    is_required: bool,
    qr: Option<Qr>,
    /// In groups of four.
    secret: String,
    /// Whether a passkey can be added instead.
    has_passkeys: bool,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct Codes {
    frame: Frame,
    is_new: bool,
    codes: Vec<RecoveryCode>,
}

/// Shows what goes into an authenticator app, and asks for a code of it.
pub(crate) async fn set_up(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    frame: Frame,
) -> Result<Response, Failure> {
    let token = session::token(&app.settings, &headers).unwrap_or_default();
    match app.admins.offer_second_factor(&token).await? {
        Some(offered) => Ok(page(&Page::new(&app, frame, &headers, &session, &offered, None))),
        None => Ok(to_account(&app)),
    }
}

/// Turns the second factor on, if the code is right, and shows the recovery codes.
pub(crate) async fn turn_on(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    frame: Frame,
    Form(Code { code }): Form<Code>,
) -> Result<Response, Failure> {
    let token = session::token(&app.settings, &headers).unwrap_or_default();
    match app.admins.enable_second_factor(&token, &code).await {
        Ok(Some(codes)) => device::remember(&app, &headers, &token, new_codes(frame, codes)).await,
        Ok(None) => device::remember(&app, &headers, &token, to_account(&app)).await,
        Err(FactorError::WrongCode) => {
            let Some(offered) = app.admins.offer_second_factor(&token).await? else {
                return Ok(to_account(&app));
            };
            let trouble = "The code is wrong. Check that the clock of your phone is right, and \
                           enter the code that the app shows now.";
            let page = page(&Page::new(&app, frame, &headers, &session, &offered, Some(trouble)));
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
    let token = session::token(&app.settings, &headers).unwrap_or_default();
    app.admins.disable_second_factor(&token).await?;
    device::remember(&app, &headers, &token, to_account(&app)).await
}

/// Replaces the recovery codes, and shows the new ones.
pub(crate) async fn renew_codes(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    frame: Frame,
) -> Result<Response, Failure> {
    match app.admins.renew_recovery_codes(&session.admin).await? {
        Some(codes) => Ok(page(&Codes { frame, is_new: false, codes })),
        None => Ok(to_account(&app)),
    }
}

/// Shows the recovery codes of a second factor that has just been set up.
pub(crate) fn new_codes(frame: Frame, codes: Vec<RecoveryCode>) -> Response {
    page(&Codes { frame, is_new: true, codes })
}

fn to_account(app: &App) -> Response {
    Redirect::to(&format!("{}/account", app.base)).into_response()
}

impl Page {
    fn new(
        app: &App,
        frame: Frame,
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
            frame,
            trouble,
            is_required: session.standing == Standing::OwesSetup,
            qr: Qr::new(&offered.uri(&issuer(app))),
            secret: groups.join(" "),
            has_passkeys: !sites(&app.settings, headers).is_empty(),
        }
    }
}

/// What an app shows beside the admin's name: with the host, as somebody may look after several bots.
fn issuer(app: &App) -> String {
    let origin = app.settings.origin.as_deref();
    match origin.and_then(|origin| origin.split_once("://")) {
        Some((_, host)) => format!("Rollcall {host}"),
        None => "Rollcall".to_owned(),
    }
}
