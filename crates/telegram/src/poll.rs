//! Long polling: take a batch, make it durable, confirm it by asking for the next one.

use std::{pin::Pin, time::Duration};

use rollcall_service::ServiceError;
use serde::de::IgnoredAny;
use serde_json::{json, value::RawValue};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    client::{Body, CallError, Client, Conflict},
    error::BotError,
    ingest::{Ingest, Taken},
    intake::Intake,
    stream::Stream,
    trouble::{Trouble, chain},
    update::{self, Update},
};

/// How long Telegram holds a request while there is nothing to tell.
const POLL_TIMEOUT: Duration = Duration::from_secs(50);
/// Added to the poll's timeout for the request as a whole.
const GRACE: Duration = Duration::from_secs(10);
/// The most updates a batch that Telegram gives.
const FULL_BATCH: u32 = 100;
/// Pause after a batch that was empty before its time, as some servers answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How long updates have to come unhindered until a conflict counts as over. Two processes that poll
/// for one bot end each other's requests by turns, so one that works proves nothing.
const CALM: Duration = Duration::from_secs(5 * 60);
/// How long a token that was good is tried while Telegram does not accept it.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long the last batch may take to become durable.
const LAST_COMMIT: Duration = Duration::from_secs(2);
/// How long the last request, which only confirms, may take.
const LAST_CONFIRMATION: Duration = Duration::from_secs(2);

/// Polls until `shutdown` resolves, beginning with `first_batch` if there is one; see
/// [`Bot::poll`](crate::Bot::poll).
pub(crate) async fn run(
    client: &Client,
    ingest: &Ingest,
    intake: &Intake,
    mut first_batch: Option<Body>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), BotError> {
    let mut offset = None;
    let mut limit = FULL_BATCH;
    let mut hindrances = Hindrances::new(intake.clone());
    let mut registrar = Registrar::new(ingest, intake);
    let mut stream = Stream::default();
    let mut stopping = false;
    while !stopping {
        let started = Instant::now();
        // The first answer is to come at once, also after a failure: it shows that it works.
        let is_proven = hindrances.has_worked && !hindrances.last_failed;
        let patience = if is_proven { POLL_TIMEOUT } else { Duration::ZERO };
        let fetched = match first_batch.take() {
            Some(batch) => Ok(batch),
            None => tokio::select! {
                () = &mut shutdown => break,
                fetched = fetch(client, offset, limit, patience) => fetched,
            },
        };
        let body;
        let read = match fetched {
            Ok(fetched) => {
                body = fetched;
                body.read::<Vec<&RawValue>>()
            }
            Err(error) => Err(error),
        };
        let updates = match read {
            Ok(raw) => {
                let is_full = u32::try_from(raw.len()).is_ok_and(|number| number >= limit);
                let updates = ingest.read(raw, &mut stream).await;
                stream.end_batch(is_full);
                updates
            }
            Err(error) if hindrances.end_it(&error) => return Err(BotError::BadToken(error)),
            Err(error) => {
                if matches!(error, CallError::TooLong { .. }) {
                    limit = (limit / 2).max(1);
                }
                tokio::select! {
                    () = &mut shutdown => break,
                    () = hindrances.wait_out(client, error) => continue,
                }
            }
        };
        hindrances.passed();
        limit = (limit * 2).min(FULL_BATCH);
        let taken = {
            let mut registered = std::pin::pin!(registrar.register(&updates));
            tokio::select! {
                registered = &mut registered => registered?,
                () = &mut shutdown => {
                    stopping = true;
                    match timeout(LAST_COMMIT, registered).await {
                        Ok(registered) => registered?,
                        // What is not durable is not confirmed, and comes again.
                        Err(_) => break,
                    }
                }
            }
        };
        ingest.answer(taken.commands);
        if let Some(held) = taken.held {
            // Fetched again, with what has come by then.
            offset = held.from.or(offset);
            let wait = registrar.meet(&held.error);
            if stopping {
                break;
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = sleep(wait) => continue,
            }
        }
        match updates.iter().filter_map(|update| update.update_id).max() {
            Some(last) => offset = Some(last.saturating_add(1)),
            // Nothing came, or nothing that can be confirmed.
            None if !stopping && started.elapsed() < patience => sleep(PAUSE).await,
            None => {}
        }
    }
    log::info!("stopping: no more updates are taken");
    ingest.finish().await;
    confirm(client, offset).await;
    Ok(())
}

/// What keeps updates from being fetched.
struct Hindrances {
    fault: Trouble,
    other_poller: Trouble,
    webhook: Trouble,
    bad_token: Trouble,
    /// Since when Telegram has not accepted the token.
    refused_since: Option<Instant>,
    /// Whether updates were ever fetched.
    has_worked: bool,
    /// Whether the latest getUpdates failed.
    last_failed: bool,
    intake: Intake,
}

impl Hindrances {
    fn new(intake: Intake) -> Self {
        Self {
            intake,
            last_failed: false,
            has_worked: false,
            refused_since: None,
            bad_token: Trouble::bounded(
                "Telegram does not accept the bot token any more",
                "for five minutes",
            ),
            fault: Trouble::new("updates cannot be fetched"),
            other_poller: Trouble::new(
                "another process polls for this bot, and Telegram lets only one: stop the other",
            ),
            webhook: Trouble::new(
                "updates go to a webhook of this bot, which was set while it polls: deleting it",
            ),
        }
    }

