//! One user: what is known of them, the note, and deleting them.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::NaiveDate;
use rollcall_domain::{
    AuditAction, AuditEntry, MAX_NOTE_CHARS, ProfileField, TelegramId, TelegramUser, UserDetail,
};
use rollcall_service::{AuditFilter, ServiceError, Session};
use serde::Deserialize;

use crate::{
    App,
    explain::Failure,
    frame::{Frame, page},
    heat_map, text, users,
};

/// How many entries of the audit log a user's page has.
const ENTRIES: u32 = 20;
/// How many days the table of counts has: those that somebody may want to read one by one.
const DAYS: usize = 30;
/// How many users can be deleted at once.
const MOST_AT_ONCE: usize = 100;

#[derive(Template)]
#[template(path = "user.html")]
struct Page {
    frame: Frame,
    name: String,
    state: (&'static str, &'static str),
    detail: UserDetail,
    heat_map: String,
    days: Vec<(NaiveDate, u32)>,
    entries: Vec<AuditEntry>,
    was_noted: bool,
}

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    frame: Frame,
    people: Vec<TelegramUser>,
}

#[derive(Deserialize)]
pub(crate) struct NoteForm {
    note: String,
}

/// What is known of a user. That somebody looked goes into the audit log.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    let detail = app.directory.user(id).await?.ok_or(Failure::NotFound)?;
    app.admins.audit(&session.admin, AuditAction::ViewedUser, Some(id), None, None).await?;
    let entries = app.admins.audit_log(&AuditFilter::all().about(id), None, ENTRIES).await?;
    let today = app.clock.now().date_naive();
    let counts: Vec<_> = detail.days.iter().map(|(day, n)| (*day, u64::from(*n))).collect();
    Ok(page(&Page {
        frame: Frame::new(&app, &session, "users"),
        name: users::name(&detail.user.full_name()),
        state: text::state(&detail.user),
        heat_map: heat_map::draw(&counts, today),
        days: detail.days.iter().rev().take(DAYS).copied().collect(),
        entries,
        was_noted: pairs.iter().any(|(name, _)| name == "noted"),
        detail,
    }))
}

/// Writes the note.
pub(crate) async fn note(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(NoteForm { note }): Form<NoteForm>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    // Browsers send line ends as two characters.
    let note = note.replace("\r\n", "\n");
    let changed = match app.directory.set_note(id, &note, &session.admin.to_string()).await {
        Ok(changed) => changed.ok_or(Failure::NotFound)?,
        Err(ServiceError::NoteTooLong) => {
            return Err(Failure::Refused(
                "The note is too long: it may have 10,000 characters. Nothing was changed.",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if changed.old != changed.new {
        let (old, new) = (changed.old.as_deref(), changed.new.as_deref());
        app.admins.audit(&session.admin, AuditAction::ChangedNote, Some(id), old, new).await?;
    }
    Ok(Redirect::to(&format!("{}/users/{id}?noted#note", app.base)).into_response())
}

/// Says what deleting users takes away, and asks whether it shall.
pub(crate) async fn ask_to_delete(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let people = people(&app, &pairs).await?;
    Ok(page(&DeletePage { frame: Frame::new(&app, &session, "users"), people }))
}

/// Deletes users.
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let ids: Vec<TelegramId> =
        people(&app, &pairs).await?.iter().map(|person| person.telegram_id).collect();
    // First, so that nobody goes without a trace; the entry says who it was by the id only.
    for id in &ids {
        app.admins.audit(&session.admin, AuditAction::DeletedUser, Some(*id), None, None).await?;
    }
    let deleted = app.users.delete_users(&ids).await?;
    Ok(Redirect::to(&format!("{}/users?deleted={deleted}", app.base)).into_response())
}

/// The users whose ids were sent, and who are there.
async fn people(app: &App, pairs: &[(String, String)]) -> Result<Vec<TelegramUser>, Failure> {
    let ids = pairs.iter().filter(|(name, _)| name == "id").map(|(_, id)| read_id(id));
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Failure::Refused("Nobody was chosen. Go back and tick whom you mean."));
    }
    if ids.len() > MOST_AT_ONCE {
        return Err(Failure::Refused("These are too many at once: at most 100 can be deleted."));
    }
    let mut people = Vec::new();
    for id in ids {
        people.extend(app.users.get_user_by_telegram_id(id).await?);
    }
    if people.is_empty() { Err(Failure::NotFound) } else { Ok(people) }
}

/// An id in a URL; what is none belongs to nobody.
fn read_id(text: &str) -> Result<TelegramId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

fn field(field: ProfileField) -> &'static str {
    match field {
        ProfileField::FirstName => "First name",
        ProfileField::LastName => "Last name",
        ProfileField::Username => "Username",
        ProfileField::LanguageCode => "Language",
    }
}
