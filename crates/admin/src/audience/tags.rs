//! The tags and groups: their list, and creating, describing and deleting them.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{
    Counted, InvalidLabelName, LabelKind, LabelName, MAX_DESCRIPTION_CHARS, UserLabel, error_chain,
};
use rollcall_service::{LabelError, Session};
use tokio::time::timeout;

use crate::{
    App,
    page::{Failure, Layout, render, text},
    request::{query_string, value},
};

/// How long the page waits for a deletion, which goes on in the background if it takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Template)]
#[template(path = "tags.html")]
struct Page {
    layout: Layout,
    lists: [List; 2],
    /// What the last request did.
    done: Option<String>,
    /// What was typed for a new one, and what is wrong with it.
    new: New,
}

struct List {
    title: &'static str,
    kind: LabelKind,
    rows: Vec<Row>,
}

impl List {
    /// How many there are, of how many that there may be.
    fn room(&self) -> String {
        let grouped = |number: usize| text::grouped(u64::try_from(number).unwrap_or(u64::MAX));
        format!("{} of {}", grouped(self.rows.len()), grouped(self.kind.most()))
    }
}

struct Row {
    label: UserLabel,
    /// Its number of users.
    users: String,
    /// The list of its users.
    list: String,
}

#[derive(Default)]
struct New {
    kind: &'static str,
    name: String,
    description: String,
    name_trouble: Option<String>,
    description_trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "tag.html")]
struct One {
    layout: Layout,
    label: UserLabel,
    /// Its users, such as "3 users".
    users: String,
    /// The list of its users.
    list: String,
    description: String,
    description_trouble: Option<String>,
    /// Why it was not deleted.
    trouble: Option<String>,
}

/// Lists all tags and groups with their numbers of users.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    Ok(render(&page(&app, layout, done(&pairs), New::default()).await?))
}

async fn page(app: &App, layout: Layout, done: Option<String>, new: New) -> Result<Page, Failure> {
    let list = async |kind: LabelKind, title| {
        let rows = app.labels.count(kind).await?.into_iter();
        let row = |(label, users): (UserLabel, u64)| Row {
            list: users_of(app, &label),
            label,
            users: text::grouped(users),
        };
        Ok::<_, Failure>(List { title, kind, rows: rows.map(row).collect() })
    };
    let lists = [list(LabelKind::Tag, "Tags").await?, list(LabelKind::Group, "Groups").await?];
    Ok(Page { layout: layout.tab("users"), lists, done, new })
}

/// Creates a tag or a group.
pub(crate) async fn create(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let kind = LabelKind::from_name(value(&pairs, "kind")).unwrap_or(LabelKind::Tag);
    let description = value(&pairs, "description");
    let mut new = New {
        kind: kind.name(),
        name: value(&pairs, "name").to_owned(),
        description: description.to_owned(),
        ..New::default()
    };
    let created = match new.name.parse::<LabelName>() {
        Ok(name) => app.labels.create(kind, &name, description, Some(&session.admin)).await,
        Err(error) => {
            new.name_trouble = Some(text::sentence(&error.to_string()));
            return refuse(&app, layout, new).await;
        }
    };
    match created {
        Ok((label, true)) => return Ok(to_list(&app, "created", &label)),
        Ok((label, false)) => {
            new.name_trouble =
                Some(format!("There is a {} '{}' already.", kind.name(), label.name));
        }
        Err(LabelError::Service(error)) => return Err(error.into()),
        Err(error @ LabelError::DescriptionTooLong) => {
            new.description_trouble = Some(text::sentence(&error.to_string()));
        }
        Err(error) => new.name_trouble = Some(text::sentence(&error.to_string())),
    }
    refuse(&app, layout, new).await
}

async fn refuse(app: &App, layout: Layout, new: New) -> Result<Response, Failure> {
    let page = page(app, layout, None, new).await?;
    Ok((StatusCode::BAD_REQUEST, render(&page)).into_response())
}

/// Shows one tag or group, to describe or delete it.
pub(crate) async fn one(
    State(app): State<App>,
    layout: Layout,
    Path(term): Path<String>,
) -> Result<Response, Failure> {
    Ok(render(&page_of_one(&app, layout, &term).await?))
}

async fn page_of_one(app: &App, layout: Layout, term: &str) -> Result<One, Failure> {
    let (kind, name) = read_term(term)?;
    let labels = app.labels.list(kind).await?;
    let label = labels.into_iter().find(|label| label.name == name);
    let label = label.ok_or_else(|| missing(kind, &name))?;
    let users = app.labels.count_of(&label).await?;
    Ok(One {
        layout: layout.tab("users"),
        list: users_of(app, &label),
        users: text::users(Counted::Exactly(users)),
        description: label.description.clone(),
        description_trouble: None,
        trouble: None,
        label,
    })
}

