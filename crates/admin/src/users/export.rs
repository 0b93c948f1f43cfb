//! Downloading users as a file.

use std::sync::Arc;

use axum::{
    Extension, Form,
    body::Body,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_domain::{Admin, AuditAction, Counted};
use rollcall_service::{AdminService, Export, Format, Part, ServiceError, Session};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};

use super::{labels::TAG_FIELD, query::Query, selection::selected_ids};
use crate::{
    App,
    page::{Failure, ViewerZone, text},
    request::form_token,
};

/// The field of a form in which users are ticked.
const SELECTION: &str = "selection";

/// Sends the matching or selected users as a file, part by part. It reads the next part only when the browser has
/// received the last one, and stops when the browser disconnects.
pub(crate) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    ViewerZone(viewer): ViewerZone,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let format = pairs.iter().find(|(name, _)| name == "format");
    let format = format.and_then(|(_, name)| read_format(name));
    let (format, for_excel) =
        format.ok_or(Failure::Refused("Expected csv, csv-excel or jsonl as the format."))?;
    let is_named = |name: &str| pairs.iter().any(|(it, _)| it == name);
    // The form of a list has the ticked users, or the box for all. Other forms have only the filter.
    let selected = if is_named("id") && !is_named("all") {
        Some(selected_ids(&pairs)?)
    } else if is_named("all") || !is_named(SELECTION) {
        None
    } else {
        return Err(Failure::Refused("No users selected. Tick at least one."));
    };
    let query = Query::read_strictly(
        &pairs,
        &["format", "id", "all", TAG_FIELD, SELECTION, form_token::FIELD],
    )?;
    let now = app.clock.now();
    let selection = query.selection_strictly(&app, viewer, now).await?;
    let room = Arc::clone(&app.exports).try_acquire_owned();
    let room = room.map_err(|_| {
        Failure::Busy(
            "Two other exports are being downloaded. Try again when one of them is complete.",
        )
    })?;
    let what = match &selected {
        Some(_) => format!("{format}: selected"),
        None => format!("{format}: {}", query.summary(viewer)),
    };
    app.admins.audit(&session.admin, AuditAction::ExportedUsers, None, None, Some(&what)).await?;

    let export = match selected {
        Some(ids) => app.transfer.export_selected(ids, format),
        None => app.transfer.export_selection(selection, format),
    };
    let export = if for_excel { export.with_byte_order_mark() } else { export };
    let sending = Sending {
        export,
        users: 0,
        end: None,
        admins: app.admins.clone(),
        admin: session.admin.clone(),
        what,
        _room: room,
    };
    let parts = stream::try_unfold(sending, async |mut sending| {
        let part = sending.next().await?;
        Ok::<_, ServiceError>(part.map(|part| (part.text, sending)))
    });
    let name = format!("attachment; filename=\"users-{}.{format}\"", now.date_naive());
    let headers = [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The format of the pressed button, and whether the file is for Excel.
fn read_format(name: &str) -> Option<(Format, bool)> {
    match name {
        "csv-excel" => Some((Format::Csv, true)),
        name => Some((name.parse().ok()?, false)),
    }
}

/// A file that is being sent.
struct Sending {
    export: Export,
    /// The number of users sent so far.
    users: u64,
    /// How it ended; `None` while it is being sent.
    end: Option<End>,
    admins: AdminService,
    admin: Admin,
    /// Its format and filter, for the audit log.
    what: String,
    _room: OwnedSemaphorePermit,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Failed,
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Part>, ServiceError> {
        let part = self.export.next().await.inspect_err(|error| {
            self.end = Some(End::Failed);
            log::error!(error:% = error; "an export failed");
        })?;
        match &part {
            Some(part) => self.users += part.users,
            None => self.end = Some(End::Complete),
        }
        Ok(part)
    }
}

impl Drop for Sending {
    /// Adds the number of sent users to the audit log.
    fn drop(&mut self) {
        let end = match self.end {
            Some(End::Complete) => "complete",
            Some(End::Failed) => "failed",
            None => {
                log::info!(users = self.users; "the browser cancelled an export");
                "cancelled"
            }
        };
        // There is no runtime when the process ends.
        let Ok(runtime) = Handle::try_current() else { return };
        let users = text::users(Counted::Exactly(self.users));
        let sent = format!("{}; {end}, {users}", self.what);
        let (admins, admin) = (self.admins.clone(), self.admin.clone());
        runtime.spawn(async move {
            let entry = admins.audit(&admin, AuditAction::ExportedUsers, None, None, Some(&sent));
            if let Err(error) = entry.await {
                log::error!(error:% = error; "could not add the end of an export to the audit log");
            }
        });
    }
}
