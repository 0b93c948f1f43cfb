//! The contract of what admins do with their accounts and sessions, and with the accounts of others:
//! the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{Admin, AdminName, AuditAction, Role};
use rollcall_repository::{
    Accepted, AccountChange, AddedPasskey, AdminRepository, AuditFilter, EnabledFactor, Expiry,
    FactorSecret, ListedSession, NewAuditEntry, NewSession, StoredInvitation,
};

use super::{
    admin::{account, actions, ada, at, create, digest, entry, id, name, open, session},
    passkeys::passkey,
};

pub type Store = Arc<dyn AdminRepository>;

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! account_repository_contract {
    ($open:path) => {
        $crate::contract!($open, accounts:
            a_new_password_keeps_the_session_that_asked_for_it,
            sessions_are_listed_with_their_device,
            only_own_sessions_are_ended,
            other_sessions_are_ended_and_the_current_one_stays,
            a_change_of_a_role_records_the_old_one,
            the_last_owner_is_neither_changed_nor_removed,
            concurrent_changes_leave_one_owner,
            a_removed_account_leaves_nothing_behind,
            an_invitation_is_accepted_once,
            an_invitation_stays_valid_if_the_name_is_taken,
            an_invitation_creates_an_account_of_its_role_only,
            an_invitation_is_withdrawn_directly_or_with_its_owner,
            expired_invitations_are_deleted,
        );
    };
}

