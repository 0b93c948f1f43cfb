//! Writing a broadcast, with a preview.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension,
    extract::{Query as Pairs, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use rollcall_domain::{
    BROADCAST_LASTS, MAX_BROADCAST_NAME_CHARS, MAX_FILTER_BYTES, MAX_PICTURE_BYTES, OnUnknown,
    TextLimit, Variable, WinnerBy,
};
use rollcall_service::{BroadcastCategory, BroadcastError, Session};

use super::{
    audience::Audience,
    draft::{Draft, MAX_LANGUAGES, MAX_RATE},
    experiment::{ExperimentFields, UNITS},
    find::{find, page_of, refusal},
    picked::FilledForm,
    picture,
    preview::Preview,
    send_test,
    trouble::Trouble,
    words,
};
use crate::{
    App,
    page::{Failure, Layout, ViewerZone, render},
    request::value,
    users::{Completion, completions},
};

/// How long the form counts the audience before it shows an estimate: it does so while an owner types.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Template)]
#[template(path = "compose.html")]
struct Page {
    layout: Layout,
    draft: Draft,
    troubles: Vec<Trouble>,
    categories: Vec<BroadcastCategory>,
    completions: Vec<Completion>,
    audience: Option<Audience>,
    preview: Option<Preview>,
    /// Whether a test can be sent.
    can_test: bool,
    /// What became of the test.
    test: Option<Result<(), String>>,
}

impl Page {
    /// What is wrong with a field.
    fn trouble(&self, field: &str) -> Option<&Trouble> {
        self.troubles.iter().find(|it| it.field == field)
    }

    fn text_trouble(&self, place: &usize) -> Option<&Trouble> {
        self.trouble(&format!("text{place}"))
    }

    fn language_trouble(&self, place: &usize) -> Option<&Trouble> {
        self.trouble(&format!("language{place}"))
    }

    /// The picture that was picked: its id, address and shape.
    fn picked(&self) -> Option<(String, String, String)> {
        let stored = self.draft.picked.as_ref()?;
        let id = stored.id.to_string();
        let address = picture::address(&self.layout.base, &id);
        Some((id, address, stored.to_string()))
    }

    fn policies(&self) -> [(&'static str, &'static str, bool); 2] {
        OnUnknown::ALL
            .map(|it| (it.name(), words::on_unknown(it), it.name() == self.draft.on_unknown))
    }

    /// Whether the fields of an experiment are shown at once.
    fn is_experiment(&self) -> bool {
        let wrong = ["hold_out", "winner", "test_part", "after"];
        let experiment = &self.draft.experiment;
        wrong.iter().any(|it| self.trouble(it).is_some())
            || !experiment.hold_out.is_empty()
            || !experiment.winner.is_empty()
            || !experiment.others.is_empty()
    }

    /// What can decide: its value, its name, and whether it is chosen.
    fn winners(&self) -> [(&'static str, &'static str, bool); 2] {
        let chosen = &self.draft.experiment.winner;
        WinnerBy::ALL.map(|it| (it.name(), words::wins(it), it.name() == chosen))
    }

    /// The units of the time of the decision, and whether each is chosen.
    fn units(&self) -> [(&'static str, bool); 2] {
        UNITS.map(|(unit, _)| (unit, unit == self.draft.experiment.unit))
    }

    /// Whether the less common fields are shown at once.
    fn is_unusual(&self) -> bool {
        let draft = &self.draft;
        let hours = BROADCAST_LASTS.num_hours().to_string();
        let is_wrong = ["rate", "hours", "on_unknown"].iter().any(|it| self.trouble(it).is_some());
        is_wrong
            || !draft.rate.is_empty()
            || draft.is_paid
            || draft.hours != hours
            || draft.on_unknown != OnUnknown::default().name()
    }
}

/// Shows the empty form. The query string may have the filter, or the number of a broadcast to copy.
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    ViewerZone(zone): ViewerZone,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let mut draft = match value(&pairs, "copy") {
        "" => Draft::read(&pairs, zone),
        copied => {
            let copied = Draft::of(&find(&app, copied).await?);
            copied.ok_or(Failure::Refused(
                "A copied message, or one whose variants have languages or pictures of their own, cannot be edited here.",
            ))?
        }
    };
    draft.find_picture(&app, None).await?;
    show(&app, &session, layout, draft, true, None).await
}

/// Shows the form again with a preview or for another language, sends a test, or saves the draft.
pub(crate) async fn submit(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    layout: Layout,
    ViewerZone(zone): ViewerZone,
    mut form: FilledForm,
) -> Result<Response, Failure> {
    let mut draft = Draft::read(&form.pairs, zone);
    let stored = form.store(app.broadcasts.pictures()).await?;
    draft.find_picture(&app, stored).await?;
    match value(&form.pairs, "do") {
        "save" => save(&app, &session, layout, draft).await,
        "test" => {
            let categories = app.broadcasts.categories().await?;
            let test = match draft.plan(&app, &categories, true).await? {
                (Some(plan), _) => Some(send_test::send(&app, &session.admin, &plan).await?),
                (None, _) => None,
            };
            let is_preview = test.is_some();
            show(&app, &session, layout, draft, is_preview, test).await
        }
        "language" => {
            if draft.texts.len() <= MAX_LANGUAGES {
                draft.texts.push(Default::default());
            }
            show(&app, &session, layout, draft, true, None).await
        }
        "variant" => {
            draft.experiment.add();
            show(&app, &session, layout, draft, true, None).await
        }
        _ => show(&app, &session, layout, draft, true, None).await,
    }
}

async fn save(
    app: &App,
    session: &Session,
    layout: Layout,
    draft: Draft,
) -> Result<Response, Failure> {
    let categories = app.broadcasts.categories().await?;
    if let (Some(plan), troubles) = draft.plan(app, &categories, false).await?
        && troubles.is_empty()
    {
        match app.broadcasts.create(&plan, Some(&session.admin)).await {
            Ok(created) => {
                let page = format!("{}?done=saved", page_of(app, created.id));
                return Ok(Redirect::to(&page).into_response());
            }
            // Something has changed since it was checked: the form shows what.
            Err(
                BroadcastError::Past(_)
                | BroadcastError::Audience(_)
                | BroadcastError::Category(..),
            ) => {}
            Err(error) => return Err(refusal(error)),
        }
    }
    let page = show(app, session, layout, draft, false, None).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

async fn show(
    app: &App,
    session: &Session,
    layout: Layout,
    draft: Draft,
    is_preview: bool,
    test: Option<Result<(), String>>,
) -> Result<Response, Failure> {
    let categories = app.broadcasts.categories().await?;
    let (plan, mut troubles) = draft.plan(app, &categories, is_preview).await?;
    let mut audience = None;
    // The number of users is shown as soon as the filter is right.
    let counted = match &plan {
        Some(plan) => Some(plan.clone()),
        None => {
            let blank = vec![(String::new(), "-".to_owned())];
            let experiment = ExperimentFields::default();
            let buttons = String::new();
            let filter_only = Draft { texts: blank, buttons, experiment, ..draft.clone() };
            filter_only.plan(app, &categories, true).await?.0
        }
    };
    // Which users are left out depends on the category.
    let has_category = !troubles.iter().any(|it| it.field == "category");
    if let Some(plan) = counted.as_ref().filter(|_| has_category) {
        match Audience::of(app, plan, PATIENCE).await? {
            Ok(estimated) => audience = Some(estimated),
            Err(message) => troubles.push(Trouble::new("filter", message.trim_end_matches('.'))),
        }
    }
    let preview = match &plan {
        Some(plan) => Some(Preview::of(app, plan).await?),
        None => None,
    };
    Ok(render(&Page {
        layout: layout.tab("broadcasts"),
        can_test: send_test::chat_of(app, &session.admin).is_some(),
        completions: completions(app).await?,
        draft,
        troubles,
        categories,
        audience,
        preview,
        test,
    }))
}
