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
    page::{Failure, Layout, render, text::sentence},
    request::{ClientDevice, remember_device},
    session::{Refusal, session_cookie},
};

/// For a new password and a repetition that differ.
pub(crate) const MISMATCH: &str = "The new passwords do not match.";

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
    layout: Layout,
    trouble: Option<String>,
}

/// Shows the form.
pub(crate) async fn form(
    Extension(session): Extension<Session>,
    layout: Layout,
) -> Result<Response, Failure> {
    match session.admin {
        Admin::Account(_) => Ok(render(&Page { layout, trouble: None })),
        Admin::Telegram(_) | Admin::Program(_) => Err(Failure::NotFound),
    }
}

/// Changes the password, and ends the other sessions.
pub(crate) async fn change(
    State(app): State<App>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Form(Passwords { current_password, new_password, same_password }): Form<Passwords>,
) -> Result<Response, Failure> {
    let refused = |layout, trouble: String| {
        let page = render(&Page { layout, trouble: Some(trouble) });
        Ok((StatusCode::BAD_REQUEST, page).into_response())
    };
    if current_password.is_empty() || new_password.is_empty() {
        return refused(layout, "Fill in all fields.".to_owned());
    }
    if new_password != same_password {
        return refused(layout, MISMATCH.to_owned());
    }
    let token = session_cookie::token(&app.settings, &headers).unwrap_or_default();
    let changed = app.admins.change_password(&token, &current_password, &new_password, device);
    match changed.await {
        Ok(()) => {
            let response = Redirect::to(&format!("{}/account", app.base)).into_response();
            remember_device(&app, &headers, &token, response).await
        }
        Err(PasswordError::New(AccountError::InvalidPassword(reason))) => {
            refused(layout, sentence(&reason.to_string()))
        }
        Err(PasswordError::New(AccountError::Storage(error))) => Err(error.into()),
        Err(PasswordError::New(_)) => Err(Failure::NotFound),
        Err(PasswordError::Current(error)) => {
            let refusal = Refusal::of(error, "The current password is wrong.")?;
            let trouble = Some(refusal.trouble.clone());
            Ok(refusal.answer(render(&Page { layout, trouble })).await)
        }
    }
}
