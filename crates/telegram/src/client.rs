//! Calls methods of the Bot API: JSON over HTTP.

mod api_url;
mod clock;
mod error;
mod form;
mod proxy;
mod response;
mod token;

use std::time::Duration;

use reqwest::{
    Body,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use tokio::time::Instant;

pub use api_url::{ApiUrl, InvalidApiUrl};
pub use clock::ClockDifference;
pub(crate) use clock::TelegramClock;
pub use error::CallError;
pub(crate) use error::Conflict;
pub(crate) use form::Form;
pub use proxy::{InvalidProxyUrl, ProxyUrl};
pub(crate) use response::Response;
pub use token::{BotToken, InvalidToken};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of methods other than getUpdates.
const METHOD_TIMEOUT: Duration = Duration::from_secs(20);
/// The timeout of a method with a picture: 10 MiB within it are 90 KiB a second.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);
/// What errors call a method of another bot.
const PASSED: &str = "a passed method";
/// The timeout of a method with a file.
const PASS_TIMEOUT: Duration = Duration::from_secs(300);

/// Calls methods of the Bot API: JSON over HTTP.
///
/// frankenstein's own client would decode a batch of updates as a whole and show the token in some
/// errors. This one returns the updates one by one and keeps the token out of every error.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    token: BotToken,
    clock: TelegramClock,
}

impl Client {
    /// A client of the server at `url`, through `proxy` or directly. It ignores the environment's
    /// proxies: reading those is up to the settings.
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
            // A redirect would leak the token to another server in the Referer.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(failed)?;
        Ok(Self { http, url, token, clock })
    }

    /// The clock that is compared with the `Date` of each response.
    pub(crate) fn clock(&self) -> &TelegramClock {
        &self.clock
    }

    /// Calls a method and reads its result.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
    ) -> Result<T, CallError> {
        self.call_raw(method, parameters, METHOD_TIMEOUT).await?.read()
    }

    /// Calls a method and returns its response unread.
    pub(crate) async fn call_raw(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
        timeout: Duration,
    ) -> Result<Response, CallError> {
        self.request(method, parameters, timeout).await.inspect_err(CallError::count)
    }

    /// Calls a method with a file, and reads its result.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        method: &'static str,
        form: Form,
    ) -> Result<T, CallError> {
        let request = self.http.post(self.url.method(&self.token, method));
        let request = request.header(CONTENT_TYPE, form.media_type()).body(form.end());
        let response = self.send(method, request, UPLOAD_TIMEOUT).await;
        response.inspect_err(CallError::count)?.read()
    }

    /// Calls a method with a body of any type, and ignores its result.
    pub(crate) async fn pass(
        &self,
        method: &str,
        kind: HeaderValue,
        body: Vec<u8>,
    ) -> Result<(), CallError> {
        let request = self.http.post(self.url.method(&self.token, method));
        let response = request
            .header(CONTENT_TYPE, kind)
            .body(body)
            .timeout(PASS_TIMEOUT)
            .send()
            .await
            .map_err(|error| CallError::transport(PASSED, error))?;
        let response = Response::receive(PASSED, response, self.token.clone()).await?;
        response.read::<IgnoredAny>().map(drop)
    }

    /// Sends a request of another bot on, as it is, and returns the response unread. `place` is what follows
    /// the server's address and contains the token.
    pub(crate) async fn relay(
        &self,
        method: reqwest::Method,
        place: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<reqwest::Response, CallError> {
        let request = self.http.request(method, format!("{}{place}", self.url));
        let sent = request.headers(headers).body(body).send().await;
        sent.map_err(|error| CallError::transport(PASSED, error)).inspect_err(CallError::count)
    }

    /// Reads the body of a response that was relayed.
    pub(crate) fn read_relayed(&self, status: u16, body: &[u8]) -> Response {
        Response::of_body(PASSED, status, body, self.token.clone())
    }

    /// The bot's token.
    pub(crate) fn token(&self) -> &BotToken {
        &self.token
    }

    async fn request(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
        timeout: Duration,
    ) -> Result<Response, CallError> {
        let request = self.http.post(self.url.method(&self.token, method)).json(parameters);
        self.send(method, request, timeout).await
    }

    async fn send(
        &self,
        method: &'static str,
        request: reqwest::RequestBuilder,
        timeout: Duration,
    ) -> Result<Response, CallError> {
        let sent_at = Instant::now();
        let response = request
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| CallError::transport(method, error))?;
        // An error may come from a proxy, whose clock differs.
        if response.status().is_success()
            && let Some(date) = response.headers().get("date").and_then(|it| it.to_str().ok())
        {
            self.clock.compare(date, sent_at);
        }
        Response::receive(method, response, self.token.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: ApiUrl) -> Client {
        let clock = TelegramClock::new(std::sync::Arc::new(rollcall_domain::SystemClock));
        Client::new(url, None, "1:x".parse().unwrap(), clock).unwrap()
    }

    #[tokio::test]
    async fn invalid_utf8_spoils_only_its_text() {
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

    #[tokio::test]
    async fn an_endless_response_is_read_up_to_the_limit() {
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
        let expected = "the response to getUpdates (HTTP status 200) cannot be read: it is longer than 33554432 bytes";
        assert_eq!(error.to_string(), expected);
        // Closes the connection, so that the server stops. Some bytes beyond the limit were on their way.
        drop(client);
        let sent = tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
        assert!(sent < 2 * error::LARGEST_RESPONSE_BYTES, "{sent}");
    }
}
