//! sendMessage, editMessageText and editMessageReplyMarkup, and what all methods that send a message share.

use serde_json::{Map, Value, json};

use super::chats::reachable_chat;
use crate::api_error::ApiError;
use crate::chat_event::ChatEvent;
use crate::markup::{Formatted, parse_html};
use crate::params::Params;
use crate::record::SentMessage;
use crate::telegram::Telegram;

/// The content of a message before it is sent.
pub(super) struct Outgoing {
    /// The fields of the message that show it, such as `text` or `photo`.
    pub(super) content: Map<String, Value>,
    /// The text, caption or question, without markup.
    pub(super) text: String,
    pub(super) markup: Option<Value>,
}

pub(super) fn send_message(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let formatted = formatted_text(params)?;
    let mut content = Map::new();
    formatted.add_to(&mut content, "text");
    let outgoing = Outgoing { content, text: formatted.text, markup: reply_markup(params)? };
    Ok(deliver(telegram, params, outgoing)?.json)
}

/// Puts a message into its chat.
///
/// # Errors
/// If Telegram would refuse it.
pub(super) fn deliver(
    telegram: &Telegram,
    params: &Params,
    outgoing: Outgoing,
) -> Result<SentMessage, ApiError> {
    let Outgoing { content, text, markup } = outgoing;
    let mut state = telegram.state();
    let chat = reachable_chat(telegram, &state, params)?;
    let place = state.places.of_message(&chat, params)?;
    state.refusals.check(&text, &content)?;
    let message_id = telegram.next_message_id();
    let mut message = json!({
        "message_id": message_id, "date": telegram.now(), "chat": chat, "from": telegram.bot_json(),
    });
    if let Value::Object(fields) = &mut message {
        fields.extend(place.into_iter().map(|(name, value)| (name.to_owned(), value)));
        fields.extend(content);
        fields.extend(markup.map(|markup| ("reply_markup".to_owned(), markup)));
        if params.flag("protect_content") {
            fields.insert("has_protected_content".to_owned(), json!(true));
        }
    }
    let params = params.as_value().clone();
    let sent = SentMessage { chat_id: chat.id, message_id, text, edits: 0, json: message, params };
    state.add_message(&sent);
    let person = state.people.get(&chat.id).cloned();
    // Published before a test can react to the message.
    telegram.publish(|| {
        let (text, buttons) = (sent.text.clone(), sent.labels());
        Some(ChatEvent::Answered { chat_id: chat.id, person, text, buttons })
    });
    drop(state);
    telegram.changed();
    Ok(sent)
}

pub(super) fn edit_message_text(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let formatted = formatted_text(params)?;
    let markup = reply_markup(params)?;
    edit(telegram, params, |message| {
        set_content(message, &formatted, markup);
    })
}

pub(super) fn edit_message_reply_markup(
    telegram: &Telegram,
    params: &Params,
) -> Result<Value, ApiError> {
    let markup = reply_markup(params)?;
    edit(telegram, params, |message| set_markup(message, markup))
}

/// Changes a message of the bot.
fn edit(
    telegram: &Telegram,
    params: &Params,
    change: impl FnOnce(&mut Value),
) -> Result<Value, ApiError> {
    if params.text("inline_message_id").is_some() {
        return Ok(json!(true));
    }
    let mut state = telegram.state();
    let chat = reachable_chat(telegram, &state, params)?;
    let not_found = || ApiError::bad_request("message to edit not found");
    let message_id = params.number("message_id").ok_or_else(not_found)?;
    let message = state.messages.get_mut(chat.id, message_id).ok_or_else(not_found)?;
    let mut edited = message.json.clone();
    change(&mut edited);
    if edited == message.json {
        return Err(ApiError::bad_request(
            "message is not modified: specified new message content and reply markup are exactly \
             the same as a current content and reply markup of the message",
        ));
    }
    if let Value::Object(fields) = &mut edited {
        fields.insert("edit_date".into(), json!(telegram.now()));
    }
    if let Some(text) = edited.get("text").and_then(Value::as_str) {
        message.text = text.to_owned();
    }
    message.json = edited;
    message.edits += 1;
    message.params = params.as_value().clone();
    let edited = message.clone();
    if !edited.buttons().is_empty() {
        state.last_buttons.insert(chat.id, edited.clone());
    }
    let person = state.people.get(&chat.id).cloned();
    telegram.publish(|| {
        let (text, buttons) = (edited.text.clone(), edited.labels());
        Some(ChatEvent::Edited { chat_id: chat.id, person, text, buttons })
    });
    drop(state);
    telegram.changed();
    Ok(edited.json)
}

