//! The accounts of admins.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, AdminAccount, AdminName, AuditAction, Role, TelegramId};
use rollcall_service::{AccountError, AuditFilter, Invitation, ServiceError, Session};
use serde::Deserialize;

use crate::{
    App,
    page::{AdminNames, Failure, Layout, render},
};

#[derive(Deserialize)]
pub(crate) struct NewRole {
    role: String,
}

#[derive(Deserialize)]
pub(crate) struct Sure {
    sure: Option<String>,
}

#[derive(Template)]
#[template(path = "admins.html")]
struct Page {
    layout: Layout,
    accounts: Vec<AdminAccount>,
    telegram_owners: Vec<TelegramOwner>,
    invitations: Vec<Invitation>,
    names: AdminNames,
}

/// An owner without an account, who signs in by links from the bot.
struct TelegramOwner {
    id: TelegramId,
    admin: Admin,
    has_second_factor: bool,
    last_signed_in_at: Option<DateTime<Utc>>,
}

impl TelegramOwner {
    async fn of(app: &App, id: TelegramId) -> Result<Self, ServiceError> {
        let admin = Admin::Telegram(id);
        let sign_ins = AuditFilter::all().by(admin.clone()).action(AuditAction::SignedIn);
        let last = app.admins.audit_log(&sign_ins, None, 1).await?;
        Ok(Self {
            id,
            has_second_factor: app.admins.second_factors(&admin).await?.is_on(),
            last_signed_in_at: last.first().map(|entry| entry.at),
            admin,
        })
    }
}

#[derive(Template)]
#[template(path = "admin.html")]
struct One {
    layout: Layout,
    account: AdminAccount,
}

/// Lists the accounts, the owners who sign in through Telegram, and the open invitations.
pub(crate) async fn list(State(app): State<App>, layout: Layout) -> Result<Response, Failure> {
    let accounts = app.admins.accounts().await?;
    let mut telegram_owners = Vec::new();
    for id in app.admins.telegram_owners().await? {
        telegram_owners.push(TelegramOwner::of(&app, id).await?);
    }
    let invitations = app.admins.invitations().await?;
    let inviters = invitations.iter().map(|it| it.invited_by.clone());
    let telegram = telegram_owners.iter().map(|owner| owner.admin.clone());
    let names = AdminNames::of(&app, telegram.chain(inviters).collect()).await?;
    let layout = layout.tab("admins");
    Ok(render(&Page { layout, accounts, telegram_owners, invitations, names }))
}

/// Shows the page of an account.
pub(crate) async fn one(
    State(app): State<App>,
    layout: Layout,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let account =
        app.admins.account(&read(&name)?).await?.ok_or_else(|| Failure::no_account(&name))?;
    Ok(render(&One { layout: layout.tab("admins"), account }))
}

/// Changes the role of another account.
pub(crate) async fn set_role(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
    Form(NewRole { role }): Form<NewRole>,
) -> Result<Response, Failure> {
    let name = not_own(&name, &session, "You cannot change your own role.")?;
    let role = Role::from_name(&role).ok_or(Failure::Refused("There is no such role."))?;
    to_list(&app, app.admins.set_role(&name, role, Some(&session.admin)).await)
}

/// Resets the second factor of another account.
pub(crate) async fn reset_factor(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let own = "Turn off your own second factor on your account page.";
    let name = not_own(&name, &session, own)?;
    app.admins.reset_second_factor(&Admin::Account(name), Some(&session.admin)).await?;
    to_list(&app, Ok(()))
}

/// Removes another account.
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
    Form(Sure { sure }): Form<Sure>,
) -> Result<Response, Failure> {
    let name = not_own(&name, &session, "You cannot remove your own account.")?;
    if sure.is_none() {
        return Err(Failure::Refused("Tick the box to confirm. Nothing was changed."));
    }
    to_list(&app, app.admins.remove_account(&name, Some(&session.admin)).await)
}

/// Disables another account.
pub(crate) async fn disable(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let name = not_own(&name, &session, "You cannot disable your own account.")?;
    to_list(&app, app.admins.disable(&name, Some(&session.admin)).await)
}

/// Enables an account.
pub(crate) async fn enable(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    to_list(&app, app.admins.enable(&read(&name)?, Some(&session.admin)).await)
}

/// Ends all sessions of an account.
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    to_list(&app, app.admins.end_sessions(&read(&name)?, Some(&session.admin)).await)
}

/// The name of an account, unless it is the admin's own.
fn not_own(name: &str, session: &Session, refusal: &'static str) -> Result<AdminName, Failure> {
    let name = read(name)?;
    match session.admin == Admin::Account(name.clone()) {
        true => Err(Failure::Refused(refusal)),
        false => Ok(name),
    }
}

fn read(name: &str) -> Result<AdminName, Failure> {
    name.parse().map_err(|_| Failure::no_account(name))
}

fn to_list(app: &App, changed: Result<(), AccountError>) -> Result<Response, Failure> {
    match changed {
        Ok(()) => Ok(Redirect::to(&format!("{}/admins", app.base)).into_response()),
        Err(AccountError::Storage(error)) => Err(error.into()),
        Err(AccountError::LastOwner(_)) => Err(Failure::Refused(
            "This is the last enabled owner account. Create or enable another one first.",
        )),
        Err(_) => Err(Failure::NotFound),
    }
}
