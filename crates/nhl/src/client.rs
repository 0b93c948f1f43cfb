use std::{error::Error as _, fmt, str::FromStr, sync::Arc, time::Duration};

use chrono::NaiveDate;
use reqwest::{Proxy, Response, StatusCode, Url, header::RETRY_AFTER};
use rollcall_domain::{Backoff, Clock};
use tokio::time::sleep;

use crate::{
    cache::{Cache, CachedResponse},
    response::{self, Games, Scores, Unreadable},
    retry_after::retry_after,
};

/// The longest accepted response; a week has less than one MiB.
const LONGEST_RESPONSE_BYTES: usize = 8 << 20;
/// The number of attempts, if an error is temporary.
const MAX_ATTEMPTS: u32 = 4;

/// The root of the API's paths, such as `https://api-web.nhle.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(String);

/// The text is not the root of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not the root of an API; expected a URL such as https://api-web.nhle.com")]
pub struct InvalidApiUrl;

impl FromStr for ApiUrl {
    type Err = InvalidApiUrl;

    fn from_str(text: &str) -> Result<Self, InvalidApiUrl> {
        let url: Url = text.parse().map_err(|_| InvalidApiUrl)?;
        // The common prefix and the paths of the API's own methods are not part of the root.
        let path = url.path().trim_end_matches('/');
        let has_api_path = path.ends_with("/v1")
            || ["/v1/schedule", "/v1/score"].iter().any(|part| path.contains(part));
        let is_root = matches!(url.scheme(), "http" | "https")
            && !has_api_path
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_root.then(|| Self(url.as_str().trim_end_matches('/').to_owned())).ok_or(InvalidApiUrl)
    }
}

