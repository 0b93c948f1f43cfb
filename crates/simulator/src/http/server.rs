//! The HTTP server: finds the method of a call, applies faults, and responds as Telegram does.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use chrono::DateTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::connection::{ConnectionFault, FaultyListener};
use crate::api_error::ApiError;
use crate::fault::Fault;
use crate::methods;
use crate::params::Params;
use crate::telegram::Telegram;

/// The largest request: a file of 50 MB, the most that a bot can send, and what is around it.
const LARGEST_BODY_BYTES: usize = 52 << 20;

/// Serves until Telegram is closed.
pub(crate) async fn serve(listener: TcpListener, telegram: Arc<Telegram>) {
    let closing = Arc::clone(&telegram);
    let service = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .with_state(telegram)
        .into_make_service_with_connect_info::<ConnectionFault>();
    let served = axum::serve(FaultyListener(listener), service)
        .with_graceful_shutdown(async move { closing.closed().await })
        .await;
    if let Err(error) = served {
        log::error!("the simulated Telegram's server failed: {error}");
    }
}

async fn answer(
    State(telegram): State<Arc<Telegram>>,
    ConnectInfo(connection): ConnectInfo<ConnectionFault>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if let Some(path) = uri.path().strip_prefix("/file/bot") {
        return file_response(&telegram, path);
    }
    let content_type = content_type.unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let params = match content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        true => Params::read_form(query, content_type, body).await,
        false => Params::read(query, &content_type.to_ascii_lowercase(), &body),
    };
    let mut call = match Call::read(&telegram, &uri, params) {
        Ok(call) => call,
        Err(error) => return error_response(&error),
    };
    let answered = tokio::select! {
        answered = call.answer(&telegram) => answered,
        () = telegram.closed() => Answered::Fault(Fault::Closed),
    };
    match answered {
        Answered::Response(response) => dated(response, telegram.now()),
        Answered::Fault(fault) => fault_response(fault, &connection),
    }
}

/// A call of a method of this bot.
struct Call {
    method: String,
    params: Params,
    /// The fault that is injected into it.
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
        params: Result<Params, ApiError>,
    ) -> Result<Self, ApiError> {
        let not_found = || ApiError::new(404, "Not Found");
        let path = uri.path().strip_prefix("/bot").ok_or_else(not_found)?;
        let (token, method) = path.split_once('/').ok_or_else(not_found)?;
        if !is_token(token) {
            return Err(not_found());
        }
        if token != telegram.setup.token || telegram.state().revoked {
            return Err(ApiError::unauthorized());
        }
        let params = params?;
        let fault = telegram.record(method, params.as_value());
        Ok(Self { method: method.to_lowercase(), params, fault })
    }

    async fn answer(&mut self, telegram: &Arc<Telegram>) -> Answered {
        match self.fault.take() {
            Some(fault) => self.apply(fault, telegram).await,
            None if self.method == "getupdates" => self.poll(telegram).await,
            None => Answered::Response(self.run(telegram).await),
        }
    }

    async fn apply(&self, fault: Fault, telegram: &Arc<Telegram>) -> Answered {
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

    /// Runs getUpdates; a fault also applies while it waits.
    async fn poll(&self, telegram: &Arc<Telegram>) -> Answered {
        let fault = tokio::select! {
            biased;
            response = self.run(telegram) => return Answered::Response(response),
            fault = telegram.next_fault(&self.method) => fault,
        };
        self.apply(fault, telegram).await
    }

    async fn run(&self, telegram: &Arc<Telegram>) -> Response<Body> {
        if telegram.setup.lacking_methods.contains(&self.method) {
            return error_response(&ApiError::method_not_found());
        }
        if self.method == "getupdates" {
            return match methods::get_updates(telegram, &self.params).await {
                Ok(body) => respond(200, "application/json", body),
                Err(error) => error_response(&error),
            };
        }
        match methods::call(telegram, &self.method, &self.params) {
            Ok(result) => json_response(200, &json!({ "ok": true, "result": result })),
            Err(error) => error_response(&error),
        }
    }
}

