//! The contract of [`QuarantineRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{QuarantinedUpdate, TelegramId};
use rollcall_repository::{Batch, QuarantineRepository, UserRepository};
use tokio::task::block_in_place;

/// The users, whose registration writes the quarantine, and the quarantine.
pub type Store = (Arc<dyn UserRepository>, Arc<dyn QuarantineRepository>);

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! quarantine_repository_contract {
    ($open:path) => {
        $crate::contract!($open, quarantine:
            updates_are_stored_unchanged,
            a_repeated_update_is_stored_once,
            updates_are_listed_by_id_in_pages,
            updates_are_removed,
            updates_are_marked_once_registered,
            updates_are_marked_once_delivered,
            an_update_to_be_delivered_is_whole,
            old_updates_are_deleted,
            updates_are_deleted_with_their_user,
        );
    };
}

pub async fn updates_are_stored_unchanged([(users, quarantine), _]: [Store; 2]) {
    assert_eq!(quarantine.find(7).await.unwrap(), None);
    let odd = QuarantinedUpdate {
        payload: r#"{"a":"\u0000 👩‍🚀 \"x\""}"#.to_owned(),
        undelivered: false,
        ..update(7, 0)
    };
    add_to_quarantine(&*users, [odd.clone()]).await;
    assert_eq!(quarantine.find(7).await.unwrap(), Some(odd));
}

pub async fn a_repeated_update_is_stored_once([(users, quarantine), (others, _)]: [Store; 2]) {
    add_to_quarantine(&*users, [update(7, 0)]).await;
    add_to_quarantine(&*others, [update(7, 60), update(8, 60)]).await;
    assert_eq!(quarantine.list(0, 10).await.unwrap(), [update(7, 0), update(8, 60)]);
    assert_eq!(quarantine.count().await.unwrap(), 2);
}

pub async fn updates_are_listed_by_id_in_pages([(users, quarantine), _]: [Store; 2]) {
    add_to_quarantine(&*users, [3, 1, 2].map(|id| update(id, 0))).await;
    assert_eq!(quarantine.list(0, 2).await.unwrap(), [update(1, 0), update(2, 0)]);
    assert_eq!(quarantine.list(2, 2).await.unwrap(), [update(3, 0)]);
    assert_eq!(quarantine.list(3, 2).await.unwrap(), []);
}

pub async fn updates_are_marked_once_registered([(users, quarantine), _]: [Store; 2]) {
    add_to_quarantine(&*users, [update(7, 0)]).await;
    add_to_quarantine(&*users, [QuarantinedUpdate { registered: true, ..update(7, 60) }]).await;
    let marked = QuarantinedUpdate { registered: true, ..update(7, 0) };
    assert_eq!(quarantine.find(7).await.unwrap(), Some(marked.clone()));
    add_to_quarantine(&*users, [update(7, 120)]).await;
    assert_eq!(quarantine.find(7).await.unwrap(), Some(marked));
}

pub async fn updates_are_marked_once_delivered([(users, quarantine), _]: [Store; 2]) {
    let undelivered = |id| QuarantinedUpdate { undelivered: true, ..update(id, 0) };
    add_to_quarantine(&*users, [undelivered(7), undelivered(8)]).await;
    quarantine.mark_delivered(7, "[]").await.unwrap();
    let delivered = QuarantinedUpdate { payload: "[]".to_owned(), ..update(7, 0) };
    assert_eq!(quarantine.list(0, 10).await.unwrap(), [delivered, undelivered(8)]);
    quarantine.mark_delivered(9, "[]").await.unwrap();
}

pub async fn an_update_to_be_delivered_is_whole([(users, quarantine), _]: [Store; 2]) {
    let with = |payload: &str, undelivered| QuarantinedUpdate {
        payload: payload.to_owned(),
        undelivered,
        ..update(7, 0)
    };
    add_to_quarantine(&*users, [with("{}", false)]).await;
    add_to_quarantine(&*users, [with("[1]", true)]).await;
    assert_eq!(quarantine.find(7).await.unwrap(), Some(with("[1]", true)));
    add_to_quarantine(&*users, [with("{}", false)]).await;
    assert_eq!(quarantine.find(7).await.unwrap(), Some(with("[1]", true)));
}

pub async fn updates_are_removed([(users, quarantine), _]: [Store; 2]) {
    add_to_quarantine(&*users, [update(7, 0)]).await;
    assert!(quarantine.remove(7).await.unwrap());
    assert!(!quarantine.remove(7).await.unwrap());
    assert_eq!(quarantine.count().await.unwrap(), 0);
}

pub async fn old_updates_are_deleted([(users, quarantine), _]: [Store; 2]) {
    add_to_quarantine(&*users, (1..=5).map(|n| update(n, n))).await;
    let whole = [6, 7].map(|n| QuarantinedUpdate { undelivered: true, ..update(n, n) });
    add_to_quarantine(&*users, whole.clone()).await;
    assert_eq!(users.forget(at(0), at(4), at(7), 2).await.unwrap(), 2);
    assert_eq!(users.forget(at(0), at(4), at(7), 2).await.unwrap(), 2);
    assert_eq!(users.forget(at(0), at(4), at(7), 2).await.unwrap(), 0);
    let [_, last] = whole;
    assert_eq!(quarantine.list(0, 10).await.unwrap(), [update(4, 4), update(5, 5), last]);
}

pub async fn updates_are_deleted_with_their_user([(users, quarantine), _]: [Store; 2]) {
    let id = |n: i64| TelegramId::try_from(n).unwrap();
    let from =
        |n, update_id| QuarantinedUpdate { telegram_id: Some(id(n)), ..update(update_id, 0) };
    add_to_quarantine(&*users, [from(5, 1), from(6, 2), update(3, 0), update(4, 0)]).await;
    // The user of this update was unknown at first.
    add_to_quarantine(&*users, [from(5, 4)]).await;
    users.delete(&[id(5)]).await.unwrap();
    assert_eq!(quarantine.list(0, 10).await.unwrap(), [from(6, 2), update(3, 0)]);
}

async fn add_to_quarantine(
    users: &dyn UserRepository,
    updates: impl IntoIterator<Item = QuarantinedUpdate>,
) {
    let batch = Batch { quarantined: updates.into_iter().collect(), ..Batch::default() };
    assert_eq!(block_in_place(|| users.register(&batch, at(1_000))).unwrap(), []);
}

fn update(update_id: i64, second: i64) -> QuarantinedUpdate {
    QuarantinedUpdate {
        update_id,
        received_at: at(second),
        reason: "of an unexpected form at line 1 column 5".to_owned(),
        registered: false,
        telegram_id: None,
        payload: "{}".to_owned(),
        undelivered: false,
    }
}

fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
