//! Webhooks: updates are sent to the bot's own server instead of being fetched by getUpdates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, Uri};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api_error::{ApiError, WEBHOOK_SET};
use crate::clock::unix_now;
use crate::http::client::{HttpClient, parse_url};
use crate::params::Params;
use crate::queue::NextDelivery;
use crate::state::{DeliveryError, Webhook};
use crate::telegram::Telegram;

/// How long a delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest delay before a failed delivery is retried.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Calls a method of the Bot API by its name in lower case: a webhook's response may contain a call.
pub(super) type CallMethod = fn(&Arc<Telegram>, &str, &Params) -> Result<Value, ApiError>;

/// setWebhook.
pub(super) fn set(
    telegram: &Arc<Telegram>,
    params: &Params,
    call: CallMethod,
) -> Result<Value, ApiError> {
    let Some(url) = params.text("url") else { return delete(telegram, params) };
    let target = parse_url(url).ok_or_else(|| {
        ApiError::bad_request("bad webhook: the simulator delivers to http:// addresses only")
    })?;
    let headers = headers(params.text("secret_token"))?;
    let max_connections = params.number("max_connections").unwrap_or(40).clamp(1, 100);

    let mut state = telegram.state();
    state.webhook = None;
    state.queue.reset_deliveries();
    if let Some(kinds) = params.strings("allowed_updates") {
        state.queue.allow(kinds);
    }
    if params.flag("drop_pending_updates") {
        state.queue.clear();
    }
    state.end_polls(WEBHOOK_SET);
    let worker = Worker {
        telegram: Arc::clone(telegram),
        webhook_id: Arc::new(()),
        client: HttpClient::new(),
        url: target,
        headers,
        call,
    };
    let mut workers = JoinSet::new();
    for _ in 0..max_connections {
        workers.spawn(worker.clone().run());
    }
    state.webhook = Some(Webhook {
        url: url.to_owned(),
        max_connections,
        last_error: None,
        id: worker.webhook_id,
        _workers: workers,
    });
    drop(state);
    telegram.changed();
    telegram.arrivals.notify_one();
    Ok(json!(true))
}

/// deleteWebhook.
pub(super) fn delete(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let mut state = telegram.state();
    state.webhook = None;
    state.queue.reset_deliveries();
    if params.flag("drop_pending_updates") {
        state.queue.clear();
    }
    drop(state);
    telegram.changed();
    Ok(json!(true))
}

/// getWebhookInfo.
pub(super) fn info(telegram: &Telegram) -> Result<Value, ApiError> {
    let state = telegram.state();
    let mut info = json!({
        "url": state.webhook.as_ref().map(|webhook| webhook.url.as_str()).unwrap_or_default(),
        "has_custom_certificate": false,
        "pending_update_count": state.queue.len(),
    });
    let Value::Object(fields) = &mut info else { return Ok(info) };
    if let Some(webhook) = &state.webhook {
        fields.insert("max_connections".into(), json!(webhook.max_connections));
        if let Some(error) = &webhook.last_error {
            fields.insert("last_error_date".into(), json!(error.unix_s));
            fields.insert("last_error_message".into(), json!(error.message));
        }
    }
    if let Some(kinds) = state.queue.allowed() {
        fields.insert("allowed_updates".into(), json!(kinds));
    }
    Ok(info)
}

/// The headers of each delivery.
///
/// # Errors
/// If the secret contains characters that Telegram refuses.
fn headers(secret: Option<&str>) -> Result<HeaderMap, ApiError> {
    let Some(secret) = secret else { return Ok(HeaderMap::new()) };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match secret.parse() {
        Ok(value) if secret.len() <= 256 && secret.chars().all(is_allowed) => {
            Ok(HeaderMap::from_iter([(SECRET_HEADER, value)]))
        }
        _ => Err(ApiError::bad_request("secret token contains unallowed characters")),
    }
}

const SECRET_HEADER: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");

/// Delivers one update at a time.
#[derive(Clone)]
struct Worker {
    telegram: Arc<Telegram>,
    webhook_id: Arc<()>,
    client: HttpClient,
    url: Uri,
    headers: HeaderMap,
    call: CallMethod,
}

