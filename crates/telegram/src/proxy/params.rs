//! The parameters of a call, in any of the encodings that Telegram accepts (Bot API, "Making requests").

use reqwest::Url;
use serde_json::{Map, Value};

/// The parameters of a call.
#[derive(Debug, Default)]
pub(super) struct Params(Map<String, Value>);

/// A body that was declared as JSON, and is not a JSON object.
#[derive(Debug)]
pub(super) struct NotAnObject;

impl Params {
    /// Reads the query of the address, and the body, which takes precedence. The body may be cut off where
    /// a file is.
    pub(super) fn read(query: &str, content_type: &str, body: &[u8]) -> Result<Self, NotAnObject> {
        let mut params = form(query);
        let (name, options) = content_type.split_once(';').unwrap_or((content_type, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "application/json" if !body.is_empty() => {
                params.extend(serde_json::from_slice::<Map<_, _>>(body).map_err(|_| NotAnObject)?);
            }
            "application/x-www-form-urlencoded" => {
                params.extend(form(&String::from_utf8_lossy(body)));
            }
            "multipart/form-data" => params.extend(parts(boundary(options), body)),
            _ => {}
        }
        Ok(Self(params))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number, which may be encoded as text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// The strings of a list, which may be encoded as JSON in a text; `None` without a list.
    pub(super) fn strings(&self, name: &str) -> Option<Vec<String>> {
        let list = match self.0.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok()?,
            value => value.clone(),
        };
        let strings = list.as_array()?.iter().filter_map(Value::as_str);
        Some(strings.map(str::to_owned).collect())
    }
}

/// The fields of a web form.
fn form(text: &str) -> Map<String, Value> {
    // Parsed as the query of an address.
    let Ok(mut url) = Url::parse("http://127.0.0.1") else { return Map::new() };
    url.set_query(Some(text));
    let pairs = url.query_pairs();
    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

/// The boundary among the options of a content type.
fn boundary(options: &str) -> &str {
    let mut options = options.split(';').filter_map(|option| option.trim().split_once('='));
    let boundary = options.find(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    boundary.map_or("", |(_, boundary)| boundary.trim_matches('"'))
}

/// The parts of a multipart body (RFC 7578) that are complete. A file is an empty text.
fn parts(boundary: &str, body: &[u8]) -> Map<String, Value> {
    let mut found = Map::new();
    if boundary.is_empty() {
        return found;
    }
    let delimiter = format!("--{boundary}");
    let mut rest = body;
    while let Some((_, after)) = split(rest, delimiter.as_bytes()) {
        rest = after;
        let Some((head, content)) = split(after, b"\r\n\r\n") else { break };
        let Some((value, _)) = split(content, format!("\r\n{delimiter}").as_bytes()) else { break };
        let head = String::from_utf8_lossy(head);
        if let Some(name) = option(&head, "name") {
            let is_file = option(&head, "filename").is_some();
            let value = if is_file { "".into() } else { String::from_utf8_lossy(value) };
            found.insert(name, Value::String(value.into_owned()));
        }
    }
    found
}

/// The option of a `Content-Disposition`, with or without quotes.
fn option(head: &str, name: &str) -> Option<String> {
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let mut options = disposition.split(';').filter_map(|option| option.trim().split_once('='));
    let (_, value) = options.find(|(option, _)| option.eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..place)?, bytes.get(place + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_parameters() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n-5\r\n\
             --x\r\ncontent-disposition: form-data; name=flag\r\nContent-Type: text/plain\r\n\r\ntrue\r\n\
             --x\r\nContent-Disposition: form-data; name=\"kinds\"\r\n\r\n[\"poll\",\"message\"]\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n\0\0\r\n--x--\r\n";
        for (query, kind, body) in [
            ("", "application/json", r#"{"chat_id":-5,"flag":true,"kinds":["poll","message"]}"#),
            (
                "chat_id=1&flag=1",
                "application/json; charset=utf-8",
                r#"{"chat_id":"-5","kinds":"[\"poll\",\"message\"]"}"#,
            ),
            (
                "",
                "application/x-www-form-urlencoded",
                "chat_id=-5&flag=True&kinds=%5B%22poll%22%2C+%22message%22%5D",
            ),
            ("chat_id=-5&flag=true&kinds=%5B%22poll%22,%22message%22%5D", "", ""),
            ("", "multipart/form-data; charset=utf-8; boundary=x", multipart),
        ] {
            let params = Params::read(query, kind, body.as_bytes()).unwrap();
            assert_eq!(params.number("chat_id"), Some(-5), "{kind}");
            assert!(params.flag("flag"), "{kind}");
            assert_eq!(params.strings("kinds").unwrap(), ["poll", "message"], "{kind}");
            assert_eq!(params.has("file"), kind.starts_with("multipart"));
        }
    }

    #[test]
    fn a_body_that_is_cut_off_gives_what_came_before() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n\
             --x\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a\"\r\n\r\n\0\0\0";
        let read = |body: &str| {
            Params::read("", "multipart/form-data; boundary=x", body.as_bytes()).unwrap()
        };
        assert_eq!(read(multipart).number("chat_id"), Some(5));
        for body in
            ["", "--x", "--x\r\n\r\n", "garbage", "--x\r\nContent-Disposition: a\r\n\r\n5\r\n--x"]
        {
            assert_eq!(read(body).number("chat_id"), None, "{body}");
        }
        assert!(Params::read("", "application/json", b"garbage").is_err());
        assert!(Params::read("", "application/json", b"[]").is_err());
        assert!(Params::read("", "multipart/form-data", multipart.as_bytes()).is_ok());
    }
}
