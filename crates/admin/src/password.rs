//! Changing one's own password.

use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::Admin;
use rollcall_service::{AccountError, PasswordError, Session};
use serde::Deserialize;

use crate::{
    App,
    device::{self, From},
    explain::Failure,
    frame::{Frame, page},
    session,
    sign_in::Refusal,
};

/// What is said where a new password was typed in two ways.
pub(crate) const TWO_WAYS: &str = "The two new passwords are not the same.";

#[derive(Deserialize)]
pub(crate) struct Passwords {
    #[serde(default)]
    current_password: String,
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    same_password: String,
}

#[derive(Template)]
#[template(path = "password.html")]
struct Page {
    frame: Frame,
    trouble: Option<String>,
}

/// The form.
pub(crate) async fn form(
    Extension(session): Extension<Session>,
    frame: Frame,
) -> Result<Response, Failure> {
    match session.admin {
        Admin::Account(_) => Ok(page(&Page { frame, trouble: None })),
        Admin::Telegram(_) => Err(Failure::NotFound),
    }
}

/// Changes it, and ends the other sessions.
pub(crate) async fn change(
    State(app): State<App>,
    From(device): From,
    headers: HeaderMap,
    frame: Frame,
    Form(Passwords { current_password, new_password, same_password }): Form<Passwords>,
) -> Result<Response, Failure> {
    let refused = |frame, trouble: String| {
        let page = page(&Page { frame, trouble: Some(trouble) });
        Ok((StatusCode::BAD_REQUEST, page).into_response())
    };
    if current_password.is_empty() || new_password.is_empty() {
        return refused(frame, "Fill in all fields.".to_owned());
    }
    if new_password != same_password {
        return refused(frame, TWO_WAYS.to_owned());
    }
    let token = session::token(&app.settings, &headers).unwrap_or_default();
    let changed = app.admins.change_password(&token, &current_password, &new_password, device);
    match changed.await {
        Ok(()) => {
            let response = Redirect::to(&format!("{}/account", app.base)).into_response();
            device::remember(&app, &headers, &token, response).await
        }
        Err(PasswordError::New(AccountError::InvalidPassword(reason))) => {
            refused(frame, sentence(&reason.to_string()))
        }
        Err(PasswordError::New(AccountError::Storage(error))) => Err(error.into()),
        Err(PasswordError::New(_)) => Err(Failure::NotFound),
        Err(PasswordError::Current(error)) => {
            let refusal = Refusal::of(error, "The current password is wrong.")?;
            let trouble = Some(refusal.trouble.clone());
            Ok(refusal.answer(page(&Page { frame, trouble })).await)
        }
    }
}

/// An error as a sentence of its own.
pub(crate) fn sentence(error: &str) -> String {
    let mut characters = error.chars();
    let first: String = characters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
