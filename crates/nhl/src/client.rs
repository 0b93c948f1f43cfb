use std::{error::Error as _, fmt, str::FromStr, sync::Arc, time::Duration};

use chrono::NaiveDate;
use reqwest::{Proxy, Response, StatusCode, Url, header::RETRY_AFTER};
use rollcall_domain::Clock;
use tokio::time::sleep;

use crate::{
    answer::{self, Games, Scores, Unreadable},
    cache::{Cache, CachedResponse},
    retry,
};

/// The largest answer that is read; a week has less than one MiB.
const LARGEST_ANSWER_BYTES: usize = 8 << 20;
/// How often a request is made in all where trying again may help.
const TRIES: u32 = 4;

/// Where the API is: the root of its paths, such as `https://api-web.nhle.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(String);

/// A text that is no address of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not the root of an API; expected a URL such as https://api-web.nhle.com")]
pub struct InvalidApiUrl;

impl FromStr for ApiUrl {
    type Err = InvalidApiUrl;

    fn from_str(text: &str) -> Result<Self, InvalidApiUrl> {
        let url: Url = text.parse().map_err(|_| InvalidApiUrl)?;
        // What every path begins with, and which those of the API are, does not belong to the root.
        let path = url.path().trim_end_matches('/');
        let goes_on = path.ends_with("/v1")
            || ["/v1/schedule", "/v1/score"].iter().any(|part| path.contains(part));
        let is_root = matches!(url.scheme(), "http" | "https")
            && !goes_on
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_root.then(|| Self(url.as_str().trim_end_matches('/').to_owned())).ok_or(InvalidApiUrl)
    }
}

impl Default for ApiUrl {
    /// The NHL's own.
    fn default() -> Self {
        Self("https://api-web.nhle.com".to_owned())
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// The longest that the pause before the second try may be; each further one may be twice as
    /// long.
    pub first_pause: Duration,
    /// The longest that is waited where the server asks to come again later.
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

/// Asks the API. Cheap to clone.
///
/// What may pass (no answer, too many requests, a server's own trouble) is tried again a few times.
/// What was answered before is asked for only if it has changed, where the server offers that.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    timing: Timing,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

impl Client {
    /// A client of the API at `url`, which it reaches through the proxy at another URL (http, https,
    /// socks5 or socks5h, with user name and password if it asks for them), or else directly: what
    /// the environment says about proxies is for the settings to read.
    ///
    /// # Errors
    /// When the machine's TLS, or the proxy's URL, cannot be used.
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

    /// The games of the week that begins on a day, as the NHL counts days.
    ///
    /// # Errors
    /// When there is no answer after a few tries, or it cannot be read at all.
    pub async fn week(&self, first: NaiveDate) -> Result<Games, FetchError> {
        let body = self.get(&format!("/v1/schedule/{first}")).await?;
        Ok(answer::read_week(&body, first, self.clock.now())?)
    }

    /// How the games of a day stand, as the NHL counts days.
    ///
    /// # Errors
    /// As of [`Client::week`].
    pub async fn scores(&self, day: NaiveDate) -> Result<Scores, FetchError> {
        let body = self.get(&format!("/v1/score/{day}")).await?;
        Ok(answer::read_scores(&body, self.clock.now())?)
    }

    async fn get(&self, path: &str) -> Result<String, FetchError> {
        let mut failures = 0;
        loop {
            let error = match self.get_once(path).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            failures += 1;
            let asked = error.retry_after();
            let is_too_long = asked.is_some_and(|asked| asked > self.timing.longest_pause);
            if failures >= TRIES || !error.may_pass() || is_too_long {
                return Err(error);
            }
            let pause = retry::pause(self.timing.first_pause, failures, fastrand::f64());
            log::debug!(path, failures; "the NHL's API is asked again: {error}");
            sleep(pause.max(asked.unwrap_or_default())).await;
        }
    }

    async fn get_once(&self, path: &str) -> Result<String, FetchError> {
        let cached = self.cache.get(path);
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(cached) = &cached {
            request = cached.condition(request);
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
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        FetchError::Refused {
            status: response.status().as_u16(),
            retry_after: asked.and_then(|value| retry::retry_after(value, self.clock.now())),
        }
    }
}

/// Reads an answer, but for one that is too long: of that no more than the bound is ever held.
async fn read_bounded(mut response: Response) -> Result<String, FetchError> {
    let announced = response.content_length().map(usize::try_from);
    if announced.is_some_and(|bytes| bytes.map_or(true, |bytes| bytes > LARGEST_ANSWER_BYTES)) {
        return Err(FetchError::TooLong);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::transport(&error))? {
        if bytes.len() + chunk.len() > LARGEST_ANSWER_BYTES {
            return Err(FetchError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    // What is not valid Unicode spoils the text that it stands in, not the whole answer.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Why there are no games.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// There was no answer.
    #[error("the NHL's API cannot be reached: {0}")]
    Transport(String),
    /// The server refused.
    #[error("the NHL's API answered with the HTTP status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// How long the server asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The answer was longer than anything that is read.
    #[error("the NHL's API answered with more than {LARGEST_ANSWER_BYTES} bytes")]
    TooLong,
    /// The answer was not one of the API.
    #[error("the answer of the NHL's API cannot be used")]
    Unreadable(#[from] Unreadable),
}

impl FetchError {
    /// The innermost cause tells most; the URL is the owner's setting, and told elsewhere.
    fn transport(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Transport("it took too long".to_owned());
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

    fn may_pass(&self) -> bool {
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
    fn the_root_is_a_url_without_anything_behind() {
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
