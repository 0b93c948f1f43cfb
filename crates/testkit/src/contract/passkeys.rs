//! The contract of [`PasskeyRepository`](rollcall_repository::PasskeyRepository): the name of each
//! function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{Admin, AuditAction, Role};
use rollcall_repository::{
    AddedPasskey, AdminRepository, AuditFilter, EnabledFactor, FactorProof, FactorSecret,
    NewAuditEntry, Opened, RemovedPasskey, StoredChallenge, StoredPasskey,
};
use tokio::join;

use super::admin::{account, actions, ada, at, create, digest, entry, id, name, open, session};

pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! passkey_repository_contract {
    ($open:path) => {
        $crate::contract!($open, passkeys:
            a_challenge_is_used_once,
            a_passkey_is_a_second_factor,
            a_passkey_is_added_in_a_session_of_its_owner,
            a_passkey_belongs_to_one_admin,
            recovery_codes_are_created_with_the_first_factor_of_either_kind,
            one_of_two_concurrent_passkeys_is_the_first,
            a_passkey_confirms_a_session_with_a_growing_counter,
            a_passkey_without_a_counter_confirms_repeatedly,
            a_passkey_is_not_used_for_a_closed_session,
            a_removed_passkey_ends_the_other_sessions,
            the_last_required_factor_is_not_removed,
            concurrent_removals_leave_one_required_passkey,
            resetting_removes_the_passkeys_too,
        );
    };
}