/// The text of a message without its markup.
///
/// # Errors
/// If Telegram would refuse the text.
fn formatted_text(params: &Params) -> Result<Formatted, ApiError> {
    let formatted = formatted(params, "text")?;
    if formatted.text.trim().is_empty() {
        return Err(ApiError::bad_request("message text is empty"));
    }
    if formatted.text.encode_utf16().count() > 4096 {
        return Err(ApiError::bad_request("message is too long"));
    }
    Ok(formatted)
}

/// A text or caption without its markup; empty if there is none.
///
/// # Errors
/// If Telegram would refuse the markup, or a caption because of its length.
pub(super) fn formatted(params: &Params, field: &str) -> Result<Formatted, ApiError> {
    let text = params.text(field).unwrap_or_default();
    let formatted = match params.text("parse_mode").map(str::to_lowercase).as_deref() {
        Some("html") => parse_html(text)
            .map_err(|reason| ApiError::bad_request(&format!("can't parse entities: {reason}")))?,
        None | Some("markdown" | "markdownv2") => {
            Formatted { text: text.to_owned(), entities: vec![] }
        }
        Some(_) => return Err(ApiError::bad_request("unsupported parse_mode")),
    };
    if field == "caption" && formatted.text.encode_utf16().count() > 1024 {
        return Err(ApiError::bad_request("message caption is too long"));
    }
    Ok(formatted)
}

/// The keyboard below a message.
///
/// # Errors
/// If Telegram would refuse the keyboard.
pub(super) fn reply_markup(params: &Params) -> Result<Option<Value>, ApiError> {
    if params.get("reply_markup").is_none() {
        return Ok(None);
    }
    let markup = params.json("reply_markup").filter(Value::is_object);
    let markup = markup.ok_or_else(|| ApiError::bad_request("object expected as reply markup"))?;
    let Some(rows) = markup.get("inline_keyboard") else { return Ok(None) };
    let rows: Vec<Vec<Value>> = serde_json::from_value(rows.clone()).map_err(|_| {
        ApiError::bad_request("inline keyboard must be an array of arrays of buttons")
    })?;
    rows.iter().flatten().try_for_each(check_button)?;
    Ok(Some(markup))
}

fn check_button(button: &Value) -> Result<(), ApiError> {
    let text = |field| button.get(field).and_then(Value::as_str);
    if text("text").is_none_or(str::is_empty) {
        return Err(ApiError::bad_request("can't parse inline keyboard button: text is empty"));
    }
    if text("callback_data").is_some_and(|data| !(1..=64).contains(&data.len())) {
        return Err(ApiError::bad_request("BUTTON_DATA_INVALID"));
    }
    let is_page = |url: &Value| url.as_str().is_some_and(|url| url.starts_with("https://"));
    if button.get("web_app").is_some_and(|app| !app.get("url").is_some_and(is_page)) {
        return Err(ApiError::bad_request("BUTTON_URL_INVALID"));
    }
    if button.as_object().is_none_or(|fields| fields.len() < 2) {
        return Err(ApiError::bad_request("text buttons are unallowed in the inline keyboard"));
    }
    Ok(())
}

fn set_content(message: &mut Value, formatted: &Formatted, markup: Option<Value>) {
    let Value::Object(fields) = message else { return };
    fields.remove("entities");
    formatted.add_to(fields, "text");
    set_markup(message, markup);
}

fn set_markup(message: &mut Value, markup: Option<Value>) {
    let Value::Object(fields) = message else { return };
    match markup {
        Some(markup) => fields.insert("reply_markup".into(), markup),
        None => fields.remove("reply_markup"),
    };
}
