//! The contract of [`SecondFactorRepository`](rollcall_repository::SecondFactorRepository): the name
//! of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{Admin, AuditAction, Role};
use rollcall_repository::{
    AdminRepository, AuditFilter, Digest, EnabledFactor, FactorProof, FactorSecret, NewAuditEntry,
    Opened, StoredFactor,
};

use super::admin::{account, actions, ada, at, create, digest, entry, id, name, open, session};

pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! second_factor_repository_contract {
    ($open:path) => {
        $crate::contract!($open, second_factors:
            a_session_is_offered_one_secret,
            a_factor_is_enabled_with_the_offered_secret,
            a_session_requires_the_factor_until_it_is_proven,
            a_code_is_accepted_once,
            a_recovery_code_is_accepted_once,
            recovery_codes_are_replaced,
            a_proof_is_not_consumed_for_a_closed_session,
            removing_the_factor_ends_the_sessions,
            a_session_is_confirmed_without_a_factor,
            admins_without_an_account_can_have_a_factor,
        );
    };
}

pub async fn a_session_is_offered_one_secret([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    for token in [1, 2] {
        assert!(open(&*admins, token, &ada()).await);
    }
    let offer = async |store: &Store, token, n| {
        store.offer_secret(digest(token), &secret(n)).await.unwrap()
    };
    assert_eq!(offer(&admins, 1, 10).await, Some(secret(10)));
    assert_eq!(offer(&others, 1, 11).await, Some(secret(10)), "the secret that was offered before");
    assert_eq!(offer(&others, 2, 12).await, Some(secret(12)), "each session has its own secret");
    assert_eq!(offer(&admins, 3, 13).await, None);
    assert_eq!(admins.second_factor(&ada()).await.unwrap(), None);
}

pub async fn a_factor_is_enabled_with_the_offered_secret([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    for token in [1, 2] {
        assert!(open(&*admins, token, &ada()).await);
    }
    assert!(open(&*admins, 3, &bob()).await);
    admins.offer_secret(digest(1), &secret(10)).await.unwrap();
    let enable = async |token, admin: &Admin, n| {
        let enabled = NewAuditEntry { at: at(60), ..entry(AuditAction::EnabledSecondFactor) };
        let (secret, codes) = (secret(n), [digest(101), digest(102)]);
        others.enable_second_factor(digest(token), admin, &secret, 7, &codes, &enabled).await
    };
    for (token, admin, n) in [(1, ada(), 11), (2, ada(), 10), (1, bob(), 10), (9, ada(), 10)] {
        let enabled = enable(token, &admin, n).await.unwrap();
        assert_eq!(enabled, EnabledFactor::Refused, "{token} {admin} {n}");
        assert_eq!(admins.second_factor(&admin).await.unwrap(), None);
    }
    assert_eq!(enable(1, &ada(), 10).await.unwrap(), EnabledFactor::First);
    let factor = StoredFactor { secret: secret(10), enabled_at: at(60), last_step: 7 };
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 2);
    assert_eq!(admins.second_factor(&ada()).await.unwrap(), Some(factor.clone()));
    let kept = admins.session(digest(1)).await.unwrap().unwrap();
    assert_eq!((kept.confirmed_at, kept.has_factor, kept.owes_factor), (Some(at(60)), true, false));
    assert_eq!(
        admins.session(digest(2)).await.unwrap(),
        None,
        "one factor does not suffice any more"
    );
    assert!(admins.session(digest(3)).await.unwrap().is_some());

    admins.offer_secret(digest(1), &secret(20)).await.unwrap();
    assert_eq!(enable(1, &ada(), 20).await.unwrap(), EnabledFactor::Refused, "there is one");
    assert_eq!(admins.second_factor(&ada()).await.unwrap(), Some(factor));
    let expected = [AuditAction::EnabledSecondFactor, AuditAction::SignedIn];
    assert_eq!(actions(&*admins).await[..2], expected);
    let accounts = admins.accounts(9).await.unwrap();
    assert!(accounts[0].has_second_factor);
    assert!(admins.account(&name("ada")).await.unwrap().unwrap().account.has_second_factor);
}

pub async fn a_session_requires_the_factor_until_it_is_proven([admins, others]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    let last_signed_in = async || {
        let account = admins.account(&name("ada")).await.unwrap().unwrap();
        account.account.last_signed_in_at
    };
    let begun = NewAuditEntry { at: at(60), ..entry(AuditAction::SignedIn) };
    let opened = others.open_session(&session(2, &ada()), &begun).await.unwrap();
    assert_eq!(opened, Opened::OwesFactor);
    assert_eq!(last_signed_in().await, Some(at(0)));
    let owing = admins.session(digest(2)).await.unwrap().unwrap();
    assert_eq!((owing.owes_factor, owing.confirmed_at), (true, None));
    assert_eq!(actions(&*admins).await[0], AuditAction::PassedFirstFactor);

    let signed_in = NewAuditEntry { at: at(90), ..entry(AuditAction::SignedIn) };
    let give = async |token, new_token: Option<Digest>, step| {
        let proof = Some(FactorProof::Step(step));
        admins.confirm_session(digest(token), &ada(), proof, new_token, &signed_in).await.unwrap()
    };
    assert!(!give(2, None, 8).await, "the token must change");
    assert!(give(2, Some(digest(3)), 8).await);
    assert_eq!(admins.session(digest(2)).await.unwrap(), None);
    let whole = others.session(digest(3)).await.unwrap().unwrap();
    assert_eq!((whole.owes_factor, whole.confirmed_at), (false, Some(at(90))));
    assert_eq!(last_signed_in().await, Some(at(90)));
    assert_eq!(actions(&*admins).await[0], AuditAction::SignedIn);
}

pub async fn a_code_is_accepted_once([admins, others]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    let give = |store: &Store, step| {
        let (store, proof) = (Arc::clone(store), Some(FactorProof::Step(step)));
        let confirmed = NewAuditEntry { at: at(60), ..entry(AuditAction::Confirmed) };
        tokio::spawn(async move {
            store.confirm_session(digest(1), &ada(), proof, None, &confirmed).await.unwrap()
        })
    };
    // The step that enabled the factor.
    assert!(!give(&admins, 7).await.unwrap());
    assert!(!give(&admins, 6).await.unwrap());
    let before = admins.session(digest(1)).await.unwrap().unwrap();
    assert_eq!(before.confirmed_at, Some(at(0)));
    for step in 8..28 {
        let (one, another) = (give(&admins, step), give(&others, step));
        assert_ne!(one.await.unwrap(), another.await.unwrap(), "{step}");
    }
    let after = admins.session(digest(1)).await.unwrap().unwrap();
    assert_eq!(after.confirmed_at, Some(at(60)));
    let all = actions(&*admins).await;
    assert_eq!(all.iter().filter(|it| **it == AuditAction::Confirmed).count(), 20);
}

pub async fn a_recovery_code_is_accepted_once([admins, others]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    let give = |store: &Store, code| {
        let (store, proof) = (Arc::clone(store), Some(FactorProof::RecoveryCode(digest(code))));
        let confirmed = entry(AuditAction::Confirmed);
        tokio::spawn(async move {
            store.confirm_session(digest(1), &ada(), proof, None, &confirmed).await.unwrap()
        })
    };
    assert!(!give(&admins, 99).await.unwrap());
    for code in CODES {
        let (one, another) = (give(&admins, code), give(&others, code));
        assert_ne!(one.await.unwrap(), another.await.unwrap(), "{code}");
        assert!(!give(&admins, code).await.unwrap());
    }
    let factor = admins.second_factor(&ada()).await.unwrap().unwrap();
    assert_eq!((admins.recovery_codes(&ada()).await.unwrap(), factor.last_step), (0, 7));
    let used = AuditFilter::all().action(AuditAction::UsedRecoveryCode);
    let left = admins.audit_log(&used, None, 9).await.unwrap();
    let left: Vec<_> = left.into_iter().rev().filter_map(|entry| entry.new).collect();
    assert_eq!(left, ["2 left", "1 left", "0 left"]);
}

pub async fn recovery_codes_are_replaced([admins, others]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    let renewed = entry(AuditAction::RenewedRecoveryCodes);
    let new = [digest(201), digest(202)];
    assert!(!others.replace_recovery_codes(&bob(), &new, &renewed).await.unwrap());
    assert!(others.replace_recovery_codes(&ada(), &new, &renewed).await.unwrap());
    let use_up = async |code| {
        let proof = Some(FactorProof::RecoveryCode(code));
        let confirmed = entry(AuditAction::Confirmed);
        admins.confirm_session(digest(1), &ada(), proof, None, &confirmed).await.unwrap()
    };
    assert!(!use_up(digest(CODES[0])).await);
    assert!(use_up(new[0]).await);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 1);
}

