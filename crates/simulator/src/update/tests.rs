//! Every constructor, and updates that were created from values.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Update, is_message, time_field};
use crate::bot::Bot;
use crate::{Chat, Person, Simulator, UPDATE_KINDS};

/// One update of each constructor.
fn every_update() -> Vec<Update> {
    let ann = Person::new(42, "Ann");
    let bob = Person::new(43, "Bob");
    let group = Chat::supergroup(-1_001_234, "Rink");
    let channel = Chat::channel(-1_005_678, "News");
    vec![
        Update::text(&ann, "/start now"),
        Update::photo(&ann),
        Update::sticker(&ann),
        Update::text(&ann, "hi").forwarded_from(&bob),
        Update::text(&ann, "hi").in_chat(&group).replying_to(&bob, "hello"),
        Update::new_chat_members(&ann, &group, std::slice::from_ref(&bob)),
        Update::anonymous_admin(&group, "rules"),
        Update::channel_forward(&channel, &group, "news"),
        Update::edited_text(&ann, "hi!"),
        Update::channel_post(&channel, "news"),
        Update::edited_channel_post(&channel, "news!"),
        Update::guest_message(&ann, "@rollcall_bot hi"),
        Update::callback_query(&ann, "next"),
        Update::inline_callback_query(&ann, "next"),
        Update::inline_query(&ann, "who"),
        Update::chosen_inline_result(&ann, "1", "who"),
        Update::shipping_query(&ann, "puck"),
        Update::pre_checkout_query(&ann, "puck"),
        Update::purchased_paid_media(&ann, "photo"),
        Update::subscription(&ann, "fan"),
        Update::poll("7", "Win?"),
        Update::poll_answer(&ann, "7", &[0]),
        Update::poll_answer_by_chat(&channel, "7", &[1]),
        Update::blocked(&ann),
        Update::unblocked(&ann),
        Update::bot_member(&ann, &group, "left", "administrator"),
        Update::chat_member(&ann, &group, &bob, "member", "kicked"),
        Update::chat_join_request(&ann, &group),
        Update::chat_boost(&ann, &group),
        Update::removed_chat_boost(&ann, &group),
        Update::reaction(&ann, &group, 5, "👍"),
        Update::anonymous_reaction(&channel, &group, 5, "👍"),
        Update::reaction_count(&channel, 5, "👍", 3),
        Update::business_connection(&ann, "b1"),
        Update::business_text(&ann, "b1", "hi"),
        Update::edited_business_text(&ann, "b1", "hi!"),
        Update::deleted_business_messages(&Chat::private(&ann), "b1", &[1, 2]),
        Update::managed_bot(&ann, &Person::new(44, "Helper").bot()),
        Update::stopped_message_generation(&Chat::private(&ann), 9),
    ]
}

#[test]
fn every_kind_has_a_constructor() {
    let constructed: BTreeSet<_> = every_update().into_iter().map(|update| update.kind).collect();
    let all: BTreeSet<_> = UPDATE_KINDS.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(constructed, all);
}

#[tokio::test]
async fn data_that_only_telegram_knows_is_added() {
    let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
    let at = 1_700_000_000;
    for update in every_update() {
        telegram.push(update.at(at));
    }
    let updates = Bot::of(&telegram).updates(json!({})).await;
    assert_eq!(updates.len(), every_update().len());
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
