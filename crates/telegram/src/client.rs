use std::time::Duration;

use reqwest::Response;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::{api_url::ApiUrl, clock::TelegramClock, lossy::Text, proxy::ProxyUrl, token::BotToken};

/// The largest answer that is read. A hundred updates of ordinary size are a few hundred KiB; at
/// their largest, with every text, entity and reply that Telegram allows, they stay below this.
const LARGEST_ANSWER_BYTES: usize = 32 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a method other than getUpdates may take.
const METHOD_TIMEOUT: Duration = Duration::from_secs(20);

/// Calls methods of the Bot API: JSON over HTTP.
///
/// Not frankenstein's own client: ours reads batches of updates one by one, asks less of answers,
/// and keeps the token out of every error.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    token: BotToken,
    clock: TelegramClock,
}

impl Client {
    /// A client of the server at `url`, which it reaches through `proxy`, or else directly: what
    /// the environment says about proxies is for the settings to read.
    pub(crate) fn new(
        url: ApiUrl,
        proxy: Option<&ProxyUrl>,
        token: BotToken,
        clock: TelegramClock,
    ) -> Result<Self, CallError> {
        let failed = |error| CallError::transport("build", error);
        let http = reqwest::Client::builder().no_proxy();
        let http = match proxy {
            Some(proxy) => http.proxy(proxy.to_proxy().map_err(failed)?),
            None => http,
        };
        let http = http
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would tell the token to another server, which reads it in the Referer.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(failed)?;
        Ok(Self { http, url, token, clock })
    }

    /// The clock that answers are compared with.
    pub(crate) fn clock(&self) -> &TelegramClock {
        &self.clock
    }

    /// Calls a method and reads what we need of its result.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
    ) -> Result<T, CallError> {
        let body = self.call_raw(method, parameters, METHOD_TIMEOUT).await?;
        body.read()
    }

    /// Calls a method within a time and answers its result unread.
    pub(crate) async fn call_raw(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
        timeout: Duration,
    ) -> Result<Body, CallError> {
        self.answer(method, parameters, timeout).await.inspect_err(CallError::count)
    }

    async fn answer(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
        timeout: Duration,
    ) -> Result<Body, CallError> {
        let request = self.http.post(self.url.method(&self.token, method)).json(parameters);
        let asked = Instant::now();
        let response = request
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| CallError::transport(method, error))?;
        // What others answer in Telegram's place, such as a proxy, may have another time.
        if response.status().is_success()
            && let Some(date) = response.headers().get("date").and_then(|it| it.to_str().ok())
        {
            self.clock.compare(date, asked);
        }
        let status = response.status().as_u16();
        let bytes = read_bounded(method, response).await?;
        // What is not valid Unicode spoils the text that it stands in, not the whole answer.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Body { method, status, text, token: self.token.clone() })
    }
}

/// What a server answered to a method.
pub(crate) struct Body {
    method: &'static str,
    status: u16,
    text: String,
    /// To keep it out of errors.
    token: BotToken,
}

impl Body {
    /// The result, read into `T`. It may borrow from the answer.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        self.result().inspect_err(CallError::count)
    }

    fn result<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        let unreadable =
            |reason| CallError::Unreadable { method: self.method, status: self.status, reason };
        let answer: Answer<'a, T> =
            serde_json::from_str(&self.text).map_err(|error| unreadable(place(&error)))?;
        match answer {
            Answer { ok: true, result: Some(result), .. } => Ok(result),
            Answer { ok: true, result: None, .. } => Err(unreadable("it has no result".to_owned())),
            Answer { error_code, description, parameters, .. } => Err(CallError::Refused {
                method: self.method,
                code: error_code.unwrap_or_else(|| i64::from(self.status)),
                description: {
                    let description = description.map(Text::into_string).unwrap_or_default();
                    self.token.redact(&without_quotes(&description))
                },
                retry_after: parameters.and_then(retry_after),
                migrate_to_chat_id: parameters.and_then(migrate_to_chat_id),
            }),
        }
    }
}

/// The envelope of every answer (Bot API, "Making requests").
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Answer<'a, T> {
    ok: bool,
    result: Option<T>,
    error_code: Option<i64>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

/// What we need of an error's parameters (Bot API, "ResponseParameters"), each read by itself.
#[derive(Deserialize)]
struct Parameters<'a> {
    /// In seconds; Telegram has been seen to ask for more than a day.
    #[serde(borrow)]
    retry_after: Option<&'a RawValue>,
    migrate_to_chat_id: Option<&'a RawValue>,
}

