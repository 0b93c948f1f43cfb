//! The contract of [`ApiKeyRepository`](rollcall_repository::ApiKeyRepository): the name of each function
//! states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{ApiKey, AuditAction};
use rollcall_repository::{AdminRepository, AuditFilter, StoredApiKey};

use super::admin::{at, digest, entry};

/// The storage of admins.
pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! api_key_repository_contract {
    ($open:path) => {
        $crate::contract!($open, api_keys:
            a_key_is_found_by_its_hash,
            valid_keys_have_different_names,
            a_revoked_key_stays_in_the_list,
            a_use_is_noted_once_in_a_while,
        );
    };
}

fn stored(hash: u8, name: &str, second: i64) -> StoredApiKey {
    let key = ApiKey {
        name: name.parse().unwrap(),
        scopes: "ingest,write".parse().unwrap(),
        created_at: at(second),
        last_used_at: None,
        revoked_at: None,
    };
    StoredApiKey { hash: digest(hash), key }
}

async fn create(store: &Store, key: &StoredApiKey) -> bool {
    store.create_api_key(key, &entry(AuditAction::CreatedApiKey)).await.unwrap()
}

async fn revoke(store: &Store, hash: u8, second: i64) -> bool {
    let entry = entry(AuditAction::RevokedApiKey);
    store.revoke_api_key(digest(hash), at(second), &entry).await.unwrap()
}

async fn entries(store: &Store, action: AuditAction) -> usize {
    store.audit_log(&AuditFilter::all().action(action), None, 100).await.unwrap().len()
}

pub async fn a_key_is_found_by_its_hash([one, two]: [Store; 2]) {
    assert_eq!(one.api_key(digest(1)).await.unwrap(), None);
    let key = stored(1, "shop", 10);
    assert!(create(&one, &key).await);
    assert_eq!(two.api_key(digest(1)).await.unwrap(), Some(key.key));
    assert_eq!(two.api_key(digest(2)).await.unwrap(), None);
}

pub async fn valid_keys_have_different_names([one, two]: [Store; 2]) {
    assert!(create(&one, &stored(1, "shop", 10)).await);
    assert!(!create(&two, &stored(2, "shop", 11)).await);
    assert_eq!(entries(&one, AuditAction::CreatedApiKey).await, 1, "nothing was created");
    assert!(revoke(&two, 1, 12).await);
    assert!(create(&two, &stored(2, "shop", 13)).await);
    assert!(!create(&one, &stored(3, "shop", 14)).await);
}

pub async fn a_revoked_key_stays_in_the_list([one, two]: [Store; 2]) {
    for (hash, name, second) in [(1, "a", 10), (2, "b", 11), (3, "c", 12)] {
        assert!(create(&one, &stored(hash, name, second)).await);
    }
    assert!(revoke(&two, 1, 20).await);
    assert!(!revoke(&one, 1, 21).await && !revoke(&one, 9, 21).await);
    assert_eq!(entries(&two, AuditAction::RevokedApiKey).await, 1);
    assert_eq!(one.api_key(digest(1)).await.unwrap().unwrap().revoked_at, Some(at(20)));
    let names = async |limit| {
        let keys = two.api_keys(limit).await.unwrap();
        keys.into_iter().map(|it| it.key.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(9).await, ["b", "c", "a"]);
    assert_eq!(names(1).await, ["b"]);
}

pub async fn a_use_is_noted_once_in_a_while([one, two]: [Store; 2]) {
    assert!(create(&one, &stored(1, "shop", 10)).await);
    for (used, before, noted) in [(20, 0, 20), (30, 20, 20), (40, 21, 40)] {
        one.note_use_of_api_key(digest(1), at(used), at(before)).await.unwrap();
        let key = two.api_key(digest(1)).await.unwrap().unwrap();
        assert_eq!(key.last_used_at, Some(at(noted)));
    }
    one.note_use_of_api_key(digest(2), at(50), at(50)).await.unwrap();
}
