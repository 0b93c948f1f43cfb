use std::time::Duration;

use frankenstein::methods::{DeleteWebhookParams, GetUpdatesParams};
use rollcall_domain::error_chain;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use crate::{
    client::{CallError, Client, Response},
    update::allowed_updates,
};

/// Added to the timeout of a getUpdates for the request as a whole.
const GRACE: Duration = Duration::from_secs(10);
/// The timeout of the last request, which only acknowledges.
const LAST_REQUEST: Duration = Duration::from_secs(2);

/// Deletes the webhook, so that getUpdates works.
pub(crate) async fn delete_webhook(client: &Client) -> Result<(), CallError> {
    // Never with drop_pending_updates, because pending updates still count.
    let params = DeleteWebhookParams::builder().build();
    client.call::<IgnoredAny>("deleteWebhook", &params).await.map(drop)
}

/// Fetches a batch. An offset acknowledges every update before it.
pub(super) async fn fetch(
    client: &Client,
    offset: Option<i64>,
    limit: u32,
    timeout: Duration,
) -> Result<Response, CallError> {
    let params = GetUpdatesParams::builder()
        .maybe_offset(offset)
        .limit(limit)
        .timeout(u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))
        .allowed_updates(allowed_updates())
        .build();
    client.call_raw("getUpdates", &params, timeout + GRACE).await
}

/// Acknowledges the last batch.
pub(super) async fn acknowledge(client: &Client, offset: Option<i64>) {
    const FAILED: &str = "could not acknowledge the last batch; Telegram will redeliver it";
    if offset.is_none() {
        return;
    }
    let acknowledged = timeout(LAST_REQUEST, fetch(client, offset, 1, Duration::ZERO)).await;
    match acknowledged.map(|response| response?.read::<IgnoredAny>()) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => log::warn!(error = error_chain(&error); "{FAILED}"),
        Err(_) => log::warn!(error = "Telegram took too long"; "{FAILED}"),
    }
}
