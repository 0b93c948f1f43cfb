//! An update in the quarantine, without what it says about other people.

use rollcall_domain::TelegramId;
use serde_json::{Map, Value};

/// The update as far as it is about a person: other users, chats and their messages are replaced by
/// `null`. A text that is not JSON is left out, because it may be about anyone.
pub(super) fn of_person(payload: &str, person: TelegramId) -> Value {
    let mut value = serde_json::from_str(payload).unwrap_or_default();
    strip(&mut value, person.get());
    value
}

fn strip(value: &mut Value, person: i64) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|it| strip(it, person)),
        Value::Object(fields) if is_of_another(fields, person) => *value = Value::Null,
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if names_another(name, field, person) {
                    *field = Value::Null;
                } else {
                    strip(field, person);
                }
            }
        }
        _ => {}
    }
}

/// Whether an object is another user, a chat, or a message of another user.
fn is_of_another(fields: &Map<String, Value>, person: i64) -> bool {
    let is_person = |id: Option<&Value>| id.and_then(Value::as_i64) == Some(person);
    let is_user_or_chat =
        ["first_name", "is_bot", "title", "type"].iter().any(|name| fields.contains_key(*name))
            && fields.get("id").is_some_and(Value::is_i64);
    let sender = fields.get("from").and_then(Value::as_object);
    (is_user_or_chat && !is_person(fields.get("id")))
        || sender.is_some_and(|sender| !is_person(sender.get("id")))
}

/// Whether a field has the id of another user or of a chat, or the words of another user.
fn names_another(name: &str, field: &Value, person: i64) -> bool {
    const WORDS: [&str; 6] = [
        "reply_to_message",
        "external_reply",
        "quote",
        "forward_origin",
        "forward_sender_name",
        "sender_business_bot",
    ];
    let is_id = name.ends_with("user_id")
        || name.ends_with("chat_id")
        || name.ends_with("user_ids")
        || name.ends_with("chat_ids");
    let is_own = field.as_i64() == Some(person);
    let is_own_reply = name == "reply_to_message"
        && field.pointer("/from/id").and_then(Value::as_i64) == Some(person);
    (is_id && !is_own) || (WORDS.contains(&name) && !is_own_reply)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_seven(payload: &Value) -> Value {
        of_person(&payload.to_string(), 7.try_into().unwrap())
    }

    #[test]
    fn other_people_and_chats_are_left_out() {
        let ann = json!({ "id": 7, "is_bot": false, "first_name": "Ann" });
        let bob = json!({ "id": 8, "is_bot": false, "first_name": "Bob" });
        let update = json!({ "update_id": 1, "message": {
            "message_id": 5, "from": ann, "chat": { "id": -100, "type": "group", "title": "Ours" },
            "text": "hi", "reply_to_message": { "message_id": 4, "from": bob, "text": "secret" },
            "new_chat_members": [ann, bob], "contact": { "phone_number": "1", "user_id": 8 },
        }});
        let expected = json!({ "update_id": 1, "message": {
            "message_id": 5, "from": ann, "chat": null, "text": "hi", "reply_to_message": null,
            "new_chat_members": [ann, null], "contact": { "phone_number": "1", "user_id": null },
        }});
        assert_eq!(of_seven(&update), expected);
        let of_bob = json!({ "update_id": 2, "message": { "from": bob, "text": "secret" } });
        assert_eq!(of_seven(&of_bob), json!({ "update_id": 2, "message": null }));
    }

    #[test]
    fn a_text_that_is_not_json_is_left_out() {
        assert_eq!(of_person("{\"from\": 8", 7.try_into().unwrap()), Value::Null);
    }
}
