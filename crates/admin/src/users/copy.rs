//! Downloading a copy of everything that is stored about a user.

use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_domain::AuditAction;
use rollcall_service::Session;

use super::query::read_id;
use crate::{App, page::Failure};

/// Sends the copy part by part, and adds an audit entry first.
pub(crate) async fn download(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    if app.users.get_user_by_telegram_id(id).await?.is_none() {
        return Err(Failure::no_user(id));
    }
    let room = app.exports.clone().try_acquire_owned();
    let room = room.map_err(|_| {
        Failure::Busy(
            "Two other exports are being downloaded. Try again when one of them is complete.",
        )
    })?;
    app.admins.audit_each(&session.admin, AuditAction::CopiedUserData, &[id]).await?;
    let parts = stream::try_unfold((app.personal_data.copy(id), room), async |(mut copy, room)| {
        let part = copy.next().await.inspect_err(|error| {
            log::error!(error:% = error; "a copy of a user's data failed");
        })?;
        Ok::<_, rollcall_service::ServiceError>(part.map(|part| (part, (copy, room))))
    });
    let name = format!("attachment; filename=\"user-{id}.json\"");
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}
