//! getUpdates.

use std::time::Duration;

use crate::api_error::{ApiError, OTHER_POLL, WEBHOOK_ACTIVE};
use crate::params::Params;
use crate::telegram::{Telegram, WaitingPoll};

/// Waits for updates as long as the bot asks, and returns the whole response body.
pub(crate) async fn get_updates(telegram: &Telegram, params: &Params) -> Result<String, ApiError> {
    let limit = usize::try_from(params.number("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let timeout_s = params.number("timeout").unwrap_or(0).clamp(0, 50).unsigned_abs();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(timeout_s);
    let mut changes = telegram.watch();
    let own_number = begin_poll(telegram, params)?;
    let mut waiting = None;
    loop {
        if let Some(answer) = take_updates(telegram, own_number, limit)? {
            return Ok(answer);
        }
        waiting.get_or_insert_with(|| WaitingPoll::begin(telegram));
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok("{\"ok\":true,\"result\":[]}".into());
        }
    }
}

/// Confirms updates by the offset, and ends an earlier getUpdates request that still waits.
fn begin_poll(telegram: &Telegram, params: &Params) -> Result<u64, ApiError> {
    let mut state = telegram.state();
    if state.webhook.is_some() {
        return Err(ApiError::new(409, WEBHOOK_ACTIVE));
    }
    if let Some(kinds) = params.strings("allowed_updates") {
        state.queue.allow(kinds);
    }
    state.queue.confirm(params.number("offset").unwrap_or(0));
    let own_number = state.end_polls(OTHER_POLL);
    drop(state);
    telegram.changed();
    Ok(own_number)
}

fn take_updates(
    telegram: &Telegram,
    own_number: u64,
    limit: usize,
) -> Result<Option<String>, ApiError> {
    let mut state = telegram.state();
    if state.revoked {
        return Err(ApiError::unauthorized());
    }
    if state.poll.number != own_number {
        return Err(ApiError::new(409, state.poll.ended_by));
    }
    let answer = state.queue.answer(limit);
    drop(state);
    if answer.is_some() {
        telegram.changed();
    }
    Ok(answer)
}
