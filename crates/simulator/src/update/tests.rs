//! Every constructor, and updates that were created from values.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Update, is_message, time_field};
use crate::bot::Bot;
use crate::{Simulator, UPDATE_KINDS};

#[test]
fn every_kind_has_a_constructor() {
    let constructed: BTreeSet<_> =
        Update::examples().into_iter().map(|update| update.kind).collect();
    let all: BTreeSet<_> = UPDATE_KINDS.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(constructed, all);
}

#[tokio::test]
async fn data_that_only_telegram_knows_is_added() {
    let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
    let at = 1_700_000_000;
    for update in Update::examples() {
        telegram.push(update.at(at));
    }
    let updates = Bot::of(&telegram).updates(json!({})).await;
    assert_eq!(updates.len(), Update::examples().len());
    for update in &updates {
        let (kind, content) =
            update.as_object().unwrap().iter().find(|(_, v)| v.is_object()).unwrap();
        if let Some(pointer) = time_field(kind) {
            assert_eq!(content.pointer(pointer), Some(&json!(at)), "{update}");
        }
        assert_eq!(
            is_message(kind),
            content["chat"].is_object()
                && content["message_id"].is_i64()
                && !kind.contains("reaction"),
            "{update}"
        );
    }
    let content = |kind: &str| updates.iter().find_map(|update| update.get(kind)).unwrap();
    assert_eq!(content("edited_message")["date"], at - 3600);
    assert_eq!(content("callback_query")["message"]["date"], at - 86_400);
    let bot = &content("my_chat_member")["new_chat_member"]["user"];
    assert_eq!(bot["id"], telegram.bot_id());
    assert_eq!(
        content("message")["entities"][0],
        json!({ "type": "bot_command", "offset": 0, "length": 6 })
    );
}

#[tokio::test]
async fn values_are_sent_unchanged() {
    let telegram = Simulator::start().await.unwrap();
    let odd = json!({ "update_id": 900_000_000, "message": 17, "other": null });
    assert_eq!(telegram.push(odd.clone()), 900_000_000);
    assert_eq!(telegram.push(json!({})), 900_000_001);
    telegram.push_raw("{\"update_id\": 900000005, \"message\": {}}");
    let updates = Bot::of(&telegram).updates(json!({})).await;
    let bare = json!({ "update_id": 900_000_001 });
    let raw = json!({ "update_id": 900_000_005, "message": {} });
    assert_eq!(updates, [odd, bare, raw]);

    telegram.push_raw("not JSON at all");
    let answer = Bot::of(&telegram).try_call("getUpdates", json!({})).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.body).contains(",not JSON at all]"));
}