pub async fn a_proof_is_not_consumed_for_a_closed_session([admins, _]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    let factors = async || {
        let app = admins.second_factor(&ada()).await.unwrap();
        (app, admins.recovery_codes(&ada()).await.unwrap())
    };
    let before = factors().await;
    let entries = actions(&*admins).await;
    for proof in [FactorProof::Step(8), FactorProof::RecoveryCode(digest(CODES[0]))] {
        for new_token in [None, Some(digest(4))] {
            let confirmed = entry(AuditAction::Confirmed);
            let done =
                admins.confirm_session(digest(3), &ada(), Some(proof), new_token, &confirmed).await;
            assert!(!done.unwrap(), "{proof:?}");
        }
    }
    assert_eq!(factors().await, before);
    assert_eq!(actions(&*admins).await, entries);
}

pub async fn removing_the_factor_ends_the_sessions([admins, others]: [Store; 2]) {
    with_factor(&admins, &ada()).await;
    for token in [2, 3] {
        assert!(open(&*admins, token, &ada()).await);
    }
    let disabled = entry(AuditAction::DisabledSecondFactor);
    let kept = digest(1);
    assert!(others.remove_second_factor(&ada(), kept, &disabled).await.unwrap());
    let open_ones = async || {
        let mut open = Vec::new();
        for token in 1..=4 {
            if admins.session(digest(token)).await.unwrap().is_some() {
                open.push(token);
            }
        }
        open
    };
    assert_eq!(open_ones().await, [1]);
    assert_eq!(admins.second_factor(&ada()).await.unwrap(), None);
    assert!(!others.remove_second_factor(&ada(), digest(9), &disabled).await.unwrap());
    assert_eq!(open_ones().await, [1], "there was no factor");
    let begun = admins.open_session(&session(4, &ada()), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::Whole);

    // Enabled again, it has no recovery code of the previous factor.
    enable(&admins, &ada(), 30, &[]).await;
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 0);
    let reset = entry(AuditAction::ResetSecondFactor);
    assert!(others.reset_second_factor(&ada(), &reset).await.unwrap());
    assert_eq!(open_ones().await, [0_u8; 0]);
    assert!(!others.reset_second_factor(&ada(), &reset).await.unwrap());
}

