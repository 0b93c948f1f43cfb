//! The page of a user: profile, activity, histories, preferences and note.

use std::cmp::Ordering::{Greater, Less};

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::NaiveDate;
use chrono_tz::Tz;
use rollcall_domain::{
    Admin, AuditAction, AuditEntry, Cursor, LabelName, ListedUser, MAX_NOTE_CHARS, ProfileField,
    Role, TelegramId, UserDetail,
};
use rollcall_service::{AuditFilter, ServiceError, Session};
use serde::Deserialize;

use super::{
    heat_map, labels, list,
    preferences::Panel,
    query::{Query, read_id},
    views::{after_save, note_view},
};
use crate::{
    App,
    page::{AdminNames, Failure, Layout, ViewerZone, render, text},
};

/// How many audit entries the page shows.
const ENTRIES: u32 = 20;

#[derive(Template)]
#[template(path = "user.html")]
struct Page {
    layout: Layout,
    name: String,
    /// The list from which the page was opened.
    list: String,
    /// The same list as a query string, for the links and forms of the page.
    query: String,
    previous: Option<String>,
    next: Option<String>,
    state: (&'static str, &'static str),
    detail: UserDetail,
    heat_map: String,
    days: Vec<(NaiveDate, u32)>,
    entries: Option<Vec<AuditEntry>>,
    names: AdminNames,
    preferences: Panel,
    labels: [labels::Panel; 2],
    /// The segments that contain the user now; `None` if there are no segments.
    segments: Option<Vec<LabelName>>,
    was_chosen: bool,
    was_noted: bool,
    was_labelled: bool,
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
    ViewerZone(viewer): ViewerZone,
    Path(id): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    if let Some(list) = list::elsewhere(&app, &pairs)? {
        let url = list.beside(&format!("{}/users/{id}", app.base));
        return Ok(Redirect::to(&url).into_response());
    }
    let detail = app.directory.user(id).await?.ok_or(Failure::no_user(id))?;
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
    let labels = labels::Panel::of(&app, &detail.labels).await?;
    let segments = match app.audience.segments().await?.is_empty() {
        true => None,
        false => Some(app.segments.of_user(id).await?),
    };
    let was = |what: &str| pairs.iter().any(|(name, _)| name == what);
    let today = app.clock.now().date_naive();
    let query = Query::read(&pairs);
    let [previous, next] = neighbours(&app, &query, viewer, &detail).await?;
    let link = |id: TelegramId| query.beside(&format!("{}/users/{id}", app.base));
    let counts: Vec<_> = detail.days.iter().map(|(day, n)| (*day, u64::from(*n))).collect();
    Ok(render(&Page {
        layout: layout.tab("users"),
        name: detail.user.shown_name(),
        state: text::state(&detail.user),
        list: query.beside(&format!("{}/users", app.base)),
        query: query.beside(""),
        previous: previous.map(link),
        next: next.map(link),
        heat_map: heat_map::draw(&counts, detail.user.created_at.date_naive(), today),
        days: detail.days.iter().rev().copied().collect(),
        entries,
        names,
        preferences,
        labels,
        segments,
        was_chosen: was("chosen"),
        was_noted: was("noted"),
        was_labelled: was("labelled"),
        detail,
    }))
}

/// The users before and after this one in a list. `None` at its ends, and where a search reads too
/// many users to find one.
async fn neighbours(
    app: &App,
    query: &Query,
    viewer: Tz,
    detail: &UserDetail,
) -> Result<[Option<TelegramId>; 2], Failure> {
    let mut neighbours = [None; 2];
    let Ok(selection) = query.selection(app, viewer, app.clock.now()).await? else {
        return Ok(neighbours);
    };
    let (key, telegram_id) = (query.sort.key, detail.user.telegram_id.get());
    let value = key.value_of(&detail.user, detail.active_days);
    for (neighbour, backwards) in neighbours.iter_mut().zip([true, false]) {
        let here = Cursor { key, backwards, value, telegram_id };
        let slice = app.audience.users(&selection, query.sort, Some(here), 1).await?;
        // Where less than a page precedes a place, the list answers with its first page.
        let is_there = |listed: &&ListedUser| {
            let id = listed.user.telegram_id.get();
            let order =
                (key.value_of(&listed.user, listed.active_days), id).cmp(&(value, telegram_id));
            order == if query.sort.descending == backwards { Greater } else { Less }
        };
        let there = slice.rows.first().filter(is_there);
        *neighbour = there.map(|listed| listed.user.telegram_id);
    }
    Ok(neighbours)
}

/// Saves the note.
pub(crate) async fn note(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Form(NoteForm { note }): Form<NoteForm>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    // Browsers send line breaks as CR LF.
    let note = note.replace("\r\n", "\n");
    let changed = match app.directory.set_note(id, &note, &session.admin.to_string()).await {
        Ok(changed) => changed.ok_or(Failure::no_user(id))?,
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
    Ok(after_save(&app, &session.admin, id, &Query::read(&pairs), "noted#note").await?)
}

pub(crate) fn field(field: ProfileField) -> &'static str {
    match field {
        ProfileField::FirstName => "First name",
        ProfileField::LastName => "Last name",
        ProfileField::Username => "Username",
        ProfileField::LanguageCode => "Language",
    }
}
