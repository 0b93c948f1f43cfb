//! `POST /ingest`: updates that a bot received from Telegram.

use std::time::Duration;

use axum::{
    Json,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::StatusCode,
};
use rollcall_telegram::{IntakeError, Outcome, TakenUpdate};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{access::failed, app::App, body, error::ApiError};

/// How long updates may take to be stored. What takes longer is stored nevertheless, unless the database
/// fails.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client should wait if there are too many requests at once.
const BUSY_WAIT: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
pub(crate) struct Parameters {
    /// Whether the response lists each update.
    #[serde(default)]
    each: u8,
}

/// Registers the users of updates, and answers once that is durable.
pub(crate) async fn take(
    State(app): State<App>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let Query(Parameters { each }) =
        parameters.map_err(|_| ApiError::invalid("expected each=1 or each=0"))?;
    let busy = |_| ApiError::wait("too many requests at once", BUSY_WAIT);
    let _turn = app.shared.bodies.try_acquire().map_err(busy)?;
    let body = body::read(request, &app.shared.memory_kib).await?;
    let taken = timeout(PATIENCE, app.services.intake.take(&body.bytes)).await;
    let taken = taken.map_err(|_| {
        ApiError::unavailable("the updates were not stored in time; send them again")
    })?;
    match taken {
        Ok(taken) => Ok(Json(response(&taken, each == 1))),
        Err(IntakeError::Invalid(invalid)) => {
            let error = ApiError::new(StatusCode::BAD_REQUEST, invalid.reason);
            Err(match invalid.element {
                Some(element) => error.with("element", element),
                None => error,
            })
        }
        Err(IntakeError::Storage(error)) => Err(failed(&app, &error)),
    }
}

/// How many updates had each outcome, and each of them if `each` is set.
fn response(taken: &[TakenUpdate], each: bool) -> Value {
    let count = |outcome| taken.iter().filter(|it| it.outcome == outcome).count();
    let counts = Outcome::ALL.map(|outcome| (outcome.name().to_owned(), count(outcome).into()));
    let mut response = Map::from_iter(counts);
    if each {
        response.insert("updates".to_owned(), taken.iter().map(as_json).collect());
    }
    Value::Object(response)
}

fn as_json(taken: &TakenUpdate) -> Value {
    let registration = taken.registration.as_ref();
    json!({
        "update_id": taken.update_id,
        "outcome": taken.outcome.name(),
        "telegram_id": registration.map(|it| it.user.telegram_id.get()),
        "created": registration.is_some_and(|it| it.created),
    })
}
