//! Users: one, a page of those that a filter selects, their tags and their consent.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use chrono_tz::Tz;
use rollcall_domain::{Counted, Filter, LabelKind};
use serde_json::{Value, json};

use super::{
    json,
    parameters::{Page, Parameters, name, user_id},
    refusal,
};
use crate::{access::Caller, app::App, error::ApiError};

/// A page of users.
pub(crate) async fn list(
    State(app): State<App>,
    Parameters(page): Parameters<Page>,
) -> Result<Json<Value>, ApiError> {
    let (filter, zone) = (page.filter()?, page.zone()?);
    page_of(&app, &page, &filter, zone).await
}

/// A page of the users that a filter selects.
pub(super) async fn page_of(
    app: &App,
    page: &Page,
    filter: &Filter,
    zone: Tz,
) -> Result<Json<Value>, ApiError> {
    let (sort, limit) = (page.sort()?, page.limit()?);
    let after = page.after(sort)?;
    let audience = &app.services.reads.audience;
    let selection = audience.selection(filter, zone).await;
    let selection = selection.map_err(|error| refusal::audience(app, error))?;
    let users = audience.users(&selection, sort, after, limit).await;
    let users = users.map_err(|error| refusal::service(app, &error))?;
    let total_is = match users.count {
        Counted::Exactly(_) => "exact",
        Counted::MoreThan(_) => "more_than",
        Counted::About(_) => "about",
    };
    Ok(Json(json!({
        "total": users.count.number(),
        "total_is": total_is,
        "users": users.rows.iter().map(|row| json::user(&row.user)).collect::<Vec<_>>(),
        "is_partial": users.is_partial,
        "next": users.next.map(|next| next.to_string()),
    })))
}

/// Everything about a user except their histories.
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let id = user_id(&id)?;
    let found = app.services.reads.directory.user(id).await;
    let found = found.map_err(|error| refusal::service(&app, &error))?;
    let detail = found.ok_or_else(|| refusal::missing(format!("there is no user {id}")))?;
    Ok(Json(json::detail(&detail)))
}

/// Lets an erased user be stored again, because they agreed to it.
pub(crate) async fn consent(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let id = user_id(&id)?;
    let was_erased = app.services.users.allow(id).await;
    let was_erased = was_erased.map_err(|error| refusal::service(&app, &error))?;
    Ok(Json(json!({ "telegram_id": id.get(), "was_erased": was_erased })))
}

/// Adds a tag to a user; a new tag is created.
pub(crate) async fn add_tag(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((id, tag)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    change_tag(&app, &caller, &id, &tag, true).await
}

/// Removes a tag from a user.
pub(crate) async fn remove_tag(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((id, tag)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    change_tag(&app, &caller, &id, &tag, false).await
}

async fn change_tag(
    app: &App,
    Caller(by): &Caller,
    id: &str,
    tag: &str,
    is_added: bool,
) -> Result<Json<Value>, ApiError> {
    let (id, tag) = (user_id(id)?, name(tag)?);
    let labels = &app.services.labels;
    let changed = labels.label_user(LabelKind::Tag, &tag, id, is_added, Some(by)).await;
    let changed = changed.map_err(|error| refusal::label(app, error))?;
    let changed = changed.ok_or_else(|| refusal::missing(format!("there is no user {id}")))?;
    Ok(Json(json!({ "telegram_id": id.get(), "tag": tag.as_str(), "changed": changed })))
}
