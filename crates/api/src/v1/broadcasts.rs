//! Broadcasts: creating drafts, starting and ending them, and how they went.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension, Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use rollcall_domain::{
    BROADCAST_LASTS, Broadcast, BroadcastContent, BroadcastPlan, DeliveryTimes, Experiment, Filter,
    InvalidPercent, InvalidQuietHours, LabelName, OnUnknown, Percent, Picture, RecipientSums,
};
use rollcall_service::{BroadcastChange, PAID_RATE};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    json,
    parameters::{Parameters, name, zone},
    refusal,
};
use crate::{access::Caller, app::App, body, error::ApiError};

/// How many broadcasts a page has by default, and at most.
const BROADCASTS: u32 = 50;
const MAX_BROADCASTS: u32 = 200;
/// How long a request counts users; it may take 30 seconds.
const LONGEST_COUNT: Duration = Duration::from_secs(20);
/// The category if none is given, as with the management command.
const CATEGORY: &str = "news";
/// The longest that a broadcast may last: 30 days.
const MAX_LASTS_SECONDS: u32 = 30 * 24 * 60 * 60;

/// A page of broadcasts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    limit: Option<u32>,
    before: Option<i64>,
    #[serde(rename = "bot_id")]
    _bot_id: Option<IgnoredAny>,
}

/// Broadcasts, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    Parameters(page): Parameters<Page>,
) -> Result<Json<Value>, ApiError> {
    let limit = page.limit.unwrap_or(BROADCASTS);
    if !(1..=MAX_BROADCASTS).contains(&limit) {
        return Err(ApiError::invalid(format!("limit: expected 1 to {MAX_BROADCASTS}")));
    }
    let found = app.services.broadcasts.list(page.before, limit).await;
    let found = found.map_err(|error| refusal::service(&app, &error))?;
    let is_full = u32::try_from(found.len()).is_ok_and(|number| number == limit);
    let next = found.last().filter(|_| is_full).map(|(broadcast, _)| broadcast.id);
    let broadcasts: Vec<Value> =
        found.iter().map(|(broadcast, sums)| json::broadcast(broadcast, sums)).collect();
    Ok(Json(json!({ "broadcasts": broadcasts, "next": next })))
}

/// A broadcast, and what became of its messages.
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = app.services.broadcasts.find(number(&id)?).await;
    show(&app, &found.map_err(|error| refusal::broadcast(&app, error))?).await
}

/// How many users a broadcast would go to now, and how many would be left out.
pub(crate) async fn audience(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let refused = |error| refusal::broadcast(&app, error);
    let broadcasts = &app.services.broadcasts;
    let plan = broadcasts.find(number(&id)?).await.map_err(refused)?.plan;
    let size = broadcasts.size_within(LONGEST_COUNT, &plan).await.map_err(refused)?;
    match size {
        Some(size) => Ok(Json(json::audience(&size))),
        None => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "counting the users takes too long; `manage broadcast preview` counts them",
        )),
    }
}

async fn show(app: &App, broadcast: &Broadcast) -> Result<Json<Value>, ApiError> {
    let sums = app.services.broadcasts.sums(broadcast.id).await;
    let sums = sums.map_err(|error| refusal::service(app, &error))?;
    Ok(Json(json::broadcast(broadcast, &sums)))
}

fn number(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::invalid("expected the number of a broadcast"))
}

/// A broadcast to create.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    filter: String,
    zone: Option<String>,
    /// Telegram's HTML.
    text: String,
    /// The text for users whose Telegram app has another language.
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// Rows of buttons, such as `Shop = https://example.org`.
    #[serde(default)]
    buttons: Vec<String>,
    category: Option<String>,
    opt_out_button: Option<bool>,
    rate: Option<u32>,
    /// How many percent of the recipients are held out.
    hold_out: Option<u8>,
    /// The `file_id` of the picture above the text.
    picture_id: Option<String>,
    /// RFC 3339.
    starts_at: Option<String>,
    /// Without a zone.
    local_time: Option<String>,
    quiet_hours: Option<String>,
    lasts_seconds: Option<u32>,
}

/// Stores a draft. Nothing is sent until it is started.
pub(crate) async fn create(
    State(app): State<App>,
    Extension(Caller(by)): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = body::read(request, &app.shared.memory_kib).await?;
    let draft: Draft = serde_json::from_slice(&body.bytes)
        .map_err(|error| ApiError::invalid(format!("the body is not a broadcast: {error}")))?;
    let plan = draft.plan()?;
    let created = app.services.broadcasts.create(&plan, Some(&by)).await;
    let created = created.map_err(|error| refusal::broadcast(&app, error))?;
    Ok((StatusCode::CREATED, Json(json::broadcast(&created, &RecipientSums::default()))))
}

