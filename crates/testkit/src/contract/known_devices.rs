//! The contract of [`KnownDeviceRepository`](rollcall_repository::KnownDeviceRepository): the name
//! of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{Admin, AuditAction, Role};
use rollcall_repository::{
    AccountChange, AddedPasskey, AdminRepository, DeviceGeneration, DeviceSecret, EnabledFactor,
    FactorProof, FactorSecret, NewSession, Opened, RemovedPasskey,
};

use super::{
    admin::{account, ada, create, digest, entry, id, name, open, session},
    passkeys::passkey,
};

pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! known_device_repository_contract {
    ($open:path) => {
        $crate::contract!($open, known_devices:
            a_database_has_one_device_secret,
            ending_the_other_sessions_starts_a_generation,
            other_changes_keep_the_generation,
            a_reused_name_has_a_later_generation,
            a_session_has_the_generation_of_its_admin,
        );
    };
}

pub async fn a_database_has_one_device_secret([admins, others]: [Store; 2]) {
    let asks = (0..20).map(|n| {
        let store = Arc::clone(if n % 2 == 0 { &admins } else { &others });
        tokio::spawn(async move { store.device_secret(&secret(n)).await.unwrap() })
    });
    let mut answers = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        answers.push(ask.await.unwrap());
    }
    let first = answers[0].clone();
    assert!((0..20).any(|n| first == secret(n)));
    assert!(answers.iter().all(|answer| *answer == first));
    assert_eq!(others.device_secret(&secret(99)).await.unwrap(), first);
}

pub async fn ending_the_other_sessions_starts_a_generation([admins, others]: [Store; 2]) {
    for owner in ["ada", "grace"] {
        create(&*admins, &account(owner, Role::Owner)).await;
    }
    assert!(open(&*admins, 1, &ada()).await);
    let mut generations = vec![admins.device_generation(&ada()).await.unwrap()];
    let mut next = async |what: &str| {
        let generation = others.device_generation(&ada()).await.unwrap();
        assert!(!generations.contains(&generation), "{what}");
        generations.push(generation);
    };
    let (kept, factor) = (Some(digest(1)), FactorSecret([7; FactorSecret::BYTES]));

    let changed = entry(AuditAction::ChangedPassword);
    assert!(admins.set_password(&name("ada"), "another", kept, &changed).await.unwrap());
    next("another password, by the admin").await;
    assert!(open_with(&admins, 2, "another").await);
    assert!(admins.set_password(&name("ada"), "again", None, &changed).await.unwrap());
    next("another password, by somebody else").await;

    assert!(open_with(&admins, 1, "again").await);
    admins.offer_secret(digest(1), &factor).await.unwrap();
    let enabled = entry(AuditAction::EnabledSecondFactor);
    let on = admins.enable_second_factor(digest(1), &ada(), &factor, 7, &[], &enabled).await;
    assert_eq!(on.unwrap(), EnabledFactor::First);
    next("a second factor").await;
    let disabled = entry(AuditAction::DisabledSecondFactor);
    assert!(admins.remove_second_factor(&ada(), digest(1), &disabled).await.unwrap());
    next("no second factor").await;
    let added = entry(AuditAction::AddedPasskey);
    let laptop = passkey(70, "Laptop");
    let done = admins.add_passkey(digest(1), &ada(), &laptop, &[], &added).await.unwrap();
    assert_eq!(done, AddedPasskey::First);
    next("a passkey").await;
    let removed = entry(AuditAction::RemovedPasskey);
    let gone = admins.remove_passkey(&ada(), laptop.id, false, digest(1), &removed).await.unwrap();
    assert_eq!(gone, RemovedPasskey::Done);
    next("no passkey").await;

    let everywhere = entry(AuditAction::SignedOutEverywhere);
    admins.close_sessions(&ada(), kept, &everywhere).await.unwrap();
    next("ending the other sessions").await;
    admins.close_sessions(&ada(), None, &everywhere).await.unwrap();
    next("ending all sessions").await;
    admins.close_sessions(&ada(), None, &everywhere).await.unwrap();
    next("ending all sessions where there are none").await;

    let disabled = entry(AuditAction::DisabledAdmin);
    let done = admins.set_disabled(&name("ada"), true, &disabled).await.unwrap();
    assert_eq!(done, AccountChange::Done);
    next("a disabled account").await;
    let removed = entry(AuditAction::RemovedAdmin);
    let done = admins.remove_account(&name("ada"), &removed).await.unwrap();
    assert_eq!(done, AccountChange::Done);
    next("a removed account").await;

    let grace = Admin::Account(name("grace"));
    assert_eq!(admins.device_generation(&grace).await.unwrap(), 0, "the others are unaffected");
    let ghost = Admin::Account(name("ghost"));
    assert_eq!(admins.device_generation(&ghost).await.unwrap(), 0);
}

