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

#[test]
fn every_kind_has_the_name_that_the_bot_api_gives_it() {
    for ((name, meaning), allowed) in KINDS.iter().zip(allowed_updates()) {
        assert_eq!(serde_json::to_value(allowed).unwrap(), *name);
        assert_eq!(meaning.name(), *name);
    }
}
