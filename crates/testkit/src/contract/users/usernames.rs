//! Usernames, each of which belongs to one user at a time.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rollcall_domain::{Profile, Username};
use tokio::task::spawn_blocking;

use super::store::{Stores, at, id, named, now, register, seen, shown, times, user, usernames};
use crate::contract::Store;

pub async fn a_username_passes_within_a_batch([store, _]: Stores) {
    let answers =
        register(&*store, [named(1, 10, "name"), named(2, 11, "NAME"), named(3, 10, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2, 3]).await, ["", "NAME", ""]);
    assert_eq!(answers[0].user, user(&*store, 1).await);
    assert_eq!(answers[1].user, user(&*store, 2).await);
}

pub async fn a_username_passes_across_batches([store, _]: Stores) {
    register(&*store, [named(1, 10, "name")]).await;
    register(&*store, [named(2, 11, "Name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["", "Name"]);
    assert_eq!(times(&user(&*store, 1).await), (at(10), at(11), at(10)));

    // The first user has it again later: it was returned.
    register(&*store, [named(1, 12, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
}

pub async fn a_late_claim_to_a_username_fails([store, _]: Stores) {
    register(&*store, [named(1, 20, "name")]).await;
    let answer = register(&*store, [named(2, 19, "name")]).await;
    assert_eq!(answer[0].user.username, None);
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
}

pub async fn a_failed_claim_changes_nothing([store, _]: Stores) {
    register(&*store, [seen(2, 15, "x"), named(1, 20, "name")]).await;
    let claim = register(&*store, [named(2, 16, "name")]).await;
    assert_eq!(times(&claim[0].user), (at(15), at(15), at(16)));
    assert_eq!(user(&*store, 2).await, claim[0].user);
    // Other changes of the same profile are stored.
    let renamed = Profile::new(id(2), "y").username("name");
    let claim = register(&*store, [shown(17, renamed)]).await;
    assert_eq!(times(&claim[0].user), (at(15), at(17), at(17)));
}

pub async fn a_username_passes_to_the_later_of_equal_times([store, _]: Stores) {
    register(&*store, [named(2, 20, "name")]).await;
    register(&*store, [named(1, 20, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
    register(&*store, [named(4, 20, "other"), named(3, 20, "other")]).await;
    assert_eq!(usernames(&*store, &[3, 4]).await, ["other", ""]);
}

/// A user who had a username later than its holder has had it, even for a short time.
pub async fn a_username_passes_through_a_third_user([store, _]: Stores) {
    register(&*store, [named(1, 10, "name")]).await;
    register(&*store, [named(2, 11, "name"), named(2, 12, "else")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["", "else"]);
}

pub async fn two_writers_give_a_username_to_one_user(stores: Stores) {
    for round in 0..40 {
        let [one, other] = stores.clone();
        let name = format!("name{round}");
        let (first, second) = (2 * round + 1, 2 * round + 2);
        let writer = |store: Arc<dyn Store>, id| {
            let claim = named(id, 10, &name);
            tokio::spawn(async move { register(&*store, [claim]).await })
        };
        let (a, b) = (writer(one, first), writer(other, second));
        a.await.unwrap();
        b.await.unwrap();
        let held = usernames(&*stores[0], &[first, second]).await;
        assert_eq!(held.iter().filter(|held| **held == name).count(), 1, "{held:?}");
    }
}

pub async fn two_writers_in_opposite_order_both_succeed(stores: Stores) {
    let tasks: Vec<_> = stores
        .iter()
        .cloned()
        .zip([false, true])
        .map(|(store, reversed)| {
            spawn_blocking(move || {
                for second in 0..30 {
                    let mut batch: Vec<_> = (1..=40)
                        .map(|n| named(n, second, &format!("u{}", (n + second) % 41)))
                        .collect();
                    if reversed {
                        batch.reverse();
                    }
                    store.register(&batch.into(), now()).expect("a deadlock is retried");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let held = usernames(&*stores[0], &(1..=40).collect::<Vec<_>>()).await;
    let mut distinct: Vec<_> = held.iter().filter(|name| !name.is_empty()).collect();
    let holders = distinct.len();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), holders, "no username twice: {held:?}");
}

/// Each writer locks its users and then needs usernames of the other's users. PostgreSQL would detect
/// such a deadlock only after a second.
pub async fn writers_that_move_usernames_do_not_wait_for_each_other(stores: Stores) {
    let writers = stores.iter().cloned().zip([0, 1]).map(|(store, parity)| {
        spawn_blocking(move || {
            let mut slow = 0;
            for second in 0..60 {
                let names = |n: i64| format!("u{}", (n + second) % 40);
                let batch: Vec<_> = (1..=20)
                    .map(|n| 2 * n + parity)
                    .map(|user| named(user, second, &names(user)))
                    .collect();
                let begun = Instant::now();
                store.register(&batch.into(), now()).unwrap();
                slow += u32::from(begun.elapsed() > Duration::from_secs(1));
            }
            slow
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut slow = 0;
    for writer in writers {
        slow += writer.await.unwrap();
    }
    // The machine may pause.
    assert!(slow < 3, "{slow} of 120 batches took longer than a second");
}

pub async fn usernames_are_found_ignoring_case([store, _]: Stores) {
    register(&*store, [named(1, 10, "Ada_L"), named(2, 10, "bob")]).await;
    for typed in ["ada_l", "@ADA_L", "Ada_L"] {
        let username: Username = typed.parse().unwrap();
        assert_eq!(store.find_by_username(&username).await.unwrap().unwrap().telegram_id, id(1));
    }
    assert_eq!(store.find_by_username(&"adaXl".parse().unwrap()).await.unwrap(), None);

    // Only ASCII letters are folded, on every database and with every collation.
    register(&*store, [named(3, 10, "Жук"), named(4, 11, "жук")]).await;
    assert_eq!(usernames(&*store, &[3, 4]).await, ["Жук", "жук"]);
}
