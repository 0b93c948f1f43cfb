//! Downloading the recipients of a broadcast as a file.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_domain::{AuditAction, TelegramId};
use rollcall_service::{
    BroadcastService, RECIPIENTS_HEADER, ServiceError, Session, recipient_line,
};
use tokio::sync::OwnedSemaphorePermit;

use super::find::find;
use crate::{App, page::Failure};

/// How many recipients are read at once.
const PART: u32 = 5_000;

/// Sends all recipients as CSV, part by part. It reads the next part only when the browser has received
/// the last one.
pub(crate) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?.id;
    let room = Arc::clone(&app.exports).try_acquire_owned();
    let room = room.map_err(|_| {
        Failure::Busy(
            "Two other exports are being downloaded. Try again when one of them is complete.",
        )
    })?;
    let what = format!("csv: recipients of broadcast {broadcast}");
    app.admins.audit(&session.admin, AuditAction::ExportedUsers, None, None, Some(&what)).await?;
    let sending =
        Sending { broadcasts: app.broadcasts.clone(), broadcast, place: Place::Start, _room: room };
    let parts = stream::try_unfold(sending, async |mut sending| {
        let part = sending.next().await.inspect_err(|error| {
            log::error!(error:%; "an export failed");
        })?;
        Ok::<_, ServiceError>(part.map(|part| (part, sending)))
    });
    let name = format!("attachment; filename=\"broadcast-{broadcast}.csv\"");
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A file that is being sent.
struct Sending {
    broadcasts: BroadcastService,
    broadcast: i64,
    place: Place,
    _room: OwnedSemaphorePermit,
}

/// How far a file is.
enum Place {
    Start,
    After(Option<TelegramId>),
}

impl Sending {
    /// The next part; `None` at the end.
    async fn next(&mut self) -> Result<Option<String>, ServiceError> {
        let after = match self.place {
            Place::Start => {
                self.place = Place::After(None);
                return Ok(Some(RECIPIENTS_HEADER.to_owned()));
            }
            Place::After(after) => after,
        };
        let recipients = self.broadcasts.recipients(self.broadcast, after, PART).await?;
        let Some(last) = recipients.last() else { return Ok(None) };
        self.place = Place::After(Some(last.telegram_id));
        Ok(Some(recipients.iter().map(recipient_line).collect()))
    }
}
