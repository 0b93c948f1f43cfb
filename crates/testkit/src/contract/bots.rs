//! The contract of [`BotRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_domain::{SubscribedWebhook, TelegramId, UpdateSubscription};
use rollcall_repository::BotRepository;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! bot_repository_contract {
    ($open:path) => {
        $crate::contract!($open, bots: a_new_database_has_no_bot, one_of_many_bots_gets_it, a_reserved_database_waits_for_its_bot, what_the_bot_behind_has_chosen_is_replaced,);
    };
}

pub async fn a_new_database_has_no_bot([store, other]: [Arc<dyn BotRepository>; 2]) {
    assert_eq!(store.owner().await.unwrap(), None);
    assert_eq!(store.claim(id(5), at()).await.unwrap(), id(5));
    assert_eq!(other.claim(id(6), at()).await.unwrap(), id(5));
    assert_eq!(other.owner().await.unwrap(), Some(id(5)));
}

pub async fn one_of_many_bots_gets_it(stores: [Arc<dyn BotRepository>; 2]) {
    let claims = (1..=20).map(|bot| {
        let store = stores[usize::from(bot % 2 == 0)].clone();
        tokio::spawn(async move { store.claim(id(bot), at()).await.unwrap() })
    });
    let mut owners = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        owners.push(claim.await.unwrap());
    }
    owners.dedup();
    assert_eq!(owners.len(), 1, "{owners:?}");
}

pub async fn a_reserved_database_waits_for_its_bot([store, other]: [Arc<dyn BotRepository>; 2]) {
    assert!(!store.has_run().await.unwrap());
    assert_eq!(store.reserve(id(5), at()).await.unwrap(), id(5));
    assert_eq!(other.reserve(id(6), at()).await.unwrap(), id(5));
    assert_eq!(other.claim(id(6), at()).await.unwrap(), id(5));
    assert_eq!(other.owner().await.unwrap(), Some(id(5)));
    assert!(!other.has_run().await.unwrap(), "another bot was refused");
    assert_eq!(store.claim(id(5), at()).await.unwrap(), id(5));
    assert!(other.has_run().await.unwrap());
    assert_eq!(other.reserve(id(5), at()).await.unwrap(), id(5));
    assert!(store.has_run().await.unwrap());
}

pub async fn what_the_bot_behind_has_chosen_is_replaced(
    [store, other]: [Arc<dyn BotRepository>; 2],
) {
    assert_eq!(store.subscription().await.unwrap(), UpdateSubscription::default());
    let webhook = |secret: Option<&str>, max_connections| SubscribedWebhook {
        url: "https://bot.example.org/hook?a=1,2".to_owned(),
        secret_token: secret.map(str::to_owned),
        max_connections,
    };
    let kinds = ["message".to_owned(), "chat_member".to_owned()];
    for (webhook, allowed_updates) in [
        (Some(webhook(Some("between_us"), 100)), kinds.to_vec()),
        (Some(webhook(None, 1)), Vec::new()),
        (None, kinds.to_vec()),
        (None, Vec::new()),
    ] {
        let chosen = UpdateSubscription { webhook, allowed_updates };
        store.set_subscription(&chosen).await.unwrap();
        assert_eq!(other.subscription().await.unwrap(), chosen);
    }
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn at() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}
