//! The changes of tags and groups of many users: the recent ones, how far they are, and undoing them.

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query as Pairs, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono_tz::Tz;
use rollcall_domain::{Counted, LabelKind};
use rollcall_service::{
    ChangeStanding, LabelChange, LabelChoice, LabelError, ListedChange, Session,
};

use crate::{
    App,
    page::{AdminNames, Failure, Layout, render, text, time_zone},
    request::value,
    users::query::Query,
};

#[derive(Template)]
#[template(path = "changes.html")]
struct Page {
    layout: Layout,
    changes: Vec<Row>,
    /// Whether a change goes on, so that the page shows it again by itself.
    is_active: bool,
    /// What the last request did.
    done: Option<&'static str>,
}

struct Row {
    listed: ListedChange,
    /// What it does, such as "Add tag vip".
    title: String,
    /// Who began it; `None` for a management command.
    by: Option<String>,
    /// The list of the users of the filter.
    list: Option<String>,
    /// Whose days the filter means, if it depends on days.
    days_of: Option<String>,
}

impl Row {
    fn choice(&self) -> &LabelChoice {
        &self.listed.change.choice
    }

    fn users(&self) -> String {
        text::users(Counted::Exactly(self.listed.change.users))
    }

    /// The standing in words, and its class.
    fn state(&self) -> (&'static str, String) {
        let percent = self.listed.thousandths / 10;
        match &self.listed.standing {
            ChangeStanding::Waiting => ("", "Waiting".to_owned()),
            ChangeStanding::Running => ("warn", format!("Running, {percent}%")),
            ChangeStanding::Stopped(_) => ("bad", format!("Stopped at {percent}%")),
            ChangeStanding::Done => ("good", "Complete".to_owned()),
            ChangeStanding::Undoing => ("warn", format!("Undoing, {percent}%")),
        }
    }

    /// Why a stopped change does not go on.
    fn reason(&self) -> Option<String> {
        match &self.listed.standing {
            ChangeStanding::Stopped(Some(reason)) => Some(text::sentence(reason)),
            ChangeStanding::Stopped(None) => Some("Its program has ended.".to_owned()),
            _ => None,
        }
    }
}

/// The title of a change, such as "Add tag vip".
pub(super) fn title(kind: LabelKind, name: &str, is_added: bool) -> String {
    match (kind, is_added) {
        (LabelKind::Tag, true) => format!("Add tag {name}"),
        (LabelKind::Tag, false) => format!("Remove tag {name}"),
        (LabelKind::Group, true) => format!("Add to group {name}"),
        (LabelKind::Group, false) => format!("Remove from group {name}"),
    }
}

/// Lists the changes of the last hour, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    layout: Layout,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let listed = app.labels.changes().await.map_err(refusal)?;
    let admins = listed.iter().filter_map(|it| it.change.by.clone()).collect();
    let names = AdminNames::of(&app, admins).await?;
    let row = |listed: ListedChange| {
        let LabelChange { label, is_added, by, choice, .. } = &listed.change;
        let mut days_of = None;
        let list = match choice {
            LabelChoice::Ids => None,
            LabelChoice::Filter { text, zone } => {
                let zone = zone.parse().ok();
                let query = Query { zone, ..Query::of_filter(text.clone()) };
                days_of = query.days_of(Tz::UTC).map(time_zone::name);
                Some(query.beside(&format!("{}/users", app.base)))
            }
        };
        Row {
            title: title(label.kind, label.name.as_str(), *is_added),
            by: by.as_ref().map(|admin| names.name(admin)),
            list,
            days_of,
            listed,
        }
    };
    Ok(render(&Page {
        is_active: listed.iter().any(ListedChange::is_active),
        changes: listed.into_iter().map(row).collect(),
        done: match value(&pairs, "done") {
            "started" => Some("The change has begun. It goes on if you leave this page."),
            "undoing" => Some("The change is being undone. That goes on if you leave this page."),
            "resumed" => Some("The change goes on."),
            _ => None,
        },
        layout: layout.tab("users"),
    }))
}

/// Undoes a change in the background.
pub(crate) async fn undo(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    app.labels.start_undo(id(&pairs)?, &session.admin).await.map_err(refusal)?;
    Ok(to_list(&app, "undoing"))
}

/// Lets the stopped change of a command go on in the background.
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    app.labels.start_again(id(&pairs)?, &session.admin).await.map_err(refusal)?;
    Ok(to_list(&app, "resumed"))
}

pub(super) fn to_list(app: &App, done: &str) -> Response {
    Redirect::to(&format!("{}/changes?done={done}", app.base)).into_response()
}

fn id(pairs: &[(String, String)]) -> Result<i64, Failure> {
    let id = value(pairs, "id").parse();
    id.map_err(|_| Failure::Refused("A field is missing. Nothing was changed."))
}

/// An error of a change as a page.
pub(crate) fn refusal(error: LabelError) -> Failure {
    match error {
        LabelError::Service(error) => error.into(),
        error => Failure::invalid(text::sentence(&error.to_string())),
    }
}
