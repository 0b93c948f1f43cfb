//! Outgoing webhooks: events of users are delivered to a program outside, at least once.
//!
//! Headers and signature are those of Standard Webhooks (`docs/api.md` has the details).

mod settings;

use std::{convert::Infallible, time::Duration};

use chrono::SecondsFormat;
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use rollcall_domain::{Backoff, EventRefusal, UserEvent};
use rollcall_service::{Outage, ServiceError, UserEventService};
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

pub use settings::{EventsSecret, EventsUrl, InvalidEventsSecret, InvalidEventsUrl};

/// How often new events are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest pause while the receiver accepts nothing.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the receiver may take for an event. All that are claimed at once take less than their claim
/// lasts.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many events are under way at once.
const AT_ONCE: usize = 10;
/// How often events are dropped that have waited for too long.
const DROP_EVERY: Duration = Duration::from_secs(60);

/// Delivers events, one request each.
pub struct OutgoingWebhooks {
    events: UserEventService,
    sender: Sender,
}

#[derive(Clone)]
struct Sender {
    http: Client,
    url: EventsUrl,
    secret: EventsSecret,
}

/// Why an event was not accepted, with what the client says about it.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
struct NotAccepted {
    refusal: EventRefusal,
    source: Option<reqwest::Error>,
}

impl From<reqwest::Error> for NotAccepted {
    fn from(error: reqwest::Error) -> Self {
        let refusal = if error.is_connect() {
            EventRefusal::NoConnection
        } else if error.is_timeout() {
            EventRefusal::Timeout
        } else {
            EventRefusal::NoResponse
        };
        Self { refusal, source: Some(error.without_url()) }
    }
}

impl OutgoingWebhooks {
    /// Delivers the events to `url`, signed with `secret`.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(
        events: UserEventService,
        url: EventsUrl,
        secret: EventsSecret,
    ) -> reqwest::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            // A redirect would give the events to another server.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { events, sender: Sender { http, url, secret } })
    }

    /// Delivers events for ever. Several processes may do this at once.
    pub async fn run(self) -> Infallible {
        let pauses = || Backoff::new(LOOK_EVERY, LONGEST_PAUSE);
        let mut away = Outage::new("EVENTS_URL does not accept events", pauses());
        let mut storage = Outage::new("events cannot be read or settled", pauses());
        let mut drop_at = Instant::now();
        loop {
            if drop_at <= Instant::now() {
                drop_at = Instant::now() + DROP_EVERY;
                self.drop_old().await;
            }
            let pause = match self.round().await {
                Ok(Round::Delivered) => {
                    away.end();
                    storage.end();
                    continue;
                }
                Ok(Round::Nothing) => {
                    storage.end();
                    LOOK_EVERY
                }
                Ok(Round::Failed(error)) => away.record(&error),
                Err(error) => storage.record(&error),
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn drop_old(&self) {
        // If the storage fails, the next round reports it.
        let dropped = self.events.drop_old().await.unwrap_or_default();
        if dropped > 0 {
            count("dropped", dropped);
            log::warn!(events = dropped; "events were dropped that EVENTS_URL has not accepted for three days");
        }
    }

    /// Claims some events and tries each of them once.
    async fn round(&self) -> Result<Round, ServiceError> {
        let wait = self.events.longest_wait().await?;
        metrics::gauge!("rollcall_events_longest_wait_seconds")
            .set(wait.unwrap_or_default().as_secs_f64());
        if wait.is_none() {
            return Ok(Round::Nothing);
        }
        let mut waiting = self.events.claim().await?.into_iter();
        let (mut delivered, mut refused, mut failure) = (Vec::new(), Vec::new(), None);
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(event) = waiting.next()
            {
                let (sender, at) = (self.sender.clone(), self.events.now());
                under_way.spawn(async move { (event, sender.send(&event, at.timestamp()).await) });
            }
            match under_way.join_next().await {
                None => break,
                Some(Ok((event, Ok(())))) => delivered.push(event),
                Some(Ok((event, Err(error)))) => {
                    let reason = error.refusal.name();
                    metrics::counter!("rollcall_events_refused_total", "reason" => reason)
                        .increment(1);
                    refused.push((event, error.refusal));
                    failure = Some(error);
                }
                // It stays claimed, and is delivered again after that.
                Some(Err(_)) => {}
            }
        }
        count("accepted", delivered.len());
        count("failed", refused.len());
        self.events.settle(&delivered, &refused).await?;
        Ok(match failure {
            _ if !delivered.is_empty() => Round::Delivered,
            Some(failure) => Round::Failed(failure),
            None => Round::Nothing,
        })
    }
}

enum Round {
    Delivered,
    Nothing,
    /// None was accepted.
    Failed(NotAccepted),
}

fn count(outcome: &'static str, events: usize) {
    let events = u64::try_from(events).unwrap_or(u64::MAX);
    metrics::counter!("rollcall_events_total", "outcome" => outcome).increment(events);
}

impl Sender {
    async fn send(&self, event: &UserEvent, timestamp: i64) -> Result<(), NotAccepted> {
        let (id, body) = (id(event), body(event));
        let request = self
            .http
            .post(self.url.url())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.secret.sign(&id, timestamp, &body))
            .body(body);
        let status = request.send().await?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(NotAccepted { refusal: EventRefusal::Status(status.as_u16()), source: None })
    }
}

/// The same at each attempt, so that a receiver recognises what comes again.
fn id(UserEvent { telegram_id, at, kind }: &UserEvent) -> String {
    let kind = kind.name().trim_start_matches("user.");
    format!("{kind}_{}_{}", telegram_id.get(), at.timestamp_micros())
}

fn body(UserEvent { telegram_id, at, kind }: &UserEvent) -> String {
    json!({
        "type": kind.name(),
        "timestamp": at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": { "telegram_id": telegram_id.get() },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rollcall_domain::UserEventKind;

    use super::*;

    #[test]
    fn an_event_has_one_id_and_body() {
        let event = UserEvent {
            telegram_id: 1815.try_into().unwrap(),
            at: DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap(),
            kind: UserEventKind::Blocked,
        };
        assert_eq!(id(&event), "blocked_1815_1800000000000001");
        let expected = r#"{"data":{"telegram_id":1815},"timestamp":"2027-01-15T08:00:00.000001Z","type":"user.blocked"}"#;
        assert_eq!(body(&event), expected);
    }
}
