//! The parameters of a call, in any of the encodings that Telegram accepts.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;

/// The parameters of a call: from a JSON object, a query string, a web form, or a form with files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    fields: Value,
    /// The files that were uploaded with it.
    files: HashMap<String, Bytes>,
}

impl Params {
    /// Reads the query string and the body; the body takes precedence.
    ///
    /// # Errors
    /// If the body is declared as JSON and is not an object.
    pub(crate) fn read(query: &str, content_type: &str, body: &[u8]) -> Result<Self, ApiError> {
        let mut params = parse_form(query);
        if content_type.starts_with("application/json") {
            if !body.is_empty() {
                let object = serde_json::from_slice(body);
                let wrong = |_| ApiError::bad_request("can't parse JSON object");
                params.append(&mut object.map_err(wrong)?);
            }
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            params.append(&mut parse_form(&String::from_utf8_lossy(body)));
        }
        Ok(Self { fields: Value::Object(params), files: HashMap::new() })
    }

    /// Reads the query string, and a form that may have files. A file is among the parameters, too: as an
    /// object with its name, its media type and its length.
    ///
    /// # Errors
    /// If the body is no such form.
    pub(crate) async fn read_form(
        query: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_request("can't parse the form");
        let mut request = Request::new(Body::from(body));
        let content_type = content_type.parse().map_err(|_| wrong())?;
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        // The server has bounded the body.
        DefaultBodyLimit::disable().apply(&mut request);
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| wrong())?;
        let (mut params, mut files) = (parse_form(query), HashMap::new());
        while let Some(field) = form.next_field().await.map_err(|_| wrong())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let kind = field.content_type().unwrap_or_default().to_owned();
            let content = field.bytes().await.map_err(|_| wrong())?;
            let value = match file_name {
                None => json!(String::from_utf8_lossy(&content)),
                Some(file_name) => {
                    let bytes = content.len();
                    files.insert(name.clone(), content);
                    json!({ "file_name": file_name, "media_type": kind, "bytes": bytes })
                }
            };
            params.insert(name, value);
        }
        Ok(Self { fields: Value::Object(params), files })
    }

    /// The file that was uploaded as a parameter.
    pub(crate) fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.get(name)
    }

    /// All parameters as one JSON object.
    pub(crate) fn as_value(&self) -> &Value {
        &self.fields
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text; `None` if it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A number, which may be encoded as text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "True" || text == "1",
            _ => false,
        }
    }

    /// An object or list, which may be encoded as JSON in a text.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        match self.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        }
    }

    /// A list of strings, which may be encoded as JSON in a text.
    pub(crate) fn strings(&self, name: &str) -> Option<Vec<String>> {
        serde_json::from_value(self.json(name)?).ok()
    }
}

fn parse_form(form: &str) -> Map<String, Value> {
    form.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), Value::String(decode(value)))
        })
        .collect()
}

/// Decodes percent-encoding and `+` for a space. Invalid escapes are kept unchanged.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match escaped(rest.as_slice()) {
                Some(decoded) => {
                    bytes.push(decoded);
                    rest.nth(1);
                }
                None => bytes.push(byte),
            },
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped(rest: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_give_the_same_parameters() {
        let json =
            br#"{"chat_id":42,"text":"50% off & more","reply_markup":{"inline_keyboard":[]}}"#;
        let form = b"chat_id=42&text=50%25+off+%26%20more&reply_markup=%7B%22inline_keyboard%22%3A%5B%5D%7D";
        let json = Params::read("", "application/json", &Bytes::from_static(json)).unwrap();
        let form = Params::read("", "application/x-www-form-urlencoded", &Bytes::from_static(form))
            .unwrap();
        for params in [json, form] {
            assert_eq!(params.number("chat_id"), Some(42));
            assert_eq!(params.text("text"), Some("50% off & more"));
            assert_eq!(
                params.json("reply_markup").unwrap()["inline_keyboard"],
                Value::Array(vec![])
            );
        }
    }
}