/// How long an error asks to wait. Nought asks for nothing, or we would try again without a rest;
/// so do parameters of another form, whose error is told all the same.
fn retry_after(parameters: &RawValue) -> Option<Duration> {
    let parameters: Parameters = serde_json::from_str(parameters.get()).ok()?;
    let seconds: u64 = serde_json::from_str(parameters.retry_after?.get()).ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// The supergroup that the group has become.
fn migrate_to_chat_id(parameters: &RawValue) -> Option<i64> {
    let parameters: Parameters = serde_json::from_str(parameters.get()).ok()?;
    serde_json::from_str(parameters.migrate_to_chat_id?.get()).ok()
}

/// Reads an answer, but for one that is too long: of that no more than the bound is ever held.
async fn read_bounded(method: &'static str, mut response: Response) -> Result<Vec<u8>, CallError> {
    let status = response.status().as_u16();
    let too_long = || CallError::TooLong { method, status };
    let announced = response.content_length().unwrap_or_default();
    let announced = usize::try_from(announced).map_err(|_| too_long())?;
    if announced > LARGEST_ANSWER_BYTES {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(chunk) =
        response.chunk().await.map_err(|error| CallError::transport(method, error))?
    {
        if bytes.len() + chunk.len() > LARGEST_ANSWER_BYTES {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Where and in what way JSON is wrong; serde_json's own text would quote what people wrote.
pub(crate) fn place(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "not JSON",
        Category::Data => "not what is expected",
        Category::Eof => "cut off",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// A description without what stands in quotes, which may be a piece of a message.
fn without_quotes(description: &str) -> String {
    description.split('"').next().unwrap_or_default().trim_end().to_owned()
}

/// Why a method of the Bot API could not be called. Holds neither the token nor anybody's words.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Telegram refused.
    #[error("Telegram refused {method}: {code} {description}")]
    Refused {
        /// The method.
        method: &'static str,
        /// The error code, alike to HTTP's status codes.
        code: i64,
        /// Telegram's reason.
        description: String,
        /// How long Telegram asks to wait before the next try.
        retry_after: Option<Duration>,
        /// The supergroup that the group has become, which was meant.
        migrate_to_chat_id: Option<i64>,
    },
    /// There was no answer.
    #[error("no answer to {method}")]
    Transport {
        /// The method.
        method: &'static str,
        /// Why, without the URL.
        source: reqwest::Error,
    },
    /// The answer was not one of the Bot API.
    #[error("the answer to {method} (HTTP status {status}) cannot be read: {reason}")]
    Unreadable {
        /// The method.
        method: &'static str,
        /// The HTTP status.
        status: u16,
        /// Why.
        reason: String,
    },
    /// The answer was longer than anything that is read.
    #[error(
        "the answer to {method} (HTTP status {status}) cannot be read: it is longer than {LARGEST_ANSWER_BYTES} bytes"
    )]
    TooLong {
        /// The method.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
}

impl CallError {
    fn transport(method: &'static str, error: reqwest::Error) -> Self {
        Self::Transport { method, source: error.without_url() }
    }

    fn count(&self) {
        let class = match self {
            Self::Refused { code: 429, .. } => "telegram_429",
            Self::Refused { code: 409, .. } => "telegram_409",
            Self::Refused { code: 400..500, .. } => "telegram_4xx",
            Self::Refused { .. } => "telegram_5xx",
            Self::Transport { .. } => "telegram_unreachable",
            Self::Unreadable { .. } | Self::TooLong { .. } => "telegram_unreadable",
        };
        metrics::counter!("rollcall_errors_total", "class" => class).increment(1);
    }

    /// Whether Telegram does not accept the token: it is wrong, or was revoked.
    pub(crate) fn is_bad_token(&self) -> bool {
        matches!(self, Self::Refused { code: 401 | 404, .. })
    }

    /// How long Telegram asks to wait before the next try.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => None,
        }
    }

    /// The supergroup that the group has become which was meant.
    pub(crate) fn migrate_to_chat_id(&self) -> Option<i64> {
        match self {
            Self::Refused { migrate_to_chat_id, .. } => *migrate_to_chat_id,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => None,
        }
    }

    /// Who is in the way of getUpdates, which Telegram tells by the description only.
    pub(crate) fn conflict(&self) -> Option<Conflict> {
        match self {
            // "can't use getUpdates method while webhook is active; …", or, where the webhook is
            // set while a getUpdates waits, "terminated by setWebhook request".
            Self::Refused { code: 409, description, .. }
                if description.to_lowercase().contains("webhook") =>
            {
                Some(Conflict::Webhook)
            }
            // "terminated by other getUpdates request; …"
            Self::Refused { code: 409, .. } => Some(Conflict::OtherPoller),
            _ => None,
        }
    }

    /// Whether trying again may help: Telegram is busy, broken or out of reach, or cannot reach the
    /// webhook's host.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { code: 400, description, .. } => is_of_the_network(description),
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => true,
        }
    }
}

