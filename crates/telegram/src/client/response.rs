use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    error::{CallError, LARGEST_RESPONSE_BYTES},
    token::BotToken,
};
use crate::json::{Text, describe_error};

/// The response to a method.
pub(crate) struct Response {
    method: &'static str,
    status: u16,
    text: String,
    /// To redact it from errors.
    token: BotToken,
}

impl Response {
    /// A response whose body was received elsewhere.
    pub(super) fn of_body(method: &'static str, status: u16, body: &[u8], token: BotToken) -> Self {
        Self { method, status, text: String::from_utf8_lossy(body).into_owned(), token }
    }

    /// Receives the body. Invalid UTF-8 becomes U+FFFD, so that it spoils only the text it is in.
    pub(super) async fn receive(
        method: &'static str,
        response: reqwest::Response,
        token: BotToken,
    ) -> Result<Self, CallError> {
        let status = response.status().as_u16();
        let bytes = read_bounded(method, response).await?;
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Self { method, status, text, token })
    }

    /// The result as a `T`, which may borrow from the response.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        self.result().inspect_err(CallError::count)
    }

    fn result<'a, T: Deserialize<'a>>(&'a self) -> Result<T, CallError> {
        let unreadable =
            |reason| CallError::Unreadable { method: self.method, status: self.status, reason };
        let envelope: Envelope<'a, T> =
            serde_json::from_str(&self.text).map_err(|error| unreadable(describe_error(&error)))?;
        match envelope {
            Envelope { ok: true, result: Some(result), .. } => Ok(result),
            Envelope { ok: true, result: None, .. } => {
                Err(unreadable("it has no result".to_owned()))
            }
            Envelope { error_code, description, parameters, .. } => Err(CallError::Refused {
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

/// The envelope of every response (Bot API, "Making requests").
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<'a, T> {
    ok: bool,
    result: Option<T>,
    error_code: Option<i64>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

/// The parameters of an error that we use (Bot API, "ResponseParameters"). Each is decoded by itself,
/// so that an unexpected one does not hide the other.
#[derive(Deserialize)]
struct Parameters<'a> {
    /// In seconds; Telegram has been seen to ask for more than a day.
    #[serde(borrow)]
    retry_after: Option<&'a RawValue>,
    migrate_to_chat_id: Option<&'a RawValue>,
}

/// How long Telegram asks to wait. Zero counts as unset: otherwise we would retry without a pause.
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

/// Reads a body of bounded length. No more than the bound is held in memory.
async fn read_bounded(
    method: &'static str,
    mut response: reqwest::Response,
) -> Result<Vec<u8>, CallError> {
    let status = response.status().as_u16();
    let too_long = || CallError::TooLong { method, status };
    let announced = response.content_length().unwrap_or_default();
    let announced = usize::try_from(announced).map_err(|_| too_long())?;
    if announced > LARGEST_RESPONSE_BYTES {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(chunk) =
        response.chunk().await.map_err(|error| CallError::transport(method, error))?
    {
        if bytes.len() + chunk.len() > LARGEST_RESPONSE_BYTES {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The description up to its first quote, because a quote may be part of a message.
fn without_quotes(description: &str) -> String {
    description.split('"').next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(text: &str) -> Response {
        let token = "123:hunter2".parse().unwrap();
        Response { method: "getMe", status: 200, text: text.to_owned(), token }
    }

    #[test]
    fn an_error_that_repeats_the_path_hides_the_token() {
        for path in ["/bot123:hunter2/getMe", "/bot123%3Ahunter2/getMe", "hunter2 or hunter2"] {
            let answer = format!(
                r#"{{"ok":false,"error_code":404,"description":"Not Found: {path} is unknown"}}"#
            );
            let error = response(&answer).read::<i64>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && shown.contains("is unknown"), "{shown}");
        }
    }

    #[test]
    fn a_result_is_read() {
        assert_eq!(
            response(r#"{"ok":true,"result":42,"new_field":[]}"#).read::<i64>().unwrap(),
            42
        );
    }

    #[test]
    fn other_responses_are_errors_without_quotes() {
        for (bytes, message) in [
            (
                "<html>Ada</html>",
                "the response to getMe (HTTP status 200) cannot be read: not JSON at line 1 column 1",
            ),
            (
                r#"{"ok":true,"result":"Ada"#,
                "the response to getMe (HTTP status 200) cannot be read: cut off at line 1 column 24",
            ),
            (
                r#"{"ok":true}"#,
                "the response to getMe (HTTP status 200) cannot be read: it has no result",
            ),
            (
                r#"{"ok":true,"result":"Ada"}"#,
                "the response to getMe (HTTP status 200) cannot be read: not what is expected at line 1 column 25",
            ),
            (
                r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: Unsupported start tag \"ada\""}"#,
                "Telegram refused getMe: 400 Bad Request: can't parse entities: Unsupported start tag",
            ),
            (r#"{"ok":false}"#, "Telegram refused getMe: 200 "),
        ] {
            assert_eq!(response(bytes).read::<i64>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn errors_contain_the_time_to_wait() {
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
            let error = response(&answer).read::<i64>().unwrap_err();
            assert_eq!(error.to_string(), "Telegram refused getMe: 429 Too Many Requests");
            assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{parameters}");
        }
    }

    #[test]
    fn errors_contain_the_new_id_of_a_group() {
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
            let error = response(&answer).read::<i64>().unwrap_err();
            assert_eq!(error.migrate_to_chat_id(), chat_id, "{parameters}");
        }
    }
}
