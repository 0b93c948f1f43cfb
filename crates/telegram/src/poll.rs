//! Long polling: take a batch, make it durable, confirm it by asking for the next one.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rollcall_domain::{Clock, Interaction, Registration};
use rollcall_service::{ServiceError, UserService};
use serde_json::{json, value::RawValue};
use tokio::time::Instant;

use crate::{
    bot::BotError,
    client::{CallError, Client},
    handler::Handler,
    lanes::Lanes,
    trouble::{Trouble, chain},
    update::{self, CommandMessage, Update},
};

/// How long Telegram holds a request while there is nothing to tell.
const POLL_TIMEOUT: Duration = Duration::from_secs(50);
/// Added to the poll's timeout for the request as a whole.
const GRACE: Duration = Duration::from_secs(10);
/// The most updates a batch that Telegram gives.
const BATCH: u32 = 100;
/// How many commands may wait for their answers before no more updates are taken.
const COMMANDS_IN_MEMORY: u32 = 1000;
/// Pause after a batch that was empty before its time, as some servers answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the last batch may take to become durable.
const LAST_COMMIT: Duration = Duration::from_secs(2);
/// How long answers that are under way may take when the bot ends.
const LAST_ANSWERS: Duration = Duration::from_secs(4);
/// How long the last request, which only confirms, may take.
const LAST_CONFIRMATION: Duration = Duration::from_secs(3);

/// Polls until `shutdown` resolves; see [`Bot::poll`](crate::Bot::poll).
pub(crate) async fn run(
    client: &Client,
    users: UserService,
    clock: &dyn Clock,
    handler: Arc<Handler>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), BotError> {
    let lanes = Lanes::new(COMMANDS_IN_MEMORY);
    let mut offset = None;
    let mut trouble = Trouble::new("updates cannot be fetched");
    let mut stopping = false;
    while !stopping {
        let started = Instant::now();
        let fetched = tokio::select! {
            () = &mut shutdown => break,
            fetched = fetch(client, offset, POLL_TIMEOUT, clock) => fetched,
        };
        let updates = match fetched {
            Ok(updates) => updates,
            Err(error) if error.is_bad_token() => return Err(BotError::BadToken(error)),
            Err(error) => {
                let wait = trouble.meet(&error);
                tokio::select! {
                    () = &mut shutdown => break,
                    () = tokio::time::sleep(wait) => continue,
                }
            }
        };
        trouble.end();
        let last = updates.iter().filter_map(|update| update.update_id).max();
        let mut registered = std::pin::pin!(register(&users, updates));
        let commands = tokio::select! {
            registered = &mut registered => registered?,
            () = &mut shutdown => match tokio::time::timeout(LAST_COMMIT, registered).await {
                Ok(registered) => {
                    stopping = true;
                    registered?
                }
                // What is not durable is not confirmed, and comes again.
                Err(_) => break,
            },
        };
        match last {
            Some(last) => offset = Some(last.saturating_add(1)),
            // Nothing came, or nothing that can be confirmed.
            None if !stopping && started.elapsed() < POLL_TIMEOUT => {
                tokio::time::sleep(PAUSE).await
            }
            None => {}
        }
        let answer = answer(&lanes, &handler, commands);
        tokio::select! {
            () = answer => {}
            // There is no room for all of them in time; answers are best effort.
            () = &mut shutdown, if !stopping => break,
            () = tokio::time::sleep(LAST_ANSWERS), if stopping => {}
        }
    }
    log::info!("stopping: no more updates are taken");
    finish(client, offset, clock, &lanes).await;
    Ok(())
}

/// Puts commands into the lanes of their chats; waits while those are full.
async fn answer(
    lanes: &Lanes,
    handler: &Arc<Handler>,
    commands: Vec<(CommandMessage, Registration)>,
) {
    for (message, registration) in commands {
        let handler = handler.clone();
        let chat = message.chat.id;
        lanes.push(chat, async move { handler.handle(&message, &registration).await }).await;
    }
}

/// Lets answers that are under way get out, and confirms what was taken.
async fn finish(client: &Client, offset: Option<i64>, clock: &dyn Clock, lanes: &Lanes) {
    if tokio::time::timeout(LAST_ANSWERS, lanes.finished()).await.is_err() {
        log::warn!("some answers were not sent in time");
    }
    if let Some(offset) = offset {
        let confirm = fetch(client, Some(offset), Duration::ZERO, clock);
        match tokio::time::timeout(LAST_CONFIRMATION, confirm).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => log::warn!(error = chain(&error); "the last updates come again"),
            Err(_) => log::warn!("the last updates come again: Telegram took too long"),
        }
    }
}

/// Fetches a batch; asking with an offset confirms every update before it.
async fn fetch(
    client: &Client,
    offset: Option<i64>,
    timeout: Duration,
    clock: &dyn Clock,
) -> Result<Vec<Update>, CallError> {
    let parameters = json!({
        "offset": offset,
        "limit": BATCH,
        "timeout": timeout.as_secs(),
        "allowed_updates": update::allowed_updates(),
    });
    let body = client.call_raw("getUpdates", &parameters, timeout + GRACE).await?;
    let received = clock.now();
    let raw: Vec<&RawValue> = body.read()?;
    Ok(raw.iter().map(|raw| read(raw, received)).collect())
}

fn read(raw: &RawValue, received: DateTime<Utc>) -> Update {
    let update = update::read(raw.get(), received);
    if let Some(fault) = &update.fault {
        log::warn!(update_id = update.update_id, fault; "an update could not be read in full");
    }
    update
}

/// Registers whom the updates come from, as often as it takes, and answers the commands among them.
async fn register(
    users: &UserService,
    updates: Vec<Update>,
) -> Result<Vec<(CommandMessage, Registration)>, ServiceError> {
    let (interactions, commands): (Vec<Interaction>, Vec<_>) = updates
        .into_iter()
        .filter_map(|update| Some((update.interaction?, update.command)))
        .unzip();
    let mut trouble = Trouble::new("users cannot be registered");
    let registrations = loop {
        match users.register(&interactions).await {
            Ok(registrations) => break registrations,
            Err(ServiceError::Repository(error)) => {
                tokio::time::sleep(trouble.meet(&*error)).await;
            }
            Err(error) => return Err(error),
        }
    };
    trouble.end();
    let answered = commands.into_iter().zip(registrations);
    Ok(answered.filter_map(|(command, registration)| Some((command?, registration))).collect())
}
