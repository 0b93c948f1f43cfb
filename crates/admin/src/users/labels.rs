//! The tags and groups of a user, on the user's page.

use axum::{
    Extension, Form,
    extract::{Path, Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{Counted, LabelKind, LabelName, LabelsOfUser};
use rollcall_service::{ServiceError, Session};

use super::{
    query::{Query, read_id},
    selection::selected_ids,
    views::after_save,
};
use crate::{
    App,
    audience::changes::refusal,
    page::{Failure, text},
    request::query_string,
};

/// The labels of one kind.
pub(crate) struct Panel {
    /// `tag` or `group`, as forms send it.
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    /// The label of the field to add one.
    pub(crate) add: &'static str,
    /// The user's labels.
    pub(crate) names: Vec<LabelName>,
    /// The other labels, to choose from.
    pub(crate) others: Vec<LabelName>,
}

impl Panel {
    /// The panels of tags and of groups.
    pub(crate) async fn of(app: &App, labels: &LabelsOfUser) -> Result<[Self; 2], ServiceError> {
        let panel = async |kind: LabelKind, names: &[LabelName]| {
            let all = app.labels.list(kind).await?;
            let others = all.into_iter().map(|label| label.name);
            let (title, add) = match kind {
                LabelKind::Tag => ("Tags", "Tag to add"),
                LabelKind::Group => ("Groups", "Group to add"),
            };
            Ok::<_, ServiceError>(Self {
                kind: kind.name(),
                title,
                add,
                names: names.to_vec(),
                others: others.filter(|name| !names.contains(name)).collect(),
            })
        };
        Ok([
            panel(LabelKind::Tag, &labels.tags).await?,
            panel(LabelKind::Group, &labels.groups).await?,
        ])
    }
}

/// Adds the label in the form to a user, or removes it.
pub(crate) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Pairs(list): Pairs<Vec<(String, String)>>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.trim())
    };
    let kind = value("kind").and_then(LabelKind::from_name);
    let kind = kind.ok_or(Failure::Refused("A field is missing. Nothing was changed."))?;
    let (name, is_added) = match value("remove") {
        Some(name) => (name, false),
        None => (value("name").unwrap_or_default(), true),
    };
    let name = read_name(name)?;
    if app.users.get_user_by_telegram_id(id).await?.is_none() {
        return Err(Failure::no_user(id));
    }
    let by = Some(&session.admin);
    let changed = app.labels.label_user(kind, &name, id, is_added, by).await;
    changed.map_err(refusal)?.ok_or(Failure::no_user(id))?;
    Ok(after_save(&app, &session.admin, id, &Query::read(&list), "labelled#labels").await?)
}

/// The name of the field for a tag in the list's form, whose other buttons send it too. It is not
/// `tag`, which would look like a filter to them.
pub(super) const TAG_FIELD: &str = "tag_name";

/// Adds a tag to the users that are ticked in a list, or removes it.
pub(crate) async fn change_selected(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.trim())
    };
    if value("all").is_some() {
        return ask_about_all(&app, &pairs);
    }
    let is_added = value("do") != Some("remove");
    let ids = selected_ids(&pairs)?;
    let name = read_name(value(TAG_FIELD).unwrap_or_default())?;
    let (kind, by) = (LabelKind::Tag, Some(&session.admin));
    let label = match is_added {
        true => app.labels.create(kind, &name, "", by).await.map_err(refusal)?.0,
        false => app.labels.find(kind, &name).await.map_err(refusal)?,
    };
    let change = app.labels.change_ids(&label, &ids, is_added, by, &|_| ()).await;
    let change = change.map_err(refusal)?;
    let list = Query::read(&pairs).beside(&format!("{}/users", app.base));
    let separator = if list.contains('?') { '&' } else { '?' };
    let did = if is_added { "added" } else { "removed" };
    let done = format!("{list}{separator}labelled={did}.{}.{name}", change.users);
    Ok(Redirect::to(&done).into_response())
}

/// Leads to the question whether all users of the list are changed.
fn ask_about_all(app: &App, pairs: &[(String, String)]) -> Result<Response, Failure> {
    let query = Query::read(pairs).still_invalid()?;
    let zone = query.zone.map(|zone| zone.name()).unwrap_or_default();
    let value = |name: &str| {
        let pair = pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.trim()).unwrap_or_default()
    };
    let fields = query_string([
        ("filter", query.text.as_str()),
        ("zone", zone),
        ("kind", LabelKind::Tag.name()),
        ("name", value(TAG_FIELD)),
        ("do", value("do")),
    ]);
    Ok(Redirect::to(&format!("{}/changes/new?{fields}", app.base)).into_response())
}

/// What a change of tags has done, from the address to which it led.
pub(super) fn labelled(pairs: &[(String, String)]) -> Option<String> {
    let (_, done) = pairs.iter().find(|(name, _)| name == "labelled")?;
    let mut parts = done.splitn(3, '.');
    let (did, number, name) = (parts.next()?, parts.next()?, parts.next()?);
    let users = text::users(Counted::Exactly(number.parse().ok()?));
    let name: LabelName = name.parse().ok()?;
    match did {
        "added" => Some(format!("Added tag {name} to {users}.")),
        "removed" => Some(format!("Removed tag {name} from {users}.")),
        _ => None,
    }
}

fn read_name(text: &str) -> Result<LabelName, Failure> {
    text.parse().map_err(|_| {
        Failure::Refused(
            "A name has 1 to 32 of the characters a-z, 0-9, _ and -. Nothing was changed.",
        )
    })
}
