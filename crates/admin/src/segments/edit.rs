//! Creating and changing a segment.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono_tz::Tz;
use rollcall_domain::{
    Admin, AuditAction, Filter, InvalidLabelName, LabelName, MAX_DESCRIPTION_CHARS,
    MAX_FILTER_BYTES,
};
use rollcall_service::{AudienceError, Session};

use super::find;
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render, text},
    users::{InvalidFilter, Marked},
};

/// The place of this page in addresses, where other pages have the name of their segment.
const NEW: &str = "new";

/// The form.
#[derive(Template)]
#[template(path = "edit_segment.html")]
struct Page {
    layout: Layout,
    draft: Draft,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Draft {
    /// The segment that is changed; `None` for a new one.
    old: Option<LabelName>,
    typed: Typed,
    troubles: Troubles,
}

/// The fields.
#[derive(Default)]
struct Typed {
    name: String,
    filter: String,
    zone: String,
    description: String,
}

/// What is wrong with each field.
#[derive(Default)]
struct Troubles {
    name: Option<String>,
    filter: Option<String>,
    /// The filter around the place that is wrong.
    place: Option<Marked>,
    zone: Option<String>,
    description: Option<String>,
}

/// Asks for a new segment; the query string may have its filter.
pub(crate) async fn ask(
    layout: Layout,
    ViewerZone(zone): ViewerZone,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Response {
    let mut typed = Typed::read(&pairs);
    if typed.zone.is_empty() {
        zone.name().clone_into(&mut typed.zone);
    }
    page(layout, Draft { typed, ..Draft::default() })
}

/// Shows a segment to change it.
pub(crate) async fn edit(
    State(app): State<App>,
    layout: Layout,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let (segment, _) = find(&app, &name).await?;
    let typed = Typed {
        name,
        filter: segment.filter.to_string(),
        zone: segment.zone.name().to_owned(),
        description: segment.description,
    };
    Ok(page(layout, Draft { old: Some(segment.name), typed, ..Draft::default() }))
}

fn page(layout: Layout, draft: Draft) -> Response {
    render(&Page { layout: layout.tab("users"), draft })
}

/// Saves a new segment.
pub(crate) async fn create(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let mut draft = Draft { typed: Typed::read(&pairs), ..Draft::default() };
    let segments = app.audience.segments().await?;
    if segments.iter().any(|it| it.name.as_str() == draft.typed.name) {
        draft.troubles.name = Some(format!("There is a segment “{}” already.", draft.typed.name));
    }
    save(&app, &session.admin, layout, draft).await
}

/// Changes a segment.
pub(crate) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (segment, _) = find(&app, &name).await?;
    let typed = Typed { name, ..Typed::read(&pairs) };
    let draft = Draft { old: Some(segment.name), typed, ..Draft::default() };
    save(&app, &session.admin, layout, draft).await
}

/// Saves what was typed, or shows the form again with what is wrong.
async fn save(
    app: &App,
    admin: &Admin,
    layout: Layout,
    mut draft: Draft,
) -> Result<Response, Failure> {
    if let Some((name, filter, zone)) = draft.read() {
        let summary = format!("{name}: {}", filter.summary());
        let description = &draft.typed.description;
        match app.audience.save_segment(name.clone(), filter, zone, description).await {
            Ok(old) => {
                let old = old.map(|old| format!("{}: {}", old.name, old.filter.summary()));
                let action = AuditAction::SavedSegment;
                app.admins.audit(admin, action, None, old.as_deref(), Some(&summary)).await?;
                let saved = format!("{}/segments/{name}?saved=1", app.base);
                return Ok(Redirect::to(&saved).into_response());
            }
            Err(AudienceError::Service(error)) => return Err(error.into()),
            Err(error) => draft.troubles.filter = Some(text::sentence(&error.to_string())),
        }
    }
    Ok((StatusCode::BAD_REQUEST, page(layout, draft)).into_response())
}

impl Draft {
    /// What was typed; `None` if a field is wrong, which is noted then.
    fn read(&mut self) -> Option<(LabelName, Filter, Tz)> {
        let Self { typed, troubles, .. } = self;
        let name = typed.name.parse().map_err(|error: InvalidLabelName| {
            troubles.name = Some(text::sentence(&error.to_string()));
        });
        if typed.name == NEW {
            let taken = format!("Choose another name: “{NEW}” stands for this page in addresses.");
            troubles.name = Some(taken);
        }
        let filter = typed.filter.parse::<Filter>().map_err(|error| {
            let invalid = InvalidFilter::from(error);
            troubles.place = invalid.marked(&typed.filter);
            troubles.filter = Some(invalid.message());
        });
        let zone = typed.zone.parse().map_err(|_| {
            let expected = "Expected a time zone such as Europe/Berlin, or UTC.";
            troubles.zone = Some(expected.to_owned());
        });
        let chars = typed.description.chars().count();
        if chars > MAX_DESCRIPTION_CHARS {
            troubles.description = Some(format!(
                "Expected at most {MAX_DESCRIPTION_CHARS} characters; this has {chars}."
            ));
        }
        let is_right = troubles.name.is_none() && troubles.description.is_none();
        is_right.then_some((name.ok()?, filter.ok()?, zone.ok()?))
    }
}

impl Typed {
    fn read(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        Self {
            name: value("name"),
            filter: value("filter"),
            zone: value("zone"),
            description: value("description"),
        }
    }
}
