//! The lease of the process that sends.

use rollcall_domain::{BroadcastPlan, BroadcastState, PauseReason, RecipientState};
use rollcall_repository::{BroadcastChange, SenderLease};
use tokio::task::JoinSet;

use super::store::{
    BroadcastStore, ME, Store, add, at, change, claim, create, id, lease, outcome, plan, preparing,
    rows, sending, sums, take, users,
};

pub async fn the_lease_is_taken_renewed_and_ended([(store, _), (other, _)]: [Store; 2]) {
    let none = lease(&*store).await;
    assert_eq!(none, SenderLease { holder: None, renewals: 0 });
    assert!(store.take_sender_lease("a", &none, at(0)).await.unwrap());
    let first = lease(&*other).await;
    assert_eq!(first, SenderLease { holder: Some("a".to_owned()), renewals: 1 });
    assert!(store.take_sender_lease("a", &first, at(2)).await.unwrap());
    let renewed = lease(&*store).await;
    assert_eq!(renewed, SenderLease { renewals: 2, ..first.clone() });

    // It was renewed since another process saw it.
    for seen in [&none, &first, &SenderLease { holder: None, renewals: 2 }] {
        assert!(!other.take_sender_lease("b", seen, at(20)).await.unwrap());
        assert_eq!(lease(&*store).await, renewed);
    }
    other.end_sender_lease("b").await.unwrap();
    assert_eq!(lease(&*store).await, renewed, "it is not b's");
    // It is as another process saw it, so that one takes it over.
    assert!(other.take_sender_lease("b", &renewed, at(20)).await.unwrap());
    let taken = lease(&*store).await;
    assert_eq!(taken, SenderLease { holder: Some("b".to_owned()), renewals: 3 });
    assert!(!store.take_sender_lease("a", &renewed, at(21)).await.unwrap());
    store.end_sender_lease("a").await.unwrap();
    assert_eq!(lease(&*store).await, taken);
    other.end_sender_lease("b").await.unwrap();
    assert_eq!(lease(&*store).await, SenderLease { holder: None, renewals: 3 });
}

pub async fn one_of_several_concurrent_processes_takes_the_lease(stores: [Store; 2]) {
    for round in 0..3 {
        let seen = lease(&*stores[0].0).await;
        let mut processes = JoinSet::new();
        for n in 0..6 {
            let (store, seen) = (stores[n % 2].0.clone(), seen.clone());
            processes.spawn(async move {
                let holder = format!("{round} {n}");
                let taken = store.take_sender_lease(&holder, &seen, at(0)).await.unwrap();
                taken.then_some(holder)
            });
        }
        let mut holders = processes.join_all().await;
        holders.retain(Option::is_some);
        assert_eq!(holders.len(), 1, "{holders:?}");
        assert_eq!(lease(&*stores[1].0).await.holder, holders[0]);
    }
}

/// What a process without the lease tries changes nothing.
async fn is_refused(store: &dyn BroadcastStore, all: [i64; 3]) {
    let [scheduled, preparing, sending] = all;
    let mut before = Vec::new();
    for broadcast in all {
        let found = store.broadcast(broadcast).await.unwrap();
        before.push((found, rows(store, broadcast).await, sums(store, broadcast).await));
    }
    assert_eq!(store.begin_scheduled(ME, scheduled, at(9_999)).await.unwrap(), None);
    for last in [Some(id(3)), None] {
        let added = store.add_recipients(ME, preparing, &[id(3)], last, at(20)).await.unwrap();
        assert_eq!(added, None);
    }
    assert_eq!(store.claim_recipients(ME, sending, None, 9, at(30)).await.unwrap(), None);
    let outcomes = [outcome(1, RecipientState::Sent)];
    let settled = store.settle_recipients(ME, sending, &outcomes, Some(id(1))).await.unwrap();
    assert_eq!(settled, None);
    for are_unsent in [false, true] {
        let recovered = store.recover_recipients(ME, sending, are_unsent, at(30)).await.unwrap();
        assert_eq!(recovered, None);
    }
    for broadcast in [preparing, sending] {
        let paused = store.pause_broadcast(ME, broadcast, PauseReason::Safety).await.unwrap();
        assert_eq!(paused, None);
    }
    for (broadcast, before) in all.into_iter().zip(before) {
        let found = store.broadcast(broadcast).await.unwrap();
        let now = (found, rows(store, broadcast).await, sums(store, broadcast).await);
        assert_eq!(now, before);
    }
}

pub async fn a_process_that_lost_the_lease_changes_nothing([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, [1, 2, 3]);
    let all = [
        create(&*store, &BroadcastPlan { starts_at: Some(at(100)), ..plan("news") }).await.id,
        preparing(&*store, &plan("news")).await,
        sending(&*store, &plan("news"), [1, 2]).await,
    ];
    change(&*store, all[0], BroadcastChange::Schedule).await;
    add(&*store, all[1], &[1], Some(1)).await;
    assert_eq!(claim(&*store, all[2], None, 1).await, [1]);
    let done = sending(&*store, &plan("news"), []).await;

    take(&*other, "other").await;
    is_refused(&*store, all).await;
    assert_eq!(store.finish_broadcast(ME, done, at(50)).await.unwrap(), None);
    other.end_sender_lease("other").await.unwrap();
    is_refused(&*store, all).await;
    assert_eq!(store.finish_broadcast(ME, done, at(50)).await.unwrap(), None);
    take(&*store, ME).await;
    assert_eq!(store.finish_broadcast(ME, done, at(50)).await.unwrap(), Some(true));
}

/// A former holder whose claim is under way either has its recipients, or gets none.
pub async fn claims_and_a_new_holder_exclude_each_other([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=200);
    let broadcast = sending(&*store, &plan("news"), 1..=200).await;
    let claims = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            let mut after = None;
            loop {
                let claim = store.claim_recipients(ME, broadcast, after, 1, at(30)).await.unwrap();
                let Some(claim) = claim else { return claimed };
                if claim.last.is_none() {
                    return claimed;
                }
                after = claim.last;
                claimed.extend(claim.users.iter().map(|it| it.telegram_id));
            }
        })
    };
    // Waits until the first one was claimed.
    while sums(&*other, broadcast).await.len() < 2 {
        tokio::task::yield_now().await;
    }
    take(&*other, "other").await;
    let known = rows(&*other, broadcast).await;
    let known = known.into_iter().filter(|it| it.state == RecipientState::Claimed);
    let known: Vec<_> = known.map(|it| it.telegram_id).collect();
    assert_eq!(claims.await.unwrap(), known);
}

pub async fn an_unchanged_database_is_not_taken_for_a_restored_one(
    [(store, _), (other, _)]: [Store; 2],
) {
    users(&*store, [1, 2, 3]);
    let broadcast = sending(&*store, &plan("news"), [1, 2, 3]).await;
    for n in 0..3 {
        let (holder, store) = [("a", &store), ("b", &other), ("c", &other)][n];
        take(&**store, holder).await;
        let claim = store.claim_recipients(holder, broadcast, None, 1, at(30)).await.unwrap();
        assert_eq!(claim.unwrap().users.len(), 1);
        take(&**store, holder).await;
        if n == 1 {
            store.end_sender_lease(holder).await.unwrap();
        }
        let now = store.broadcast(broadcast).await.unwrap().unwrap();
        assert_eq!(now.state, BroadcastState::Sending);
    }
}