/// The file at a path that begins with the token.
fn file_response(telegram: &Telegram, path: &str) -> Response<Body> {
    let (token, file_path) = path.split_once('/').unwrap_or_default();
    if token != telegram.setup.token {
        return error_response(&ApiError::unauthorized());
    }
    match telegram.state().files.at(file_path) {
        Some(content) => {
            let mut response = Response::new(Body::from(content));
            let kind = header::HeaderValue::from_static("application/octet-stream");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        None => error_response(&ApiError::new(404, "Not Found")),
    }
}

fn fault_response(fault: Fault, connection: &ConnectionFault) -> Response<Body> {
    match fault {
        Fault::Api { code, description, retry_after } => {
            let mut body = json!({ "ok": false, "error_code": code, "description": description });
            if let (Value::Object(fields), Some(retry_after)) = (&mut body, retry_after) {
                fields.insert("parameters".into(), json!({ "retry_after": retry_after }));
            }
            return json_response(code, &body);
        }
        Fault::Body { status, content_type, body } => return respond(status, &content_type, body),
        Fault::CutOff => connection.cut_off("{\"ok\":true,\"result\":["),
        Fault::Huge { bytes } => connection.huge(bytes),
        Fault::Closed | Fault::LostAnswer | Fault::Slow(_) => connection.close(),
    }
    // Never sent: the connection sends its own response instead.
    Response::new(Body::empty())
}

/// Whether it has the form of a token: digits, a colon, and characters that are safe in a URL.
fn is_token(token: &str) -> bool {
    let is_secret_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    token.split_once(':').is_some_and(|(id, secret)| {
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
        is_id && !secret.is_empty() && secret.chars().all(is_secret_letter)
    })
}

/// Adds the time of Telegram's clock; otherwise the HTTP server would add this machine's time.
fn dated(mut response: Response<Body>, now: i64) -> Response<Body> {
    let now = DateTime::from_timestamp(now, 0).unwrap_or_default();
    if let Ok(date) = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn error_response(error: &ApiError) -> Response<Body> {
    let ApiError { code, description, migrate_to_chat_id } = error;
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
    use std::time::{Duration, Instant};

    use super::*;
    use crate::bot::Bot;
    use crate::http::client::PostError;
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
    async fn faults_of_the_response() {
        let (telegram, bot) = start().await;
        telegram.fail_next("getme", Fault::too_many_requests(70_000));
        telegram.fail_next("*", Fault::bad_gateway());
        telegram.fail_next("*", Fault::not_json());
        telegram.fail_next("*", Fault::no_result());

        let (status, answer) = bot.call("getMe", json!({})).await;
        assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(70_000)));
        let response = bot.try_call("getMe", json!({})).await.unwrap();
        assert_eq!((response.status.as_u16(), response.body.first()), (502, Some(&b'<')));
        let response = bot.try_call("getMe", json!({})).await.unwrap();
        assert!(serde_json::from_slice::<Value>(&response.body).is_err());
        assert_eq!(bot.call("getMe", json!({})).await, (200, json!({ "ok": true })));
        assert_eq!(bot.call("getMe", json!({})).await.1["result"]["id"], telegram.bot_id());
    }

    #[tokio::test]
    async fn faults_of_the_connection() {
        let (telegram, bot) = start().await;
        let error = async || bot.try_call("sendMessage", hello()).await.unwrap_err();

        telegram.fail_next("sendMessage", Fault::Closed);
        assert!(matches!(error().await, PostError::Closed(_)));
        assert!(telegram.texts_to(42).is_empty());

        telegram.fail_next("sendMessage", Fault::LostAnswer);
        assert!(matches!(error().await, PostError::Closed(_)));
        assert_eq!(telegram.texts_to(42), ["Hello"]);

        telegram.fail_next("sendMessage", Fault::CutOff);
        assert!(matches!(error().await, PostError::Closed(_)));

        telegram.fail_next("getMe", Fault::Huge { bytes: 3_000_000 });
        let response = bot.try_call("getMe", json!({})).await.unwrap();
        assert_eq!(response.body.len(), 3_000_000);
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(answer, json!({ "ok": true, "result": [] }));
    }

    #[tokio::test]
    async fn a_slow_call_is_answered_late() {
        let (telegram, bot) = start().await;
        let delay = Duration::from_millis(30);
        telegram.fail_next("sendMessage", Fault::Slow(delay));
        let began = Instant::now();
        assert_eq!(bot.call("sendMessage", hello()).await.0, 200);
        assert!(began.elapsed() >= delay);
    }

    #[tokio::test]
    async fn a_permanent_fault_applies_until_it_is_cleared() {
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
    async fn a_fault_applies_to_a_get_updates_that_waits() {
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
        assert!(matches!(polling.await.unwrap(), Err(PostError::Closed(_))));
    }
}
