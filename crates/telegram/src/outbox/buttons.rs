//! The buttons of messages that were sent.

use serde::Serialize;
use serde_json::{Value, json};

use crate::destination::MessagePlace;

/// A button whose press the bot receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataButton {
    /// The text on the button.
    pub text: String,
    /// What the bot receives: 1 to 64 bytes.
    pub data: String,
}

/// The parameters of editMessageReplyMarkup.
#[derive(Serialize)]
pub(super) struct EditMessageReplyMarkup<'a> {
    chat_id: i64,
    message_id: i64,
    reply_markup: &'a Value,
}

impl<'a> EditMessageReplyMarkup<'a> {
    pub(super) fn new(place: MessagePlace, reply_markup: &'a Value) -> Self {
        let MessagePlace { destination, message_id } = place;
        Self { chat_id: destination.chat_id, message_id, reply_markup }
    }
}

/// The buttons of a message in the Bot API's JSON, with the ones of this data replaced. All others stay as
/// they are, also with fields of later versions of the Bot API. `None` if no button has the data.
pub(super) fn replaced(buttons: &str, data: &str, new: &DataButton) -> Option<Value> {
    let mut markup: Value = serde_json::from_str(buttons).ok()?;
    let rows = markup.get_mut("inline_keyboard")?.as_array_mut()?;
    let all = rows.iter_mut().filter_map(Value::as_array_mut).flatten();
    let mut pressed =
        all.filter(|it| it.get("callback_data").and_then(Value::as_str) == Some(data)).peekable();
    pressed.peek()?;
    pressed.for_each(|it| *it = json!({ "text": new.text, "callback_data": new.data }));
    Some(markup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pressed_button_is_replaced() {
        let new = DataButton { text: "Undo".to_owned(), data: "no".to_owned() };
        let replaced = |markup: Value| replaced(&markup.to_string(), "yes", &new);
        let shop = json!({ "text": "yes", "url": "https://example.org", "style": "danger" });
        let keyboard = |button| json!({ "inline_keyboard": [[shop, button], [shop]], "later": 1 });
        assert_eq!(
            replaced(keyboard(json!({ "text": "Stop", "callback_data": "yes" }))),
            Some(keyboard(json!({ "text": "Undo", "callback_data": "no" })))
        );
        for other in [
            keyboard(json!({ "text": "yes", "callback_data": "no" })),
            json!({ "inline_keyboard": [["yes"], "yes"] }),
            json!({ "inline_keyboard": "yes" }),
            json!("yes"),
        ] {
            assert_eq!(replaced(other.clone()), None, "{other}");
        }
    }
}
