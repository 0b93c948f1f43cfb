//! The page of a user: profile, activity, histories, preferences and note.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::NaiveDate;
use rollcall_domain::{
    Admin, AuditAction, AuditEntry, MAX_NOTE_CHARS, ProfileField, Role, UserDetail,
};
use rollcall_service::{AuditFilter, ServiceError, Session};
use serde::Deserialize;

use super::{
    heat_map,
    preferences::Panel,
    query::read_id,
    views::{note_save, note_view},
};
use crate::{
    App,
    page::{AdminNames, Failure, Layout, render, text},
};

/// How many audit entries the page shows.
const ENTRIES: u32 = 20;

#[derive(Template)]
#[template(path = "user.html")]
struct Page {
    layout: Layout,
    name: String,
    state: (&'static str, &'static str),
    detail: UserDetail,
    heat_map: String,
    days: Vec<(NaiveDate, u32)>,
    entries: Option<Vec<AuditEntry>>,
    names: AdminNames,
    preferences: Panel,
    was_chosen: bool,
    was_noted: bool,
}

#[derive(Deserialize)]
pub(crate) struct NoteForm {
    note: String,
}

/// Shows the page, and adds an audit entry unless the page follows a save.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(id): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    let detail = app.directory.user(id).await?.ok_or(Failure::NotFound)?;
    note_view(&app, &session.admin, id).await?;
    // Viewers do not see them: entries contain deleted notes and the actions of other admins.
    let entries = match session.role >= Role::Editor {
        true => Some(app.admins.audit_log(&AuditFilter::all().about(id), None, ENTRIES).await?),
        false => None,
    };
    let by = entries.iter().flatten().filter_map(|entry| entry.admin.clone());
    let by = by.chain(detail.note.iter().filter_map(|note| note.by.parse::<Admin>().ok()));
    let names = AdminNames::of(&app, by.collect()).await?;
    let preferences = Panel::of(&app, &detail.user).await?;
    let was = |what: &str| pairs.iter().any(|(name, _)| name == what);
    let today = app.clock.now().date_naive();
    let counts: Vec<_> = detail.days.iter().map(|(day, n)| (*day, u64::from(*n))).collect();
    Ok(render(&Page {
        layout: layout.tab("users"),
        name: detail.user.shown_name(),
        state: text::state(&detail.user),
        heat_map: heat_map::draw(&counts, today),
        days: detail.days.iter().rev().copied().collect(),
        entries,
        names,
        preferences,
        was_chosen: was("chosen"),
        was_noted: was("noted"),
        detail,
    }))
}

/// Saves the note.
pub(crate) async fn note(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(NoteForm { note }): Form<NoteForm>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    // Browsers send line breaks as CR LF.
    let note = note.replace("\r\n", "\n");
    let changed = match app.directory.set_note(id, &note, &session.admin.to_string()).await {
        Ok(changed) => changed.ok_or(Failure::NotFound)?,
        Err(ServiceError::NoteTooLong) => {
            return Err(Failure::Refused(
                "The note is too long: at most 10,000 characters are allowed. Nothing was changed.",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if changed.old != changed.new {
        let (old, new) = (changed.old.as_deref(), changed.new.as_deref());
        app.admins.audit(&session.admin, AuditAction::ChangedNote, Some(id), old, new).await?;
    }
    note_save(&app, &session.admin, id).await?;
    Ok(Redirect::to(&format!("{}/users/{id}?noted#note", app.base)).into_response())
}

pub(crate) fn field(field: ProfileField) -> &'static str {
    match field {
        ProfileField::FirstName => "First name",
        ProfileField::LastName => "Last name",
        ProfileField::Username => "Username",
        ProfileField::LanguageCode => "Language",
    }
}
