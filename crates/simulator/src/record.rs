//! What the bot did.

use std::time::Instant;

use serde_json::Value;

/// A call that the bot made.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method as the bot wrote it.
    pub method: String,
    /// The parameters, as one JSON object.
    pub params: Value,
    /// When the call came in.
    pub at: Instant,
}

/// A message that the bot sent.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMessage {
    /// The chat that it is in.
    pub chat_id: i64,
    /// Its number in the chat.
    pub message_id: i64,
    /// Its text, without markup.
    pub text: String,
    /// How many times the bot changed it.
    pub edits: u32,
    /// The whole message as the Bot API shows it.
    pub json: Value,
    /// The parameters that it was sent or last changed with.
    pub params: Value,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What is written on it.
    pub text: String,
    /// What a press sends to the bot; none for links and the like.
    pub data: Option<String>,
}

impl SentMessage {
    /// The buttons below the message, row by row.
    pub fn buttons(&self) -> Vec<Button> {
        let rows = self.json.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array);
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

    /// The data of the button with this label.
    pub fn button(&self, text: &str) -> Option<String> {
        self.buttons().into_iter().find(|button| button.text == text)?.data
    }
}