pub async fn other_changes_keep_the_generation([admins, others]: [Store; 2]) {
    for owner in ["ada", "grace"] {
        create(&*admins, &account(owner, Role::Owner)).await;
    }
    for token in [1, 2] {
        assert!(open(&*admins, token, &ada()).await);
    }
    let ended = entry(AuditAction::EndedSession);
    assert!(admins.close_session(digest(1), &ada(), &ended).await.unwrap());
    let off = admins.remove_second_factor(&ada(), digest(2), &ended).await.unwrap();
    assert!(!off, "there is none");
    let off = admins.reset_second_factor(&ada(), &ended).await.unwrap();
    assert!(!off, "there is none");
    let none = admins.set_password(&name("bob"), "another", None, &ended).await.unwrap();
    assert!(!none, "there is no such account");
    let changed = entry(AuditAction::ChangedRole);
    admins.set_role(&name("ada"), Role::Editor, &changed).await.unwrap();
    for who in [ada(), Admin::Account(name("bob"))] {
        assert_eq!(others.device_generation(&who).await.unwrap(), 0);
    }
}

pub async fn a_reused_name_has_a_later_generation([admins, _]: [Store; 2]) {
    create(&*admins, &account("grace", Role::Owner)).await;
    for _ in 0..2 {
        create(&*admins, &account("ada", Role::Viewer)).await;
        let before = admins.device_generation(&ada()).await.unwrap();
        let removed = entry(AuditAction::RemovedAdmin);
        admins.remove_account(&name("ada"), &removed).await.unwrap();
        create(&*admins, &account("ada", Role::Viewer)).await;
        assert!(admins.device_generation(&ada()).await.unwrap() > before);
        admins.remove_account(&name("ada"), &removed).await.unwrap();
    }
}

pub async fn a_session_has_the_generation_of_its_admin([admins, others]: [Store; 2]) {
    let owner = Admin::Telegram(id(7));
    create(&*admins, &account("ada", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    assert!(open(&*admins, 2, &owner).await);
    let everywhere = entry(AuditAction::SignedOutEverywhere);
    admins.close_sessions(&owner, Some(digest(2)), &everywhere).await.unwrap();
    let generation = |admin, generation| Some(DeviceGeneration { admin, generation });
    let of = async |token| others.session_generation(digest(token)).await.unwrap();
    assert_eq!(of(1).await, generation(ada(), 0));
    assert_eq!(of(2).await, generation(owner.clone(), 1));
    assert_eq!(of(3).await, None);

    // No admin is signed in before the second factor is proven.
    let factor = FactorSecret([7; FactorSecret::BYTES]);
    admins.offer_secret(digest(2), &factor).await.unwrap();
    let enabled = entry(AuditAction::EnabledSecondFactor);
    let on = admins.enable_second_factor(digest(2), &owner, &factor, 7, &[], &enabled).await;
    assert_eq!(on.unwrap(), EnabledFactor::First);
    let begun = admins.open_session(&session(4, &owner), &entry(AuditAction::SignedIn)).await;
    assert_eq!(begun.unwrap(), Opened::OwesFactor);
    assert_eq!(of(4).await, None);
    let (proof, signed_in) = (Some(FactorProof::Step(8)), entry(AuditAction::SignedIn));
    let new = Some(digest(5));
    assert!(admins.confirm_session(digest(4), &owner, proof, new, &signed_in).await.unwrap());
    assert_eq!(of(5).await, generation(owner, 2));
}

async fn open_with(admins: &Store, token: u8, hash: &str) -> bool {
    let new = NewSession { password_hash: Some(hash.to_owned()), ..session(token, &ada()) };
    let opened = admins.open_session(&new, &entry(AuditAction::SignedIn)).await.unwrap();
    opened == Opened::Whole
}

fn secret(n: u8) -> DeviceSecret {
    DeviceSecret([n; DeviceSecret::BYTES])
}
