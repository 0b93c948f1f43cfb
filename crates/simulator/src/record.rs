//! Records of calls and messages of the bot.

use std::time::Instant;

use serde_json::Value;

/// A call of the bot.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method as the bot wrote it.
    pub method: String,
    /// The parameters, as one JSON object.
    pub params: Value,
    /// When the call arrived.
    pub at: Instant,
}

/// A message that the bot sent.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMessage {
    /// The chat of the message.
    pub chat_id: i64,
    /// Its number in the chat.
    pub message_id: i64,
    /// Its text, without markup.
    pub text: String,
    /// How many times the bot edited it.
    pub edits: u32,
    /// The whole message as the Bot API shows it.
    pub json: Value,
    /// The parameters of the call that sent or last edited it.
    pub params: Value,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// The label.
    pub text: String,
    /// The `callback_data` that a press sends to the bot; `None` for links and similar buttons.
    pub data: Option<String>,
}

/// The buttons below a message of the Bot API, row by row.
pub(crate) fn buttons_of(message: &Value) -> Vec<Button> {
    let rows = message.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .map(|button| Button {
            text: button.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
            data: button.get("callback_data").and_then(Value::as_str).map(str::to_owned),
        })
        .collect()
}

impl SentMessage {
    /// The buttons below the message, row by row.
    pub fn buttons(&self) -> Vec<Button> {
        buttons_of(&self.json)
    }

    /// The data of the button with this label.
    pub fn button(&self, text: &str) -> Option<String> {
        self.buttons().into_iter().find(|button| button.text == text)?.data
    }

    pub(crate) fn labels(&self) -> Vec<String> {
        self.buttons().into_iter().map(|button| button.text).collect()
    }
}
