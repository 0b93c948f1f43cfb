//! Which updates must stay in order.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::update::content;

/// The part of an update's content that says where it happened.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    chat: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

/// The chat of an update, or else its user. Updates with neither, such as the result of a poll, have the
/// number 0 together.
pub(super) fn chat_of(json: &str) -> i64 {
    let place = content(json).and_then(read::<Place<'_>>);
    let Some(place) = place else { return 0 };
    let chat = place.chat.or_else(|| read::<Place<'_>>(place.message?)?.chat);
    chat.or(place.from).or(place.user).and_then(read::<Id>).map_or(0, |it| it.id)
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn updates_of_a_chat_or_a_user_belong_together() {
        for (update, chat) in [
            (json!({"update_id": 1, "message": {"chat": {"id": -7}, "from": {"id": 5}}}), -7),
            (json!({"update_id": 1, "channel_post": {"chat": {"id": -8}}}), -8),
            (
                json!({"update_id": 1, "callback_query": {
                    "from": {"id": 5}, "message": {"chat": {"id": -7}}
                }}),
                -7,
            ),
            (json!({"update_id": 1, "inline_query": {"from": {"id": 5}}}), 5),
            (json!({"update_id": 1, "poll_answer": {"user": {"id": 6}}}), 6),
            (json!({"update_id": 1, "poll": {"id": "9"}}), 0),
            (json!({"update_id": 1}), 0),
            (json!([]), 0),
        ] {
            assert_eq!(chat_of(&update.to_string()), chat, "{update}");
        }
    }
}