impl Worker {
    async fn run(self) {
        loop {
            let next = {
                let mut state = self.telegram.state();
                // An aborted task ends at its next await only: it must not take another update.
                if !self.is_current(state.webhook.as_ref()) {
                    return;
                }
                state.queue.next_delivery(Instant::now())
            };
            let arrivals = &self.telegram.arrivals;
            match next {
                NextDelivery::Deliver { id, json, failures } => {
                    // Each worker that finds an update wakes another one, until none is left.
                    arrivals.notify_one();
                    let outcome = self.deliver(&json).await;
                    if let Ok(body) = &outcome {
                        self.run_call_in(body);
                    }
                    self.finish(id, failures, outcome.err());
                }
                NextDelivery::WaitUntil(at) => {
                    tokio::select! {
                        () = arrivals.notified() => {}
                        () = tokio::time::sleep_until(at.into()) => {}
                    }
                }
                NextDelivery::Wait => arrivals.notified().await,
            }
        }
    }

    /// Delivers one update and returns the response's body.
    ///
    /// # Errors
    /// The message for getWebhookInfo.
    async fn deliver(&self, json: &str) -> Result<Bytes, String> {
        let request = self.client.post_json(&self.url, &self.headers, json);
        let response = match tokio::time::timeout(DELIVERY_TIMEOUT, request).await {
            Err(_) => return Err("Read timeout expired".into()),
            Ok(response) => response.map_err(|error| error.to_string())?,
        };
        match response.status {
            status if status.is_success() => Ok(response.body),
            status => Err(format!("Wrong response from the webhook: {status}")),
        }
    }

    /// Runs the call that a response may contain. The bot does not learn its result.
    fn run_call_in(&self, body: &Bytes) {
        let Ok(params) = Params::read("", "application/json", body) else { return };
        let Some(method) = params.text("method") else { return };
        // A fault would have no effect, because the call has no response.
        drop(self.telegram.record(method, params.as_value()));
        if let Err(error) = (self.call)(&self.telegram, &method.to_lowercase(), &params) {
            log::debug!("refused a call in a webhook's response: {}", error.description);
        }
    }

    fn finish(&self, id: i64, failures: u32, error: Option<String>) {
        let mut state = self.telegram.state();
        // A later webhook has its own deliveries.
        if !self.is_current(state.webhook.as_ref()) {
            return;
        }
        match error {
            None => state.queue.finish(id),
            Some(message) => {
                let first_delay = self.telegram.setup.webhook_retry;
                let delay = first_delay.saturating_mul(2_u32.saturating_pow(failures));
                state.queue.retry(id, Instant::now() + delay.min(LONGEST_RETRY));
                if let Some(webhook) = &mut state.webhook {
                    webhook.last_error = Some(DeliveryError { unix_s: unix_now(), message });
                }
            }
        }
        drop(state);
        self.telegram.changed();
    }

