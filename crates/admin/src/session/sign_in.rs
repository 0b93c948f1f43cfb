//! Signing in and out.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_service::{Session, SignIn, SignInError};
use serde::Deserialize;

use super::{
    Refusal,
    next_page::{self, Next},
    session_cookie,
};
use crate::{
    App,
    page::{Failure, Layout, render},
    request::{ClientDevice, remember_device},
};

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    layout: Layout,
    trouble: Option<String>,
    name: String,
    next: String,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    layout: Layout,
    token: String,
    /// Whether it works any number of times.
    is_lasting: bool,
}

#[derive(Template)]
#[template(path = "again.html")]
struct Again<'a> {
    url: &'a str,
}

/// Shows the form.
pub(crate) async fn form(layout: Layout, Query(Next { next }): Query<Next>) -> Response {
    render(&Page { layout, trouble: None, name: String::new(), next })
}

/// Signs in by name and password.
pub(crate) async fn by_password(
    State(app): State<App>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Form(Credentials { name, password, next }): Form<Credentials>,
) -> Result<Response, Failure> {
    match app.admins.sign_in(&name, &password, device).await {
        Ok(signed_in) => begin(&app, &headers, &signed_in, &next).await,
        Err(error) => refused(layout, error, name, next).await,
    }
}

/// Shows the page of a link from the bot. It changes nothing, so that link previews do not use the
/// link up.
pub(crate) async fn link(
    State(app): State<App>,
    layout: Layout,
    Path(token): Path<String>,
) -> Response {
    let is_lasting = app.admins.is_lasting(&token);
    render(&LinkPage { layout, token, is_lasting })
}

/// Signs in by a link from the bot.
pub(crate) async fn by_link(
    State(app): State<App>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    match app.admins.sign_in_by_link(&token, device).await {
        Ok(signed_in) => begin(&app, &headers, &signed_in, "").await,
        Err(SignInError::Refused) => {
            let trouble = Some(
                "This link no longer works: it was used already or has expired. Send /admin to \
                 the bot to get a new one."
                    .to_owned(),
            );
            let page = render(&Page { layout, trouble, name: String::new(), next: String::new() });
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error) => refused(layout, error, String::new(), String::new()).await,
    }
}

/// Signs out, even if the session has expired.
pub(crate) async fn out(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Some(token) = session_cookie::token(&app.settings, &headers) {
        app.admins.sign_out(&token).await?;
    }
    Ok(to_form(&app))
}

/// Ends all sessions of the admin.
pub(crate) async fn out_everywhere(
    State(app): State<App>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failure> {
    app.admins.sign_out_everywhere(&session.admin).await?;
    Ok(to_form(&app))
}

/// Lets the browser request a page again, from a page of ours.
pub(crate) fn again(url: &str) -> Response {
    render(&Again { url })
}

fn to_form(app: &App) -> Response {
    let response = Redirect::to(&format!("{}/sign-in", app.base)).into_response();
    session_cookie::remove(&app.settings, response)
}

/// Ends the browser's old session, begins the new one, and redirects to the requested page.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    signed_in: &SignIn,
    next: &str,
) -> Result<Response, Failure> {
    if let Some(old) = session_cookie::token(&app.settings, headers) {
        app.admins.sign_out(&old).await?;
    }
    let response = Redirect::to(next_page::or_first(&app.base, next)).into_response();
    let response = session_cookie::set(&app.settings, &signed_in.token, response);
    remember_device(app, headers, signed_in.token.as_str(), response).await
}

async fn refused(
    layout: Layout,
    error: SignInError,
    name: String,
    next: String,
) -> Result<Response, Failure> {
    let refusal = Refusal::of(error, "The name or password is wrong.")?;
    let trouble = Some(refusal.trouble.clone());
    Ok(refusal.answer(render(&Page { layout, trouble, name, next })).await)
}
