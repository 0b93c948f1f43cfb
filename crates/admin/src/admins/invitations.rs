//! Inviting admins, and accepting an invitation.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{AdminName, Role};
use rollcall_service::{
    AccountError, Invitation, InvitationError, InvitationLife, Session, SignInError,
};
use serde::Deserialize;

use crate::{
    App,
    account::password::MISMATCH,
    page::{AdminNames, Failure, Layout, render, text::sentence},
    request::ClientDevice,
    session::sign_in,
};

#[derive(Deserialize)]
pub(crate) struct Offer {
    role: String,
    life: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

#[derive(Deserialize)]
pub(crate) struct NewAccount {
    name: String,
    new_password: String,
    same_password: String,
}

/// The page with the link, which is shown once.
#[derive(Template)]
#[template(path = "invited.html")]
struct Invited {
    layout: Layout,
    role: Role,
    life: &'static str,
    link: String,
}

/// The page that the link leads to.
#[derive(Template)]
#[template(path = "invitation.html")]
struct Page {
    layout: Layout,
    token: String,
    /// `None` if it cannot be accepted.
    invitation: Option<Invitation>,
    names: AdminNames,
    trouble: Option<String>,
    name: String,
}

/// Creates an invitation, and shows its link.
pub(crate) async fn invite(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    layout: Layout,
    Form(Offer { role, life }): Form<Offer>,
) -> Result<Response, Failure> {
    let role = Role::from_name(&role).ok_or(Failure::Refused("There is no such role."))?;
    let (life, words) = match life.as_str() {
        "day" => (InvitationLife::Day, "24 hours"),
        "week" => (InvitationLife::Week, "7 days"),
        _ => return Err(Failure::Refused("The link can be valid for a day or a week.")),
    };
    let token = app.admins.invite(role, life, &session.admin).await?;
    let link = format!("{}{}/invitation/{}", origin(&app, &headers), app.base, token.as_str());
    Ok(render(&Invited { layout: layout.tab("admins"), role, life: words, link }))
}

/// Withdraws an invitation.
pub(crate) async fn withdraw(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(Which { id }): Form<Which>,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Failure::NotFound)?;
    app.admins.withdraw_invitation(id, &session.admin).await?;
    Ok(Redirect::to(&format!("{}/admins", app.base)).into_response())
}

/// Shows the page of an invitation. It changes nothing.
pub(crate) async fn look(
    State(app): State<App>,
    layout: Layout,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let invitation = app.admins.invitation(&token).await?;
    let inviter = invitation.iter().map(|it| it.invited_by.clone()).collect();
    let names = AdminNames::of(&app, inviter).await?;
    let status = if invitation.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let page =
        render(&Page { layout, token, names, invitation, trouble: None, name: String::new() });
    Ok((status, page).into_response())
}

/// Creates the account, and signs in to it.
pub(crate) async fn accept(
    State(app): State<App>,
    ClientDevice(device): ClientDevice,
    headers: HeaderMap,
    layout: Layout,
    Path(token): Path<String>,
    Form(NewAccount { name, new_password, same_password }): Form<NewAccount>,
) -> Result<Response, Failure> {
    let trouble = match name.trim().parse::<AdminName>() {
        Err(error) => sentence(&error.to_string()),
        Ok(_) if new_password != same_password => MISMATCH.to_owned(),
        Ok(name) => {
            match app.admins.accept_invitation(&token, &name, &new_password, device).await {
                Ok(signed_in) => return sign_in::begin(&app, &headers, &signed_in, "").await,
                Err(InvitationError::NotGood) => {
                    return look(State(app), layout, Path(token)).await;
                }
                Err(InvitationError::Account(AccountError::Storage(error)))
                | Err(InvitationError::SignIn(SignInError::Storage(error))) => {
                    return Err(error.into());
                }
                // The account was disabled before the sign-in.
                Err(InvitationError::SignIn(_)) => return Err(Failure::NotFound),
                Err(InvitationError::Account(error)) => sentence(&error.to_string()),
            }
        }
    };
    let invitation = app.admins.invitation(&token).await?;
    let inviter = invitation.iter().map(|it| it.invited_by.clone()).collect();
    let names = AdminNames::of(&app, inviter).await?;
    let page = render(&Page { layout, token, names, invitation, trouble: Some(trouble), name });
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// The origin of the admin: from the settings, otherwise from the request.
fn origin(app: &App, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    app.settings.origin.clone().unwrap_or_else(|| format!("http://{host}"))
}
