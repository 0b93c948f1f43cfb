//! Changing a tag or a group of all users of a filter: the form, the question, and the beginning.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query as Pairs, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use rollcall_domain::{Counted, LabelKind, LabelName, UserSort};
use rollcall_service::{AudienceError, LabelError, Session};

use super::{
    changes::{title, to_list},
    selected::Selected,
};
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render, text},
    request::{form_token, value},
    users::query::Query,
};

/// How many users are read for the estimate, as many as by the list.
const FIRST_PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "start_change.html")]
struct Page {
    layout: Layout,
    selected: Selected,
    kind: LabelKind,
    name: String,
    is_added: bool,
    filter_trouble: Option<String>,
    name_trouble: Option<String>,
    /// Why the change cannot begin at all.
    trouble: Option<String>,
    /// The question, if everything is valid.
    question: Option<Question>,
    /// The names to choose from.
    tags: Vec<LabelName>,
    groups: Vec<LabelName>,
}

struct Question {
    /// The change, such as "Add tag vip".
    title: String,
    /// How many users the filter selects, such as "about 3,400 users".
    users: String,
    is_exact: bool,
    /// Whether the label does not exist yet.
    is_new: bool,
}

/// The fields of the form.
struct Fields {
    selected: Selected,
    kind: LabelKind,
    /// The name as it was typed.
    typed: String,
    name: Result<LabelName, String>,
    is_added: bool,
}

impl Fields {
    fn read(pairs: &[(String, String)], viewer: Tz) -> Result<Self, Failure> {
        Query::refuse_unknown(pairs, &["kind", "name", "do", form_token::FIELD])?;
        let kind = match value(pairs, "kind") {
            "" => LabelKind::Tag,
            kind => LabelKind::from_name(kind).ok_or(UNKNOWN_CHANGE)?,
        };
        let is_added = match value(pairs, "do") {
            "" | "add" => true,
            "remove" => false,
            _ => return Err(UNKNOWN_CHANGE),
        };
        let typed = value(pairs, "name").to_owned();
        let name = typed.parse::<LabelName>().map_err(|error| text::sentence(&error.to_string()));
        Ok(Self { selected: Selected::read(pairs, viewer), kind, name, typed, is_added })
    }
}

const UNKNOWN_CHANGE: Failure = Failure::Refused(
    "Expected kind=tag or kind=group, and do=add or do=remove. Nothing was changed.",
);

/// Shows the form, and asks whether the change is to begin if all fields are valid.
pub(crate) async fn ask(
    State(app): State<App>,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::read(&pairs, viewer)?;
    Ok(render(&page(&app, layout, fields, None).await?))
}

/// Begins the change, which goes on in the background.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    ViewerZone(viewer): ViewerZone,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::read(&pairs, viewer)?;
    let trouble = match (fields.selected.filter(), &fields.name) {
        (Some(filter), Ok(name)) => {
            let users = (filter, fields.selected.zone);
            let label = (fields.kind, name);
            match app.labels.start(label, users, fields.is_added, &session.admin).await {
                Ok(_) => return Ok(to_list(&app, "started")),
                Err(error) => Some(error),
            }
        }
        _ => None,
    };
    let page = page(&app, layout, fields, trouble).await?;
    Ok((StatusCode::BAD_REQUEST, render(&page)).into_response())
}

async fn page(
    app: &App,
    layout: Layout,
    fields: Fields,
    error: Option<LabelError>,
) -> Result<Page, Failure> {
    let Fields { selected, kind, typed, name, is_added } = fields;
    let selection = selected.selection(app).await?;
    let (tags, groups) = (names(app, LabelKind::Tag).await?, names(app, LabelKind::Group).await?);
    let known = match kind {
        LabelKind::Tag => tags.clone(),
        LabelKind::Group => groups.clone(),
    };
    let is_known = |name: &LabelName| known.contains(name);
    let mut page = Page {
        filter_trouble: selection.as_ref().err().cloned(),
        name_trouble: None,
        trouble: None,
        question: None,
        tags,
        groups,
        layout: layout.tab("users"),
        name: typed,
        selected,
        kind,
        is_added,
    };
    match &name {
        // The form was not filled in yet.
        Err(_) if page.name.is_empty() => {}
        Err(reason) => page.name_trouble = Some(reason.clone()),
        Ok(name) if !is_added && !is_known(name) => {
            page.name_trouble = Some(format!("There is no {} '{name}'.", kind.name()));
        }
        Ok(name) if !is_known(name) && known.len() >= kind.most() => {
            let full = LabelError::Full(kind).to_string();
            page.name_trouble = Some(text::sentence(&full));
        }
        Ok(_) => {}
    }
    match error {
        None | Some(LabelError::Audience(AudienceError::Selection(_))) => {}
        Some(LabelError::Service(error)) => return Err(error.into()),
        Some(error) if page.name_trouble.is_none() && page.filter_trouble.is_none() => {
            page.trouble = Some(text::sentence(&error.to_string()));
        }
        Some(_) => {}
    }
    if let (Ok(selection), Ok(name), None) = (&selection, &name, &page.name_trouble) {
        let count =
            app.audience.users(selection, UserSort::default(), None, FIRST_PAGE).await?.count;
        page.question = Some(Question {
            title: title(kind, name.as_str(), is_added),
            users: text::users(count),
            is_exact: matches!(count, Counted::Exactly(_)),
            is_new: is_added && !is_known(name),
        });
    }
    Ok(page)
}

async fn names(app: &App, kind: LabelKind) -> Result<Vec<LabelName>, Failure> {
    Ok(app.labels.list(kind).await?.into_iter().map(|label| label.name).collect())
}
