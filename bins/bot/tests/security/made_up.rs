//! Updates that somebody made up who knows the webhook's secret: what is meant for an owner is sent
//! to that owner or not at all.

use std::time::Instant;

use rollcall_simulator::{Chat, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};

use crate::{
    running::{RunningBot, database::stored},
    server::{SECRET, Server, check_paced},
};

stories!(
    made_up_updates_bring_nothing_to_another_person,
    an_update_that_was_polled_brings_nothing_to_another_person,
    an_owner_is_answered_in_their_own_chat_only,
);

const OWNER: i64 = 99;
const ATTACKER: i64 = 666;
const SETTINGS: [(&str, &str); 2] =
    [("ADMIN_TELEGRAM_IDS", "99"), ("PUBLIC_URL", "http://localhost:8080")];

fn owner() -> Person {
    Person::new(OWNER, "Boss").language_code("en")
}

fn chat(id: i64, kind: &str) -> Value {
    json!({"id": id, "type": kind, "first_name": "Mallory", "title": "Mallory"})
}

/// A message of the owner's in a chat.
fn message(chat: &Value, text: &str) -> Value {
    json!({"message_id": 1, "date": 1_700_000_000, "from": owner(), "chat": chat, "text": text})
}

/// A press of the owner's on a button below a message in a chat.
fn press(chat: &Value, data: &str) -> Value {
    let message = json!({"message_id": 1, "date": 1_700_000_000, "chat": chat, "text": "…"});
    json!({"id": "1", "from": owner(), "chat_instance": "1", "data": data, "message": message})
}

const COMMANDS: [&str; 7] =
    ["/admin", "/ADMIN@rollcall_bot", "/users", "/users 2", "/stats", "/help", "/settings"];

/// Commands and presses of the owner's in the attacker's chat, whatever that is called; each a kind
/// of update and its content.
fn in_another_chat() -> Vec<(&'static str, Value)> {
    let mut updates = Vec::new();
    for kind in ["private", "group", "supergroup", "channel", "sender", ""] {
        let chat = chat(ATTACKER, kind);
        for text in COMMANDS.into_iter().chain(["/start", "/schedule"]) {
            updates.push(("message", message(&chat, text)));
        }
        for data in ["1/p", "1/p/lang", "1/p/lang/de", "1/p/fav/0", "1/s/next", "1/s/mine"] {
            updates.push(("callback_query", press(&chat, data)));
        }
    }
    updates
}

/// What is no command of the owner's in a private chat with the bot.
fn elsewhere() -> Vec<(&'static str, Value)> {
    let mut updates = Vec::new();
    for text in COMMANDS {
        for id in [ATTACKER, OWNER] {
            let mut message = message(&chat(OWNER, "private"), text);
            message["sender_chat"] = chat(id, "private");
            updates.push(("message", message));
        }
        for kind in [
            "edited_message",
            "channel_post",
            "edited_channel_post",
            "business_message",
            "edited_business_message",
            "guest_message",
            "novelty",
        ] {
            updates.push((kind, message(&chat(ATTACKER, "private"), text)));
            updates.push((kind, message(&chat(OWNER, "private"), text)));
        }
    }
    updates
}

async fn made_up_updates_bring_nothing_to_another_person(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    telegram.introduce(&owner());
    telegram.introduce(&Person::new(ATTACKER, "Mallory"));
    let begun = Instant::now();
    let server = Server::start(&telegram, &database, &SETTINGS).await;
    for (n, (kind, content)) in (1..).zip(in_another_chat()) {
        let update = json!({"update_id": n, kind: content});
        assert_eq!(server.post(&update.to_string(), SECRET).await, 200);
        // One by one, for there is room for few of one sender.
        server.wait_for_metric("rollcall_made_up_updates_total", n).await;
    }
    for (update_id, (kind, content)) in (500..).zip(elsewhere()) {
        let update = json!({"update_id": update_id, kind: content});
        assert_eq!(server.post(&update.to_string(), SECRET).await, 200);
    }
    // Nor does the owner's chat become another one.
    for (update_id, id) in [(1_000, ATTACKER), (1_001, -ATTACKER)] {
        let mut migration = message(&chat(OWNER, "private"), "");
        migration["migrate_to_chat_id"] = json!(id);
        let update = json!({"update_id": update_id, "message": migration});
        assert_eq!(server.post(&update.to_string(), SECRET).await, 200);
    }
    let mut topical = message(&chat(OWNER, "private"), "/stats");
    topical["direct_messages_topic"] = json!({"topic_id": ATTACKER});
    let update = json!({"update_id": 2_000, "message": topical});
    assert_eq!(server.post(&update.to_string(), SECRET).await, 200);
    assert!(telegram.wait_for_message(OWNER).await.unwrap().text.contains("1 user"));
    let log = server.bot.terminate().await;

    let sent = telegram.requests_to("sendMessage");
    assert_eq!(sent.len(), 1, "{sent:?}");
    let params = &sent[0].params;
    assert_eq!(params["chat_id"], OWNER);
    assert_eq!(params.get("direct_messages_topic_id"), None);
    assert_eq!(telegram.calls("editMessageText"), 0);
    // The owner's language was not changed from the attacker's chat either.
    assert!(telegram.requests_to("answerCallbackQuery").iter().all(|it| {
        let text = it.params["text"].as_str().unwrap();
        text.starts_with("This button no longer works.")
    }));
    let line = "did not answer in the private chat of another user than the sender";
    check_paced(&log, line, begun);
    assert_eq!(stored(&database).await.len(), 1, "they are registered as the update says");
}

async fn an_update_that_was_polled_brings_nothing_to_another_person(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let attacker = Person::new(ATTACKER, "Mallory");
    telegram.introduce(&attacker);
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    for text in ["/admin", "/users", "/stats", "/settings", "/start", "/help"] {
        telegram.push(Update::text(&owner(), text).in_chat(&Chat::private(&attacker)));
    }
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    assert_eq!(telegram.calls("sendMessage"), 0);
}

/// What an owner asks for where others read along is not answered, also from an anonymous admin.
async fn an_owner_is_answered_in_their_own_chat_only(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let groups = [Chat::group(-5, "Fans"), Chat::forum(-1_001_234, "Fans")];
    let channel = Chat::direct_messages(-1_001_235, "News");
    for text in ["/admin", "/users", "/stats"] {
        for group in &groups {
            telegram.push(Update::text(&owner(), text).in_chat(group));
            telegram.push(Update::anonymous_admin(group, text));
            telegram.push(Update::channel_forward(&channel, group, text));
        }
        telegram.push(Update::channel_post(&channel, text));
        telegram.push(Update::direct_message(&owner(), &channel, text));
        telegram.push(Update::edited_text(&owner(), text));
    }
    telegram.push(Update::text(&owner(), "/help").in_chat(&groups[0]));
    let help = telegram.wait_for_message(groups[0].id).await.unwrap().text;
    assert!(!help.contains("/admin"), "{help}");
    telegram.wait_until_drained().await.unwrap();
    telegram.write(&owner(), "/stats");
    telegram.wait_for_message(OWNER).await.unwrap();
    bot.terminate().await;
    assert_eq!(telegram.calls("sendMessage"), 2);
}
