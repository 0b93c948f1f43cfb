//! copyMessage.

use serde_json::{Value, json};

use super::chats::known_chat;
use super::messages::{Outgoing, deliver, formatted, reply_markup};
use crate::api_error::ApiError;
use crate::originals::copied_fields;
use crate::params::Params;
use crate::telegram::Telegram;

pub(super) fn copy_message(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let mut content = {
        let state = telegram.state();
        let chat_id = known_chat(telegram, &state, params, "from_chat_id")?.id;
        let message_id = params.number("message_id").unwrap_or_default();
        let of_bot = || state.messages.get(chat_id, message_id).map(|message| &message.json);
        let original = state.originals.get(chat_id, message_id).or_else(of_bot);
        let not_found = || ApiError::bad_request("message to copy not found");
        copied_fields(original.ok_or_else(not_found)?)
    };
    if content.is_empty() {
        return Err(ApiError::bad_request("can't copy message"));
    }
    if params.get("caption").is_some() && !content.contains_key("text") {
        content.retain(|field, _| field != "caption" && field != "caption_entities");
        formatted(params, "caption")?.add_to(&mut content, "caption");
    }
    let text = ["text", "caption"].iter().find_map(|field| content.get(*field)?.as_str());
    let text = text.unwrap_or_default().to_owned();
    // The buttons of the original are not copied.
    let outgoing = Outgoing { content, text, markup: reply_markup(params)? };
    let sent = deliver(telegram, params, outgoing)?;
    Ok(json!({ "message_id": sent.message_id }))
}