pub async fn a_challenge_is_used_once([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    for token in [1, 2] {
        assert!(open(&*admins, token, &ada()).await);
    }
    let set = async |token, text| admins.set_challenge(digest(token), text, at(7)).await.unwrap();
    assert_eq!(admins.take_challenge(digest(1)).await.unwrap(), None);
    assert!(set(1, "first").await && set(1, "second").await && set(2, "another").await);
    assert!(!set(3, "nowhere").await);
    let take = async |store: &Store| store.take_challenge(digest(1)).await.unwrap();
    let (one, two) = join!(take(&admins), take(&others));
    let taken: Vec<_> = [one, two].into_iter().flatten().collect();
    let challenge = |text: &str| StoredChallenge { text: text.to_owned(), set_at: at(7) };
    assert_eq!(taken, [challenge("second")]);
    assert_eq!(take(&others).await, None);
    let other = others.take_challenge(digest(2)).await.unwrap();
    assert_eq!(other, Some(challenge("another")), "each session has its own challenge");
}

pub async fn a_passkey_is_a_second_factor([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    let expected = StoredPasskey { added_at: at(60), ..passkey(50, "Laptop") };
    assert_eq!(others.passkeys(&ada(), 9).await.unwrap(), [expected]);
    assert_eq!(others.passkeys(&bob(), 9).await.unwrap(), []);
    let kept = others.session(digest(1)).await.unwrap().unwrap();
    assert_eq!((kept.confirmed_at, kept.has_factor, kept.owes_factor), (Some(at(60)), true, false));
    assert_eq!(
        others.session(digest(2)).await.unwrap(),
        None,
        "one factor does not suffice any more"
    );
    assert!(others.session(digest(3)).await.unwrap().is_some(), "it is somebody else's");
    assert!(others.account(&name("ada")).await.unwrap().unwrap().account.has_second_factor);
    assert!(others.accounts(9).await.unwrap()[0].has_second_factor);
    assert_eq!(actions(&*admins).await[0], AuditAction::AddedPasskey);
    let begun = others.open_session(&session(4, &ada()), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::OwesFactor);
}

pub async fn a_passkey_is_added_in_a_session_of_its_owner([admins, _]: [Store; 2]) {
    with_passkey(&admins).await;
    let owing = admins.open_session(&session(4, &ada()), &entry(AuditAction::SignedIn)).await;
    assert_eq!(owing.unwrap(), Opened::OwesFactor);
    let before = (admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await);
    for (token, admin) in [(3, ada()), (4, ada()), (9, ada()), (1, bob())] {
        let added = add(&admins, token, &admin, &passkey(51, "Phone")).await;
        assert_eq!(added, AddedPasskey::NoSession, "{token} {admin}");
    }
    assert_eq!((admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await), before);
    assert_eq!(admins.passkeys(&bob(), 9).await.unwrap(), []);
}

pub async fn a_passkey_belongs_to_one_admin([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    let again = add(&others, 1, &ada(), &passkey(50, "Again")).await;
    assert_eq!(again, AddedPasskey::Known);
    let stolen = add(&others, 3, &bob(), &passkey(50, "Mine")).await;
    assert_eq!(stolen, AddedPasskey::Known);
    assert_eq!(admins.passkeys(&ada(), 9).await.unwrap()[0].name, "Laptop");
    assert_eq!(admins.passkeys(&bob(), 9).await.unwrap(), []);
}

pub async fn recovery_codes_are_created_with_the_first_factor_of_either_kind(
    [admins, _]: [Store; 2],
) {
    with_passkey(&admins).await;
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2);
    let further = add(&admins, 1, &ada(), &passkey(51, "Phone")).await;
    assert_eq!(further, AddedPasskey::Further);
    let secret = FactorSecret([10; FactorSecret::BYTES]);
    let enable = async |token, admin: &Admin| {
        let enabled = entry(AuditAction::EnabledSecondFactor);
        admins.offer_secret(digest(token), &secret).await.unwrap();
        let codes = [digest(111)];
        admins.enable_second_factor(digest(token), admin, &secret, 7, &codes, &enabled).await
    };
    assert_eq!(enable(1, &ada()).await.unwrap(), EnabledFactor::Further);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2, "the existing codes");
    assert_eq!(enable(3, &bob()).await.unwrap(), EnabledFactor::First);
    let after_an_app = add(&admins, 3, &bob(), &passkey(52, "Phone")).await;
    assert_eq!(after_an_app, AddedPasskey::Further);
    assert_eq!(admins.recovery_codes(&bob()).await.unwrap(), 1);

    // The codes stay as long as there is a factor, and can be replaced.
    let off = entry(AuditAction::DisabledSecondFactor);
    assert!(admins.remove_second_factor(&ada(), digest(1), &off).await.unwrap());
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2);
    let renewed = entry(AuditAction::RenewedRecoveryCodes);
    let codes = [digest(121), digest(122), digest(123)];
    assert!(admins.replace_recovery_codes(&ada(), &codes, &renewed).await.unwrap());
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 3);
    assert_eq!(remove(&admins, 50, false).await, RemovedPasskey::Done);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 3);
    assert_eq!(remove(&admins, 51, false).await, RemovedPasskey::Done);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 0);
    assert!(!admins.replace_recovery_codes(&ada(), &codes, &renewed).await.unwrap());
}

pub async fn one_of_two_concurrent_passkeys_is_the_first([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let (laptop, phone) = (passkey(50, "Laptop"), passkey(51, "Phone"));
    let (owner, other) = (ada(), ada());
    let (one, two) = join!(add(&admins, 1, &owner, &laptop), add(&others, 1, &other, &phone));
    let mut both = [one, two];
    both.sort_by_key(|it| *it != AddedPasskey::First);
    assert_eq!(both, [AddedPasskey::First, AddedPasskey::Further]);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2);
}

