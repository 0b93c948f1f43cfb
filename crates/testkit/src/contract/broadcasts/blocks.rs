use rollcall_domain::{
    BroadcastResponse, Chat, ChatKind, Event, Interaction, InteractionKind, Profile,
    RecipientState, UnreachableReason,
};
use rollcall_repository::RecipientOutcome;
use tokio::task::{JoinSet, block_in_place, spawn_blocking};

use super::store::{
    BroadcastStore, Store, at, claim_at, create, id, outcome, plan, sending, settle, users,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// How many recipients of a broadcast blocked the bot.
async fn blocks(store: &dyn BroadcastStore, broadcast: i64) -> u64 {
    store.responses(broadcast).await.unwrap().of(BroadcastResponse::Blocked)
}

/// A user blocks or unblocks the bot, and later opens the chat again.
fn event(n: i64, event: Event, second: i64) -> Interaction {
    let mut it =
        Interaction::new(at(second), Profile::new(id(n), "x"), InteractionKind::MyChatMember);
    it.chat = Some(Chat { id: n, kind: ChatKind::Private });
    it.event = Some(event);
    it
}

fn happen(store: &dyn BroadcastStore, events: Vec<Interaction>) {
    block_in_place(|| store.register(&events.into(), at(99 * DAY))).unwrap();
}

fn block(store: &dyn BroadcastStore, n: i64, second: i64) {
    happen(store, vec![event(n, Event::Blocked, second)]);
}

/// A broadcast that these users got at a time.
async fn sent(store: &dyn BroadcastStore, ids: &[i64], second: i64) -> i64 {
    let broadcast = sending(store, &plan("news"), ids.iter().copied()).await;
    claim_at(store, broadcast, None, 99, 30).await;
    let sent = |n: &i64| RecipientOutcome { at: at(second), ..outcome(*n, RecipientState::Sent) };
    let outcomes: Vec<_> = ids.iter().map(sent).collect();
    store.settle_recipients("me", broadcast, &outcomes, None).await.unwrap().unwrap();
    broadcast
}

pub async fn blocks_count_for_the_broadcasts_that_the_user_got([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=9);
    assert_eq!(blocks(&*store, create(&*store, &plan("promo")).await.id).await, 0);
    let news = sending(&*store, &plan("news"), 1..=8).await;
    assert_eq!(claim_at(&*store, news, None, 7, 30).await, [1, 2, 3, 4, 5, 6, 7]);
    settle(&*store, news, &[1, 2], RecipientState::Sent, None).await;
    settle(&*store, news, &[3], RecipientState::Unknown, None).await;
    settle(&*store, news, &[4], RecipientState::Failed, None).await;
    settle(&*store, news, &[5], RecipientState::Unreachable, None).await;
    settle(&*store, news, &[7], RecipientState::Queued, None).await;
    // 6 is claimed, 7 and 8 are queued, and 9 is no recipient.
    for (n, expected) in (1..=9).zip([1, 2, 3, 3, 3, 4, 4, 4, 4]) {
        block(&*store, n, 100);
        assert_eq!(blocks(&*store, news).await, expected, "{n}");
    }
    let claim = store.claim_recipients("me", news, None, 9, at(110)).await.unwrap().unwrap();
    assert_eq!((claim.blocks, claim.opt_outs, claim.users.len()), (4, 0, 0));
    store.delete(&[id(2)]).await.unwrap();
    assert_eq!(blocks(&*store, news).await, 4, "what erased users did stays in the sum");
}

pub async fn blocks_count_for_a_day_after_the_message([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=5);
    let first = sent(&*store, &[1, 2, 3, 4, 5], 0).await;
    let second = sent(&*store, &[1, 2, 3, 4], DAY / 2).await;
    let both = async || (blocks(&*store, first).await, blocks(&*store, second).await);
    block(&*store, 1, DAY - 1);
    assert_eq!(both().await, (1, 1));
    block(&*store, 2, DAY);
    assert_eq!(both().await, (1, 2));
    block(&*store, 3, 9 * DAY);
    assert_eq!(both().await, (1, 2));
    // Before the second message: it would not have arrived.
    block(&*store, 4, 11 * HOUR);
    assert_eq!(both().await, (2, 2));
    // Telegram's clock is some seconds slow.
    block(&*store, 5, -5);
    assert_eq!(both().await, (3, 2));
}

pub async fn a_user_who_blocks_the_bot_repeatedly_counts_once([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let first = sent(&*store, &[1, 2, 3], 0).await;
    let second = sent(&*store, &[1, 2], 10 * HOUR).await;
    let both = async || (blocks(&*store, first).await, blocks(&*store, second).await);
    for (n, hour, expected) in [(1, 1, (1, 0)), (1, 12, (1, 1)), (1, 13, (1, 1)), (1, 33, (1, 1))] {
        block(&*store, n, hour * HOUR);
        assert_eq!(both().await, expected, "{n} {hour}");
        happen(&*store, vec![event(n, Event::Unblocked, hour * HOUR + 60)]);
        assert_eq!(both().await, expected, "users who unblock it still count");
    }
    // The same in one batch, and a repeated update.
    let times = [(Event::Blocked, 11), (Event::Unblocked, 12), (Event::Blocked, 13)];
    happen(&*store, times.map(|(it, hour)| event(2, it, hour * HOUR)).into());
    assert_eq!(both().await, (2, 2));
    block(&*store, 2, 13 * HOUR);
    assert_eq!(both().await, (2, 2));
    for obstacle in [UnreachableReason::Deactivated, UnreachableReason::ChatNotFound] {
        store.mark_unreachable(id(3), obstacle, at(HOUR), at(HOUR)).await.unwrap();
    }
    assert_eq!(both().await, (2, 2), "other obstacles are no blocks");
}

pub async fn a_refused_message_is_no_block_after_it([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=2);
    let first = sent(&*store, &[1, 2], 0).await;
    let second = sending(&*store, &plan("news"), [1, 2]).await;
    assert_eq!(claim_at(&*store, second, None, 9, HOUR).await, [1, 2]);
    let blocked = UnreachableReason::Blocked;
    for _ in 0..2 {
        store.mark_unreachable(id(1), blocked, at(HOUR), at(HOUR)).await.unwrap();
        let both = (blocks(&*store, first).await, blocks(&*store, second).await);
        assert_eq!(both, (1, 0));
    }
}

pub async fn concurrent_blocks_of_users_count_once([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=8);
    let first = sent(&*store, &[1, 2, 3, 4, 5, 6, 7, 8], 0).await;
    let second = sent(&*store, &[1, 2, 3, 4, 5, 6, 7, 8], 0).await;
    let mut tasks = JoinSet::new();
    for round in 0..12 {
        let store = [&store, &other][round % 2].clone();
        tasks.spawn(async move {
            let blocked = |n| event(n, Event::Blocked, 100);
            let batch: Vec<_> = (1..=8).map(blocked).collect();
            spawn_blocking(move || store.register(&batch.into(), at(DAY))).await.unwrap().unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!((blocks(&*store, first).await, blocks(&*store, second).await), (8, 8));
}
