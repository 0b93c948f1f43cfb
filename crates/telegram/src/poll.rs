//! Long polling: take a batch, save it, acknowledge it with the next request.

mod failures;
mod requests;

use std::{pin::Pin, time::Duration};

use rollcall_service::{Outage, ServiceError};
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use requests::delete_webhook;

use crate::{
    behind::Behind,
    client::{CallError, Client, Response},
    error::BotError,
    ingest::{Ingest, Stream, Taken},
    readiness::Readiness,
    retry::outage,
    update::{Update, update_id},
};
use failures::PollFailures;
use requests::{acknowledge, fetch};

/// How long Telegram holds a request while there are no updates.
const POLL_TIMEOUT: Duration = Duration::from_secs(50);
/// Telegram's maximum number of updates in a batch.
const FULL_BATCH: u32 = 100;
/// The pause after an empty batch that came too early, as from some servers.
const PAUSE: Duration = Duration::from_millis(500);
/// How long saving the last batch may take.
const LAST_COMMIT: Duration = Duration::from_secs(2);

/// Polls until `shutdown` resolves, beginning with `first_batch` if there is one; see
/// [`Bot::poll`](crate::Bot::poll).
pub(crate) async fn run(
    client: &Client,
    ingest: &Ingest,
    readiness: &Readiness,
    mut first_batch: Option<Response>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), BotError> {
    let mut offset = None;
    let mut limit = FULL_BATCH;
    let mut failures = PollFailures::new(readiness.clone());
    let mut registrar = Registrar::new(ingest, readiness);
    let mut stream = Stream::default();
    let mut stopping = false;
    // The next id after those that the bot behind got.
    let mut seen = None;
    if let Some(behind) = ingest.behind() {
        behind.begin_polling();
    }
    while !stopping {
        let started = Instant::now();
        // The first response comes at once, also after a failure, to show that polling works.
        let may_wait = ingest.behind().is_none_or(Behind::may_wait);
        let patience = if failures.is_proven() && may_wait { POLL_TIMEOUT } else { Duration::ZERO };
        if let Some(behind) = ingest.behind().filter(|_| !patience.is_zero()) {
            behind.begin_waiting();
        }
        let fetched = match first_batch.take() {
            Some(batch) => Ok(batch),
            None => tokio::select! {
                () = &mut shutdown => break,
                fetched = fetch(client, offset, limit, patience) => fetched,
            },
        };
        if let Some(behind) = ingest.behind() {
            behind.end_waiting();
        }
        let body;
        let is_full;
        let read = match fetched {
            Ok(fetched) => {
                body = fetched;
                body.read::<Vec<&RawValue>>()
            }
            Err(error) => Err(error),
        };
        let updates = match read {
            Ok(raw) => {
                is_full = u32::try_from(raw.len()).is_ok_and(|number| number >= limit);
                let raw = unknown(ingest, raw);
                let updates = ingest.read(raw, &mut stream).await;
                stream.end_batch(is_full);
                updates
            }
            Err(error) if failures.is_fatal(&error) => return Err(BotError::BadToken(error)),
            Err(error) => {
                if matches!(error, CallError::TooLong { .. }) {
                    limit = (limit / 2).max(1);
                }
                tokio::select! {
                    () = &mut shutdown => break,
                    () = failures.wait_out(client, error) => continue,
                }
            }
        };
        failures.end();
        limit = (limit * 2).min(FULL_BATCH);
        let taken = {
            let mut registered = std::pin::pin!(registrar.register(&updates));
            tokio::select! {
                registered = &mut registered => registered?,
                () = &mut shutdown => {
                    stopping = true;
                    match timeout(LAST_COMMIT, registered).await {
                        Ok(registered) => registered?,
                        // Telegram redelivers the batch, because it is not acknowledged.
                        Err(_) => break,
                    }
                }
            }
        };
        ingest.answer(taken.commands);
        let registered = taken.held.as_ref().map_or(updates.len(), |held| held.index);
        ingest.forward(updates.get(..registered).unwrap_or_default());
        if let Some(held) = taken.held {
            // Fetches the rest again, with newer updates, and what the bot behind has not accepted yet.
            let unsettled = ingest.behind().and_then(Behind::first_unsettled);
            offset = unsettled.into_iter().chain(held.from).min().or(offset);
            let wait = registrar.record(&held.error);
            if stopping {
                break;
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = sleep(wait) => continue,
            }
        }
        let next = updates.iter().filter_map(|update| update.update_id).max();
        let next = next.map(|last| last.saturating_add(1));
        if let Some(behind) = ingest.behind() {
            behind.end_batch(is_full);
            // Not the highest of all: after a week without updates, Telegram begins with any id.
            seen = next.or(seen);
            // Telegram delivers the updates from here on again.
            tokio::select! {
                () = &mut shutdown, if !stopping => break,
                next = settled_to(behind, seen) => offset = next.or(offset),
            }
            if next.is_some() || behind.waiting() > 0 {
                continue;
            }
        }
        match next {
            Some(next) => offset = Some(next),
            // No update, or none that can be acknowledged.
            None if !stopping && started.elapsed() < patience => sleep(PAUSE).await,
            None => {}
        }
    }
    log::info!("stopping: no more updates are taken");
    ingest.finish().await;
    if let Some(behind) = ingest.behind() {
        offset = behind.first_unsettled().or(seen).or(offset);
    }
    acknowledge(client, offset).await;
    Ok(())
}

/// Leaves out the updates that the bot behind has or gets: they were fetched before.
fn unknown<'a>(ingest: &Ingest, mut raw: Vec<&'a RawValue>) -> Vec<&'a RawValue> {
    if let Some(behind) = ingest.behind() {
        raw.retain(|it| !update_id(it.get()).is_some_and(|id| behind.knows(id)));
    }
    raw
}

/// Waits until the bot behind has accepted all updates, or newer ones are wanted. Returns the id up to which they may be acknowledged.
async fn settled_to(behind: &Behind, seen: Option<i64>) -> Option<i64> {
    tokio::select! {
        () = behind.all_settled() => {}
        () = behind.wanted() => {}
    }
    let next = behind.first_unsettled().or(seen);
    if let Some(next) = next {
        behind.forget_before(next);
    }
    next
}

/// Registers the users of updates.
struct Registrar<'a> {
    ingest: &'a Ingest,
    readiness: &'a Readiness,
    outage: Outage,
}

impl<'a> Registrar<'a> {
    fn new(ingest: &'a Ingest, readiness: &'a Readiness) -> Self {
        Self { ingest, readiness, outage: outage("users cannot be registered") }
    }

    /// Registers the users of the updates. Retries while the storage fails.
    async fn register(&mut self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        loop {
            match self.ingest.register(updates).await {
                Err(error @ ServiceError::Repository(_)) => sleep(self.record(&error)).await,
                Ok(taken) if taken.held.is_none() => {
                    self.outage.end();
                    self.readiness.set_ready();
                    return Ok(taken);
                }
                result => return result,
            }
        }
    }

    /// Records that users could not be registered. Returns the time to wait.
    fn record(&mut self, error: &ServiceError) -> Duration {
        self.readiness.set_problem(self.outage.describe(error));
        self.outage.record(error)
    }
}
