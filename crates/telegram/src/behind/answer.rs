//! A method of the Bot API in the response to an update (Bot API, "Making requests when getting
//! updates").

use std::borrow::Cow;

use reqwest::{Response, Url, header::HeaderValue};
use rollcall_domain::error_chain;
use serde::Deserialize;

use crate::client::Client;

/// The longest response that is read: a file of 50 MB, the most that a bot can send, and its caption.
const LONGEST: usize = 51 << 20;
/// Methods that would take the updates away, or end the bot.
const NOT_PASSED: [&str; 5] = ["getUpdates", "setWebhook", "deleteWebhook", "logOut", "close"];

/// A method that the bot behind wants to be called.
pub(super) struct MethodCall {
    method: String,
    kind: HeaderValue,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct WithMethod<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

impl MethodCall {
    /// Reads the body of a response. `None` if there is no method in it.
    pub(super) async fn receive(kind: Option<HeaderValue>, mut response: Response) -> Option<Self> {
        let mut body = Vec::new();
        while let Ok(Some(part)) = response.chunk().await {
            if body.len() + part.len() > LONGEST {
                log::warn!(
                    "ignored a response of the bot behind that is longer than {LONGEST} bytes"
                );
                return None;
            }
            body.extend_from_slice(&part);
        }
        let kind = kind?;
        let method = method(kind.to_str().ok()?, &body)?;
        if !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            log::warn!("ignored a response of the bot behind with an invalid method");
            return None;
        }
        if NOT_PASSED.iter().any(|it| it.eq_ignore_ascii_case(&method)) {
            log::warn!(method; "ignored a method of the bot behind that would end Rollcall");
            return None;
        }
        Some(Self { method, kind, body })
    }

    /// Calls the method. As with Telegram, the bot behind does not learn of the result.
    pub(super) async fn execute(self, client: &Client) {
        let Self { method, kind, body } = self;
        if let Err(error) = client.pass(&method, kind, body).await {
            log::warn!(
                method, error = error_chain(&error);
                "a method in a response of the bot behind was not executed"
            );
        }
    }
}

/// The method in a body of this type.
fn method(kind: &str, body: &[u8]) -> Option<String> {
    let (name, _) = kind.split_once(';').unwrap_or((kind, ""));
    match name.trim().to_ascii_lowercase().as_str() {
        "application/json" => {
            let read: WithMethod<'_> = serde_json::from_slice(body).ok()?;
            Some(read.method.into_owned())
        }
        "application/x-www-form-urlencoded" => {
            // Parsed as the query of an address.
            let mut url = Url::parse("http://127.0.0.1").ok()?;
            url.set_query(Some(std::str::from_utf8(body).ok()?));
            let found = url.query_pairs().find(|(key, _)| key == "method");
            found.map(|(_, value)| value.into_owned())
        }
        "multipart/form-data" => in_parts(body),
        _ => None,
    }
}

/// The value of the part `method` (RFC 7578).
fn in_parts(body: &[u8]) -> Option<String> {
    let find = |from: usize, what: &[u8]| {
        let rest = body.get(from..)?;
        Some(from + rest.windows(what.len()).position(|it| it == what)?)
    };
    let name = [&b"name=\"method\""[..], b"name=method\r"];
    let place = name.iter().find_map(|name| find(0, name))?;
    let begin = find(place, b"\r\n\r\n")? + 4;
    let end = find(begin, b"\r\n--")?;
    Some(std::str::from_utf8(body.get(begin..end)?).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_is_found_in_each_kind_of_body() {
        let parts = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n\
                     --x\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendPhoto\r\n--x--\r\n";
        for (kind, body, expected) in [
            ("application/json", r#"{"method":"sendMessage","chat_id":5}"#, Some("sendMessage")),
            ("application/json; charset=utf-8", r#"{"method":"sendDice"}"#, Some("sendDice")),
            ("application/json", "{}", None),
            ("application/json", "garbage", None),
            (
                "application/x-www-form-urlencoded",
                "chat_id=5&method=sendMessage",
                Some("sendMessage"),
            ),
            ("multipart/form-data; boundary=x", parts, Some("sendPhoto")),
            ("multipart/form-data; boundary=x", "--x--", None),
            ("text/html", "<h1>OK</h1>", None),
        ] {
            assert_eq!(method(kind, body.as_bytes()).as_deref(), expected, "{kind} {body}");
        }
    }
}
