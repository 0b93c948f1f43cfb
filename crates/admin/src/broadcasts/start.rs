//! Starting a broadcast, after a page that shows what happens then.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Broadcast, BroadcastState, Counted, Filter, Term, UserSort, Variant};
use rollcall_service::{AudienceError, BroadcastChange, Forecast, Session};
use tokio::time::timeout;

use super::{
    change::change,
    find::{find, page_of, users_of},
    message::Bubbles,
    words,
};
use crate::{
    App,
    page::{Failure, Layout, render, text, time_zone},
    request::{query_string, value},
};

/// How long the page waits for an estimate of the audience.
const PATIENCE: Duration = Duration::from_secs(10);
#[derive(Template)]
#[template(path = "start_broadcast.html")]
struct Page {
    layout: Layout,
    broadcast: Broadcast,
    audience: Result<Audience, String>,
    filter: String,
    list: String,
    days_of: Option<String>,
    messages: Vec<(Option<Variant>, Bubbles)>,
    /// How the winner is found.
    test: Option<String>,
    /// The time of its plan, if that is still to come.
    later: Option<DateTime<Utc>>,
    /// The same by each user's own clock.
    local_time: Option<String>,
}

/// How many users a broadcast would reach, and how long that takes.
pub(super) struct Audience {
    /// How many the filter selects.
    pub(super) users: String,
    /// How many of them the bot can write to, and whether that is exact.
    pub(super) reachable: String,
    pub(super) is_exact: bool,
    pub(super) is_empty: bool,
    /// The query string by which they are counted.
    pub(super) query: String,
    /// How long the messages take, if that is known.
    pub(super) duration: Option<String>,
    /// What Telegram takes for a paid broadcast, in Stars.
    pub(super) price: Option<String>,
}

impl Audience {
    /// Estimates the audience of a plan; else why its filter selects no users.
    pub(super) async fn of(
        app: &App,
        plan: &rollcall_domain::BroadcastPlan,
    ) -> Result<Result<Self, String>, Failure> {
        let users = plan.filter.clone().without_bots();
        let reachable = users.clone().and(Filter::with(Term::Reachable));
        let counts = async {
            let count = async |filter: &Filter| {
                let selection = app.audience.selection(filter, plan.zone).await?;
                let page = app.audience.users(&selection, UserSort::default(), None, 1).await?;
                Ok::<_, AudienceError>(page.count)
            };
            Ok::<_, AudienceError>((count(&users).await?, count(&reachable).await?))
        };
        let (all, counted) = match timeout(PATIENCE, counts).await {
            Ok(Ok(counts)) => counts,
            Ok(Err(AudienceError::Service(error))) => return Err(error.into()),
            Ok(Err(error)) => return Ok(Err(text::sentence(&error.to_string()))),
            Err(_) => return Ok(Err("Counting the users takes too long.".to_owned())),
        };
        let (Counted::Exactly(number) | Counted::MoreThan(number) | Counted::About(number)) =
            counted;
        let forecast = match plan.is_paid {
            true => Forecast::paid(number, plan.rate),
            false => {
                let lane = app.messenger.as_ref().map(|it| it.lane(plan.rate, false));
                Forecast::unpaid(number, plan.rate, lane.and_then(|it| it.rate()))
            }
        };
        let duration = forecast
            .duration
            .map(|it| words::duration(TimeDelta::from_std(it).unwrap_or(TimeDelta::MAX)))
            .map(|it| match plan.times.cause() {
                Some(cause) => format!("{it}, plus the wait for {cause}"),
                None => it,
            });
        let zone = if plan.filter.depends_on_days() { plan.zone.name() } else { "" };
        Ok(Ok(Self {
            users: text::users(all),
            reachable: text::users(counted),
            is_exact: matches!(counted, Counted::Exactly(_)),
            is_empty: counted == Counted::Exactly(0),
            query: query_string([("filter", &reachable.to_string()), ("zone", zone)]),
            duration,
            price: plan.is_paid.then(|| forecast.price.to_string()),
        }))
    }
}

/// Shows what happens when a broadcast starts.
pub(crate) async fn ask(
    State(app): State<App>,
    layout: Layout,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let broadcast = find(&app, &id).await?;
    if !matches!(broadcast.state, BroadcastState::Draft | BroadcastState::Scheduled) {
        return Ok(Redirect::to(&page_of(&app, broadcast.id)).into_response());
    }
    let plan = &broadcast.plan;
    let now = app.clock.now();
    let is_draft = broadcast.state == BroadcastState::Draft;
    Ok(render(&Page {
        layout: layout.tab("broadcasts"),
        audience: Audience::of(&app, plan).await?,
        filter: plan.filter.to_string(),
        list: users_of(&app, plan),
        days_of: plan.filter.depends_on_days().then(|| time_zone::name(plan.zone)),
        messages: Bubbles::of_plan(plan, &app.base),
        test: words::test(plan),
        later: plan.planned_for().filter(|at| *at > now && is_draft),
        local_time: words::local_time(plan),
        broadcast,
    }))
}

/// Starts a broadcast now, or lets it start at its time.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let wanted = match value(&pairs, "when") {
        "now" => BroadcastChange::Start,
        "later" => BroadcastChange::Schedule,
        _ => return Err(Failure::Refused("A field is missing. Nothing was started.")),
    };
    change(&app, &session, &id, wanted).await
}
