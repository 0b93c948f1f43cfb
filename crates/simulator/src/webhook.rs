//! Updates out: POSTs to the bot's own server instead of answers to getUpdates.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::clock::unix_now;
use crate::http::{Connection, HttpUrl, Reply};
use crate::methods::{WEBHOOK_SET, call, string_list};
use crate::params::Params;
use crate::queue::Next;
use crate::refusal::Refusal;
use crate::telegram::Telegram;

/// How long a delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);
/// No failed delivery waits longer than this for its next try.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Where updates are delivered; deliveries end when it is dropped.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: String,
    max_connections: i64,
    last_error: Option<(i64, String)>,
    /// Tells this webhook from those before it, whose workers may not have ended yet.
    mark: Arc<()>,
    _workers: JoinSet<()>,
}

/// setWebhook.
pub(crate) fn set(telegram: &Arc<Telegram>, params: &Params) -> Result<Value, Refusal> {
    let Some(url) = params.text("url") else { return delete(telegram, params) };
    let target = HttpUrl::parse(url).ok_or_else(|| {
        let reason = "bad webhook: the simulator delivers to http:// addresses only";
        Refusal::new(400, format!("Bad Request: {reason}"))
    })?;
    let secret = params.text("secret_token").unwrap_or_default();
    if !is_secret(secret) {
        let reason = "Bad Request: secret token contains unallowed characters";
        return Err(Refusal::new(400, reason));
    }
    let max_connections = params.number("max_connections").unwrap_or(40).clamp(1, 100);
    let headers = match secret {
        "" => String::new(),
        secret => format!("x-telegram-bot-api-secret-token: {secret}\r\n"),
    };

    let mut state = telegram.state();
    state.webhook = None;
    state.queue.call_back();
    if let Some(kinds) = string_list(params, "allowed_updates") {
        state.queue.allow(kinds);
    }
    if params.flag("drop_pending_updates") {
        state.queue.clear();
    }
    state.end_polls(WEBHOOK_SET);
    let mut workers = JoinSet::new();
    let mark = Arc::new(());
    for _ in 0..max_connections {
        let (telegram, mark) = (Arc::clone(telegram), Arc::clone(&mark));
        workers.spawn(deliver_all(telegram, mark, target.clone(), headers.clone()));
    }
    state.webhook = Some(Webhook {
        url: url.to_owned(),
        max_connections,
        last_error: None,
        mark,
        _workers: workers,
    });
    drop(state);
    telegram.changed();
    telegram.arrivals.notify_one();
    Ok(json!(true))
}

/// deleteWebhook.
pub(crate) fn delete(telegram: &Telegram, params: &Params) -> Result<Value, Refusal> {
    let mut state = telegram.state();
    state.webhook = None;
    state.queue.call_back();
    if params.flag("drop_pending_updates") {
        state.queue.clear();
    }
    drop(state);
    telegram.changed();
    Ok(json!(true))
}

/// getWebhookInfo.
pub(crate) fn info(telegram: &Telegram) -> Result<Value, Refusal> {
    let state = telegram.state();
    let mut info = json!({
        "url": state.webhook.as_ref().map(|webhook| webhook.url.as_str()).unwrap_or_default(),
        "has_custom_certificate": false,
        "pending_update_count": state.queue.len(),
    });
    let Value::Object(fields) = &mut info else { return Ok(info) };
    if let Some(webhook) = &state.webhook {
        fields.insert("max_connections".into(), json!(webhook.max_connections));
        if let Some((date, message)) = &webhook.last_error {
            fields.insert("last_error_date".into(), json!(date));
            fields.insert("last_error_message".into(), json!(message));
        }
    }
    if let Some(kinds) = state.queue.allowed() {
        fields.insert("allowed_updates".into(), json!(kinds));
    }
    Ok(info)
}

fn is_secret(secret: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    secret.len() <= 256 && secret.chars().all(is_letter)
}

/// One worker of the webhook with this mark: takes update after update and delivers each over a
/// connection of its own.
async fn deliver_all(telegram: Arc<Telegram>, mark: Arc<()>, url: HttpUrl, headers: String) {
    let mut connection = None;
    loop {
        let next = {
            let mut state = telegram.state();
            // Ended only at its next await, it would take an update along for ever.
            if !is_set(state.webhook.as_ref(), &mark) {
                return;
            }
            state.queue.take(Instant::now())
        };
        match next {
            Next::Deliver { id, json, failures } => {
                // Whoever found something to do wakes the next one, as long as there is more.
                telegram.arrivals.notify_one();
                let outcome = deliver(&mut connection, &url, &headers, &json).await;
                if let Ok(body) = &outcome {
                    call_back(&telegram, body);
                }
                note(&telegram, &mark, id, failures, outcome.map(|_| ()));
            }
            Next::WaitUntil(at) => {
                tokio::select! {
                    () = telegram.arrivals.notified() => {}
                    () = tokio::time::sleep_until(at.into()) => {}
                }
            }
            Next::Wait => telegram.arrivals.notified().await,
        }
    }
}

