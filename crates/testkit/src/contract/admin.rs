//! The contract of [`AdminRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Admin, AdminAccount, AdminName, AuditAction, Interaction, InteractionKind, Profile, Role,
    SignInLimit, TelegramId,
};
use rollcall_repository::{
    AccountChange, AdminRepository, AuditFault, AuditFilter, Digest, Expiry, NewAuditEntry,
    NewSession, Opened, SignInWait, StoredAccount, StoredLink, StoredSession, UserRepository,
};
use tokio::task::block_in_place;

/// The users and the admins of one store.
pub type Store = (Arc<dyn UserRepository>, Arc<dyn AdminRepository>);

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! admin_repository_contract {
    ($open:path) => {
        $crate::contract!($open, admin:
            an_account_is_created_once,
            accounts_are_listed_by_name,
            a_new_password_ends_the_sessions,
            a_disabled_account_has_no_sessions,
            two_owners_do_not_disable_each_other,
            a_session_begins_only_with_the_password_that_was_verified,
            a_session_has_the_role_of_its_account,
            sessions_end_one_by_one_or_all_at_once,
            a_link_is_used_once,
            failures_of_all_handles_are_counted_together,
            concurrent_attempts_are_all_counted,
            a_success_does_not_count_as_a_failure,
            expired_rows_are_deleted,
            the_log_is_paged_and_filtered,
            the_log_stores_text_unchanged,
            an_erased_user_leaves_no_values_in_the_log,
            concurrent_entries_form_one_chain,
        );
    };
}

pub async fn an_account_is_created_once([(_, admins), (_, others)]: [Store; 2]) {
    assert!(admins.account(&name("ada")).await.unwrap().is_none());
    let stored = account("ada", Role::Owner);
    assert!(admins.create_account(&stored, &entry(AuditAction::CreatedAdmin)).await.unwrap());
    let another = account("ADA", Role::Viewer);
    assert!(!others.create_account(&another, &entry(AuditAction::CreatedAdmin)).await.unwrap());

    let found = others.account(&name("Ada")).await.unwrap().unwrap();
    assert_eq!((found.account, found.password_hash), (stored.account, stored.password_hash));
    assert_eq!(actions(&*admins).await, [AuditAction::CreatedAdmin]);
}

pub async fn accounts_are_listed_by_name([(_, admins), _]: [Store; 2]) {
    for (name, role) in [("bob", Role::Viewer), ("_", Role::Editor), ("ada", Role::Owner)] {
        create(&*admins, &account(name, role)).await;
    }
    let names = async |limit| {
        let accounts = admins.accounts(limit).await.unwrap();
        accounts.iter().map(|it| format!("{} {}", it.name, it.role)).collect::<Vec<_>>()
    };
    assert_eq!(names(9).await, ["_ editor", "ada owner", "bob viewer"]);
    assert_eq!(names(1).await, ["_ editor"]);
}

pub async fn a_new_password_ends_the_sessions([(_, admins), (_, others)]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let changed = entry(AuditAction::ChangedPassword);
    assert!(others.set_password(&name("ada"), "another", None, &changed).await.unwrap());
    assert_eq!(admins.session(digest(1)).await.unwrap(), None);
    assert_eq!(admins.account(&name("ada")).await.unwrap().unwrap().password_hash, "another");
    assert!(!others.set_password(&name("bob"), "another", None, &changed).await.unwrap());
    let expected = [AuditAction::ChangedPassword, AuditAction::SignedIn, AuditAction::CreatedAdmin];
    assert_eq!(actions(&*admins).await, expected);
}

pub async fn a_disabled_account_has_no_sessions([(_, admins), (_, others)]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Owner)).await;
    create(&*admins, &account("grace", Role::Owner)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let disabled = entry(AuditAction::DisabledAdmin);
    for _ in 0..2 {
        let done = others.set_disabled(&name("ada"), true, &disabled).await.unwrap();
        assert_eq!(done, AccountChange::Done);
    }
    assert_eq!(admins.session(digest(1)).await.unwrap(), None);
    assert!(!open(&*admins, 2, &ada()).await);
    assert!(admins.account(&name("ada")).await.unwrap().unwrap().account.is_disabled);
    let none = others.set_disabled(&name("bob"), true, &disabled).await.unwrap();
    assert_eq!(none, AccountChange::NoSuchAccount);
    let last = others.set_disabled(&name("grace"), true, &disabled).await.unwrap();
    assert_eq!(last, AccountChange::LastOwner);
    let created = AuditAction::CreatedAdmin;
    let expected = [AuditAction::DisabledAdmin, AuditAction::SignedIn, created, created];
    assert_eq!(actions(&*admins).await, expected, "a change without effect is not logged");

    let enabled = entry(AuditAction::EnabledAdmin);
    let done = others.set_disabled(&name("ada"), false, &enabled).await.unwrap();
    assert_eq!(done, AccountChange::Done);
    assert!(open(&*admins, 2, &ada()).await);
}

