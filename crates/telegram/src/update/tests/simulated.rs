//! frankenstein decodes what the simulator sends, and names its kinds as we do.

use std::{collections::BTreeSet, sync::Arc};

use frankenstein::updates::Update as Decoded;
use rollcall_domain::SystemClock;
use rollcall_simulator::{Chat, Person, Simulator, UPDATE_KINDS, Update as Simulated};

use super::*;
use crate::{
    client::{Client, TelegramClock},
    update::kinds::name_of,
};

/// The updates as the simulator sends them.
async fn fetch(updates: Vec<Simulated>) -> Vec<Value> {
    let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
    let number = updates.len();
    for update in updates {
        telegram.push(update);
    }
    let (url, token) = (telegram.url().parse().unwrap(), telegram.token().parse().unwrap());
    let client = Client::new(url, None, token, TelegramClock::new(Arc::new(SystemClock))).unwrap();
    let fetched: Vec<Value> = client.call("getUpdates", &json!({"limit": 100})).await.unwrap();
    assert_eq!(fetched.len(), number);
    fetched
}

/// Updates of the constructors' variants.
fn variants() -> Vec<Simulated> {
    let ann = Person::new(42, "Ann").last_name("Lee").username("ann").language_code("en");
    let (group, supergroup) = (Chat::group(-5, "Rink"), Chat::supergroup(-1_001_234, "Rink"));
    let forum = Chat::forum(-1_005_678, "Forum");
    let direct = Chat::direct_messages(-1_009_999, "News");
    let [left, joined] = Simulated::migrated(&ann, &group, &supergroup);
    vec![
        Simulated::text(&ann, "hi").in_chat(&forum).in_topic(7),
        Simulated::direct_message(&ann, &direct, "hi"),
        left,
        joined,
    ]
}

#[tokio::test]
async fn frankenstein_decodes_every_update_of_the_simulator() {
    let mut kinds = BTreeSet::new();
    for update in fetch([Simulated::examples(), variants()].concat()).await {
        let decoded: Decoded = serde_json::from_value(update.clone())
            .unwrap_or_else(|error| panic!("{error}: {update}"));
        let kind = name_of(&decoded.content);
        assert!(update.get(kind).is_some(), "{kind}: {update}");
        assert_eq!(read_value(&update).fault, None, "{update}");
        kinds.insert(kind);
    }
    assert_eq!(kinds, UPDATE_KINDS.iter().copied().collect());
}

/// The quarantine keeps of every kind of update what registration reads, and of other texts only the
/// length.
#[tokio::test]
async fn no_text_is_kept_that_registration_does_not_read() {
    let more = [
        Simulated::text(&Person::new(42, "Ann"), "/start not a payload"),
        Simulated::text(&Person::new(42, "Ann"), "/shop red shoes"),
        Simulated::text(&Person::new(42, "Ann"), "/my secret \"word\" \u{1f600}"),
    ];
    let mut texts = 0;
    for update in fetch([Simulated::examples(), variants(), more.to_vec()].concat()).await {
        let json = update.to_string();
        let kept = without_texts(&json);
        let (before, after) = (read_text(&json), read_text(&kept));
        assert_eq!(after.interaction, before.interaction, "{kept}");
        assert_eq!((after.fault, after.update_id), (None, before.update_id), "{kept}");
        texts += shortened(&update, &serde_json::from_str(&kept).unwrap(), "");
    }
    assert!(texts > 100, "{texts} texts");
}

/// Checks that each text is replaced by its length, unless it is one that registration reads. Returns how
/// many were replaced.
fn shortened(before: &Value, after: &Value, key: &str) -> usize {
    const READ: [&str; 7] =
        ["first_name", "last_name", "username", "language_code", "type", "status", "data"];
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()));
            before.iter().map(|(key, value)| shortened(value, &after[key], key)).sum()
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            before.iter().zip(after).map(|(before, after)| shortened(before, after, "")).sum()
        }
        (Value::String(text), Value::String(kept)) => {
            let length = format!("({} characters)", text.chars().count());
            let is_command = key == "text" && text.starts_with('/');
            let is_kept = READ.contains(&key) && kept == text;
            assert!(*kept == length || is_kept || is_command, "{key}: {text} became {kept}");
            assert!(!["not a payload", "red shoes", "secret"].iter().any(|it| kept.contains(it)));
            usize::from(*kept == length)
        }
        (before, after) => {
            assert_eq!(before, after);
            0
        }
    }
}

#[test]
fn odd_json_is_kept_without_its_texts() {
    for (json, kept) in [
        (
            r#"{"update_id":1,"message":{"text":"a\"b","n":[1.50,"x"]}}"#,
            r#"{"update_id":1,"message":{"text":"(3 characters)","n":[1.50,"(1 characters)"]}}"#,
        ),
        (
            r#"{"update_id":1,"message":{"te\u0078t":"/start ad"}}"#,
            r#"{"update_id":1,"message":{"te\u0078t":"/start ad"}}"#,
        ),
        (
            r#"{"update_id":1,"message":{"text":"\ud83d"}, "later":{"text":"/start x"}}"#,
            r#"{"update_id":1,"message":{"text":"(1 characters)"}, "later":{"text":"(8 characters)"}}"#,
        ),
        (
            r#"["a",{"from":{"first_name":"Ann"}}]"#,
            r#"["(1 characters)",{"from":{"first_name":"(3 characters)"}}]"#,
        ),
        ("\"text\"", "\"(4 characters)\""),
        ("", ""),
    ] {
        assert_eq!(without_texts(json), kept, "{json}");
    }
}

#[test]
fn every_kind_has_the_name_that_the_bot_api_gives_it() {
    for ((name, meaning), allowed) in KINDS.iter().zip(allowed_updates()) {
        assert_eq!(serde_json::to_value(allowed).unwrap(), *name);
        assert_eq!(meaning.name(), *name);
    }
}