    fn is_current(&self, webhook: Option<&Webhook>) -> bool {
        webhook.is_some_and(|webhook| Arc::ptr_eq(&webhook.id, &self.webhook_id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use axum::Router;
    use axum::extract::State;
    use axum::http::StatusCode;
    use tokio::net::TcpListener;

    use super::*;
    use crate::bot::Bot;
    use crate::{Person, Simulator};

    /// The server of a bot: the responses to give, and the requests it received.
    #[derive(Default)]
    struct Hook {
        statuses: VecDeque<u16>,
        answer: String,
        received: Vec<Received>,
    }

    struct Received {
        secret: Option<String>,
        update: Value,
    }

    async fn receive(
        State(hook): State<Arc<Mutex<Hook>>>,
        headers: HeaderMap,
        body: String,
    ) -> (StatusCode, String) {
        let secret = headers.get("X-Telegram-Bot-Api-Secret-Token");
        let secret = secret.map(|secret| secret.to_str().unwrap().to_owned());
        let mut hook = hook.lock().unwrap();
        hook.received.push(Received { secret, update: serde_json::from_str(&body).unwrap() });
        let status = hook.statuses.pop_front().unwrap_or(200);
        (StatusCode::from_u16(status).unwrap(), hook.answer.clone())
    }

    async fn start(hook: Hook) -> (Simulator, Bot, Arc<Mutex<Hook>>, String) {
        let hook = Arc::new(Mutex::new(hook));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&hook));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let builder = Simulator::builder().webhook_retry(Duration::from_millis(1));
        let telegram = builder.start().await.unwrap();
        let bot = Bot::of(&telegram);
        (telegram, bot, hook, url)
    }

    fn ann() -> Person {
        Person::new(42, "Ann")
    }

    #[tokio::test]
    async fn updates_are_delivered_in_order_with_the_secret_and_retried_until_accepted() {
        let statuses = VecDeque::from([500, 403]);
        let (telegram, bot, hook, url) = start(Hook { statuses, ..Hook::default() }).await;
        let before = telegram.write(&ann(), "before the webhook");
        let params = json!({ "url": url, "secret_token": "s3cret", "max_connections": 3 });
        assert_eq!(bot.call("setWebhook", params).await.0, 200);
        let after = telegram.write(&ann(), "after");
        telegram.wait_until_confirmed(before).await.unwrap();
        telegram.wait_until_confirmed(after).await.unwrap();

        assert_eq!(telegram.delivered(), [before, after]);
        let received = std::mem::take(&mut hook.lock().unwrap().received);
        let ids: Vec<_> =
            received.iter().map(|it| it.update["update_id"].as_i64().unwrap()).collect();
        assert_eq!(ids, [before, before, before, after]);
        assert!(received.iter().all(|it| it.secret.as_deref() == Some("s3cret")));

        let (_, info) = bot.call("getWebhookInfo", json!({})).await;
        let error = "Wrong response from the webhook: 403 Forbidden";
        assert_eq!(info["result"]["last_error_message"], error);
        assert_eq!(info["result"]["pending_update_count"], 0);
        assert_eq!(info["result"]["max_connections"], 3);
    }

    #[tokio::test]
    async fn many_people_are_served_over_few_connections() {
        let (telegram, bot, hook, url) = start(Hook::default()).await;
        bot.call("setWebhook", json!({ "url": url, "max_connections": 4 })).await;
        for number in 0..200 {
            telegram.write(&Person::new(1 + number % 20, "Fan"), "go!");
        }
        telegram.wait_until_drained().await.unwrap();
        assert_eq!(hook.lock().unwrap().received.len(), 200);
        assert_eq!(telegram.delivered().len(), 200);
    }

    #[tokio::test]
    async fn polling_and_a_webhook_exclude_each_other() {
        let (telegram, bot, _, url) = start(Hook::default()).await;
        let polling = tokio::spawn({
            let bot = bot.clone();
            async move { bot.call("getUpdates", json!({ "timeout": 30 })).await }
        });
        telegram.wait_until_polled().await.unwrap();
        bot.call("setWebhook", json!({ "url": url })).await;
        let (status, answer) = polling.await.unwrap();
        assert_eq!((status, answer["description"].as_str()), (409, Some(WEBHOOK_SET)));
        assert_eq!(bot.call("getUpdates", json!({})).await.0, 409);
        bot.call("deleteWebhook", json!({})).await;
        assert_eq!(bot.call("getUpdates", json!({})).await.0, 200);
    }

    #[tokio::test]
    async fn updates_that_no_webhook_accepted_can_still_be_polled() {
        let (telegram, bot, _, _) = start(Hook::default()).await;
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        bot.call("setWebhook", json!({ "url": format!("http://{closed}/") })).await;
        let update = telegram.write(&ann(), "hi");
        let refused = async || {
            let (_, info) = bot.call("getWebhookInfo", json!({})).await;
            info["result"]["last_error_message"] == "Connection refused"
        };
        while !refused().await {
            tokio::task::yield_now().await;
        }
        assert!(!telegram.is_confirmed(update));
        bot.call("deleteWebhook", json!({})).await;
        assert_eq!(bot.updates(json!({})).await[0]["update_id"], update);
    }

    #[tokio::test]
    async fn a_response_may_contain_a_call() {
        let answer = json!({ "method": "sendMessage", "chat_id": 42, "text": "Hi" }).to_string();
        let (telegram, bot, _, url) = start(Hook { answer, ..Hook::default() }).await;
        bot.call("setWebhook", json!({ "url": url })).await;
        telegram.write(&ann(), "/start");
        assert_eq!(telegram.wait_for_message(42).await.unwrap().text, "Hi");
    }

    #[tokio::test]
    async fn pending_updates_are_dropped_on_request() {
        let (telegram, bot, _, _) = start(Hook::default()).await;
        telegram.write(&ann(), "old");
        bot.call("deleteWebhook", json!({ "drop_pending_updates": true })).await;
        assert_eq!(telegram.pending(), 0);
        let params = json!({ "url": "https://bot.test/hook" });
        assert_eq!(bot.call("setWebhook", params).await.0, 400);
    }
}
