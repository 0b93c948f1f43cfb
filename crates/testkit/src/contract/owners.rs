//! The contract of [`OwnerRepository`](rollcall_repository::OwnerRepository): the name of each function
//! states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{Admin, AuditAction};
use rollcall_repository::{AdminRepository, AuditFilter, Claim, Claimed, Expiry, NewClaimCode};
use tokio::task::JoinSet;

use super::admin::{at, digest, entry, id, open};

/// The storage of admins.
pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! owner_repository_contract {
    ($open:path) => {
        $crate::contract!($open, owners:
            a_valid_code_makes_one_owner,
            concurrent_claims_make_one_owner,
            wrong_codes_count_against_all_valid_ones,
            expired_and_ended_codes_do_not_count_as_wrong,
            a_removed_owner_has_no_sessions,
            mini_app_data_is_used_once,
        );
    };
}

/// Stores a code that is created at a second.
async fn add(store: &Store, code: u8, second: i64) -> bool {
    let new = NewClaimCode { code: digest(code), created_at: at(second), forgotten_before: at(5) };
    store.add_claim_code(new).await.unwrap()
}

/// Claims with a code; codes of before the second 10 have expired, and three wrong ones end all.
async fn claim(store: &Store, user: i64, code: u8) -> Claimed {
    let claim = Claim { code: digest(code), user: id(user), expired_before: at(10), most_wrong: 3 };
    store.claim(claim, &entry(AuditAction::ClaimedBot)).await.unwrap()
}

async fn end(store: &Store, code: u8) -> bool {
    store.end_claim_code(digest(code), at(10), 3).await.unwrap()
}

async fn entries(store: &Store, action: AuditAction) -> usize {
    store.audit_log(&AuditFilter::all().action(action), None, 100).await.unwrap().len()
}

pub async fn a_valid_code_makes_one_owner([one, two]: [Store; 2]) {
    assert_eq!(claim(&one, 7, 1).await, Claimed::Nothing);
    assert!(add(&one, 1, 20).await && add(&two, 2, 20).await);
    assert!(!one.is_claimed_owner(id(7)).await.unwrap());
    assert_eq!(claim(&two, 7, 1).await, Claimed::Owner);
    for store in [&one, &two] {
        assert!(store.is_claimed_owner(id(7)).await.unwrap());
        assert!(!store.is_claimed_owner(id(8)).await.unwrap());
        assert_eq!(store.claimed_owners().await.unwrap(), [id(7)]);
        for code in [1, 2, 3] {
            assert_eq!(claim(store, 8, code).await, Claimed::Nothing);
        }
        assert!(!add(store, 4, 20).await, "there is an owner");
    }
    assert_eq!(entries(&one, AuditAction::ClaimedBot).await, 1);
}

pub async fn concurrent_claims_make_one_owner([one, two]: [Store; 2]) {
    assert!(add(&one, 1, 20).await && add(&two, 2, 20).await);
    let mut claims = JoinSet::new();
    for user in 1..=8 {
        let (store, code) = if user % 2 == 0 { (one.clone(), 1) } else { (two.clone(), 2) };
        claims.spawn(async move { (user, claim(&store, user, code).await) });
    }
    let results = claims.join_all().await;
    let owners: Vec<_> = results.iter().filter(|(_, it)| *it == Claimed::Owner).collect();
    assert_eq!(owners.len(), 1, "{results:?}");
    assert!(results.iter().all(|(_, it)| matches!(it, Claimed::Owner | Claimed::Nothing)));
    assert_eq!(one.claimed_owners().await.unwrap(), [id(owners[0].0)]);
    assert_eq!(entries(&one, AuditAction::ClaimedBot).await, 1);
}

pub async fn wrong_codes_count_against_all_valid_ones([one, two]: [Store; 2]) {
    assert!(add(&one, 1, 20).await);
    assert_eq!(claim(&one, 8, 9).await, Claimed::Wrong { ended: false });
    assert!(add(&two, 2, 20).await);
    assert_eq!(claim(&two, 8, 9).await, Claimed::Wrong { ended: false });
    assert_eq!(claim(&two, 8, 9).await, Claimed::Wrong { ended: false }, "one code is left");
    assert_eq!(claim(&one, 7, 1).await, Claimed::Nothing, "three wrong codes ended it");
    assert_eq!(claim(&one, 8, 9).await, Claimed::Wrong { ended: true });
    assert_eq!(claim(&one, 7, 2).await, Claimed::Nothing);
    assert_eq!(one.claimed_owners().await.unwrap(), []);
    assert_eq!(entries(&one, AuditAction::ClaimedBot).await, 0);
}

pub async fn expired_and_ended_codes_do_not_count_as_wrong([one, two]: [Store; 2]) {
    assert!(add(&one, 1, 9).await);
    assert_eq!(claim(&one, 7, 1).await, Claimed::Nothing, "it is late");
    assert!(add(&one, 2, 20).await && add(&two, 3, 4).await);
    for _ in 0..5 {
        assert_eq!(claim(&two, 7, 1).await, Claimed::Nothing);
    }
    assert!(end(&one, 2).await);
    assert!(!end(&two, 2).await, "it has ended");
    assert!(!end(&two, 1).await, "it has expired");
    assert!(!end(&two, 9).await, "there is no such code");
    assert!(add(&two, 4, 10).await, "forgets the code of second 4");
    for _ in 0..5 {
        assert_eq!(claim(&two, 7, 2).await, Claimed::Nothing);
    }
    assert_eq!(claim(&one, 7, 4).await, Claimed::Owner);
}

pub async fn a_removed_owner_has_no_sessions([one, two]: [Store; 2]) {
    assert!(add(&one, 1, 20).await);
    assert_eq!(claim(&one, 7, 1).await, Claimed::Owner);
    for (token, user) in [(1, 7), (2, 8)] {
        assert!(open(&*one, token, &Admin::Telegram(id(user))).await);
    }
    let removal = entry(AuditAction::RemovedAdmin);
    assert!(two.remove_owner(id(7), &removal).await.unwrap());
    assert!(!two.remove_owner(id(7), &removal).await.unwrap());
    assert_eq!(one.claimed_owners().await.unwrap(), []);
    assert!(one.session(digest(1)).await.unwrap().is_none());
    assert!(one.session(digest(2)).await.unwrap().is_some());
    assert_eq!(entries(&one, AuditAction::RemovedAdmin).await, 1);
    assert!(add(&one, 2, 20).await);
    assert_eq!(claim(&two, 8, 2).await, Claimed::Owner);
}

pub async fn mini_app_data_is_used_once([one, two]: [Store; 2]) {
    let mut uses = JoinSet::new();
    for store in [&one, &two, &one, &two].map(Arc::clone) {
        uses.spawn(async move { store.use_mini_app_data(digest(1), at(20)).await.unwrap() });
    }
    assert_eq!(uses.join_all().await.into_iter().filter(|is_new| *is_new).count(), 1);
    assert!(two.use_mini_app_data(digest(2), at(30)).await.unwrap());
    let expiry = Expiry {
        used_before: at(0),
        signed_in_before: at(0),
        linked_before: at(0),
        opened_before: at(21),
        expired_before: at(0),
        failed_before: at(0),
    };
    assert_eq!(one.forget(expiry, 9).await.unwrap(), 1);
    assert!(one.use_mini_app_data(digest(1), at(40)).await.unwrap());
    assert!(!one.use_mini_app_data(digest(2), at(40)).await.unwrap());
}
