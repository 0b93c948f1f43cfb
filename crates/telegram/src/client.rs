use std::time::Duration;

use reqwest::Response;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::token::{ApiUrl, BotToken};

/// The largest answer that is read. A hundred updates of ordinary size are a few hundred KiB.
const LARGEST_ANSWER_BYTES: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a method other than getUpdates may take.
const METHOD_TIMEOUT: Duration = Duration::from_secs(20);

/// Calls methods of the Bot API: JSON over HTTP.
///
/// Not frankenstein's own client: ours reads batches of updates one by one, asks less of answers,
/// and keeps the token out of every error.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: ApiUrl,
    token: BotToken,
}

impl Client {
    pub(crate) fn new(url: ApiUrl, token: BotToken) -> Result<Self, CallError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would tell the token to another server, which reads it in the Referer.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| CallError::transport("build", error))?;
        Ok(Self { http, url, token })
    }

    /// Calls a method and reads what we need of its result.
    pub(crate) async fn call<T: DeserializeOwned>(
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
        let request = self.http.post(self.url.method(&self.token, method)).json(parameters);
        let response = request
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| CallError::transport(method, error))?;
        let status = response.status().as_u16();
        let bytes = read_bounded(method, response).await?;
        Ok(Body { method, status, bytes })
    }
}

/// What a server answered to a method.
pub(crate) struct Body {
    method: &'static str,
    status: u16,
    bytes: Vec<u8>,
}

impl Body {
    /// The result, read into `T`. It may borrow from the answer.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        let unreadable = |error: &serde_json::Error| CallError::Unreadable {
            method: self.method,
            status: self.status,
            reason: place(error),
        };
        let answer: Answer<'a> =
            serde_json::from_slice(&self.bytes).map_err(|error| unreadable(&error))?;
        match answer {
            Answer { ok: true, result: Some(result), .. } => {
                serde_json::from_str(result.get()).map_err(|error| unreadable(&error))
            }
            Answer { ok: true, result: None, .. } => Err(CallError::Unreadable {
                method: self.method,
                status: self.status,
                reason: "it has no result".to_owned(),
            }),
            Answer { error_code, description, .. } => Err(CallError::Refused {
                method: self.method,
                code: error_code.unwrap_or_else(|| i64::from(self.status)),
                description: without_quotes(&description.unwrap_or_default()),
            }),
        }
    }
}

/// The envelope of every answer (Bot API, "Making requests").
#[derive(Deserialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error_code: Option<i64>,
    description: Option<String>,
}

async fn read_bounded(method: &'static str, mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let status = response.status().as_u16();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| CallError::transport(method, error))?
    {
        if bytes.len() + chunk.len() > LARGEST_ANSWER_BYTES {
            return Err(CallError::Unreadable {
                method,
                status,
                reason: format!("it is longer than {LARGEST_ANSWER_BYTES} bytes"),
            });
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
}

impl CallError {
    fn transport(method: &'static str, error: reqwest::Error) -> Self {
        Self::Transport { method, source: error.without_url() }
    }

    /// Whether Telegram does not accept the token: it is wrong, or was revoked.
    pub(crate) fn is_bad_token(&self) -> bool {
        matches!(self, Self::Refused { code: 401 | 404, .. })
    }

    /// Whether trying again may help: Telegram is busy, broken or out of reach.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            Self::Transport { .. } | Self::Unreadable { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &str) -> Body {
        Body { method: "getMe", status: 200, bytes: bytes.as_bytes().to_vec() }
    }

    #[test]
    fn a_result_is_read() {
        assert_eq!(body(r#"{"ok":true,"result":42,"new_field":[]}"#).read::<i64>().unwrap(), 42);
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
                "the answer to getMe (HTTP status 200) cannot be read: not what is expected at line 1 column 5",
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
    fn errors_know_what_may_pass() {
        let refused = |code| CallError::Refused { method: "x", code, description: String::new() };
        assert!(refused(401).is_bad_token() && refused(404).is_bad_token());
        assert!(!refused(403).is_bad_token());
        assert!(refused(429).may_pass() && refused(502).may_pass() && !refused(400).may_pass());
    }
}
