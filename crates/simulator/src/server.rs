//! The HTTP side: finds out which call is meant, lets faults strike, and answers as Telegram does.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use chrono::DateTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fault::Fault;
use crate::methods;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::telegram::Telegram;
use crate::wire::{Sabotage, Wires};

/// Serves until Telegram is closed.
pub(crate) async fn serve(listener: TcpListener, telegram: Arc<Telegram>) {
    let closing = Arc::clone(&telegram);
    let service = Router::new()
        .fallback(answer)
        .with_state(telegram)
        .into_make_service_with_connect_info::<Sabotage>();
    let served = axum::serve(Wires(listener), service)
        .with_graceful_shutdown(async move { closing.closed().await })
        .await;
    if let Err(error) = served {
        log::error!("the simulator's server ended: {error}");
    }
}

async fn answer(
    State(telegram): State<Arc<Telegram>>,
    ConnectInfo(sabotage): ConnectInfo<Sabotage>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let mut call = match Call::read(&telegram, &uri, &content_type, &body) {
        Ok(call) => call,
        Err(refusal) => return refused(&refusal),
    };
    let answered = tokio::select! {
        answered = call.answer(&telegram) => answered,
        () = telegram.closed() => Answered::Fault(Fault::Closed),
    };
    match answered {
        Answered::Response(response) => dated(response, telegram.now()),
        Answered::Fault(fault) => misbehave(fault, &sabotage),
    }
}

/// A call of a method of this bot.
struct Call {
    method: String,
    params: Params,
    /// What goes wrong with it.
    fault: Option<Fault>,
}

enum Answered {
    Response(Response<Body>),
    Fault(Fault),
}

impl Call {
    fn read(
        telegram: &Telegram,
        uri: &Uri,
        content_type: &str,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let not_found = || Refusal::new(404, "Not Found");
        let path = uri.path().strip_prefix("/bot").ok_or_else(not_found)?;
        let (token, method) = path.split_once('/').ok_or_else(not_found)?;
        if !is_token(token) {
            return Err(not_found());
        }
        if token != telegram.setup.token || telegram.state().revoked {
            return Err(Refusal::unauthorized());
        }
        let params = Params::read(uri.query().unwrap_or_default(), content_type, body)
            .map_err(|_| Refusal::new(400, "Bad Request: can't parse JSON object"))?;
        let fault = telegram.record(method, params.as_value());
        Ok(Self { method: method.to_lowercase(), params, fault })
    }

    async fn answer(&mut self, telegram: &Arc<Telegram>) -> Answered {
        match self.fault.take() {
            Some(fault) => self.suffer(fault, telegram).await,
            None if self.method == "getupdates" => self.poll(telegram).await,
            None => Answered::Response(self.run(telegram).await),
        }
    }

    async fn suffer(&self, fault: Fault, telegram: &Arc<Telegram>) -> Answered {
        match fault {
            Fault::Slow(delay) => {
                tokio::time::sleep(delay).await;
                Answered::Response(self.run(telegram).await)
            }
            Fault::LostAnswer => {
                self.run(telegram).await;
                Answered::Fault(Fault::Closed)
            }
            fault => Answered::Fault(fault),
        }
    }

    /// A getUpdates, which a fault also strikes while it waits.
    async fn poll(&self, telegram: &Arc<Telegram>) -> Answered {
        let fault = tokio::select! {
            biased;
            response = self.run(telegram) => return Answered::Response(response),
            fault = telegram.struck(&self.method) => fault,
        };
        self.suffer(fault, telegram).await
    }

    async fn run(&self, telegram: &Arc<Telegram>) -> Response<Body> {
        if telegram.setup.lacking_methods.contains(&self.method) {
            return refused(&Refusal::new(404, "Not Found: method not found"));
        }
        if self.method == "getupdates" {
            return match methods::get_updates(telegram, &self.params).await {
                Ok(body) => respond(200, "application/json", body),
                Err(refusal) => refused(&refusal),
            };
        }
        match methods::call(telegram, &self.method, &self.params) {
            Ok(result) => json_response(200, &json!({ "ok": true, "result": result })),
            Err(refusal) => refused(&refusal),
        }
    }
}

fn misbehave(fault: Fault, sabotage: &Sabotage) -> Response<Body> {
    match fault {
        Fault::Api { code, description, retry_after } => {
            let mut body = json!({ "ok": false, "error_code": code, "description": description });
            if let (Value::Object(fields), Some(retry_after)) = (&mut body, retry_after) {
                fields.insert("parameters".into(), json!({ "retry_after": retry_after }));
            }
            return json_response(code, &body);
        }
        Fault::Body { status, content_type, body } => return respond(status, &content_type, body),
        Fault::CutOff => sabotage.cut_off("{\"ok\":true,\"result\":["),
        Fault::Huge { bytes } => sabotage.huge(bytes),
        Fault::Closed | Fault::LostAnswer | Fault::Slow(_) => sabotage.close(),
    }
    // Never sent: the connection plays its own script instead.
    Response::new(Body::empty())
}