/// Changes the description of a tag or a group.
pub(crate) async fn describe(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(term): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (kind, name) = read_term(&term)?;
    let description = value(&pairs, "description");
    match app.labels.describe(kind, &name, description, Some(&session.admin)).await {
        Ok(()) => Ok(to_list_of(&app, "described", kind, &name)),
        Err(LabelError::Service(error)) => Err(error.into()),
        Err(LabelError::Unknown(..)) => Err(missing(kind, &name)),
        Err(error) => {
            let mut page = page_of_one(&app, layout, &term).await?;
            description.clone_into(&mut page.description);
            page.description_trouble = Some(text::sentence(&error.to_string()));
            Ok((StatusCode::BAD_REQUEST, render(&page)).into_response())
        }
    }
}

/// Removes a tag or a group from all users and deletes it.
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(term): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (kind, name) = read_term(&term)?;
    if value(&pairs, "sure").is_empty() {
        return Err(Failure::Refused("Tick the box to confirm. Nothing was deleted."));
    }
    let (labels, admin) = (app.labels.clone(), session.admin);
    let deleted_name = name.clone();
    let mut deletion = tokio::spawn(async move {
        let deleted = labels.delete(kind, &deleted_name, Some(&admin)).await;
        if let Err(LabelError::Service(error)) = &deleted {
            log::error!(error = error_chain(error); "could not delete a tag or a group");
        }
        deleted
    });
    match timeout(PATIENCE, &mut deletion).await {
        Err(_) => Ok(to_list_of(&app, "deleting", kind, &name)),
        Ok(Ok(Ok(_))) => Ok(to_list_of(&app, "deleted", kind, &name)),
        Ok(Ok(Err(LabelError::Unknown(..)))) => Err(missing(kind, &name)),
        Ok(Ok(Err(LabelError::Service(error)))) => Err(error.into()),
        Ok(Ok(Err(error))) => {
            let mut page = page_of_one(&app, layout, &term).await?;
            page.trouble = Some(text::sentence(&error.to_string()));
            Ok((StatusCode::BAD_REQUEST, render(&page)).into_response())
        }
        Ok(Err(_)) => Err(rollcall_service::ServiceError::Stopped.into()),
    }
}

fn to_list(app: &App, done: &str, label: &UserLabel) -> Response {
    to_list_of(app, done, label.kind, &label.name)
}

fn to_list_of(app: &App, done: &str, kind: LabelKind, name: &LabelName) -> Response {
    let url = format!("{}/tags?done={done}.{}:{name}", app.base, kind.name());
    Redirect::to(&url).into_response()
}

/// What the request did that led here.
fn done(pairs: &[(String, String)]) -> Option<String> {
    let (did, term) = value(pairs, "done").split_once('.')?;
    let (kind, name) = read(term).ok()?;
    let kind = kind.name();
    match did {
        "created" => Some(format!("Created {kind} {name}.")),
        "described" => Some(format!("Changed the description of {kind} {name}.")),
        "deleted" => Some(format!("Deleted {kind} {name}.")),
        "deleting" => Some(format!(
            "Many users have {kind} {name}, so deleting it goes on in the background."
        )),
        _ => None,
    }
}

/// A label as it is in a filter and in the path of its page, such as `tag:vip`.
fn read(term: &str) -> Result<(LabelKind, LabelName), InvalidLabelName> {
    let (kind, name) = term.split_once(':').ok_or(InvalidLabelName)?;
    Ok((LabelKind::from_name(kind).ok_or(InvalidLabelName)?, name.parse()?))
}

fn read_term(term: &str) -> Result<(LabelKind, LabelName), Failure> {
    read(term).map_err(|_| {
        let text = "Expected the name of a tag or a group, such as tag:vip or group:testers.";
        Failure::Missing(NOT_FOUND, text.to_owned())
    })
}

const NOT_FOUND: &str = "Tag or group not found";

fn missing(kind: LabelKind, name: &LabelName) -> Failure {
    Failure::Missing(
        NOT_FOUND,
        format!("There is no {} {name}. It may have been deleted.", kind.name()),
    )
}

fn users_of(app: &App, label: &UserLabel) -> String {
    let filter = format!("{}:{}", label.kind.name(), label.name);
    format!("{}/users?{}", app.base, query_string([("filter", &filter)]))
}