impl Default for ApiUrl {
    /// The NHL's API.
    fn default() -> Self {
        Self("https://api-web.nhle.com".to_owned())
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The time-outs and delays of a client.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The time-out of one request, its response included.
    pub timeout: Duration,
    /// The maximum delay before the second attempt. It doubles with each further attempt.
    pub first_pause: Duration,
    /// The longest `Retry-After` of the server that is accepted.
    pub longest_pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// Sends requests to the API. Clones are cheap.
///
/// Temporary errors are retried a few times: no response, too many requests, and server errors.
/// Cached responses are requested conditionally, if the server supports it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    timing: Timing,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

impl Client {
    /// A client of the API at `url`. It connects through the proxy at the given URL (http, https,
    /// socks5 or socks5h, with user name and password if necessary), or else directly: the settings
    /// read the environment's proxy variables.
    ///
    /// # Errors
    /// If the machine's TLS or the proxy's URL cannot be used.
    pub fn new(
        url: ApiUrl,
        proxy: Option<&str>,
        timing: Timing,
        clock: impl Clock + 'static,
    ) -> Result<Self, FetchError> {
        let failed = |error: reqwest::Error| FetchError::transport(&error);
        let http = reqwest::Client::builder().no_proxy();
        let http = match proxy {
            Some(proxy) => http.proxy(Proxy::all(proxy).map_err(failed)?),
            None => http,
        };
        let http = http
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .timeout(timing.timeout)
            .connect_timeout(timing.timeout)
            .build()
            .map_err(failed)?;
        Ok(Self { http, url, timing, clock: Arc::new(clock), cache: Cache::default() })
    }

    /// Fetches the games of the week from `first`, as the NHL counts days.
    ///
    /// # Errors
    /// If there is no response after a few attempts, or it cannot be parsed at all.
    pub async fn week(&self, first: NaiveDate) -> Result<Games, FetchError> {
        let body = self.get(&format!("/v1/schedule/{first}")).await?;
        Ok(response::read_week(&body, first, self.clock.now())?)
    }

    /// Fetches the scores of a day, as the NHL counts days.
    ///
    /// # Errors
    /// The same as of [`Client::week`].
    pub async fn scores(&self, day: NaiveDate) -> Result<Scores, FetchError> {
        let body = self.get(&format!("/v1/score/{day}")).await?;
        Ok(response::read_scores(&body, self.clock.now())?)
    }

    async fn get(&self, path: &str) -> Result<String, FetchError> {
        let mut backoff = Backoff::new(self.timing.first_pause, self.timing.longest_pause);
        let mut failures = 0;
        loop {
            let error = match self.get_once(path).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            failures += 1;
            let requested = error.retry_after();
            let is_too_long = requested.is_some_and(|it| it > self.timing.longest_pause);
            if failures >= MAX_ATTEMPTS || !error.is_temporary() || is_too_long {
                return Err(error);
            }
            let pause = backoff.next(fastrand::f64());
            log::debug!(path, failures; "retrying a request to the NHL's API: {error}");
            sleep(pause.max(requested.unwrap_or_default())).await;
        }
    }

    async fn get_once(&self, path: &str) -> Result<String, FetchError> {
        let cached = self.cache.get(path);
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(cached) = &cached {
            request = cached.add_condition(request);
        }
        let response = request.send().await.map_err(|error| FetchError::transport(&error))?;
        let status = response.status();
        if let (StatusCode::NOT_MODIFIED, Some(cached)) = (status, cached) {
            return Ok(cached.body.clone());
        }
        if status != StatusCode::OK {
            return Err(self.refused(&response));
        }
        let headers = response.headers().clone();
        let body = read_bounded(response).await?;
        if let Some(cached) = CachedResponse::new(path, &headers, &body) {
            self.cache.put(cached);
        }
        Ok(body)
    }

    fn refused(&self, response: &Response) -> FetchError {
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        FetchError::Refused {
            status: response.status().as_u16(),
            retry_after: wait.and_then(|value| retry_after(value, self.clock.now())),
        }
    }
}

/// Reads a response of bounded length. No more than the bound is held in memory.
async fn read_bounded(mut response: Response) -> Result<String, FetchError> {
    let announced = response.content_length().map(usize::try_from);
    if announced.is_some_and(|bytes| bytes.map_or(true, |bytes| bytes > LONGEST_RESPONSE_BYTES)) {
        return Err(FetchError::TooLong);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::transport(&error))? {
        if bytes.len() + chunk.len() > LONGEST_RESPONSE_BYTES {
            return Err(FetchError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    // Invalid UTF-8 affects the text that contains it, not the whole response.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The error of a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// There was no response.
    #[error("cannot reach the NHL's API: {0}")]
    Transport(String),
    /// The server responded with an error.
    #[error("the NHL's API responded with HTTP status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How long the server asks to wait before the next attempt.
        retry_after: Option<Duration>,
    },
    /// The response was too long.
    #[error("the NHL's API responded with more than {LONGEST_RESPONSE_BYTES} bytes")]
    TooLong,
    /// The response has an unexpected form.
    #[error("cannot parse the response of the NHL's API")]
    Unreadable(#[from] Unreadable),
}

impl FetchError {
    /// Shows the innermost cause, which is the most specific. The URL is left out: it is a setting.
    fn transport(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Transport("the request timed out".to_owned());
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self::Transport(match error.source() {
            Some(_) => cause.to_string(),
            None => "the request failed".to_owned(),
        })
    }

    fn is_temporary(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::TooLong | Self::Unreadable(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_a_url_without_query_credentials_or_api_path() {
        let url = |text: &str| text.parse::<ApiUrl>().map(|url| url.to_string());
        assert_eq!(url("http://127.0.0.1:5000/").unwrap(), "http://127.0.0.1:5000");
        assert_eq!(url("https://example.org/nhl").unwrap(), "https://example.org/nhl");
        assert_eq!(url("https://example.org/v1/nhl/").unwrap(), "https://example.org/v1/nhl");
        for odd in [
            "",
            "nhle.com",
            "ftp://nhle.com",
            "https://a/?x",
            "https://a/#x",
            "https://u:p@a",
            "https://api-web.nhle.com/v1",
            "https://api-web.nhle.com/v1/",
            "https://api-web.nhle.com/v1/schedule/now",
            "https://api-web.nhle.com/v1/score/2026-11-26",
        ] {
            assert_eq!(url(odd), Err(InvalidApiUrl), "{odd}");
        }
    }
}
