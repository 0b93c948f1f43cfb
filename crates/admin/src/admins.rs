//! The accounts of admins.

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{Admin, AdminAccount, AdminName};
use rollcall_service::{AccountError, Session};

use crate::{
    App,
    explain::Failure,
    frame::{Frame, page},
};

#[derive(Template)]
#[template(path = "admins.html")]
struct Page {
    frame: Frame,
    accounts: Vec<AdminAccount>,
}

/// Every account.
pub(crate) async fn list(State(app): State<App>, frame: Frame) -> Result<Response, Failure> {
    let accounts = app.admins.accounts().await?;
    Ok(page(&Page { frame: frame.tab("admins"), accounts }))
}

/// Keeps an account from signing in. Nobody does that to their own by a slip.
pub(crate) async fn disable(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let name = read(&name)?;
    if session.admin == Admin::Account(name.clone()) {
        return Err(Failure::Refused("You cannot disable your own account."));
    }
    to_list(&app, app.admins.disable(&name, Some(&session.admin)).await)
}

/// Lets an account sign in again.
pub(crate) async fn enable(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    to_list(&app, app.admins.enable(&read(&name)?, Some(&session.admin)).await)
}

/// Ends every session of an account.
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    to_list(&app, app.admins.end_sessions(&read(&name)?, Some(&session.admin)).await)
}

fn read(name: &str) -> Result<AdminName, Failure> {
    name.parse().map_err(|_| Failure::NotFound)
}

fn to_list(app: &App, changed: Result<(), AccountError>) -> Result<Response, Failure> {
    match changed {
        Ok(()) => Ok(Redirect::to(&format!("{}/admins", app.base)).into_response()),
        Err(AccountError::Storage(error)) => Err(error.into()),
        Err(AccountError::LastOwner(_)) => Err(Failure::Refused(
            "This is the last owner's account that is enabled; make or enable another one first.",
        )),
        Err(_) => Err(Failure::NotFound),
    }
}