/// Delivers one update and answers the body that came back; the error is worded as in
/// getWebhookInfo.
async fn deliver(
    kept: &mut Option<Connection>,
    url: &HttpUrl,
    headers: &str,
    json: &str,
) -> Result<Vec<u8>, String> {
    let delivery = tokio::time::timeout(DELIVERY_TIMEOUT, post(kept, url, headers, json));
    let reply = match delivery.await {
        Err(_) => return Err("Read timeout expired".into()),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err("Connection refused".into());
        }
        Ok(Err(error)) => return Err(format!("Connection closed: {error}")),
        Ok(Ok(reply)) => reply,
    };
    match reply.status {
        200..=299 => Ok(reply.body),
        status => Err(format!("Wrong response from the webhook: {status} {}", reply.reason)),
    }
}

/// Posts over the kept connection; one that the server has closed meanwhile is replaced once.
async fn post(
    kept: &mut Option<Connection>,
    url: &HttpUrl,
    headers: &str,
    json: &str,
) -> io::Result<Reply> {
    if let Some(mut connection) = kept.take()
        && let Ok(reply) = connection.post(url, headers, json).await
    {
        *kept = Some(connection).filter(|_| reply.keeps_open);
        return Ok(reply);
    }
    let mut connection = Connection::open(url).await?;
    let reply = connection.post(url, headers, json).await?;
    *kept = Some(connection).filter(|_| reply.keeps_open);
    Ok(reply)
}

/// Makes the call that a webhook may put into its answer; nobody is told what came of it.
fn call_back(telegram: &Arc<Telegram>, body: &[u8]) {
    let Ok(params) = Params::read("", "application/json", body) else { return };
    let Some(method) = params.text("method") else { return };
    // Nobody would hear of a fault.
    drop(telegram.record(method, params.as_value()));
    if let Err(refusal) = call(telegram, &method.to_lowercase(), &params) {
        log::debug!("a call in a webhook's answer was refused: {}", refusal.description);
    }
}

fn is_set(webhook: Option<&Webhook>, mark: &Arc<()>) -> bool {
    webhook.is_some_and(|webhook| Arc::ptr_eq(&webhook.mark, mark))
}

fn note(telegram: &Telegram, mark: &Arc<()>, id: i64, failures: u32, outcome: Result<(), String>) {
    let mut state = telegram.state();
    // What another webhook has in hand by now is its own.
    if !is_set(state.webhook.as_ref(), mark) {
        return;
    }
    match outcome {
        Ok(()) => state.queue.finish(id),
        Err(message) => {
            let delay = telegram.setup.webhook_retry.saturating_mul(2_u32.saturating_pow(failures));
            state.queue.put_off(id, Instant::now() + delay.min(LONGEST_RETRY));
            if let Some(webhook) = &mut state.webhook {
                webhook.last_error = Some((unix_now(), message));
            }
        }
    }
    drop(state);
    telegram.changed();
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use axum::Router;
    use axum::extract::State;
    use axum::http::{HeaderMap, StatusCode};
    use tokio::net::TcpListener;

    use super::*;
    use crate::bot::Bot;
    use crate::{Person, Simulator};

    /// What a bot's own server gets and answers.
    #[derive(Default)]
    struct Hook {
        statuses: VecDeque<u16>,
        answer: String,
        got: Vec<(Option<String>, Value)>,
    }

    async fn take(
        State(hook): State<Arc<Mutex<Hook>>>,
        headers: HeaderMap,
        body: String,
    ) -> (StatusCode, String) {
        let secret = headers.get("X-Telegram-Bot-Api-Secret-Token");
        let secret = secret.map(|secret| secret.to_str().unwrap().to_owned());
        let mut hook = hook.lock().unwrap();
        hook.got.push((secret, serde_json::from_str(&body).unwrap()));
        let status = hook.statuses.pop_front().unwrap_or(200);
        (StatusCode::from_u16(status).unwrap(), hook.answer.clone())
    }

    async fn start(hook: Hook) -> (Simulator, Bot, Arc<Mutex<Hook>>, String) {
        let hook = Arc::new(Mutex::new(hook));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&hook));
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
    async fn updates_are_delivered_in_order_with_the_secret_and_again_until_taken() {
        let statuses = VecDeque::from([500, 403]);
        let (telegram, bot, hook, url) = start(Hook { statuses, ..Hook::default() }).await;
        let before = telegram.write(&ann(), "before the webhook");
        let params = json!({ "url": url, "secret_token": "s3cret", "max_connections": 3 });
        assert_eq!(bot.call("setWebhook", params).await.0, 200);
        let after = telegram.write(&ann(), "after");
        telegram.wait_until_confirmed(before).await.unwrap();
        telegram.wait_until_confirmed(after).await.unwrap();

        assert_eq!(telegram.delivered(), [before, after]);
        let got = std::mem::take(&mut hook.lock().unwrap().got);
        let ids: Vec<_> =
            got.iter().map(|(_, update)| update["update_id"].as_i64().unwrap()).collect();
        assert_eq!(ids, [before, before, before, after]);
        assert!(got.iter().all(|(secret, _)| secret.as_deref() == Some("s3cret")));

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
        assert_eq!(hook.lock().unwrap().got.len(), 200);
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
    async fn what_no_webhook_took_can_still_be_polled() {
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
    async fn an_answer_may_hold_a_call() {
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