pub async fn a_session_is_confirmed_without_a_factor([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let confirmed = NewAuditEntry { at: at(60), ..entry(AuditAction::Confirmed) };
    let confirm = async |token, admin: &Admin| {
        others.confirm_session(digest(token), admin, None, None, &confirmed).await.unwrap()
    };
    assert!(!confirm(2, &ada()).await);
    assert!(!confirm(1, &bob()).await, "another admin's session cannot be confirmed");
    assert_eq!(admins.session(digest(1)).await.unwrap().unwrap().confirmed_at, Some(at(0)));
    assert!(confirm(1, &ada()).await);
    assert_eq!(admins.session(digest(1)).await.unwrap().unwrap().confirmed_at, Some(at(60)));
}

pub async fn admins_without_an_account_can_have_a_factor([admins, _]: [Store; 2]) {
    let owner = Admin::Telegram(id(7));
    assert!(open(&*admins, 1, &owner).await);
    enable(&admins, &owner, 10, &[]).await;
    let begun = admins.open_session(&session(2, &owner), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::OwesFactor);
}

/// The recovery codes of [`with_factor`].
const CODES: [u8; 3] = [101, 102, 103];

/// An account whose second factor was enabled in session 1, with the code of time step 7.
async fn with_factor(admins: &Store, admin: &Admin) {
    create(&**admins, &account("ada", Role::Owner)).await;
    assert!(open(&**admins, 1, admin).await);
    enable(admins, admin, 10, &CODES.map(digest)).await;
}

/// Enables a second factor in session 1.
async fn enable(admins: &Store, admin: &Admin, n: u8, codes: &[Digest]) {
    let (secret, enabled) = (secret(n), entry(AuditAction::EnabledSecondFactor));
    admins.offer_secret(digest(1), &secret).await.unwrap();
    let is_on = admins.enable_second_factor(digest(1), admin, &secret, 7, codes, &enabled).await;
    assert_eq!(is_on.unwrap(), EnabledFactor::First);
}

fn bob() -> Admin {
    Admin::Telegram(id(8))
}

fn secret(n: u8) -> FactorSecret {
    FactorSecret([n; FactorSecret::BYTES])
}
