//! Deleting a segment, after a question.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{AuditAction, Segment};
use rollcall_service::{AudienceError, Session};

use super::{find, users_of};
use crate::{
    App,
    page::{Failure, Layout, render},
};

#[derive(Template)]
#[template(path = "delete_segment.html")]
struct Page {
    layout: Layout,
    segment: Segment,
    /// The segments that use it, because of which it is not deleted.
    used_by: Vec<String>,
}

/// Asks whether to delete a segment.
pub(crate) async fn ask(
    State(app): State<App>,
    layout: Layout,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    Ok(render(&page(&app, layout, &name).await?))
}

async fn page(app: &App, layout: Layout, name: &str) -> Result<Page, Failure> {
    let (segment, all) = find(app, name).await?;
    let used_by = users_of(&segment.name, &all).into_iter().map(str::to_owned).collect();
    Ok(Page { layout: layout.tab("users"), segment, used_by })
}

/// Deletes a segment and its history.
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let segment = find(&app, &name).await?.0;
    if !pairs.iter().any(|(field, value)| field == "sure" && !value.is_empty()) {
        return Err(Failure::Refused("Tick the box to confirm. Nothing was deleted."));
    }
    match app.audience.delete_segment(&segment.name).await {
        Ok(Segment { name, filter, .. }) => {
            let old = format!("{name}: {}", filter.summary());
            let action = AuditAction::DeletedSegment;
            app.admins.audit(&session.admin, action, None, Some(&old), None).await?;
            let deleted = format!("{}/segments?deleted={name}", app.base);
            Ok(Redirect::to(&deleted).into_response())
        }
        // The page says by which others it is used.
        Err(AudienceError::Refused(_)) => {
            let page = page(&app, layout, &name).await?;
            Ok((StatusCode::CONFLICT, render(&page)).into_response())
        }
        Err(AudienceError::Service(error)) => Err(error.into()),
        Err(_) => Err(Failure::no_segment(&name)),
    }
}
