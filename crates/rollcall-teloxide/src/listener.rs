use std::{collections::VecDeque, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::{self, BoxStream},
};
use serde::Serialize;
use serde_json::Value;
use teloxide::{
    Bot, RequestError,
    prelude::Requester,
    requests::{JsonRequest, Payload, Request},
    stop::{StopFlag, StopToken, mk_stop_token},
    types::{Update, UpdateKind},
    update_listeners::{AsUpdateStream, UpdateListener},
};

use crate::recorder::{Recorder, with_source};

/// How long Telegram holds a request while there are no updates, in seconds. Less than the time after
/// which teloxide's bots give a request up.
const POLL_TIMEOUT_SECONDS: u32 = 10;
/// The longest pause after errors.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An update listener that confirms updates to Telegram after their users are on the disk.
///
/// It asks for every kind of update that users cause, also for those that no handler wants, because they
/// count too. While the database fails, it waits and confirms nothing, so Telegram keeps the updates. Like
/// teloxide's own listener, it does not wait until handlers have answered.
///
/// It deletes a webhook of the bot, because Telegram delivers updates in one way only.
pub struct Listener {
    bot: Bot,
    recorder: Recorder,
    token: StopToken,
    flag: StopFlag,
}

impl Recorder {
    /// Takes updates by long polling, and confirms them to Telegram after their users are on the disk; see
    /// [`Listener`].
    pub fn listener(&self, bot: teloxide::Bot) -> Listener {
        Listener::new(bot, self.clone())
    }
}

impl Listener {
    pub(crate) fn new(bot: Bot, recorder: Recorder) -> Self {
        let (token, flag) = mk_stop_token();
        Self { bot, recorder, token, flag }
    }
}

impl UpdateListener for Listener {
    type Err = RequestError;

    fn stop_token(&mut self) -> StopToken {
        self.token.clone()
    }
}

impl<'a> AsUpdateStream<'a> for Listener {
    type StreamErr = RequestError;
    type Stream = BoxStream<'a, Result<Update, RequestError>>;

    fn as_stream(&'a mut self) -> Self::Stream {
        let polling = Polling {
            bot: self.bot.clone(),
            recorder: self.recorder.clone(),
            flag: self.flag.clone(),
            has_webhook: true,
            offset: None,
            failures: 0,
            ready: VecDeque::new(),
        };
        stream::unfold(polling, |mut polling| async move {
            let update = polling.next().await?;
            Some((update, polling))
        })
        .boxed()
    }
}

/// getUpdates, with updates as Telegram sent them.
#[derive(Serialize)]
struct GetRawUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    limit: u8,
    timeout: u32,
    allowed_updates: Vec<&'static str>,
}

impl Payload for GetRawUpdates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.timeout.into()))
    }
}

struct Polling {
    bot: Bot,
    recorder: Recorder,
    flag: StopFlag,
    /// Whether the bot may have a webhook.
    has_webhook: bool,
    /// The first update that is not confirmed.
    offset: Option<i64>,
    /// How many requests have failed in a row.
    failures: u32,
    /// Updates that are registered.
    ready: VecDeque<Update>,
}

impl Polling {
    /// The next update, or why there is none; `None` once the listener is stopped.
    async fn next(&mut self) -> Option<Result<Update, RequestError>> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Some(Ok(update));
            }
            if self.flag.is_stopped() {
                self.confirm().await;
                return None;
            }
            match self.fetch().await {
                None => continue,
                Some(Ok(raw)) => {
                    self.failures = 0;
                    self.take(raw).await;
                }
                Some(Err(error)) => {
                    self.failures = self.failures.saturating_add(1);
                    return Some(Err(error));
                }
            }
        }
    }

    /// A batch of updates; `None` if the listener is stopped.
    async fn fetch(&mut self) -> Option<Result<Vec<Value>, RequestError>> {
        if self.failures > 0 {
            self.pause(self.failures).await?;
        }
        let flag = self.flag.clone();
        let fetched = async {
            if self.has_webhook {
                self.bot.delete_webhook().await?;
                self.has_webhook = false;
            }
            self.request(100, POLL_TIMEOUT_SECONDS).send().await
        };
        match select(flag, std::pin::pin!(fetched)).await {
            Either::Left(_) => None,
            Either::Right((fetched, _)) => Some(fetched),
        }
    }

    fn request(&self, limit: u8, timeout: u32) -> JsonRequest<GetRawUpdates> {
        let allowed_updates = rollcall::update_kinds().collect();
        let payload = GetRawUpdates { offset: self.offset, limit, timeout, allowed_updates };
        JsonRequest::new(self.bot.clone(), payload)
    }

    /// Registers a batch, and makes it ready. While the database fails, it tries again.
    async fn take(&mut self, mut raw: Vec<Value>) {
        // Without an id, an update can neither be recognised nor confirmed.
        raw.retain(|update| id_of(update).is_some());
        let Some(last) = raw.iter().filter_map(id_of).max() else { return };
        let batch = Value::from_iter(raw.iter().cloned()).to_string();
        let mut failures = 0;
        let taken = loop {
            match self.recorder.rollcall().register_batch(&batch).await {
                Ok(taken) => break taken,
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        log::warn!(error:% = with_source(&error); "users cannot be registered; no update is confirmed meanwhile");
                    }
                    if self.pause(failures).await.is_none() {
                        // Telegram delivers the batch again, because it is not confirmed.
                        return;
                    }
                }
            }
        };
        if failures > 0 {
            log::info!("users can be registered again");
        }
        self.recorder.keep(taken);
        for update in raw {
            match read(update) {
                Ok(update) => self.ready.push_back(update),
                Err(error) => {
                    log::warn!(error:%; "an update is registered, but teloxide cannot read it");
                }
            }
        }
        // The next request confirms the batch.
        self.offset = Some(last.saturating_add(1));
    }

    /// Waits after `failures` in a row; `None` if the listener is stopped.
    async fn pause(&self, failures: u32) -> Option<()> {
        let seconds = 2_u64.saturating_pow(failures.min(8)) / 2;
        let pause = tokio::time::sleep(Duration::from_secs(seconds).min(LONGEST_PAUSE));
        match select(self.flag.clone(), std::pin::pin!(pause)).await {
            Either::Left(_) => None,
            Either::Right(_) => Some(()),
        }
    }

    /// Confirms the last batch.
    async fn confirm(&self) {
        if self.offset.is_some()
            && let Err(error) = self.request(1, 0).send().await
        {
            log::warn!(error:%; "could not confirm the last batch; Telegram will deliver it again");
        }
    }
}

/// Reads an update for handlers. teloxide reads it from text only, and leaves the content of a kind that it
/// cannot read to its caller.
fn read(raw: Value) -> serde_json::Result<Update> {
    let mut update: Update = serde_json::from_str(&raw.to_string())?;
    if let UpdateKind::Error(content) = &mut update.kind {
        *content = raw;
    }
    Ok(update)
}

fn id_of(update: &Value) -> Option<i64> {
    update.get("update_id")?.as_i64()
}