pub async fn two_owners_do_not_disable_each_other([(_, admins), (_, others)]: [Store; 2]) {
    for owner in ["ada", "grace"] {
        create(&*admins, &account(owner, Role::Owner)).await;
    }
    let disable = |store: &Arc<dyn AdminRepository>, owner| {
        let store = Arc::clone(store);
        let disabled = entry(AuditAction::DisabledAdmin);
        tokio::spawn(
            async move { store.set_disabled(&name(owner), true, &disabled).await.unwrap() },
        )
    };
    for _ in 0..20 {
        let (ada, grace) = (disable(&admins, "ada"), disable(&others, "grace"));
        let (ada, grace) = (ada.await.unwrap(), grace.await.unwrap());
        assert!(
            matches!(
                (ada, grace),
                (AccountChange::Done, AccountChange::LastOwner)
                    | (AccountChange::LastOwner, AccountChange::Done)
            ),
            "{ada:?} {grace:?}"
        );
        for owner in ["ada", "grace"] {
            let enabled = entry(AuditAction::EnabledAdmin);
            admins.set_disabled(&name(owner), false, &enabled).await.unwrap();
        }
    }
}

pub async fn a_session_begins_only_with_the_password_that_was_verified(
    [(_, admins), _]: [Store; 2],
) {
    create(&*admins, &account("ada", Role::Owner)).await;
    let signed_in = entry(AuditAction::SignedIn);
    let begin = async |admin: &Admin, hash: Option<&str>| {
        let password_hash = hash.map(str::to_owned);
        let session = NewSession { password_hash, ..session(1, admin) };
        admins.open_session(&session, &signed_in).await.unwrap()
    };
    for hash in [None, Some("another")] {
        assert_eq!(begin(&ada(), hash).await, Opened::Refused);
    }
    assert_eq!(admins.session(digest(1)).await.unwrap(), None);
    let nobody = Admin::Account(name("bob"));
    assert_eq!(begin(&nobody, Some(HASH)).await, Opened::Refused);
    assert_eq!(actions(&*admins).await, [AuditAction::CreatedAdmin]);

    assert!(open(&*admins, 1, &ada()).await);
    let account = admins.account(&name("ada")).await.unwrap().unwrap().account;
    assert_eq!(account.last_signed_in_at, Some(at(0)));
}

pub async fn a_session_has_the_role_of_its_account([(_, admins), _]: [Store; 2]) {
    create(&*admins, &account("ada", Role::Editor)).await;
    assert!(open(&*admins, 1, &ada()).await);
    let by_telegram = Admin::Telegram(id(7));
    assert!(open(&*admins, 2, &by_telegram).await);
    let session = |admin, account_role, last_used_at| StoredSession {
        admin,
        account_role,
        signed_in_at: at(0),
        last_used_at,
        has_factor: false,
        owes_factor: false,
        confirmed_at: Some(at(0)),
    };
    let expected = session(ada(), Some(Role::Editor), at(0));
    assert_eq!(admins.session(digest(1)).await.unwrap(), Some(expected));
    let expected = session(by_telegram.clone(), None, at(0));
    assert_eq!(admins.session(digest(2)).await.unwrap(), Some(expected));

    for used_at in [90, 60] {
        admins.touch_session(digest(2), at(used_at)).await.unwrap();
    }
    let expected = session(by_telegram, None, at(90));
    assert_eq!(admins.session(digest(2)).await.unwrap(), Some(expected));
}

pub async fn sessions_end_one_by_one_or_all_at_once([(_, admins), (_, others)]: [Store; 2]) {
    let (one, another) = (Admin::Telegram(id(7)), Admin::Telegram(id(8)));
    for (token, admin) in [(1, &one), (2, &one), (3, &one), (4, &another)] {
        assert!(open(&*admins, token, admin).await);
    }
    let (out, all_out) = (entry(AuditAction::SignedOut), entry(AuditAction::SignedOutEverywhere));
    assert!(others.close_session(digest(1), &one, &out).await.unwrap());
    assert!(!others.close_session(digest(1), &one, &out).await.unwrap());
    assert_eq!(others.close_sessions(&one, None, &all_out).await.unwrap(), 2);
    assert_eq!(others.close_sessions(&one, None, &all_out).await.unwrap(), 0);
    for (token, is_open) in [(1, false), (2, false), (3, false), (4, true)] {
        assert_eq!(admins.session(digest(token)).await.unwrap().is_some(), is_open);
    }
    let expected = [
        AuditAction::SignedOutEverywhere,
        AuditAction::SignedOutEverywhere,
        AuditAction::SignedOut,
    ];
    assert_eq!(actions(&*admins).await[..3], expected);
}

