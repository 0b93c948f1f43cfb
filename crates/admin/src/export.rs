//! Users as a file to download.

use axum::{
    Extension, Form,
    body::Body,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_domain::AuditAction;
use rollcall_service::{Export, Format, Part, ServiceError, Session};

use crate::{App, explain::Failure, form, query::Query};

/// Sends the users who match as a file, a part at a time: what the browser has not taken yet is not
/// read, and when it goes away nothing more is.
pub(crate) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let format = pairs.iter().find(|(name, _)| name == "format");
    let format = format.and_then(|(_, name)| read_format(name));
    let (format, for_excel) =
        format.ok_or(Failure::Refused("Expected csv, csv-excel or jsonl as the format."))?;
    let query = Query::read_whole(&pairs, &["format", form::FIELD])?;
    let today = app.clock.now().date_naive();
    let which = if query.is_everybody() { "all" } else { "some" };
    let what = format!("{which}, {format}");
    app.admins.audit(&session.admin, AuditAction::ExportedUsers, None, None, Some(&what)).await?;

    let export = app.transfer.export(query.filter(today), format);
    let export = if for_excel { export.with_byte_order_mark() } else { export };
    let sending = Sending { export, users: 0, is_over: false };
    let parts = stream::try_unfold(sending, async |mut sending| {
        let part = sending.next().await?;
        Ok::<_, ServiceError>(part.map(|part| (part.text, sending)))
    });
    let name = format!("attachment; filename=\"users-{today}.{format}\"");
    let headers = [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The format that a button of the page names, and whether the file is for Excel.
fn read_format(name: &str) -> Option<(Format, bool)> {
    match name {
        "csv-excel" => Some((Format::Csv, true)),
        name => Some((name.parse().ok()?, false)),
    }
}

/// A file on its way to a browser.
struct Sending {
    export: Export,
    /// How many users were sent.
    users: u64,
    is_over: bool,
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Part>, ServiceError> {
        let part = self.export.next().await.inspect_err(|error| {
            self.is_over = true;
            log::error!(error:% = error; "an export ends early");
        })?;
        match &part {
            Some(part) => self.users += part.users,
            None => self.is_over = true,
        }
        Ok(part)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_over {
            log::info!(users = self.users; "an export was broken off by the browser");
        }
    }
}
