//! The contract of [`RetentionRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Event, Interaction, InteractionKind, Profile, Registration,
    TelegramId,
};
use rollcall_repository::{
    AuditFilter, AuditLogRepository, Cutoffs, Expired, NewAuditEntry, RetentionRepository,
};
use tokio::task::block_in_place;

use super::Store;

/// A store of users that keeps things for a time.
pub trait KeepingStore: Store + RetentionRepository {}

impl<S: Store + RetentionRepository> KeepingStore for S {}

/// The users, and the audit log.
pub type Stores = (Arc<dyn KeepingStore>, Arc<dyn AuditLogRepository>);

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! retention_contract {
    ($open:path) => {
        $crate::contract!($open, retention:
            inactive_users_are_deleted_and_may_return,
            customers_of_a_business_account_are_counted,
            old_notes_are_deleted,
            old_audit_entries_are_deleted_and_the_rest_verifies,
        );
    };
}

pub async fn inactive_users_are_deleted_and_may_return([(store, _), _]: [Stores; 2]) {
    register(&*store, [seen(1, 9), seen(2, 3), seen(3, 1), seen(4, 2), seen(5, 3)]);
    let day = at(3).date_naive();
    let before = Cutoffs { inactive: Some(day), ..Cutoffs::default() };
    assert_eq!(store.expired(before).await.unwrap(), Expired { users: 2, ..Expired::default() });
    assert_eq!(store.expired(Cutoffs::default()).await.unwrap(), Expired::default());
    // The one who was inactive for longest goes first.
    assert_eq!(store.delete_inactive(day, 1).await.unwrap(), 1);
    assert_eq!(store.find(id(3)).await.unwrap(), None);
    assert_eq!(store.delete_inactive(day, 9).await.unwrap(), 1);
    assert_eq!(store.delete_inactive(day, 9).await.unwrap(), 0);
    assert_eq!(store.existing(&[1, 2, 3, 4, 5].map(id)).await.unwrap(), [1, 2, 5].map(id));
    assert_eq!(store.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
    let returned = register(&*store, [seen(3, 10)]);
    assert!(returned[0].created && !returned[0].suppressed);
}

pub async fn customers_of_a_business_account_are_counted([(store, _), _]: [Stores; 2]) {
    use InteractionKind::{BusinessMessage, Command, EditedBusinessMessage, Text};
    let on = |n: i64, day, kind| Interaction { kind, ..seen(n, day) };
    let in_private = |n: i64, day| Interaction {
        chat: Some(Chat { id: n, kind: ChatKind::Private }),
        ..seen(n, day)
    };
    register(&*store, [on(1, 1, Text), in_private(2, 2)]);
    assert_eq!(store.business_customers().await.unwrap(), 0, "there are no such messages");
    // Customers, one of them on several days, and one who also wrote to the bot.
    let batch = [
        on(3, 3, BusinessMessage),
        on(3, 4, EditedBusinessMessage),
        on(4, 4, BusinessMessage),
        on(5, 4, BusinessMessage),
        in_private(5, 5),
    ];
    // By a deep link, by a command in a group, more often than there were messages, on another day.
    let link = Some(Event::Start("ad".parse().unwrap()));
    let started = Interaction { event: link, ..on(6, 4, Text) };
    let commanded = Interaction { command: Some("id"), ..on(7, 4, Command) };
    let others =
        [started, commanded, on(8, 3, Text), on(8, 3, Text), on(9, 4, Text), on(9, 5, Text)];
    register(&*store, batch.into_iter().chain(others).collect::<Vec<_>>());
    assert_eq!(store.business_customers().await.unwrap(), 2);
    // It cannot be seen that this one wrote in a group.
    register(&*store, [on(10, 4, Text)]);
    assert_eq!(store.business_customers().await.unwrap(), 3);
}

pub async fn old_notes_are_deleted([(store, _), _]: [Stores; 2]) {
    register(&*store, [1, 2, 3].map(|n| seen(n, 1)));
    for (n, day) in [(1, 2), (2, 4), (3, 3)] {
        store.set_note(id(n), "kind", "ada", at(day)).await.unwrap();
    }
    let before = Cutoffs { notes: Some(at(4)), ..Cutoffs::default() };
    assert_eq!(store.expired(before).await.unwrap(), Expired { notes: 2, ..Expired::default() });
    assert_eq!(store.delete_notes(at(4), 1).await.unwrap(), 1);
    assert_eq!(store.delete_notes(at(4), 9).await.unwrap(), 1);
    assert_eq!(store.delete_notes(at(4), 9).await.unwrap(), 0);
    for (n, is_kept) in [(1, false), (2, true), (3, false)] {
        let user = store.user(id(n), at(0).date_naive()).await.unwrap().unwrap();
        assert_eq!(user.note.is_some(), is_kept, "{n}");
    }
}

pub async fn old_audit_entries_are_deleted_and_the_rest_verifies([(store, log), _]: [Stores; 2]) {
    let entry = |day| NewAuditEntry {
        at: at(day),
        admin: None,
        action: AuditAction::DeletedUser,
        about: None,
        old: None,
        new: Some(day.to_string()),
    };
    for day in 1..=5 {
        log.audit(&entry(day)).await.unwrap();
    }
    let before = Cutoffs { audit: Some(at(4)), ..Cutoffs::default() };
    let expired = Expired { audit_entries: 3, ..Expired::default() };
    assert_eq!(store.expired(before).await.unwrap(), expired);
    assert_eq!(store.delete_audit_entries(at(4), 2).await.unwrap(), 2);
    assert_eq!(store.delete_audit_entries(at(4), 9).await.unwrap(), 1);
    assert_eq!(store.delete_audit_entries(at(4), 9).await.unwrap(), 0);
    let left = log.audit_log(&AuditFilter::all(), None, 9).await.unwrap();
    assert_eq!(left.iter().map(|it| it.at).collect::<Vec<_>>(), [at(5), at(4)]);
    let chain = log.verify_audit_log(None).await.unwrap();
    assert_eq!((chain.entries, chain.fault), (2, None));
    // Also once all are deleted, and after that.
    assert_eq!(store.delete_audit_entries(at(9), 9).await.unwrap(), 2);
    log.audit(&entry(6)).await.unwrap();
    let chain = log.verify_audit_log(None).await.unwrap();
    assert_eq!((chain.entries, chain.fault), (1, None));
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// This number of days after the start of the tests.
fn at(day: i64) -> DateTime<Utc> {
    "2026-11-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(day)
}

fn seen(n: i64, day: i64) -> Interaction {
    Interaction::new(at(day), Profile::new(id(n), "Ada"), InteractionKind::Text)
}

fn register(
    store: &dyn KeepingStore,
    interactions: impl IntoIterator<Item = Interaction>,
) -> Vec<Registration> {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(20))).unwrap()
}
