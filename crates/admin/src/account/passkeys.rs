//! Adding, removing and using one's own passkeys.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{PasskeyError, PasskeySite, Session, Standing};
use serde::Deserialize;

use super::second_factor;
use crate::{
    App,
    page::{Failure, Layout, render, text::sentence},
    request::{ClientDevice, remember_device},
    session::{
        passkey_site::{origins, site, sites},
        session_cookie,
    },
};

#[derive(Deserialize)]
pub(crate) struct New {
    #[serde(default)]
    name: String,
    /// The new passkey from the browser, as JSON.
    #[serde(default)]
    passkey: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    id: String,
}

#[derive(Template)]
#[template(path = "passkey.html")]
struct Page {
    layout: Layout,
    trouble: Option<String>,
    is_required: bool,
    sites: Vec<PasskeySite>,
    name: String,
}

impl Page {
    fn new(
        app: &App,
        layout: Layout,
        headers: &HeaderMap,
        session: &Session,
        name: String,
    ) -> Self {
        Self {
            layout,
            trouble: None,
            is_required: session.standing == Standing::OwesSetup,
            sites: sites(&app.settings, headers),
            name,
        }
    }

    fn origins(&self) -> String {
        origins(&self.sites)
    }
}

/// Shows the page on which a passkey is added.
pub(crate) async fn form(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
) -> Response {
    render(&Page::new(&app, layout, &headers, &session, device.name))
}

/// The options for the browser to create a passkey, as JSON.
pub(crate) async fn offer(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let Some(site) = site(&app.settings, &headers) else { return Err(Failure::Refused(ELSEWHERE)) };
    json(app.admins.offer_passkey(&token, &site).await)
}

/// Adds a new passkey. Shows recovery codes if there were none.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
    Form(New { name, passkey }): Form<New>,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let error = match app.admins.add_passkey(&token, &name, &passkey).await {
        Ok(codes) => {
            let response = match codes {
                Some(codes) => second_factor::new_codes(layout, codes),
                None => to_account(&app),
            };
            return remember_device(&app, &headers, &token, response).await;
        }
        Err(PasskeyError::Storage(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let trouble = Some(words(&error));
    let page = render(&Page { trouble, ..Page::new(&app, layout, &headers, &session, name) });
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// Removes a passkey.
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    Form(Which { id }): Form<Which>,
) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    match app.admins.remove_passkey(&token, id).await {
        // A passkey that is gone already needs no removal.
        Ok(()) | Err(PasskeyError::NoSuchPasskey) => {
            remember_device(&app, &headers, &token, to_account(&app)).await
        }
        Err(PasskeyError::Storage(error)) => Err(error.into()),
        Err(error) => Err(Failure::invalid(sentence(&error.to_string()))),
    }
}

/// The options for the browser to sign in or confirm by a passkey, as JSON.
pub(crate) async fn ask(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let Some(site) = site(&app.settings, &headers) else { return Err(Failure::Refused(ELSEWHERE)) };
    json(app.admins.ask_for_passkey(&token, &site).await)
}

const ELSEWHERE: &str = "Passkeys cannot be used at this address.";

fn json(question: Result<String, PasskeyError>) -> Result<Response, Failure> {
    match question {
        Ok(json) => Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response()),
        Err(PasskeyError::Storage(error)) => Err(error.into()),
        Err(error) => Err(Failure::invalid(sentence(&error.to_string()))),
    }
}

fn words(error: &PasskeyError) -> String {
    match error {
        PasskeyError::NotVerified => "The passkey could not be verified, or this took longer than \
                                      five minutes. Try again."
            .to_owned(),
        error => sentence(&error.to_string()),
    }
}

fn to_account(app: &App) -> Response {
    Redirect::to(&format!("{}/account", app.base)).into_response()
}
