//! One delivery of an update to the bot behind.

use std::{fmt, time::Duration};

use reqwest::{
    Body, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};

use super::{
    answer::MethodCall,
    parcel::Parcel,
    url::{ForwardSecret, ForwardUrl},
};
use crate::error::BotError;

/// The header that shows that a request comes from Telegram (Bot API, "setWebhook").
const SECRET: &str = "X-Telegram-Bot-Api-Secret-Token";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the bot behind may take for an update. Telegram waits as long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends updates to the bot behind.
pub(super) struct Sender {
    http: reqwest::Client,
    url: ForwardUrl,
    secret: Option<HeaderValue>,
}

/// What became of one delivery.
pub(super) enum Attempt {
    /// It was accepted, and the response contains this call.
    Accepted(Option<MethodCall>),
    /// It was not.
    Failed(Failure),
}

/// Why the bot behind did not accept an update. Contains neither the address nor what users wrote.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There was no response.
    #[error("it cannot be reached")]
    NoResponse(#[source] reqwest::Error),
    /// The response did not come in time.
    #[error("it did not respond within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// The response has another status than 2xx.
    #[error("it responded with the HTTP status {0}")]
    Status(u16),
}

impl Failure {
    /// Whether this looks as if the bot behind were not running.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::NoResponse(_) | Self::Timeout | Self::Status(502..=504))
    }

    /// The value of the metric's label.
    pub(super) fn outcome(&self) -> &'static str {
        if self.is_away() { "away" } else { "refused" }
    }
}

impl Sender {
    pub(super) fn new(url: ForwardUrl, secret: Option<ForwardSecret>) -> Result<Self, BotError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would give the update and the secret to another server.
            .redirect(Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| BotError::Forward(error.without_url()))?;
        let secret = secret.and_then(|secret| HeaderValue::from_str(secret.secret()).ok());
        Ok(Self { http, url, secret })
    }

    pub(super) async fn deliver(&self, parcel: &Parcel) -> Attempt {
        let body = Body::from(parcel.json().to_owned());
        let mut request = self.http.post(self.url.url()).timeout(TIMEOUT).body(body);
        request = request.header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            request = request.header(SECRET, secret);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => {
                Attempt::Accepted(read(response).await)
            }
            Ok(response) => {
                Attempt::Failed(Failure::Status(StatusCode::as_u16(&response.status())))
            }
            Err(error) if error.is_timeout() && !error.is_connect() => {
                Attempt::Failed(Failure::Timeout)
            }
            Err(error) => Attempt::Failed(Failure::NoResponse(error.without_url())),
        }
    }
}

/// The call in a response. One that cannot be read does not undo that the update was accepted.
async fn read(response: Response) -> Option<MethodCall> {
    let kind = response.headers().get(CONTENT_TYPE).cloned();
    if response.content_length() == Some(0) {
        return None;
    }
    MethodCall::receive(kind, response).await
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(…)")
    }
}