pub async fn a_link_is_used_once([(_, admins), (_, others)]: [Store; 2]) {
    for token in 1..=20 {
        admins.create_link(digest(token), id(7), at(5)).await.unwrap();
    }
    assert_eq!(admins.take_link(digest(99)).await.unwrap(), None);
    for token in 1..=20 {
        let (one, another) =
            tokio::join!(admins.take_link(digest(token)), others.take_link(digest(token)));
        let taken: Vec<_> = [one.unwrap(), another.unwrap()].into_iter().flatten().collect();
        assert_eq!(taken, [StoredLink { user: id(7), created_at: at(5) }]);
    }
}

pub async fn failures_of_all_handles_are_counted_together([(_, admins), (_, others)]: [Store; 2]) {
    let keys = [(digest(2), LIMIT), (digest(1), SignInLimit { free: 9, ..LIMIT })];
    for store in [&admins, &others, &admins] {
        assert_eq!(store.attempt(&keys, at(0)).await.unwrap(), []);
    }
    let waits = async |keys: &[_], second| admins.attempt(keys, at(second)).await.unwrap();
    let wait = |seconds| [SignInWait { key: digest(2), left: TimeDelta::seconds(seconds) }];
    assert_eq!(waits(&keys, 0).await, wait(60));
    assert_eq!(waits(&keys, 59).await, wait(1));
    assert_eq!(waits(&[keys[1]], 59).await, [], "only the key with too many failures waits");
    assert_eq!(waits(&keys, 60).await, []);
    assert_eq!(waits(&keys, 60).await, wait(120));
}

pub async fn concurrent_attempts_are_all_counted([(_, admins), (_, others)]: [Store; 2]) {
    let limit = SignInLimit { free: 8, ..LIMIT };
    let attempts = (0..24).map(|n| {
        let store = if n % 2 == 0 { admins.clone() } else { others.clone() };
        let mut keys = [(digest(1), limit), (digest(2), limit), (digest(3), limit)];
        keys.rotate_left(n % 3);
        tokio::spawn(async move { store.attempt(&keys, at(0)).await.unwrap() })
    });
    let mut tried = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        tried += usize::from(attempt.await.unwrap().is_empty());
    }
    assert_eq!(tried, 8);
}

pub async fn a_success_does_not_count_as_a_failure([(_, admins), _]: [Store; 2]) {
    let keys = [(digest(1), LIMIT), (digest(2), LIMIT)];
    for _ in 0..10 {
        assert_eq!(admins.attempt(&keys, at(0)).await.unwrap(), []);
        admins.succeeded(&[digest(1)], &[digest(2)]).await.unwrap();
    }
    admins.succeeded(&[digest(8)], &[digest(9)]).await.unwrap();
    // One key is reset, the other one is only decremented.
    for _ in 0..2 {
        assert_eq!(admins.attempt(&keys, at(0)).await.unwrap(), []);
    }
    admins.succeeded(&[digest(1)], &[digest(2)]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(admins.attempt(&keys[1..], at(0)).await.unwrap(), []);
    }
    assert_ne!(admins.attempt(&keys[1..], at(0)).await.unwrap(), []);
    assert_eq!(admins.attempt(&keys[..1], at(0)).await.unwrap(), []);
}