pub async fn a_passkey_confirms_a_session_with_a_growing_counter([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    let begun = admins.open_session(&session(4, &ada()), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::OwesFactor);
    assert!(confirm(&others, 4, &ada(), 50, 7, Some(5)).await);
    let whole = admins.session(digest(5)).await.unwrap().unwrap();
    assert_eq!((whole.owes_factor, whole.confirmed_at), (false, Some(at(90))));
    assert_eq!(admins.session(digest(4)).await.unwrap(), None);
    assert_eq!(admins.passkeys(&ada(), 9).await.unwrap()[0].last_used_at, Some(at(90)));
    let log = admins.audit_log(&AuditFilter::all(), None, 2).await.unwrap();
    let log: Vec<_> = log.iter().map(|it| (it.action, it.new.as_deref())).collect();
    assert_eq!(log, [(AuditAction::SignedIn, None), (AuditAction::UsedPasskey, Some("Laptop"))]);

    for (sign_count, is_new) in [(7, false), (6, false), (0, false), (8, true), (8, false)] {
        let confirmed = confirm(&others, 5, &ada(), 50, sign_count, None).await;
        assert_eq!(confirmed, is_new, "{sign_count}");
    }
    // The counter has 32 bits.
    assert!(confirm(&others, 5, &ada(), 50, u32::MAX, None).await);
}

pub async fn a_passkey_without_a_counter_confirms_repeatedly([admins, _]: [Store; 2]) {
    with_passkey(&admins).await;
    for _ in 0..2 {
        assert!(confirm(&admins, 1, &ada(), 50, 0, None).await);
    }
    assert!(!confirm(&admins, 3, &bob(), 50, 0, None).await, "somebody else's passkey");
    assert!(!confirm(&admins, 1, &ada(), 51, 0, None).await, "there is no such passkey");
}

pub async fn a_passkey_is_not_used_for_a_closed_session([admins, _]: [Store; 2]) {
    with_passkey(&admins).await;
    let before = (admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await);
    for new_token in [None, Some(8)] {
        assert!(!confirm(&admins, 9, &ada(), 50, 3, new_token).await);
    }
    assert_eq!((admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await), before);
    assert!(confirm(&admins, 1, &ada(), 50, 3, None).await, "its counter has not changed");
}

pub async fn a_removed_passkey_ends_the_other_sessions([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    assert_eq!(add(&admins, 1, &ada(), &passkey(51, "Phone")).await, AddedPasskey::Further);
    assert!(open(&*admins, 4, &ada()).await);
    assert_eq!(remove(&others, 52, false).await, RemovedPasskey::NoSuchPasskey);
    let removal = entry(AuditAction::RemovedPasskey);
    let others_one = admins.remove_passkey(&bob(), digest(50), false, digest(3), &removal).await;
    assert_eq!(others_one.unwrap(), RemovedPasskey::NoSuchPasskey, "it is somebody else's");
    assert!(admins.session(digest(4)).await.unwrap().is_some());

    assert_eq!(remove(&others, 50, true).await, RemovedPasskey::Done);
    let left = admins.passkeys(&ada(), 9).await.unwrap();
    assert_eq!(left.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["Phone"]);
    assert!(admins.session(digest(1)).await.unwrap().is_some());
    assert_eq!(admins.session(digest(4)).await.unwrap(), None);
    let log = admins.audit_log(&AuditFilter::all(), None, 1).await.unwrap();
    assert_eq!(log[0].action, AuditAction::RemovedPasskey);
    assert_eq!((log[0].old.as_deref(), log[0].new.as_deref()), (Some("Laptop"), None));
    assert!(!confirm(&admins, 1, &ada(), 50, 3, None).await);
}

pub async fn the_last_required_factor_is_not_removed([admins, _]: [Store; 2]) {
    with_passkey(&admins).await;
    assert!(open(&*admins, 4, &ada()).await);
    let before = (admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await);
    assert_eq!(remove(&admins, 50, true).await, RemovedPasskey::LastFactor);
    assert_eq!((admins.passkeys(&ada(), 9).await.unwrap(), actions(&*admins).await), before);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2);
    assert!(admins.session(digest(4)).await.unwrap().is_some());

    // An authenticator app is also a factor.
    let secret = FactorSecret([10; FactorSecret::BYTES]);
    admins.offer_secret(digest(1), &secret).await.unwrap();
    let enabled = entry(AuditAction::EnabledSecondFactor);
    admins.enable_second_factor(digest(1), &ada(), &secret, 7, &[], &enabled).await.unwrap();
    assert_eq!(remove(&admins, 50, true).await, RemovedPasskey::Done);
}

pub async fn concurrent_removals_leave_one_required_passkey([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    for round in 0..8 {
        assert_eq!(add(&admins, 1, &ada(), &passkey(51, "Phone")).await, AddedPasskey::Further);
        let removal = entry(AuditAction::RemovedPasskey);
        let remove = |store: &Store, n| {
            let (store, removal) = (Arc::clone(store), removal.clone());
            tokio::spawn(async move {
                store.remove_passkey(&ada(), digest(n), true, digest(1), &removal).await.unwrap()
            })
        };
        let (one, two) = (remove(&admins, 50), remove(&others, 51));
        let mut both = [one.await.unwrap(), two.await.unwrap()];
        both.sort_by_key(|it| *it != RemovedPasskey::Done);
        assert_eq!(both, [RemovedPasskey::Done, RemovedPasskey::LastFactor], "{round}");
        // The next round starts with passkey 50 again.
        if admins.passkeys(&ada(), 9).await.unwrap()[0].id != digest(50) {
            assert_eq!(
                add(&admins, 1, &ada(), &passkey(50, "Laptop")).await,
                AddedPasskey::Further
            );
            assert_eq!(self::remove(&admins, 51, true).await, RemovedPasskey::Done);
        }
    }
}

pub async fn resetting_removes_the_passkeys_too([admins, others]: [Store; 2]) {
    with_passkey(&admins).await;
    let reset = entry(AuditAction::ResetSecondFactor);
    assert!(others.reset_second_factor(&ada(), &reset).await.unwrap());
    assert_eq!(admins.passkeys(&ada(), 9).await.unwrap(), []);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 0);
    assert_eq!(admins.session(digest(1)).await.unwrap(), None);
    let begun = admins.open_session(&session(4, &ada()), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::Whole);
}

/// An account whose first passkey was added in session 1, at second 60. Session 3 is another admin's.
async fn with_passkey(admins: &Store) {
    create(&**admins, &account("ada", Role::Owner)).await;
    for token in [1, 2] {
        assert!(open(&**admins, token, &ada()).await);
    }
    assert!(open(&**admins, 3, &bob()).await);
    let added = add(admins, 1, &ada(), &passkey(50, "Laptop")).await;
    assert_eq!(added, AddedPasskey::First);
}

async fn add(store: &Store, token: u8, admin: &Admin, passkey: &StoredPasskey) -> AddedPasskey {
    let added = NewAuditEntry { at: at(60), ..entry(AuditAction::AddedPasskey) };
    let passkey = StoredPasskey { added_at: at(60), ..passkey.clone() };
    let codes = [digest(101), digest(102)];
    store.add_passkey(digest(token), admin, &passkey, &codes, &added).await.unwrap()
}

/// Removes one of Ada's passkeys in session 1.
async fn remove(store: &Store, n: u8, must_keep_one: bool) -> RemovedPasskey {
    let removed = entry(AuditAction::RemovedPasskey);
    store.remove_passkey(&ada(), digest(n), must_keep_one, digest(1), &removed).await.unwrap()
}

/// Confirms a session at second 90.
async fn confirm(
    store: &Store,
    token: u8,
    admin: &Admin,
    n: u8,
    sign_count: u32,
    new_token: Option<u8>,
) -> bool {
    let confirmed = NewAuditEntry { at: at(90), ..entry(AuditAction::SignedIn) };
    let proof = Some(FactorProof::Passkey { id: digest(n), sign_count });
    let new_token = new_token.map(digest);
    store.confirm_session(digest(token), admin, proof, new_token, &confirmed).await.unwrap()
}

/// A passkey that has not been used.
pub(super) fn passkey(n: u8, name: &str) -> StoredPasskey {
    StoredPasskey {
        id: digest(n),
        name: name.to_owned(),
        host: "localhost".to_owned(),
        credential: "{}".to_owned(),
        added_at: at(0),
        last_used_at: None,
    }
}

fn bob() -> Admin {
    Admin::Telegram(id(8))
}
