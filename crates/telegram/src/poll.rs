//! Long polling: take a batch, make it durable, confirm it by asking for the next one.

use std::{pin::Pin, time::Duration};

use rollcall_service::ServiceError;
use serde::de::IgnoredAny;
use serde_json::{json, value::RawValue};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    client::{CallError, Client, Conflict},
    error::BotError,
    ingest::{Commands, Ingest},
    trouble::{Trouble, chain},
    update::{self, Update},
};

/// How long Telegram holds a request while there is nothing to tell.
const POLL_TIMEOUT: Duration = Duration::from_secs(50);
/// Added to the poll's timeout for the request as a whole.
const GRACE: Duration = Duration::from_secs(10);
/// The most updates a batch that Telegram gives.
const BATCH: u32 = 100;
/// Pause after a batch that was empty before its time, as some servers answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How long updates have to come unhindered until a conflict counts as over. Two processes that poll
/// for one bot end each other's requests by turns, so one that works proves nothing.
const CALM: Duration = Duration::from_secs(5 * 60);
/// How long the last batch may take to become durable.
const LAST_COMMIT: Duration = Duration::from_secs(2);
/// How long room for the last batch's commands may take to come.
const LAST_ROOM: Duration = Duration::from_secs(1);
/// How long the last request, which only confirms, may take.
const LAST_CONFIRMATION: Duration = Duration::from_secs(2);

/// Polls until `shutdown` resolves; see [`Bot::poll`](crate::Bot::poll).
pub(crate) async fn run(
    client: &Client,
    ingest: &Ingest,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), BotError> {
    let mut offset = None;
    let mut hindrances = Hindrances::new();
    let mut stopping = false;
    while !stopping {
        let started = Instant::now();
        let fetched = tokio::select! {
            () = &mut shutdown => break,
            fetched = fetch(client, ingest, offset, POLL_TIMEOUT) => fetched,
        };
        let updates = match fetched {
            Ok(updates) => updates,
            Err(error) if error.is_bad_token() => return Err(BotError::BadToken(error)),
            Err(error) => tokio::select! {
                () = &mut shutdown => break,
                () = hindrances.wait_out(client, error) => continue,
            },
        };
        hindrances.passed();
        let mut registered = std::pin::pin!(register(ingest, &updates));
        let commands = tokio::select! {
            registered = &mut registered => registered?,
            () = &mut shutdown => {
                stopping = true;
                match timeout(LAST_COMMIT, registered).await {
                    Ok(registered) => registered?,
                    // What is not durable is not confirmed, and comes again.
                    Err(_) => break,
                }
            }
        };
        match updates.iter().filter_map(|update| update.update_id).max() {
            Some(last) => offset = Some(last.saturating_add(1)),
            // Nothing came, or nothing that can be confirmed.
            None if !stopping && started.elapsed() < POLL_TIMEOUT => sleep(PAUSE).await,
            None => {}
        }
        tokio::select! {
            biased;
            () = ingest.answer(commands) => {}
            // Where there is no room for them in time, they go unanswered: the rest is durable.
            () = &mut shutdown, if !stopping => break,
            () = sleep(LAST_ROOM), if stopping => {}
        }
    }
    log::info!("stopping: no more updates are taken");
    ingest.finish().await;
    confirm(client, ingest, offset).await;
    Ok(())
}

/// What keeps updates from being fetched.
struct Hindrances {
    fault: Trouble,
    other_poller: Trouble,
    webhook: Trouble,
    last_conflict: Option<Instant>,
}

impl Hindrances {
    fn new() -> Self {
        Self {
            fault: Trouble::new("updates cannot be fetched"),
            other_poller: Trouble::new(
                "another process polls for this bot, and Telegram lets only one: stop the other",
            ),
            webhook: Trouble::new(
                "updates go to a webhook of this bot, which was set while it polls: deleting it",
            ),
            last_conflict: None,
        }
    }

    /// Does what there is to do about a failed getUpdates, and waits until the next try.
    async fn wait_out(&mut self, client: &Client, error: CallError) {
        let conflict = error.conflict();
        if conflict.is_some() {
            self.last_conflict = Some(Instant::now());
        }
        let wait = match conflict {
            None => self.fault.meet_call(&error),
            Some(Conflict::OtherPoller) => self.other_poller.meet_call(&error),
            Some(Conflict::Webhook) => {
                let error = delete_webhook(client).await.err().unwrap_or(error);
                self.webhook.meet_call(&error)
            }
        };
        sleep(wait).await;
    }

    /// Notes that updates were fetched.
    fn passed(&mut self) {
        self.fault.end();
        if self.last_conflict.is_some_and(|last| last.elapsed() >= CALM) {
            self.other_poller.end();
            self.webhook.end();
            self.last_conflict = None;
        }
    }
}

/// Tells Telegram that updates are fetched.
pub(crate) async fn delete_webhook(client: &Client) -> Result<(), CallError> {
    // Never with drop_pending_updates: what waits is to be answered.
    client.call::<IgnoredAny>("deleteWebhook", &json!({})).await.map(drop)
}

/// Confirms what was taken, for the last time.
async fn confirm(client: &Client, ingest: &Ingest, offset: Option<i64>) {
    if offset.is_none() {
        return;
    }
    match timeout(LAST_CONFIRMATION, fetch(client, ingest, offset, Duration::ZERO)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => log::warn!(error = chain(&error); "the last updates come again"),
        Err(_) => log::warn!("the last updates come again: Telegram took too long"),
    }
}

/// Fetches a batch; asking with an offset confirms every update before it.
async fn fetch(
    client: &Client,
    ingest: &Ingest,
    offset: Option<i64>,
    timeout: Duration,
) -> Result<Vec<Update>, CallError> {
    let parameters = json!({
        "offset": offset,
        "limit": BATCH,
        "timeout": timeout.as_secs(),
        "allowed_updates": update::allowed_updates(),
    });
    let body = client.call_raw("getUpdates", &parameters, timeout + GRACE).await?;
    Ok(ingest.read(body.read::<Vec<&RawValue>>()?))
}

/// Registers whom the updates come from, as often as it takes.
async fn register(ingest: &Ingest, updates: &[Update]) -> Result<Commands, ServiceError> {
    let mut trouble = Trouble::new("users cannot be registered");
    loop {
        match ingest.register(updates).await {
            Err(ServiceError::Repository(error)) => sleep(trouble.meet(&*error)).await,
            result => {
                trouble.end();
                return result;
            }
        }
    }
}