pub async fn expired_rows_are_deleted([(_, admins), _]: [Store; 2]) {
    let owner = Admin::Telegram(id(7));
    for token in 1..=4 {
        let signed_in = NewAuditEntry { at: at(token.into()), ..entry(AuditAction::SignedIn) };
        let opened = admins.open_session(&session(token, &owner), &signed_in).await.unwrap();
        assert_eq!(opened, Opened::Whole);
        admins.create_link(digest(token), id(7), at(token.into())).await.unwrap();
        let limit = SignInLimit { free: 1, ..LIMIT };
        admins.attempt(&[(digest(token), limit)], at(token.into())).await.unwrap();
    }
    admins.touch_session(digest(1), at(50)).await.unwrap();
    admins.touch_session(digest(2), at(50)).await.unwrap();
    let expiry = Expiry {
        used_before: at(4),
        signed_in_before: at(2),
        linked_before: at(3),
        opened_before: at(0),
        expired_before: at(0),
        failed_before: at(3),
    };
    // Sessions 1 (too old) and 3 (unused), links and failures 1 and 2.
    assert_eq!(admins.forget(expiry, 1).await.unwrap(), 3);
    assert_eq!(admins.forget(expiry, 9).await.unwrap(), 3);
    assert_eq!(admins.forget(expiry, 9).await.unwrap(), 0);
    for (token, is_kept) in [(1, false), (2, true), (3, false), (4, true)] {
        assert_eq!(admins.session(digest(token)).await.unwrap().is_some(), is_kept, "{token}");
    }
    for (token, is_kept) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(admins.take_link(digest(token)).await.unwrap().is_some(), is_kept, "{token}");
        let limit = SignInLimit { free: 1, ..LIMIT };
        let waits = !admins.attempt(&[(digest(token), limit)], at(5)).await.unwrap().is_empty();
        assert_eq!(waits, is_kept, "{token}");
    }
}

pub async fn the_log_is_paged_and_filtered([(_, admins), (_, others)]: [Store; 2]) {
    let bob = || Some(Admin::Telegram(id(2)));
    let written = [
        (Some(ada()), AuditAction::ViewedUser, Some(id(10))),
        (bob(), AuditAction::ViewedUser, Some(id(10))),
        (Some(ada()), AuditAction::ChangedNote, Some(id(11))),
        (None, AuditAction::CreatedAdmin, None),
        (Some(ada()), AuditAction::ViewedUser, Some(id(11))),
    ];
    for ((admin, action, about), n) in written.into_iter().zip(0..) {
        let store = if n % 2 == 0 { &admins } else { &others };
        let new = Some(n.to_string());
        // All entries have the same time: their order is that of writing.
        let entry = NewAuditEntry { admin, action, about, new, ..entry(action) };
        store.audit(&entry).await.unwrap();
    }
    let read = async |filter: AuditFilter, before, limit| {
        let entries = admins.audit_log(&filter, before, limit).await.unwrap();
        let values = entries.iter().filter_map(|entry| entry.new.clone()).collect::<String>();
        (values, entries.last().map(|entry| entry.id))
    };
    let (first, last) = read(AuditFilter::all(), None, 2).await;
    let (second, last) = (first, read(AuditFilter::all(), last, 2).await);
    assert_eq!((second.as_str(), last.0.as_str()), ("43", "21"));
    assert_eq!(read(AuditFilter::all(), last.1, 2).await.0, "0");

    let (first, last) = read(AuditFilter::all().by(ada()), None, 1).await;
    let rest = read(AuditFilter::all().by(ada()), last, 9).await;
    assert_eq!((first.as_str(), rest.0.as_str()), ("4", "20"));

    let kept = async |filter| read(filter, None, 9).await.0;
    assert_eq!(kept(AuditFilter::all().about(id(10))).await, "10");
    assert_eq!(kept(AuditFilter::all().by(ada())).await, "420");
    assert_eq!(kept(AuditFilter::all().by(Admin::Telegram(id(2)))).await, "1");
    assert_eq!(kept(AuditFilter::all().action(AuditAction::ViewedUser)).await, "410");
    let all = AuditFilter::all().by(ada()).about(id(11)).action(AuditAction::ChangedNote);
    assert_eq!(kept(all).await, "2");
}

pub async fn the_log_stores_text_unchanged([(_, admins), _]: [Store; 2]) {
    let written = NewAuditEntry {
        at: at(0) + TimeDelta::microseconds(7),
        admin: Some(Admin::Account(name("Ada.L@example.org"))),
        action: AuditAction::ChangedNote,
        about: Some(TelegramId::MAX),
        old: Some(String::new()),
        new: Some("Жук 👩‍🚀\n\"x\"\u{0}".to_owned()),
    };
    admins.audit(&written).await.unwrap();
    let entries = admins.audit_log(&AuditFilter::all(), None, 9).await.unwrap();
    let [read] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((read.at, &read.admin, read.action), (written.at, &written.admin, written.action));
    assert_eq!((read.about, &read.old), (written.about, &written.old));
    assert_eq!(
        read.new.as_deref(),
        Some("Жук 👩‍🚀\n\"x\""),
        "without the NUL, which PostgreSQL does not accept"
    );
}

