//! The audit entries of views: one for each time that an admin opens the page of a user.
//!
//! The redirect after a save is not a view. A mark in its URL could hide real views, because anyone
//! can write it, so the server remembers the save until the page is shown.

use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use rollcall_domain::{Admin, AuditAction, TelegramId};
use rollcall_service::{AuditFilter, ServiceError};

use super::query::Query;
use crate::App;

/// How old the latest audit entry of the admin about the user may be, so that the page after a save
/// needs no other one.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// Adds an entry for a view, unless the page follows a save.
pub(super) async fn note_view(
    app: &App,
    admin: &Admin,
    user: TelegramId,
) -> Result<(), ServiceError> {
    if app.saves.take(admin, user) {
        return Ok(());
    }
    app.admins.audit(admin, AuditAction::ViewedUser, Some(user), None, None).await
}

/// Leads back to the page of a user after a save, with a mark for the message.
pub(super) async fn after_save(
    app: &App,
    admin: &Admin,
    user: TelegramId,
    query: &Query,
    mark: &str,
) -> Result<Response, ServiceError> {
    note_save(app, admin, user).await?;
    let page = query.beside(&format!("{}/users/{user}", app.base));
    let separator = if page.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{page}{separator}{mark}")).into_response())
}

/// Remembers a save. One that changed nothing has added no audit entry. It must not hide that the
/// admin looks at the user, so there must be an entry already.
async fn note_save(app: &App, admin: &Admin, user: TelegramId) -> Result<(), ServiceError> {
    let entries = AuditFilter::all().about(user).by(admin.clone());
    let latest = app.admins.audit_log(&entries, None, 1).await?;
    if latest.first().is_some_and(|entry| app.clock.now() - entry.at < RECENT) {
        app.saves.remember(admin, user);
    }
    Ok(())
}