/// Whether a webhook was refused because its host could not be resolved or reached, and not for its
/// address. Only the description says so, behind "Bad Request: bad webhook: ".
fn is_of_the_network(description: &str) -> bool {
    const CAUSES: [&str; 12] = [
        "failed to resolve host",
        "can't connect to the webhook",
        "connection closed",
        "connection refused",
        "connection reset",
        "connection timed out",
        "timeout expired",
        "host is down",
        "host is unreachable",
        "network is down",
        "network is unreachable",
        "no route to host",
    ];
    let description = description.to_lowercase();
    let cause = description.split_once("bad webhook: ").map(|(_, cause)| cause);
    cause.is_some_and(|cause| CAUSES.iter().any(|known| cause.contains(known)))
}

/// Who is in the way of getUpdates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Another process fetches this bot's updates.
    OtherPoller,
    /// Updates are delivered to a webhook.
    Webhook,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: ApiUrl) -> Client {
        let clock = TelegramClock::new(std::sync::Arc::new(rollcall_domain::SystemClock));
        Client::new(url, None, "1:x".parse().unwrap(), clock).unwrap()
    }

    fn body(text: &str) -> Body {
        let token = "123:hunter2".parse().unwrap();
        Body { method: "getMe", status: 200, text: text.to_owned(), token }
    }

    #[test]
    fn an_error_that_repeats_the_path_does_not_show_the_token() {
        for path in ["/bot123:hunter2/getMe", "/bot123%3Ahunter2/getMe", "hunter2 or hunter2"] {
            let answer = format!(
                r#"{{"ok":false,"error_code":404,"description":"Not Found: {path} is unknown"}}"#
            );
            let error = body(&answer).read::<i64>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && shown.contains("is unknown"), "{shown}");
        }
    }

    #[test]
    fn a_result_is_read() {
        assert_eq!(body(r#"{"ok":true,"result":42,"new_field":[]}"#).read::<i64>().unwrap(), 42);
    }

    #[tokio::test]
    async fn what_is_not_unicode_spoils_its_text_only() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer =
                b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"ok\":true,\"result\":\"A\xff\"}";
            stream.write_all(answer).unwrap();
        });
        let client = client(url);
        assert_eq!(client.call::<String>("getMe", &()).await.unwrap(), "A\u{fffd}");
        tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
    }

    #[test]
    fn whatever_else_comes_is_an_error_that_quotes_nobody() {
        for (bytes, message) in [
            (
                "<html>Ada</html>",
                "the answer to getMe (HTTP status 200) cannot be read: not JSON at line 1 column 1",
            ),
            (
                r#"{"ok":true,"result":"Ada"#,
                "the answer to getMe (HTTP status 200) cannot be read: cut off at line 1 column 24",
            ),
            (
                r#"{"ok":true}"#,
                "the answer to getMe (HTTP status 200) cannot be read: it has no result",
            ),
            (
                r#"{"ok":true,"result":"Ada"}"#,
                "the answer to getMe (HTTP status 200) cannot be read: not what is expected at line 1 column 25",
            ),
            (
                r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: Unsupported start tag \"ada\""}"#,
                "Telegram refused getMe: 400 Bad Request: can't parse entities: Unsupported start tag",
            ),
            (r#"{"ok":false}"#, "Telegram refused getMe: 200 "),
        ] {
            assert_eq!(body(bytes).read::<i64>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn errors_tell_how_long_to_wait() {
        for (parameters, seconds) in [
            (r#"{"retry_after":1}"#, Some(1)),
            (r#"{"retry_after":100000}"#, Some(100_000)),
            (r#"{"retry_after":18446744073709551615,"new":[]}"#, Some(u64::MAX)),
            (r#"{"retry_after":0}"#, None),
            (r#"{"migrate_to_chat_id":-1001}"#, None),
            (r#"{"retry_after":"soon"}"#, None),
            (r#"{"retry_after":-1}"#, None),
            ("[]", None),
            ("null", None),
        ] {
            let answer = format!(
                r#"{{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{parameters}}}"#
            );
            let error = body(&answer).read::<i64>().unwrap_err();
            assert_eq!(error.to_string(), "Telegram refused getMe: 429 Too Many Requests");
            assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{parameters}");
        }
    }

    #[test]
    fn errors_tell_where_a_group_has_gone() {
        for (parameters, chat_id) in [
            (r#"{"migrate_to_chat_id":-1001234567890}"#, Some(-1_001_234_567_890)),
            (
                r#"{"migrate_to_chat_id":-9007199254740993,"retry_after":"soon"}"#,
                Some(-(1 << 53) - 1),
            ),
            (r#"{"migrate_to_chat_id":"-1001234567890"}"#, None),
            (r#"{"migrate_to_chat_id":-9223372036854775809}"#, None),
            (r#"{"migrate_to_chat_id":null}"#, None),
            (r#"{"retry_after":1}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            let answer = format!(
                r#"{{"ok":false,"error_code":400,"description":"Bad Request","parameters":{parameters}}}"#
            );
            let error = body(&answer).read::<i64>().unwrap_err();
            assert_eq!(error.migrate_to_chat_id(), chat_id, "{parameters}");
        }
    }

    #[test]
    fn conflicts_are_told_apart() {
        let refused = |code, description: &str| CallError::Refused {
            method: "getUpdates",
            code,
            description: description.to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        };
        for (code, description, conflict) in [
            (
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                Some(Conflict::OtherPoller),
            ),
            (
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                Some(Conflict::Webhook),
            ),
            (409, "Conflict: terminated by setWebhook request", Some(Conflict::Webhook)),
            (400, "Bad Request: bad webhook", None),
        ] {
            assert_eq!(refused(code, description).conflict(), conflict, "{description}");
        }
    }

    #[tokio::test]
    async fn of_an_answer_without_an_end_no_more_than_the_bound_is_read() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"ok\":true,\"result\":[").unwrap();
            let mut sent = 0;
            while stream.write_all(&[b' '; 1 << 16]).is_ok() {
                sent += 1 << 16;
            }
            sent
        });
        let client = client(url);
        let error = client.call::<i64>("getUpdates", &()).await.unwrap_err();
        let expected = "the answer to getUpdates (HTTP status 200) cannot be read: it is longer than 33554432 bytes";
        assert_eq!(error.to_string(), expected);
        // Closed, so that the other side ends: with what was on its way, less than twice the bound.
        drop(client);
        let sent = tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
        assert!(sent < 2 * LARGEST_ANSWER_BYTES, "{sent}");
    }

    #[test]
    fn errors_know_what_may_pass() {
        let refused = |code| CallError::Refused {
            method: "x",
            code,
            description: String::new(),
            retry_after: None,
            migrate_to_chat_id: None,
        };
        assert!(refused(401).is_bad_token() && refused(404).is_bad_token());
        assert!(!refused(403).is_bad_token());
        assert!(refused(429).may_pass() && refused(502).may_pass() && !refused(400).may_pass());
    }

    #[test]
    fn a_webhook_whose_host_is_out_of_reach_may_pass() {
        let refused = |description: &str| CallError::Refused {
            method: "setWebhook",
            code: 400,
            description: description.to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        };
        for cause in [
            "Failed to resolve host: Temporary failure in name resolution",
            "Failed to resolve host: Name or service not known",
            "Can't connect to the webhook",
            "Connection refused",
            "Connection timed out",
            "Connection timeout expired",
            "Network is unreachable",
            "No route to host",
        ] {
            assert!(refused(&format!("Bad Request: bad webhook: {cause}")).may_pass(), "{cause}");
            assert!(!refused(&format!("Bad Request: {cause}")).may_pass(), "{cause}");
        }
        for cause in [
            "An HTTPS URL must be provided for webhook",
            "Webhook can be set up only on ports 80, 88, 443 or 8443",
            "IP address 127.0.0.1 is reserved",
            "IPv6-only addresses are not allowed",
            "Invalid IP address specified",
        ] {
            assert!(!refused(&format!("Bad Request: bad webhook: {cause}")).may_pass(), "{cause}");
        }
    }
}
