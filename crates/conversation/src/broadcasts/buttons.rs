//! The buttons below a message that an owner sent, as far as the bot can send them: Telegram does not
//! copy them with the message.

use frankenstein::types::InlineKeyboardButton;
use serde::Deserialize;
use serde_json::Value;

/// Kinds of buttons that work below a message of any bot, without anything that the bot has to do.
const SENDABLE: [&str; 2] = ["url", "copy_text"];

/// The buttons below a broadcast.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SendableButtons {
    /// Those that can be sent, as the Bot API's JSON; `None` if there are none.
    pub(super) markup: Option<String>,
    /// How many cannot be sent.
    pub(super) left_out: u64,
}

impl SendableButtons {
    /// The buttons of a message, as the Bot API's JSON.
    pub(super) fn of(markup: &str) -> Self {
        let Ok(mut markup) = serde_json::from_str::<Value>(markup) else { return Self::default() };
        let Some(rows) = markup.get_mut("inline_keyboard").and_then(Value::as_array_mut) else {
            return Self::default();
        };
        let mut left_out = 0;
        for row in rows.iter_mut().filter_map(Value::as_array_mut) {
            row.retain(|button| {
                let is_sendable = is_sendable(button);
                left_out += u64::from(!is_sendable);
                is_sendable
            });
        }
        rows.retain(|row| row.as_array().is_some_and(|row| !row.is_empty()));
        let has_any = !rows.is_empty();
        Self { markup: has_any.then(|| markup.to_string()), left_out }
    }
}

/// Whether the bot can send a button. A later Bot API may have forms that it does not know.
fn is_sendable(button: &Value) -> bool {
    SENDABLE.iter().any(|kind| button.get(kind).is_some())
        && InlineKeyboardButton::deserialize(button).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_buttons_that_work_without_the_bot_are_kept() {
        let shop = json!({"text": "Shop", "url": "https://example.org", "style": "primary"});
        let code = json!({"text": "Code", "copy_text": {"text": "SAVE10"}});
        let others = [
            json!({"text": "Stop", "callback_data": "1/o/promo/1"}),
            json!({"text": "Find", "switch_inline_query": ""}),
            json!({"text": "Pay", "pay": true}),
            json!({"text": "Play", "callback_game": {}}),
            json!({"text": "App", "web_app": {"url": "https://example.org"}}),
            json!({"text": "Sign in", "login_url": {"url": "https://example.org"}}),
            json!({"text": "Shop", "url": 5}),
            json!({"text": "Shop", "url": "https://example.org", "style": "later"}),
            json!("odd"),
        ];
        let markup = json!({"inline_keyboard": [[shop, others[0]], others, [code]], "later": 1});
        assert_eq!(
            SendableButtons::of(&markup.to_string()),
            SendableButtons {
                markup: Some(json!({"inline_keyboard": [[shop], [code]], "later": 1}).to_string()),
                left_out: 10,
            }
        );
    }

    #[test]
    fn a_message_may_have_no_such_buttons() {
        for markup in [
            json!({"inline_keyboard": []}),
            json!({"inline_keyboard": [[]]}),
            json!({"inline_keyboard": [5]}),
            json!({"keyboard": []}),
            json!(1),
        ] {
            assert_eq!(SendableButtons::of(&markup.to_string()), SendableButtons::default());
        }
        let stop = json!({"inline_keyboard": [[{"text": "Stop", "callback_data": "x"}]]});
        let expected = SendableButtons { markup: None, left_out: 1 };
        assert_eq!(SendableButtons::of(&stop.to_string()), expected);
    }
}