impl Draft {
    fn plan(self) -> Result<BroadcastPlan, ApiError> {
        let filter: Filter = self.filter.parse().map_err(|error| refusal::filter(&error))?;
        let category: LabelName = name(self.category.as_deref().unwrap_or(CATEGORY))?;
        if self.rate.is_some_and(|rate| !(1..=PAID_RATE).contains(&rate)) {
            return Err(ApiError::invalid(format!("rate: expected 1 to {PAID_RATE}")));
        }
        let mut texts: BTreeMap<String, String> = self
            .texts
            .into_iter()
            .map(|(language, text)| (language.to_ascii_lowercase().replace('_', "-"), text))
            .collect();
        if texts.insert(String::new(), self.text).is_some() {
            return Err(ApiError::invalid("texts: expected language codes such as de"));
        }
        let hold_out = match self.hold_out.map(Percent::new) {
            Some(None) => return Err(ApiError::invalid(format!("hold_out: {InvalidPercent}"))),
            part => part.flatten(),
        };
        let starts_at = self.starts_at.as_deref().map(DateTime::parse_from_rfc3339).transpose();
        let starts_at = starts_at
            .map_err(|_| ApiError::invalid("starts_at: expected 2026-12-01T18:00:00Z or the like"))?
            .map(|at| at.to_utc());
        let local_time = self.local_time.as_deref().map(|text| {
            NaiveDateTime::parse_from_str(text, json::LOCAL_TIME).map_err(|_| {
                ApiError::invalid("local_time: expected 2026-12-01T18:00:00 or the like")
            })
        });
        let quiet_hours = self.quiet_hours.as_deref().map(|text| {
            let wrong =
                |error: InvalidQuietHours| ApiError::invalid(format!("quiet_hours: {error}"));
            text.parse().map_err(wrong)
        });
        let times = DeliveryTimes {
            local_time: local_time.transpose()?,
            quiet_hours: quiet_hours.transpose()?,
        };
        let starts_at = match times.span() {
            Some(_) if starts_at.is_some() => {
                return Err(ApiError::invalid("expected starts_at or local_time, not both"));
            }
            Some((first, _)) => Some(first),
            None => starts_at,
        };
        let lasts = match self.lasts_seconds {
            None => BROADCAST_LASTS,
            Some(seconds) if (1..=MAX_LASTS_SECONDS).contains(&seconds) => {
                TimeDelta::seconds(seconds.into())
            }
            Some(_) => {
                let expected = format!("lasts_seconds: expected 1 to {MAX_LASTS_SECONDS}");
                return Err(ApiError::invalid(expected));
            }
        };
        let picture = self.picture_id.as_deref().map(|id| {
            let wrong = "picture_id: expected a file_id of letters, digits, - and _";
            Picture::of_file_id(id).ok_or_else(|| ApiError::invalid(wrong))
        });
        let has_opt_out_button = self
            .opt_out_button
            .unwrap_or_else(|| BroadcastPlan::has_opt_out_button_by_default(&category));
        Ok(BroadcastPlan {
            name: self.name.trim().to_owned(),
            category,
            filter,
            zone: zone(self.zone.as_deref())?,
            content: BroadcastContent::Text {
                texts,
                buttons: self.buttons.join("\n"),
                picture: picture.transpose()?,
            },
            rate: self.rate,
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at,
            lasts,
            times,
            has_opt_out_button,
            experiment: Experiment { hold_out, ..Experiment::default() },
        })
    }
}

/// Starts a broadcast, or schedules it if it has a time.
pub(crate) async fn start(
    state: State<App>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let State(app) = &state;
    let known = app.services.broadcasts.find(number(&id)?).await;
    let known = known.map_err(|error| refusal::broadcast(app, error))?;
    let change = match known.plan.starts_at {
        Some(_) => BroadcastChange::Schedule,
        None => BroadcastChange::Start,
    };
    make(state, caller, &id, change).await
}

/// Pauses a broadcast.
pub(crate) async fn pause(
    state: State<App>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    make(state, caller, &id, BroadcastChange::Pause).await
}

/// Resumes a paused broadcast.
pub(crate) async fn resume(
    state: State<App>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    make(state, caller, &id, BroadcastChange::Resume).await
}

/// Ends a broadcast for good.
pub(crate) async fn cancel(
    state: State<App>,
    caller: Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    make(state, caller, &id, BroadcastChange::Cancel).await
}

async fn make(
    State(app): State<App>,
    Extension(Caller(by)): Extension<Caller>,
    id: &str,
    change: BroadcastChange,
) -> Result<Json<Value>, ApiError> {
    let changed = app.services.broadcasts.change(number(id)?, change, Some(&by)).await;
    show(&app, &changed.map_err(|error| refusal::broadcast(&app, error))?).await
}