/// Whether it looks like a token: digits, a colon, and letters that fit into a URL.
fn is_token(token: &str) -> bool {
    let is_secret_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    token.split_once(':').is_some_and(|(id, secret)| {
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
        is_id && !secret.is_empty() && secret.chars().all(is_secret_letter)
    })
}

/// Adds the time at which an answer is written; else the HTTP server would add this machine's.
fn dated(mut response: Response<Body>, now: i64) -> Response<Body> {
    let now = DateTime::from_timestamp(now, 0).unwrap_or_default();
    if let Ok(date) = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let Refusal { code, description, migrate_to_chat_id } = refusal;
    let mut body = json!({ "ok": false, "error_code": code, "description": description });
    if let (Value::Object(fields), Some(to)) = (&mut body, migrate_to_chat_id) {
        fields.insert("parameters".into(), json!({ "migrate_to_chat_id": to }));
    }
    json_response(*code, &body)
}

fn json_response(status: u16, body: &Value) -> Response<Body> {
    respond(status, "application/json", body.to_string())
}

fn respond(status: u16, content_type: &str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = content_type.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::bot::Bot;
    use crate::{Person, Simulator};

    async fn start() -> (Simulator, Bot) {
        let telegram = Simulator::start().await.unwrap();
        telegram.introduce(&Person::new(42, "Ann"));
        let bot = Bot::of(&telegram);
        (telegram, bot)
    }

    fn hello() -> Value {
        json!({ "chat_id": 42, "text": "Hello" })
    }

    #[tokio::test]
    async fn faults_of_the_answer() {
        let (telegram, bot) = start().await;
        telegram.fail_next("getme", Fault::too_many_requests(70_000));
        telegram.fail_next("*", Fault::bad_gateway());
        telegram.fail_next("*", Fault::not_json());
        telegram.fail_next("*", Fault::no_result());

        let (status, answer) = bot.call("getMe", json!({})).await;
        assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(70_000)));
        let reply = bot.try_call("getMe", json!({})).await.unwrap();
        assert_eq!((reply.status, reply.body.first()), (502, Some(&b'<')));
        let reply = bot.try_call("getMe", json!({})).await.unwrap();
        assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
        assert_eq!(bot.call("getMe", json!({})).await, (200, json!({ "ok": true })));
        assert_eq!(bot.call("getMe", json!({})).await.1["result"]["id"], telegram.bot_id());
    }

    #[tokio::test]
    async fn faults_of_the_connection() {
        let (telegram, bot) = start().await;
        let error = async || bot.try_call("sendMessage", hello()).await.unwrap_err().kind();

        telegram.fail_next("sendMessage", Fault::Closed);
        assert_eq!(error().await, ErrorKind::UnexpectedEof);
        assert!(telegram.texts_to(42).is_empty());

        telegram.fail_next("sendMessage", Fault::LostAnswer);
        assert_eq!(error().await, ErrorKind::UnexpectedEof);
        assert_eq!(telegram.texts_to(42), ["Hello"]);

        telegram.fail_next("sendMessage", Fault::CutOff);
        assert_eq!(error().await, ErrorKind::UnexpectedEof);

        telegram.fail_next("getMe", Fault::Huge { bytes: 3_000_000 });
        let reply = bot.try_call("getMe", json!({})).await.unwrap();
        assert_eq!(reply.body.len(), 3_000_000);
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(answer, json!({ "ok": true, "result": [] }));
    }

    #[tokio::test]
    async fn a_slow_answer_is_an_answer() {
        let (telegram, bot) = start().await;
        let delay = Duration::from_millis(30);
        telegram.fail_next("sendMessage", Fault::Slow(delay));
        let began = Instant::now();
        assert_eq!(bot.call("sendMessage", hello()).await.0, 200);
        assert!(began.elapsed() >= delay);
    }

    #[tokio::test]
    async fn a_lasting_fault_lasts_until_it_is_cleared() {
        let (telegram, bot) = start().await;
        telegram.fail_always("sendMessage", Fault::internal());
        for _ in 0..3 {
            assert_eq!(bot.call("sendMessage", hello()).await.0, 500);
        }
        assert_eq!(bot.call("getMe", json!({})).await.0, 200);
        telegram.clear_faults();
        assert_eq!(bot.call("sendMessage", hello()).await.0, 200);
    }

    #[tokio::test]
    async fn a_fault_strikes_a_get_updates_that_waits() {
        let (telegram, bot) = start().await;
        let polling =
            tokio::spawn(async move { bot.call("getUpdates", json!({ "timeout": 30 })).await.0 });
        telegram.wait_until_polled().await.unwrap();
        telegram.fail_next("getUpdates", Fault::conflict());
        assert_eq!(polling.await.unwrap(), 409);
    }

    #[tokio::test]
    async fn a_shutdown_does_not_wait_for_a_long_poll() {
        let (telegram, bot) = start().await;
        let polling =
            tokio::spawn(async move { bot.try_call("getUpdates", json!({ "timeout": 30 })).await });
        telegram.wait_until_polled().await.unwrap();
        telegram.shutdown().await;
        assert_eq!(polling.await.unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