    /// Whether to give up: the token is no good. One that was good is given some time, because
    /// Telegram has been seen to refuse good ones for a moment.
    fn end_it(&mut self, error: &CallError) -> bool {
        error.is_bad_token() && (!self.has_worked || self.patience_left().is_zero())
    }

    /// How much longer a token is tried that Telegram does not accept any more.
    fn patience_left(&mut self) -> Duration {
        let since = self.refused_since.get_or_insert_with(Instant::now);
        TOKEN_PATIENCE.saturating_sub(since.elapsed())
    }

    /// Does what there is to do about a failed getUpdates, and waits until the next try.
    async fn wait_out(&mut self, client: &Client, error: CallError) {
        self.last_failed = true;
        if error.is_bad_token() {
            let wait = self.bad_token.meet_call(&error).min(self.patience_left());
            self.intake.is_hindered(self.bad_token.told(&error));
            return sleep(wait).await;
        }
        let (trouble, error) = match error.conflict() {
            None => (&mut self.fault, error),
            Some(Conflict::OtherPoller) => (&mut self.other_poller, error),
            Some(Conflict::Webhook) => {
                (&mut self.webhook, delete_webhook(client).await.err().unwrap_or(error))
            }
        };
        let wait = trouble.meet_call(&error);
        self.intake.is_hindered(trouble.told(&error));
        sleep(wait).await;
    }

    /// Notes that updates were fetched.
    fn passed(&mut self) {
        self.last_failed = false;
        self.has_worked = true;
        self.refused_since = None;
        self.bad_token.end();
        self.fault.end();
        self.other_poller.end_after(CALM);
        self.webhook.end_after(CALM);
    }
}

/// Tells Telegram that updates are fetched.
pub(crate) async fn delete_webhook(client: &Client) -> Result<(), CallError> {
    // Never with drop_pending_updates: what waits is to be answered.
    client.call::<IgnoredAny>("deleteWebhook", &json!({})).await.map(drop)
}

/// Confirms what was taken, for the last time.
async fn confirm(client: &Client, offset: Option<i64>) {
    if offset.is_none() {
        return;
    }
    let confirmed = timeout(LAST_CONFIRMATION, fetch(client, offset, 1, Duration::ZERO)).await;
    match confirmed.map(|answer| answer?.read::<IgnoredAny>()) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => log::warn!(error = chain(&error); "the last updates come again"),
        Err(_) => log::warn!("the last updates come again: Telegram took too long"),
    }
}

/// Fetches a batch; asking with an offset confirms every update before it.
async fn fetch(
    client: &Client,
    offset: Option<i64>,
    limit: u32,
    timeout: Duration,
) -> Result<Body, CallError> {
    let parameters = json!({
        "offset": offset,
        "limit": limit,
        "timeout": timeout.as_secs(),
        "allowed_updates": update::allowed_updates(),
    });
    client.call_raw("getUpdates", &parameters, timeout + GRACE).await
}

/// Registers the users of updates.
struct Registrar<'a> {
    ingest: &'a Ingest,
    intake: &'a Intake,
    outage: Trouble,
}

impl<'a> Registrar<'a> {
    fn new(ingest: &'a Ingest, intake: &'a Intake) -> Self {
        Self { ingest, intake, outage: Trouble::new("users cannot be registered") }
    }

    /// Registers the users of the updates, as often as it takes while it is the storage that fails.
    async fn register(&mut self, updates: &[Update<'_>]) -> Result<Taken, ServiceError> {
        loop {
            match self.ingest.register(updates).await {
                Err(error @ ServiceError::Repository(_)) => sleep(self.meet(&error)).await,
                Ok(taken) if taken.held.is_none() => {
                    self.outage.end();
                    self.intake.goes_on();
                    return Ok(taken);
                }
                result => return result,
            }
        }
    }

    /// Notes that users could not be registered; answers how long to wait.
    fn meet(&mut self, error: &ServiceError) -> Duration {
        self.intake.is_hindered(self.outage.told(error));
        self.outage.meet(error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollcall_domain::SystemClock;

    use super::*;
    use crate::clock::TelegramClock;

    fn refused(code: i64) -> CallError {
        CallError::Refused {
            method: "getUpdates",
            code,
            description: String::new(),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_good_is_tried_for_five_minutes() {
        for code in [401, 404] {
            let url = "http://127.0.0.1:1".parse().unwrap();
            let clock = TelegramClock::new(Arc::new(SystemClock));
            let client = Client::new(url, None, "1:x".parse().unwrap(), clock).unwrap();
            let intake = Intake::not_yet();
            let mut hindrances = Hindrances::new(intake.clone());
            assert!(hindrances.end_it(&refused(code)), "it never worked");

            hindrances.passed();
            for _ in 0..2 {
                let begun = Instant::now();
                let mut tries = 0;
                while !hindrances.end_it(&refused(code)) {
                    hindrances.wait_out(&client, refused(code)).await;
                    // Another fault in between changes nothing.
                    hindrances.wait_out(&client, refused(502)).await;
                    tries += 1;
                    assert!(intake.hindrance().is_some());
                }
                let took = begun.elapsed();
                assert!(took >= TOKEN_PATIENCE, "{took:?}");
                assert!(took <= TOKEN_PATIENCE + Duration::from_secs(61), "{took:?}");
                assert!((8..40).contains(&tries), "{tries}");
                hindrances.passed();
            }
            assert!(!hindrances.end_it(&refused(403)));
        }
    }
}
