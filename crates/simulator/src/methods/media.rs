//! Photos, videos, documents and voice messages, which are uploaded or which Telegram already has, and polls.

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use super::messages::{Outgoing, deliver, formatted, reply_markup};
use crate::api_error::ApiError;
use crate::params::Params;
use crate::telegram::Telegram;

/// The most bytes of a photo, and the most pixels of its width and height together.
const MOST_PHOTO_BYTES: usize = 10 * 1024 * 1024;
const MOST_PHOTO_SIDES: u64 = 10_000;

/// sendPhoto, sendVideo, sendDocument or sendVoice; `field` is the file's parameter.
pub(super) fn send_media(
    telegram: &Telegram,
    params: &Params,
    field: &str,
) -> Result<Value, ApiError> {
    let file = match params.file(field) {
        Some(content) => uploaded(telegram, field, content)?,
        None => known(params, field)?,
    };
    let caption = formatted(params, "caption")?;
    let mut content = Map::from_iter([(field.to_owned(), file)]);
    caption.add_to(&mut content, "caption");
    let outgoing = Outgoing { content, text: caption.text, markup: reply_markup(params)? };
    Ok(deliver(telegram, params, outgoing)?.json)
}

/// A file that Telegram has, by its id or address.
fn known(params: &Params, field: &str) -> Result<Value, ApiError> {
    let missing = || ApiError::bad_request(&format!("there is no {field} in the request"));
    let file_id = params.text(field).ok_or_else(missing)?;
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_address = ["http://", "https://"].iter().any(|it| file_id.starts_with(it));
    if !is_address && !file_id.chars().all(is_letter) {
        return Err(ApiError::bad_request("wrong file identifier/HTTP URL specified"));
    }
    let file = json!({ "file_id": file_id, "file_unique_id": format!("AQ{file_id}") });
    Ok(described(field, file))
}

/// The file that Telegram makes of an uploaded one; of a photo, two sizes.
fn uploaded(telegram: &Telegram, field: &str, content: &Bytes) -> Result<Value, ApiError> {
    let file = |kind: char| {
        let file_id = format!("AgACAgIAAxkD{:06}{kind}", telegram.next_file());
        json!({ "file_id": file_id, "file_unique_id": format!("AQ{file_id}") })
    };
    if field != "photo" {
        let file_id = telegram.state().files.keep(content.clone());
        let file = json!({ "file_id": file_id, "file_unique_id": format!("AQ{file_id}") });
        return Ok(described(field, file));
    }
    if content.len() > MOST_PHOTO_BYTES {
        let bytes = content.len();
        return Err(ApiError::bad_request(&format!(
            "file of size {bytes} bytes is too big for a photo; the maximum size is {MOST_PHOTO_BYTES} bytes"
        )));
    }
    let starts: [&[u8]; 4] = [b"\x89PNG\r\n", b"\xff\xd8\xff", b"RIFF", b"GIF8"];
    if !starts.iter().any(|start| content.starts_with(start)) {
        return Err(ApiError::bad_request("IMAGE_PROCESS_FAILED"));
    }
    let (width, height) = png_size(content).unwrap_or((320, 320));
    if width + height > MOST_PHOTO_SIDES {
        return Err(ApiError::bad_request("PHOTO_INVALID_DIMENSIONS"));
    }
    let size = |mut file: Value, width: u64, height: u64| {
        if let Value::Object(fields) = &mut file {
            fields.extend([("width".into(), json!(width)), ("height".into(), json!(height))]);
        }
        file
    };
    Ok(json!([size(file('s'), width.min(90), height.min(90)), size(file('y'), width, height)]))
}

/// The width and the height of a PNG.
fn png_size(content: &[u8]) -> Option<(u64, u64)> {
    let number = |at: usize| Some(u32::from_be_bytes(*content.get(at..)?.first_chunk()?));
    let is_png = content.starts_with(b"\x89PNG");
    Some((number(16).filter(|_| is_png)?.into(), number(20)?.into()))
}

/// getFile: only of a file that the bot has sent.
pub(super) fn get_file(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let file_id = params.text("file_id").unwrap_or_default();
    let found = telegram.state().files.describe(file_id);
    found.ok_or_else(|| ApiError::bad_request("invalid file_id"))
}

/// A file with the other fields that its kind always has.
fn described(field: &str, mut file: Value) -> Value {
    let (size, length) = (json!(320), json!(7));
    let fields: &[(&str, &Value)] = match field {
        "photo" => &[("width", &size), ("height", &size)],
        "video" => &[("width", &size), ("height", &size), ("duration", &length)],
        "voice" => &[("duration", &length)],
        _ => &[],
    };
    if let Value::Object(described) = &mut file {
        described.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())));
    }
    if field == "photo" { json!([file]) } else { file }
}

/// sendPoll.
pub(super) fn send_poll(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let question = params.text("question").unwrap_or_default();
    if question.is_empty() {
        return Err(ApiError::bad_request("poll question must be non-empty"));
    }
    let options = params.json("options").and_then(|options| options.as_array().cloned());
    let options = options.unwrap_or_default();
    let texts = options.iter().filter_map(|option| option.get("text").unwrap_or(option).as_str());
    let as_option = |(place, text): (usize, &str)| json!({ "persistent_id": (place + 1).to_string(), "text": text, "voter_count": 0 });
    let options: Vec<Value> = texts.enumerate().map(as_option).collect();
    if !(1..=12).contains(&options.len()) {
        return Err(ApiError::bad_request("poll must have at least 1 option"));
    }
    let poll = json!({
        "id": telegram.next_message_id().to_string(), "question": question, "options": options,
        "total_voter_count": 0, "is_closed": false, "is_anonymous": true, "type": "regular",
        "allows_multiple_answers": params.flag("allows_multiple_answers"),
        "allows_revoting": params.flag("allows_revoting"),
        "members_only": params.flag("members_only"),
    });
    let content = Map::from_iter([("poll".to_owned(), poll)]);
    let outgoing = Outgoing { content, text: question.to_owned(), markup: reply_markup(params)? };
    Ok(deliver(telegram, params, outgoing)?.json)
}
