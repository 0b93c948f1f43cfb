//! Updates by webhook: each is a request, and its response acknowledges it (Bot API, "setWebhook").

mod secret;
mod url;

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rollcall_domain::LogPace;
use rollcall_service::{Alert, Alerts, Outage, ServiceError};
use serde_json::value::RawValue;
use tokio::{sync::Notify, time::timeout};

pub use secret::{InvalidWebhookSecret, WebhookSecret};
pub use url::{InvalidWebhookUrl, WebhookUrl};

use crate::{
    error::BotError,
    ingest::{Commands, Ingest, Stream, Taken},
    json::describe_error,
    readiness::Readiness,
    retry::outage,
};

/// How long saving an update may take before Telegram is asked to redeliver it. Telegram and proxies
/// wait longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the bot behind may take until Telegram is asked to redeliver an update. It is delivered to
/// the bot behind further on; if that accepts it, the redelivery is acknowledged at once.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(20);
/// How long updates have to be stored in time until the slowness counts as over.
const CALM: Duration = Duration::from_secs(60);

/// Where Telegram delivers updates, and the secret that proves that a request comes from Telegram.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address.
    pub url: WebhookUrl,
    /// The secret in every request.
    pub secret: WebhookSecret,
}

/// Receives updates from the webhook. Cheap to clone.
#[derive(Clone)]
pub struct Receiver {
    ingest: Ingest,
    readiness: Readiness,
    secret: WebhookSecret,
    alerts: Alerts,
    shared: Arc<Shared>,
}

/// An update that was registered.
#[derive(Default)]
struct Registered {
    commands: Commands,
    /// Its id, for the bot behind.
    forwarded: Option<i64>,
}

/// The state that the clones of a receiver share.
struct Shared {
    outage: SharedOutage,
    slowness: SharedOutage,
    wrong_secrets: Mutex<LogPace>,
    stopped: Notify,
}

impl Receiver {
    pub(crate) fn new(
        ingest: Ingest,
        readiness: Readiness,
        secret: WebhookSecret,
        alerts: Alerts,
    ) -> Self {
        let shared = Shared {
            outage: SharedOutage::new("users cannot be registered"),
            slowness: SharedOutage::new("updates are not stored in time"),
            wrong_secrets: Mutex::default(),
            stopped: Notify::new(),
        };
        Self { ingest, readiness, secret, alerts, shared: Arc::new(shared) }
    }

    /// Whether a request with this `X-Telegram-Bot-Api-Secret-Token` comes from Telegram. The comparison
    /// takes constant time.
    pub fn admits(&self, secret: Option<&[u8]>) -> bool {
        let admitted = secret.is_some_and(|secret| self.secret.is(secret));
        if !admitted {
            self.refuse();
        }
        admitted
    }

    /// Counts a wrong secret. It may be a stranger's, or that of a process with another setting.
    fn refuse(&self) {
        metrics::counter!("rollcall_webhook_refused_total").increment(1);
        let mut pace = self.shared.wrong_secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = pace.note(Instant::now()) {
            log::warn!(requests; "refused webhook requests without the right WEBHOOK_SECRET");
        }
        self.alerts.raise(Alert::WrongSecret, self.ingest.now());
    }

    /// Receives the body of an [admitted](Receiver::admits) request. After success the update may be
    /// acknowledged to Telegram, because what it changed is durable. A body that is not an update is
    /// logged and counts as a success, because a redelivery would not help.
    ///
    /// # Errors
    /// If the update could not be stored in time. Telegram should redeliver it.
    pub async fn receive(&self, body: impl Into<Vec<u8>>) -> Result<(), NotStored> {
        let (receiver, body) = (self.clone(), body.into());
        // A separate task, because it records the storage's state even after the timeout.
        let registered = tokio::spawn(async move { receiver.register(&body).await });
        match timeout(PATIENCE, registered).await {
            Ok(Ok(registered)) => {
                self.shared.slowness.lock().end_after(CALM);
                let Registered { commands, forwarded } = registered?;
                self.ingest.answer(commands);
                self.wait_for(forwarded).await
            }
            Ok(Err(_)) => Err(NotStored),
            Err(elapsed) => Err(self.record(&self.shared.slowness, &elapsed)),
        }
    }

    /// Waits until the bot behind has accepted an update, if it was forwarded.
    async fn wait_for(&self, forwarded: Option<i64>) -> Result<(), NotStored> {
        let Some((behind, update_id)) = self.ingest.behind().zip(forwarded) else { return Ok(()) };
        match timeout(ACCEPTED_WITHIN, behind.settled(update_id)).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(NotStored),
        }
    }

    async fn register(&self, body: &[u8]) -> Result<Registered, NotStored> {
        if self.ingest.behind().is_some_and(|behind| !behind.has_room()) {
            return Err(NotStored);
        }
        let body = String::from_utf8_lossy(body);
        let updates = match serde_json::from_str::<&RawValue>(&body) {
            // Requests arrive in no order, so the age of one says nothing about another's.
            Ok(raw) => self.ingest.read(vec![raw], &mut Stream::default()).await,
            Err(error) => {
                log::warn!(
                    fault = describe_error(&error);
                    "ignored a webhook request whose body is not an update"
                );
                return Ok(Registered::default());
            }
        };
        match self.ingest.register(&updates).await {
            Ok(Taken { commands, held: None }) => {
                self.shared.outage.lock().end();
                self.readiness.set_ready();
                self.ingest.forward(&updates);
                let forwarded = updates.first().and_then(|update| update.update_id);
                Ok(Registered { commands, forwarded })
            }
            Ok(Taken { held: Some(held), .. }) => {
                Err(self.record(&self.shared.outage, &held.error))
            }
            Err(ServiceError::Stopped) => {
                self.shared.stopped.notify_one();
                Err(NotStored)
            }
            Err(error) => Err(self.record(&self.shared.outage, &error)),
        }
    }

    /// Records a failure. Telegram chooses the time of the next attempt.
    fn record(&self, outage: &SharedOutage, error: &dyn Error) -> NotStored {
        let mut outage = outage.lock();
        let _wait = outage.record(error);
        self.readiness.set_problem(outage.describe(error));
        NotStored
    }

    /// Resolves when users can no longer be registered, which is permanent.
    pub async fn failed(&self) -> BotError {
        self.shared.stopped.notified().await;
        BotError::Service(ServiceError::Stopped)
    }

    /// Waits a limited time for answers in progress. Call it once no request is in progress.
    pub async fn finish(&self) {
        self.ingest.finish().await;
    }
}

/// An outage that concurrent requests share.
struct SharedOutage(Mutex<Outage>);

impl SharedOutage {
    fn new(what: &'static str) -> Self {
        Self(Mutex::new(outage(what)))
    }

    fn lock(&self) -> MutexGuard<'_, Outage> {
        // No code panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The update was not stored. Telegram should redeliver it. The cause is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the update was not stored")]
pub struct NotStored;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_address_nor_secret() {
        let webhook = Webhook {
            url: "https://bot.example.org/private".parse().unwrap(),
            secret: "hunter2-hunter2-".parse().unwrap(),
        };
        let shown = format!("{webhook:?}");
        assert!(!shown.contains("private") && !shown.contains("hunter2"), "{shown}");
    }
}