pub async fn concurrent_entries_form_one_chain([(users, admins), (_, others)]: [Store; 2]) {
    let empty = admins.verify_audit_log(None).await.unwrap();
    assert_eq!((empty.entries, empty.older, empty.fault), (0, 0, None));
    let interaction = Interaction::new(at(0), Profile::of_id(id(5)), InteractionKind::Text);
    block_in_place(|| users.register(&vec![interaction].into(), at(0))).unwrap();
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..24_i64 {
        let store = if n % 2 == 0 { admins.clone() } else { others.clone() };
        let note = NewAuditEntry {
            about: Some(id(5 + n % 2)),
            old: (n % 3 == 0).then(|| "old\0".to_owned()),
            new: Some(format!("новое {n}")),
            ..entry(AuditAction::ChangedNote)
        };
        writing.spawn(async move { store.audit_all(&[note.clone(), note]).await.unwrap() });
    }
    writing.join_all().await;
    let chain = others.verify_audit_log(None).await.unwrap();
    assert_eq!((chain.entries, chain.fault), (48, None));

    // Erasing removes values, and does not break the chain.
    assert_eq!(users.delete(&[id(5)]).await.unwrap(), 1);
    create(&*admins, &account("ada", Role::Owner)).await;
    let after = admins.verify_audit_log(Some(chain.newest)).await.unwrap();
    assert_eq!((after.entries, after.fault), (49, None));
    assert_ne!(after.newest, chain.newest);
    let unknown = admins.verify_audit_log(Some(digest(9))).await.unwrap();
    assert_eq!(unknown.fault, Some(AuditFault::NotExpected));
}

pub async fn an_erased_user_leaves_no_values_in_the_log([(users, admins), _]: [Store; 2]) {
    let there =
        [5, 6].map(|n| Interaction::new(at(0), Profile::of_id(id(n)), InteractionKind::Text));
    block_in_place(|| users.register(&there.to_vec().into(), at(1_000))).unwrap();
    for about in [5, 6] {
        let note = NewAuditEntry {
            about: Some(id(about)),
            old: Some("old".to_owned()),
            new: Some("new".to_owned()),
            ..entry(AuditAction::ChangedNote)
        };
        admins.audit(&note).await.unwrap();
    }
    assert_eq!(users.delete(&[id(5)]).await.unwrap(), 1);
    let values = async |about| {
        let filter = AuditFilter::all().about(id(about));
        let entries = admins.audit_log(&filter, None, 9).await.unwrap();
        let values = |entry: &rollcall_domain::AuditEntry| (entry.old.clone(), entry.new.clone());
        entries.iter().map(values).collect::<Vec<_>>()
    };
    assert_eq!(values(5).await, [(None, None)], "the entry stays");
    assert_eq!(values(6).await, [(Some("old".to_owned()), Some("new".to_owned()))]);
}

const HASH: &str = "$argon2id$v=19$…";

const LIMIT: SignInLimit = SignInLimit {
    free: 3,
    first_wait: TimeDelta::seconds(60),
    longest_wait: TimeDelta::seconds(600),
};

pub(super) fn account(text: &str, role: Role) -> StoredAccount {
    let account = AdminAccount {
        name: name(text),
        role,
        is_disabled: false,
        has_second_factor: false,
        created_at: at(0),
        last_signed_in_at: None,
    };
    StoredAccount { account, password_hash: HASH.to_owned() }
}

pub(super) async fn create(admins: &dyn AdminRepository, account: &StoredAccount) {
    assert!(admins.create_account(account, &entry(AuditAction::CreatedAdmin)).await.unwrap());
}

pub(super) async fn open(admins: &dyn AdminRepository, token: u8, admin: &Admin) -> bool {
    let signed_in = entry(AuditAction::SignedIn);
    let opened = admins.open_session(&session(token, admin), &signed_in).await.unwrap();
    opened != Opened::Refused
}

/// A session that is opened with the password of [`account`].
pub(super) fn session(token: u8, admin: &Admin) -> NewSession {
    NewSession {
        token: digest(token),
        admin: admin.clone(),
        password_hash: Some(HASH.to_owned()),
        device: "Firefox on Linux".to_owned(),
        address: "192.0.2.1".to_owned(),
    }
}

/// The actions in the audit log, newest first.
pub(super) async fn actions(admins: &dyn AdminRepository) -> Vec<AuditAction> {
    let entries = admins.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
    entries.iter().map(|entry| entry.action).collect()
}

pub(super) fn entry(action: AuditAction) -> NewAuditEntry {
    NewAuditEntry { at: at(0), admin: None, action, about: None, old: None, new: None }
}

pub(super) fn ada() -> Admin {
    Admin::Account(name("ada"))
}

pub(super) fn name(text: &str) -> AdminName {
    text.parse().unwrap()
}

pub(super) fn id(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

pub(super) fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
