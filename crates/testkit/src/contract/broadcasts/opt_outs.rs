use rollcall_domain::RecipientState;
use rollcall_repository::RecipientOutcome;
use tokio::task::JoinSet;

use super::store::{
    BroadcastStore, Store, at, claim_at, create, id, name, outcome, plan, sending, settle, users,
};

const DAY: i64 = 86_400;

pub async fn a_created_broadcast_shows_that_there_are_any([(store, _), (other, _)]: [Store; 2]) {
    assert!(!other.has_broadcasts().await.unwrap());
    create(&*store, &plan("system")).await;
    assert!(other.has_broadcasts().await.unwrap());
}

/// How many recipients of a broadcast have opted out.
async fn opt_outs(store: &dyn BroadcastStore, broadcast: i64) -> u64 {
    store.broadcast(broadcast).await.unwrap().unwrap().opt_outs
}

async fn set(store: &dyn BroadcastStore, n: i64, is_out: bool, second: i64) {
    assert!(store.set_opt_out(id(n), &name("promo"), is_out, at(second)).await.unwrap());
}

/// A broadcast that these users got at a time.
async fn sent(store: &dyn BroadcastStore, category: &str, ids: &[i64], second: i64) -> i64 {
    let broadcast = sending(store, &plan(category), ids.iter().copied()).await;
    claim_at(store, broadcast, None, 99, 30).await;
    let sent = |n: &i64| RecipientOutcome { at: at(second), ..outcome(*n, RecipientState::Sent) };
    let outcomes: Vec<_> = ids.iter().map(sent).collect();
    store.settle_recipients("me", broadcast, &outcomes, None).await.unwrap().unwrap();
    broadcast
}

pub async fn opt_outs_count_for_the_broadcasts_that_the_user_got([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=9);
    let news = sent(&*store, "news", &[1, 2, 3, 4, 5, 6], 40).await;
    let promo = sending(&*store, &plan("promo"), 1..=8).await;
    assert_eq!(claim_at(&*store, promo, None, 7, 30).await, [1, 2, 3, 4, 5, 6, 7]);
    settle(&*store, promo, &[1, 2], RecipientState::Sent, None).await;
    settle(&*store, promo, &[3], RecipientState::Unknown, None).await;
    settle(&*store, promo, &[4], RecipientState::Failed, None).await;
    settle(&*store, promo, &[5], RecipientState::Unreachable, None).await;
    settle(&*store, promo, &[7], RecipientState::Queued, None).await;
    // 6 is claimed, 7 and 8 are queued, and 9 is no recipient.
    for (n, expected) in (1..=9).zip([1, 2, 3, 3, 3, 4, 4, 4, 4]) {
        set(&*store, n, true, 100).await;
        assert_eq!(opt_outs(&*store, promo).await, expected, "{n}");
    }
    assert_eq!(opt_outs(&*store, news).await, 0, "other categories do not count");
    let claim = store.claim_recipients("me", promo, None, 9, at(110)).await.unwrap().unwrap();
    assert_eq!((claim.opt_outs, claim.users.len()), (4, 0));
    // Each user counts once, and no more after opting in again.
    set(&*store, 1, true, 120).await;
    assert_eq!(opt_outs(&*store, promo).await, 4);
    for _ in 0..2 {
        set(&*store, 1, false, 130).await;
        assert_eq!(opt_outs(&*store, promo).await, 3);
    }
    set(&*store, 4, false, 130).await;
    assert_eq!(opt_outs(&*store, promo).await, 3);
    store.delete(&[id(2)]).await.unwrap();
    assert_eq!(opt_outs(&*store, promo).await, 3, "what erased users did stays in the sum");
    // Nothing else changes the sum.
    store.pause_broadcast("me", promo, rollcall_domain::PauseReason::Owner).await.unwrap();
    assert_eq!(opt_outs(&*store, promo).await, 3);
}

pub async fn opt_outs_count_for_a_day_after_the_message([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let first = sent(&*store, "promo", &[1, 2, 3], 0).await;
    let second = sent(&*store, "promo", &[1, 2, 3], DAY / 2).await;
    let both = async || (opt_outs(&*store, first).await, opt_outs(&*store, second).await);
    set(&*store, 1, true, DAY - 1).await;
    assert_eq!(both().await, (1, 1));
    set(&*store, 2, true, DAY).await;
    assert_eq!(both().await, (1, 2));
    set(&*store, 3, true, 9 * DAY).await;
    assert_eq!(both().await, (1, 2));
    // Opting in again takes back what the opt-out added, however late.
    for (n, expected) in [(2, (1, 1)), (3, (1, 1)), (1, (0, 0))] {
        set(&*store, n, false, 30 * DAY).await;
        assert_eq!(both().await, expected, "{n}");
    }
}

pub async fn concurrent_opt_outs_of_a_user_count_once([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=4);
    let first = sent(&*store, "promo", &[1, 2, 3, 4], 0).await;
    let second = sent(&*store, "promo", &[1, 2, 3, 4], 0).await;
    for (is_out, expected) in [(true, 4), (false, 0), (true, 4)] {
        let mut tasks = JoinSet::new();
        for round in 0..24 {
            let store = [&store, &other][round % 2].clone();
            let n = 1 + i64::try_from(round).unwrap() % 4;
            tasks.spawn(async move { set(&*store, n, is_out, 100).await });
        }
        tasks.join_all().await;
        let sums = (opt_outs(&*store, first).await, opt_outs(&*store, second).await);
        assert_eq!(sums, (expected, expected));
    }
}
