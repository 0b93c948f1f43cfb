//! Updates that Telegram delivers itself.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use rollcall_telegram::Receiver;
use tokio::time::{sleep, timeout};

use super::connections::Ticket;

/// The header that shows that a request comes from Telegram (Bot API, "setWebhook").
const SECRET: &str = "x-telegram-bot-api-secret-token";
/// The largest body that is read. An update is a few KiB.
const LARGEST_BODY_BYTES: usize = 1 << 20;
/// How long a request's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a wrong secret waits for its answer: guessing is to take long.
const WRONG_SECRET: Duration = Duration::from_secs(1);

/// Takes updates at `path` and hands them to `receiver`, once it is there.
pub(crate) fn webhook(path: &str, receiver: Arc<OnceLock<Receiver>>) -> Router {
    Router::new()
        // A colon is a letter like any other; braces do not occur, since URLs encode them.
        .without_v07_checks()
        .route(path, post(take_update))
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .with_state(receiver)
}

async fn take_update(
    State(receiver): State<Arc<OnceLock<Receiver>>>,
    Extension(connection): Extension<Arc<Ticket>>,
    request: Request,
) -> Response {
    // Of a bot that still starts; Telegram tries again.
    let Some(receiver) = receiver.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // Before the body is read: strangers are not to fill the memory.
    if !receiver.admits(request.headers().get(SECRET).map(HeaderValue::as_bytes)) {
        sleep(WRONG_SECRET).await;
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // Telegram has up to a hundred connections, from a few addresses.
    connection.trust();
    match timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Ok(Err(rejection)) => rejection.into_response(),
        Ok(Ok(body)) => match receiver.receive(body).await {
            Ok(()) => StatusCode::OK.into_response(),
            // Telegram brings again what was answered with anything but 2xx.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}