pub async fn a_new_password_keeps_the_session_that_asked_for_it([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    for token in [1, 2] {
        assert!(open(&*admins, token, &ada()).await);
    }
    let changed = entry(AuditAction::ChangedPassword);
    let kept = Some(digest(1));
    assert!(others.set_password(&name("ada"), "another", kept, &changed).await.unwrap());
    assert_eq!(open_ones(&admins, 1..=2).await, [1]);
    assert_eq!(admins.account(&name("ada")).await.unwrap().unwrap().password_hash, "another");
}

pub async fn sessions_are_listed_with_their_device([admins, others]: [Store; 2]) {
    let owner = Admin::Telegram(id(7));
    for (token, device) in [(1, "Safari on iPhone"), (2, ""), (3, "Firefox on Linux")] {
        let new = NewSession { device: device.to_owned(), ..session(token, &owner) };
        let signed_in = NewAuditEntry { at: at(token.into()), ..entry(AuditAction::SignedIn) };
        admins.open_session(&new, &signed_in).await.unwrap();
    }
    open(&*admins, 4, &Admin::Telegram(id(8))).await;
    admins.touch_session(digest(1), at(60)).await.unwrap();
    let listed = others.sessions(&owner, 2).await.unwrap();
    let expected = |token, device: &str, last_used| ListedSession {
        token: digest(token),
        device: device.to_owned(),
        address: "192.0.2.1".to_owned(),
        signed_in_at: at(token.into()),
        last_used_at: at(last_used),
        owes_factor: false,
    };
    assert_eq!(listed, [expected(1, "Safari on iPhone", 60), expected(3, "Firefox on Linux", 3)]);
    assert_eq!(others.sessions(&owner, 9).await.unwrap()[2], expected(2, "", 2));
}

pub async fn only_own_sessions_are_ended([admins, _]: [Store; 2]) {
    let (one, another) = (Admin::Telegram(id(7)), Admin::Telegram(id(8)));
    assert!(open(&*admins, 1, &one).await && open(&*admins, 2, &another).await);
    let ended = entry(AuditAction::EndedSession);
    assert!(!admins.close_session(digest(2), &one, &ended).await.unwrap());
    assert!(!admins.close_session(digest(9), &one, &ended).await.unwrap());
    assert_eq!(open_ones(&admins, 1..=2).await, [1, 2]);
    assert!(admins.close_session(digest(2), &another, &ended).await.unwrap());
    assert_eq!(open_ones(&admins, 1..=2).await, [1]);
    let all = actions(&*admins).await;
    assert_eq!(all.iter().filter(|it| **it == AuditAction::EndedSession).count(), 1);
}

pub async fn other_sessions_are_ended_and_the_current_one_stays([admins, others]: [Store; 2]) {
    let (one, another) = (Admin::Telegram(id(7)), Admin::Telegram(id(8)));
    for token in 1..=3 {
        assert!(open(&*admins, token, &one).await);
    }
    assert!(open(&*admins, 4, &another).await);
    let ended = entry(AuditAction::EndedOtherSessions);
    assert_eq!(others.close_sessions(&one, Some(digest(2)), &ended).await.unwrap(), 2);
    assert_eq!(open_ones(&admins, 1..=4).await, [2, 4]);
}

pub async fn a_change_of_a_role_records_the_old_one([admins, others]: [Store; 2]) {
    create(&*admins, &account("grace", Role::Owner)).await;
    create(&*admins, &account("ada", Role::Viewer)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let new = Some("ada (editor)".to_owned());
    let changed = NewAuditEntry { new, ..entry(AuditAction::ChangedRole) };
    for _ in 0..2 {
        let done = others.set_role(&name("ada"), Role::Editor, &changed).await.unwrap();
        assert_eq!(done, AccountChange::Done);
    }
    let session = admins.session(digest(1)).await.unwrap().unwrap();
    assert_eq!(session.account_role, Some(Role::Editor), "at once, in the sessions too");
    let none = others.set_role(&name("bob"), Role::Editor, &changed).await.unwrap();
    assert_eq!(none, AccountChange::NoSuchAccount);
    let filter = AuditFilter::all().action(AuditAction::ChangedRole);
    let log = admins.audit_log(&filter, None, 9).await.unwrap();
    let values: Vec<_> = log.iter().map(|it| (it.old.as_deref(), it.new.as_deref())).collect();
    assert_eq!(values, [(Some("ada (viewer)"), Some("ada (editor)"))]);
}

pub async fn the_last_owner_is_neither_changed_nor_removed([admins, others]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    create(&*admins, &account("grace", Role::Owner)).await;
    create(&*admins, &account("bob", Role::Viewer)).await;
    let set_role = async |who, role| {
        let changed = entry(AuditAction::ChangedRole);
        others.set_role(&name(who), role, &changed).await.unwrap()
    };
    let remove = async |who| {
        let removed = entry(AuditAction::RemovedAdmin);
        others.remove_account(&name(who), &removed).await.unwrap()
    };
    let disabled = entry(AuditAction::DisabledAdmin);
    others.set_disabled(&name("grace"), true, &disabled).await.unwrap();
    assert_eq!(set_role("ada", Role::Editor).await, AccountChange::LastOwner);
    assert_eq!(remove("ada").await, AccountChange::LastOwner);
    // A disabled owner does not count as the last one.
    assert_eq!(set_role("grace", Role::Viewer).await, AccountChange::Done);
    assert_eq!(remove("grace").await, AccountChange::Done);
    assert_eq!(set_role("ada", Role::Owner).await, AccountChange::Done);
    assert_eq!(set_role("bob", Role::Owner).await, AccountChange::Done);
    assert_eq!(remove("ada").await, AccountChange::Done);
    assert_eq!(remove("ada").await, AccountChange::NoSuchAccount);
    assert_eq!(set_role("bob", Role::Viewer).await, AccountChange::LastOwner);
}

pub async fn concurrent_changes_leave_one_owner([admins, others]: [Store; 2]) {
    // Every combination of two ways to lose an owner.
    for (round, [one, another]) in
        [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].iter().enumerate()
    {
        let [ada, grace] = ["ada", "grace"].map(|who| name(&format!("{who}-{round}")));
        for owner in [&ada, &grace] {
            create(&*admins, &account(owner.as_str(), Role::Owner)).await;
        }
        // Owners of the previous round must not count.
        for before in admins.accounts(99).await.unwrap() {
            if ![&ada, &grace].contains(&&before.name) {
                let removed = entry(AuditAction::RemovedAdmin);
                admins.remove_account(&before.name, &removed).await.unwrap();
            }
        }
        let change = |store: &Store, who: &AdminName, how| {
            let (store, who) = (Arc::clone(store), who.clone());
            let entry = entry(AuditAction::ChangedRole);
            tokio::spawn(async move {
                let done = match how {
                    0 => store.set_role(&who, Role::Viewer, &entry).await,
                    1 => store.remove_account(&who, &entry).await,
                    _ => store.set_disabled(&who, true, &entry).await,
                };
                done.unwrap()
            })
        };
        let (one, another) = (change(&admins, &ada, *one), change(&others, &grace, *another));
        let mut both = [one.await.unwrap(), another.await.unwrap()];
        both.sort_by_key(|it| *it != AccountChange::Done);
        assert_eq!(both, [AccountChange::Done, AccountChange::LastOwner], "{round}");
    }
}

pub async fn a_removed_account_leaves_nothing_behind([admins, others]: [Store; 2]) {
    create(&*admins, &account("grace", Role::Owner)).await;
    create(&*admins, &account("ada", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let secret = FactorSecret([7; FactorSecret::BYTES]);
    admins.offer_secret(digest(1), &secret).await.unwrap();
    let enabled = entry(AuditAction::EnabledSecondFactor);
    let codes = [digest(101)];
    let on = admins.enable_second_factor(digest(1), &ada(), &secret, 7, &codes, &enabled).await;
    assert_eq!(on.unwrap(), EnabledFactor::First);
    let (passkey, added) = (passkey(70, "Laptop"), entry(AuditAction::AddedPasskey));
    let done = admins.add_passkey(digest(1), &ada(), &passkey, &codes, &added).await.unwrap();
    assert_eq!(done, AddedPasskey::Further);
    invite(&admins, 50, Role::Viewer, &ada()).await;
    let removed = entry(AuditAction::RemovedAdmin);
    let done = others.remove_account(&name("ada"), &removed).await.unwrap();
    assert_eq!(done, AccountChange::Done);
    assert_eq!(open_ones(&admins, 1..=1).await, [0_u8; 0]);
    assert_eq!(admins.second_factor(&ada()).await.unwrap(), None);
    assert_eq!(admins.passkeys(&ada(), 9).await.unwrap(), []);
    assert_eq!(admins.recovery_codes(&ada()).await.unwrap(), 0);
    assert_eq!(admins.invitations(9).await.unwrap(), []);
    let log = admins.audit_log(&AuditFilter::all(), None, 1).await.unwrap();
    assert_eq!(log[0].old.as_deref(), Some("ada (owner)"));
    // A new account with the same name inherits nothing.
    create(&*admins, &account("ada", Role::Viewer)).await;
    let account = admins.account(&name("ada")).await.unwrap().unwrap().account;
    assert!(!account.has_second_factor && account.last_signed_in_at.is_none());
}

pub async fn an_invitation_is_accepted_once([admins, others]: [Store; 2]) {
    for round in 0..10 {
        invite(&admins, 50, Role::Editor, &ada()).await;
        let accept = |store: &Store, who: String| {
            let store = Arc::clone(store);
            let accepted = entry(AuditAction::AcceptedInvitation);
            tokio::spawn(async move {
                let account = account(&who, Role::Editor);
                store.accept_invitation(digest(50), &account, &accepted).await.unwrap()
            })
        };
        let one = accept(&admins, format!("one-{round}"));
        let another = accept(&others, format!("another-{round}"));
        let mut both = [one.await.unwrap(), another.await.unwrap()];
        both.sort_by_key(|it| *it != Accepted::Done);
        assert_eq!(both, [Accepted::Done, Accepted::NoSuchInvitation]);
    }
    assert_eq!(admins.accounts(99).await.unwrap().len(), 10);
    assert_eq!(admins.invitation(digest(50)).await.unwrap(), None);
    let all = actions(&*admins).await;
    assert_eq!(all.iter().filter(|it| **it == AuditAction::AcceptedInvitation).count(), 10);
}

pub async fn an_invitation_stays_valid_if_the_name_is_taken([admins, _]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    let invitation = invite(&admins, 50, Role::Owner, &ada()).await;
    let accepted = entry(AuditAction::AcceptedInvitation);
    let taken = admins.accept_invitation(digest(50), &account("ada", Role::Owner), &accepted).await;
    assert_eq!(taken.unwrap(), Accepted::NameIsTaken);
    assert_eq!(admins.invitation(digest(50)).await.unwrap(), Some(invitation));
}

pub async fn an_invitation_creates_an_account_of_its_role_only([admins, _]: [Store; 2]) {
    invite(&admins, 50, Role::Viewer, &ada()).await;
    let accepted = entry(AuditAction::AcceptedInvitation);
    let more = admins.accept_invitation(digest(50), &account("bob", Role::Owner), &accepted).await;
    assert_eq!(more.unwrap(), Accepted::NoSuchInvitation);
    assert_eq!(admins.accounts(9).await.unwrap(), []);
}

pub async fn an_invitation_is_withdrawn_directly_or_with_its_owner([admins, others]: [Store; 2]) {
    for owner in ["ada", "grace", "emmy"] {
        create(&*admins, &account(owner, Role::Owner)).await;
    }
    let [grace, emmy] = ["grace", "emmy"].map(|owner| Admin::Account(name(owner)));
    for (token, by) in [(50, &ada()), (51, &ada()), (52, &grace), (53, &emmy)] {
        invite(&admins, token, Role::Viewer, by).await;
    }
    let withdrew = entry(AuditAction::WithdrewInvitation);
    assert!(others.withdraw_invitation(digest(50), &withdrew).await.unwrap());
    assert!(!others.withdraw_invitation(digest(50), &withdrew).await.unwrap());
    let left = async || {
        let left = admins.invitations(9).await.unwrap();
        left.iter().map(|it| it.token.0[0]).collect::<Vec<_>>()
    };
    assert_eq!(left().await, [53, 52, 51], "newest first");
    let disabled = entry(AuditAction::DisabledAdmin);
    others.set_disabled(&name("ada"), true, &disabled).await.unwrap();
    assert_eq!(left().await, [53, 52]);
    let changed = entry(AuditAction::ChangedRole);
    others.set_role(&name("grace"), Role::Editor, &changed).await.unwrap();
    assert_eq!(left().await, [53]);
}

pub async fn expired_invitations_are_deleted([admins, _]: [Store; 2]) {
    for token in [50, 60] {
        invite(&admins, token, Role::Viewer, &ada()).await;
    }
    let expiry = |expired_before| Expiry {
        used_before: at(0),
        signed_in_before: at(0),
        linked_before: at(0),
        opened_before: at(0),
        expired_before,
        failed_before: at(0),
    };
    // Each invitation expires one hour after the second that is its token.
    assert_eq!(admins.forget(expiry(at(3655)), 9).await.unwrap(), 1);
    assert_eq!(admins.invitation(digest(50)).await.unwrap(), None);
    assert!(admins.invitation(digest(60)).await.unwrap().is_some());
}

async fn invite(admins: &Store, token: u8, role: Role, by: &Admin) -> StoredInvitation {
    let invitation = StoredInvitation {
        token: digest(token),
        role,
        invited_by: by.clone(),
        created_at: at(token.into()),
        expires_at: at(i64::from(token) + 3600),
    };
    admins.create_invitation(&invitation, &entry(AuditAction::InvitedAdmin)).await.unwrap();
    invitation
}

/// The tokens of the open sessions.
async fn open_ones(admins: &Store, tokens: std::ops::RangeInclusive<u8>) -> Vec<u8> {
    let mut open = Vec::new();
    for token in tokens {
        if admins.session(digest(token)).await.unwrap().is_some() {
            open.push(token);
        }
    }
    open
}
