//! Photos, videos, documents and voice messages that Telegram already has, and polls.

use serde_json::{Map, Value, json};

use super::messages::{Outgoing, deliver, formatted, reply_markup};
use crate::api_error::ApiError;
use crate::params::Params;
use crate::telegram::Telegram;

/// sendPhoto, sendVideo, sendDocument or sendVoice; `field` is the file's parameter.
pub(super) fn send_media(
    telegram: &Telegram,
    params: &Params,
    field: &str,
) -> Result<Value, ApiError> {
    let missing = || ApiError::bad_request(&format!("there is no {field} in the request"));
    let file_id = params.text(field).ok_or_else(missing)?;
    let caption = formatted(params, "caption")?;
    let file = json!({ "file_id": file_id, "file_unique_id": format!("AQ{file_id}") });
    let mut content = Map::from_iter([(field.to_owned(), described(field, file))]);
    caption.add_to(&mut content, "caption");
    let outgoing = Outgoing { content, text: caption.text, markup: reply_markup(params)? };
    Ok(deliver(telegram, params, outgoing)?.json)
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
