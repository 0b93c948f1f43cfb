//! Storing recipients, claiming and settling them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rollcall_domain::{
    BroadcastPlan, BroadcastState, ChatKind, OnUnknown, PauseReason, RecipientState,
    UnreachableReason,
};
use rollcall_repository::{BroadcastChange, RecipientClaim, RecipientOutcome, Rest};

use super::store::{
    ME, Store, add, at, change, claim, claim_at, counted, finish, id, name, named, outcome, pairs,
    plan, preparing, register, rows, sending, settle, state, states, sums, users,
};

/// Seconds of a day.
const DAY: i64 = 86_400;

pub async fn recipients_are_added_in_parts_and_once([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=8);
    let broadcast = preparing(&*store, &plan("news")).await;
    let second = preparing(&*store, &plan("news")).await;
    assert_eq!(rows(&*store, broadcast).await, []);
    assert!(add(&*store, broadcast, &[1, 3], Some(4)).await);
    let begun = other.broadcast(broadcast).await.unwrap().unwrap();
    assert_eq!((begun.prepared_to, begun.prepared_at), (Some(id(4)), None));
    assert_eq!(begun.state, BroadcastState::Preparing);
    // The response was lost, so the part is repeated.
    assert!(add(&*store, broadcast, &[1, 3], Some(4)).await);
    assert!(add(&*store, broadcast, &[], Some(6)).await);
    assert!(add(&*store, second, &[1], Some(1)).await);
    let queued = |ids: &[i64]| ids.iter().map(|n| (*n, "queued".to_owned())).collect::<Vec<_>>();
    assert_eq!(states(&*store, broadcast).await, queued(&[1, 3]));
    assert_eq!(sums(&*store, broadcast).await, counted(&[("queued", 2)]));

    assert!(!add(&*store, broadcast, &[7, 8], None).await);
    let done = other.broadcast(broadcast).await.unwrap().unwrap();
    assert_eq!((done.state, done.prepared_at), (BroadcastState::Sending, Some(at(20))));
    assert_eq!(done.prepared_to, Some(id(6)));
    assert!(!add(&*store, broadcast, &[2], Some(9)).await, "it is prepared");
    assert_eq!(states(&*other, broadcast).await, queued(&[1, 3, 7, 8]));
    assert_eq!(states(&*other, second).await, queued(&[1]));
    let both = store.recipient_sums(&[broadcast, second, 9_999]).await.unwrap();
    let all: Vec<_> = both.iter().map(|(id, sums)| (*id, sums.all(), sums.settled())).collect();
    assert_eq!(all, [(broadcast, 4, 0), (second, 1, 0)]);
}

pub async fn users_erased_meanwhile_are_not_added([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=4);
    let broadcast = preparing(&*store, &plan("news")).await;
    other.delete(&[id(2)]).await.unwrap();
    add(&*store, broadcast, &[1, 2, 3, 9], None).await;
    assert_eq!(states(&*store, broadcast).await, pairs(&[(1, "queued"), (3, "queued")]));
    assert_eq!(sums(&*store, broadcast).await, counted(&[("queued", 2)]));
}

pub async fn a_pause_while_preparing_keeps_what_was_stored([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=4);
    let broadcast = preparing(&*store, &plan("news")).await;
    add(&*store, broadcast, &[1, 2], Some(2)).await;
    change(&*store, broadcast, BroadcastChange::Pause).await;
    assert!(!add(&*store, broadcast, &[3], Some(3)).await);
    assert!(!add(&*store, broadcast, &[3], None).await);
    let resumed = change(&*store, broadcast, BroadcastChange::Resume).await;
    assert_eq!((resumed.state, resumed.prepared_to), (BroadcastState::Preparing, Some(id(2))));
    assert!(!add(&*store, broadcast, &[3], None).await);
    assert_eq!(states(&*store, broadcast).await.len(), 3);
    assert_eq!(state(&*store, broadcast).await, BroadcastState::Sending);
}

pub async fn recipients_are_claimed_in_the_order_of_their_ids([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=6);
    let broadcast = sending(&*store, &plan("news"), 1..=6).await;
    let first = store.claim_recipients(ME, broadcast, None, 2, at(30)).await.unwrap().unwrap();
    let users = [store.find(id(1)).await.unwrap(), store.find(id(2)).await.unwrap()];
    let expected = RecipientClaim {
        users: users.into_iter().flatten().collect(),
        variants: Default::default(),
        waited: BTreeSet::new(),
        last: Some(id(2)),
        rest: Rest::More,
        opt_outs: 0,
        blocks: 0,
        is_sending: true,
    };
    assert_eq!(first, expected);
    let row = rows(&*store, broadcast).await[0].clone();
    assert_eq!((row.state, row.at, row.message_id), (RecipientState::Claimed, Some(at(30)), None));
    assert_eq!(claim(&*store, broadcast, Some(2), 3).await, [3, 4, 5]);
    assert_eq!(sums(&*store, broadcast).await, counted(&[("queued", 1), ("claimed", 5)]));
    assert_eq!(claim(&*store, broadcast, None, 9).await, [6], "the others are claimed");
    let none = RecipientClaim { is_sending: true, ..RecipientClaim::default() };
    let nothing = store.claim_recipients(ME, broadcast, None, 9, at(30)).await.unwrap();
    assert_eq!(nothing, Some(none));
    let missing = store.claim_recipients(ME, 9_999, None, 9, at(30)).await.unwrap();
    assert_eq!(missing, Some(RecipientClaim::default()));
}

pub async fn recipients_queued_again_are_claimed_again([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=4);
    let broadcast = sending(&*store, &plan("news"), 1..=4).await;
    assert_eq!(claim(&*store, broadcast, None, 3).await, [1, 2, 3]);
    settle(&*store, broadcast, &[1], RecipientState::Sent, Some(1)).await;
    settle(&*store, broadcast, &[2], RecipientState::Queued, None).await;
    settle(&*store, broadcast, &[3], RecipientState::Sent, None).await;
    let row = rows(&*store, broadcast).await[1].clone();
    assert_eq!((row.state, row.at), (RecipientState::Queued, None));
    assert_eq!(claim(&*store, broadcast, Some(3), 9).await, [4]);
    assert_eq!(claim(&*store, broadcast, None, 9).await, [2]);
}

/// Each of these users is left out for another reason; 1 and 9 get the message.
pub async fn who_gets_the_message_is_decided_when_it_is_claimed([(store, _), _]: [Store; 2]) {
    users(&*store, (1..=9).filter(|n| *n != 7));
    register(&*store, [7], ChatKind::Group);
    for category in ["promo", "system"] {
        let broadcast = sending(&*store, &plan(category), 1..=9).await;
        // After the recipients were stored.
        store.set_opt_out(id(2), &name("promo"), true, at(21)).await.unwrap();
        store.set_opt_out(id(9), &name("news"), true, at(21)).await.unwrap();
        for (n, obstacle) in (3..).zip(UnreachableReason::ALL) {
            store.mark_unreachable(id(n), obstacle, at(21), at(22)).await.unwrap();
        }
        // An opt-out counts before an obstacle.
        store.set_opt_out(id(6), &name("promo"), true, at(21)).await.unwrap();
        store.delete(&[id(8)]).await.unwrap();
        let claim = store.claim_recipients(ME, broadcast, None, 20, at(30)).await.unwrap();
        let claim = claim.unwrap();
        let claimed: Vec<_> = claim.users.iter().map(|it| it.telegram_id.get()).collect();
        assert_eq!(claim.last, Some(id(9)));
        let is_system = category == "system";
        assert_eq!(claimed, if is_system { vec![1, 2, 9] } else { vec![1, 9] });
        let expected = [
            (1, "claimed"),
            (2, if is_system { "claimed" } else { "skipped opted_out" }),
            (3, "unreachable blocked"),
            (4, "unreachable deactivated"),
            (5, "unreachable chat_not_found"),
            (6, if is_system { "unreachable never_started" } else { "skipped opted_out" }),
            (7, "unreachable no_private_chat"),
            (9, "claimed"),
        ];
        assert_eq!(states(&*store, broadcast).await, pairs(&expected), "{category}");
        let sums = sums(&*store, broadcast).await;
        let erased = ("skipped erased".to_owned(), 1);
        assert_eq!(sums.contains(&erased), !is_system, "8 was no user the second time: {sums:?}");
        assert_eq!(sums.iter().map(|it| it.1).sum::<u64>(), if is_system { 8 } else { 9 });
        settle(&*store, broadcast, &claimed, RecipientState::Sent, Some(9)).await;
        assert!(finish(&*store, broadcast).await);
    }
}

pub async fn a_category_may_have_a_weekly_cap([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=5);
    store.add_category(&name("promo"), Some(2), None, at(0)).await.unwrap();
    let lasts = TimeDelta::days(60);
    let promo = BroadcastPlan { lasts, ..plan("promo") };
    // One that failed, was skipped or could not be delivered does not count.
    let first = sending(&*store, &promo, 1..=5).await;
    assert_eq!(claim_at(&*store, first, None, 9, 30).await, [1, 2, 3, 4, 5]);
    let settled = async |broadcast, n, state, at| {
        let outcome = RecipientOutcome { at, ..outcome(n, state) };
        store.settle_recipients(ME, broadcast, &[outcome], None).await.unwrap().unwrap();
    };
    settled(first, 1, RecipientState::Sent, at(0)).await;
    settled(first, 2, RecipientState::Unknown, at(0)).await;
    settled(first, 3, RecipientState::Failed, at(0)).await;
    settled(first, 4, RecipientState::Unreachable, at(0)).await;
    // Other categories do not count.
    let other = sending(&*store, &plan("news"), 1..=5).await;
    assert_eq!(claim_at(&*store, other, None, 9, 30).await, [1, 2, 3, 4, 5]);
    settle(&*store, other, &[1, 2, 3, 4, 5], RecipientState::Sent, None).await;

    let second = sending(&*store, &promo, 1..=5).await;
    assert_eq!(claim_at(&*store, second, None, 9, DAY).await, [1, 2, 3, 4, 5]);
    for n in 1..=5 {
        settled(second, n, RecipientState::Sent, at(DAY)).await;
    }
    let third = sending(&*store, &promo, 1..=5).await;
    assert_eq!(claim_at(&*store, third, None, 9, 2 * DAY).await, [3, 4]);
    let capped = "skipped capped";
    let expected = [(1, capped), (2, capped), (3, "claimed"), (4, "claimed"), (5, capped)];
    assert_eq!(states(&*store, third).await, pairs(&expected), "5 is still claimed");
    // Exactly a week after the first one, it counts no more; a cancelled one does.
    change(&*store, first, BroadcastChange::Cancel).await;
    let fourth = sending(&*store, &promo, 1..=5).await;
    assert_eq!(claim_at(&*store, fourth, None, 1, 7 * DAY - 1).await, [0; 0]);
    assert_eq!(claim_at(&*store, fourth, Some(1), 1, 7 * DAY).await, [2]);
    assert_eq!(claim_at(&*store, fourth, Some(2), 9, 8 * DAY - 1).await, [5]);
    // A higher cap holds at once, and none as well.
    let fifth = sending(&*store, &promo, 1..=5).await;
    assert_eq!(claim_at(&*store, fifth, None, 2, 7 * DAY).await, [1]);
    store.add_category(&name("promo"), None, None, at(0)).await.unwrap();
    assert_eq!(claim_at(&*store, fifth, None, 9, 7 * DAY).await, [3, 4, 5]);
}

pub async fn a_broadcast_expires([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=4);
    let lasts = TimeDelta::seconds(60);
    let broadcast = sending(&*store, &BroadcastPlan { lasts, ..plan("system") }, 1..=4).await;
    let known = store.broadcast(broadcast).await.unwrap().unwrap();
    assert_eq!(known.expires_at(), Some(at(70)));
    assert_eq!(claim_at(&*store, broadcast, None, 1, 69).await, [1]);
    assert_eq!(claim_at(&*store, broadcast, None, 2, 70).await, [0; 0]);
    let expired = "skipped expired";
    let expected = [(1, "claimed"), (2, expired), (3, expired), (4, "queued")];
    assert_eq!(states(&*store, broadcast).await, pairs(&expected));
    assert_eq!(claim_at(&*store, broadcast, None, 2, 71).await, [0; 0]);
    settle(&*store, broadcast, &[1], RecipientState::Sent, None).await;
    assert_eq!(sums(&*store, broadcast).await, counted(&[("sent", 1), (expired, 3)]));
    assert!(finish(&*store, broadcast).await);
}

pub async fn only_claimed_recipients_are_settled([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=5);
    let broadcast = sending(&*store, &plan("news"), 1..=4).await;
    assert_eq!(claim(&*store, broadcast, None, 3).await, [1, 2, 3]);
    let outcomes = [
        outcome(1, RecipientState::Sent),
        outcome(2, RecipientState::Failed),
        outcome(4, RecipientState::Sent),
        outcome(5, RecipientState::Sent),
    ];
    for _ in 0..2 {
        let settled = store.settle_recipients(ME, broadcast, &outcomes, None).await.unwrap();
        assert_eq!(settled, Some(()));
        let expected = [(1, "sent"), (2, "failed too_long"), (3, "claimed"), (4, "queued")];
        assert_eq!(states(&*store, broadcast).await, pairs(&expected));
        let expected = [("queued", 1), ("claimed", 1), ("sent", 1), ("failed too_long", 1)];
        assert_eq!(sums(&*store, broadcast).await, counted(&expected));
    }
    let [sent, failed, ..] = &rows(&*store, broadcast).await[..] else { panic!() };
    assert_eq!((sent.message_id, sent.at), (Some(1_001), Some(at(40))));
    assert_eq!((failed.message_id, failed.at), (None, Some(at(40))));
    // A later outcome of the same recipient does not replace the first one.
    settle(&*store, broadcast, &[1], RecipientState::Unknown, None).await;
    settle(&*store, broadcast, &[1], RecipientState::Queued, None).await;
    assert_eq!(states(&*store, broadcast).await[0].1, "sent");
    settle(&*store, 9_999, &[1], RecipientState::Sent, None).await;
    assert_eq!(sums(&*store, 9_999).await, []);
}

pub async fn outcomes_after_a_pause_or_the_end_are_stored([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    for last in [BroadcastChange::Pause, BroadcastChange::Cancel] {
        let broadcast = sending(&*store, &plan("news"), 1..=3).await;
        assert_eq!(claim(&*store, broadcast, None, 2).await, [1, 2]);
        change(&*store, broadcast, last).await;
        settle(&*store, broadcast, &[1], RecipientState::Sent, Some(1)).await;
        settle(&*store, broadcast, &[2], RecipientState::Failed, Some(2)).await;
        let expected = [(1, "sent"), (2, "failed too_long"), (3, "queued")];
        assert_eq!(states(&*store, broadcast).await, pairs(&expected));
        assert!(!finish(&*store, broadcast).await);
    }
}

pub async fn the_settled_part_only_grows([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=5);
    let broadcast = sending(&*store, &plan("news"), 1..=5).await;
    let settled_to = async || store.broadcast(broadcast).await.unwrap().unwrap().settled_to;
    assert_eq!(claim(&*store, broadcast, None, 4).await, [1, 2, 3, 4]);
    assert_eq!(settled_to().await, None);
    settle(&*store, broadcast, &[1, 2, 3], RecipientState::Sent, Some(3)).await;
    assert_eq!(settled_to().await, Some(id(3)));
    settle(&*store, broadcast, &[4], RecipientState::Sent, None).await;
    assert_eq!(settled_to().await, Some(id(3)));
    // As when a former request comes late.
    settle(&*store, broadcast, &[], RecipientState::Sent, Some(2)).await;
    assert_eq!(settled_to().await, Some(id(3)));
    settle(&*store, broadcast, &[], RecipientState::Sent, Some(4)).await;
    assert_eq!(settled_to().await, Some(id(4)));
}

pub async fn recovering_settles_what_is_claimed([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=6);
    // The policy, whether they are unsent, the last change, and what they become.
    let table = [
        (OnUnknown::Skip, false, None, "unknown"),
        (OnUnknown::Skip, true, None, "queued"),
        (OnUnknown::Resend, false, None, "queued"),
        (OnUnknown::Resend, true, None, "queued"),
        (OnUnknown::Skip, false, Some(BroadcastChange::Pause), "unknown"),
        (OnUnknown::Resend, false, Some(BroadcastChange::Pause), "queued"),
        // It sends nothing again, so nothing shows later whether they have it.
        (OnUnknown::Resend, false, Some(BroadcastChange::Cancel), "unknown"),
        (OnUnknown::Resend, true, Some(BroadcastChange::Cancel), "queued"),
    ];
    for (on_unknown, are_unsent, last, expected) in table {
        let plan = BroadcastPlan { on_unknown, ..plan("news") };
        let broadcast = sending(&*store, &plan, 1..=6).await;
        assert_eq!(claim(&*store, broadcast, None, 5).await, [1, 2, 3, 4, 5]);
        settle(&*store, broadcast, &[1, 2, 4], RecipientState::Sent, Some(2)).await;
        if let Some(last) = last {
            change(&*store, broadcast, last).await;
        }
        assert_eq!(store.claimed_broadcasts().await.unwrap(), [broadcast]);
        let recover = async || {
            store.recover_recipients(ME, broadcast, are_unsent, at(60)).await.unwrap().unwrap()
        };
        assert_eq!(recover().await, 2);
        assert_eq!(recover().await, 0);
        assert_eq!(store.claimed_broadcasts().await.unwrap(), [0; 0]);
        let about = format!("{on_unknown:?} {are_unsent} {last:?}");
        let all = [(1, "sent"), (2, "sent"), (3, expected), (4, "sent"), (5, expected)];
        let all = [&all[..], &[(6, "queued")]].concat();
        assert_eq!(states(&*store, broadcast).await, pairs(&all), "{about}");
        let row = rows(&*store, broadcast).await[2].clone();
        assert_eq!(row.at, (expected == "unknown").then_some(at(60)), "{about}");
        if last.is_none() {
            let again = if expected == "queued" { vec![3, 5, 6] } else { vec![6] };
            assert_eq!(claim(&*store, broadcast, None, 9).await, again, "{about}");
            settle(&*store, broadcast, &again, RecipientState::Sent, None).await;
        }
    }
    assert_eq!(store.recover_recipients(ME, 9_999, false, at(0)).await.unwrap(), Some(0));
}

pub async fn a_broadcast_finishes_when_all_have_an_outcome([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=2);
    let broadcast = preparing(&*store, &plan("news")).await;
    assert!(!finish(&*store, broadcast).await, "more may be added");
    add(&*store, broadcast, &[1, 2], None).await;
    assert!(!finish(&*store, broadcast).await);
    assert_eq!(claim(&*store, broadcast, None, 2).await, [1, 2]);
    settle(&*store, broadcast, &[1], RecipientState::Sent, None).await;
    assert!(!finish(&*store, broadcast).await, "2 is claimed");
    settle(&*store, broadcast, &[2], RecipientState::Unknown, None).await;
    assert!(finish(&*store, broadcast).await);
    let done = store.broadcast(broadcast).await.unwrap().unwrap();
    assert_eq!((done.state, done.ended_at), (BroadcastState::Finished, Some(at(50))));
    assert!(!finish(&*store, broadcast).await);
    let without = sending(&*store, &plan("news"), []).await;
    assert!(finish(&*store, without).await, "without recipients");
    assert!(!finish(&*store, 9_999).await);
}

pub async fn the_sender_pauses_what_it_works_on([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=2);
    for reason in PauseReason::ALL {
        let preparing = preparing(&*store, &plan("news")).await;
        let sending = sending(&*store, &plan("news"), 1..=2).await;
        for broadcast in [preparing, sending] {
            let before = store.broadcast(broadcast).await.unwrap().unwrap();
            let paused = store.pause_broadcast(ME, broadcast, reason).await.unwrap();
            assert_eq!(paused, Some(()));
            let now = store.broadcast(broadcast).await.unwrap().unwrap();
            assert_eq!(now.state, BroadcastState::Paused(reason));
            // A second reason does not replace the first one.
            store.pause_broadcast(ME, broadcast, PauseReason::Owner).await.unwrap().unwrap();
            let again = store.broadcast(broadcast).await.unwrap().unwrap();
            assert_eq!(again, now);
            change(&*store, broadcast, BroadcastChange::Resume).await;
            assert_eq!(store.broadcast(broadcast).await.unwrap().unwrap(), before);
        }
    }
    assert_eq!(store.pause_broadcast(ME, 9_999, PauseReason::Safety).await.unwrap(), Some(()));
}

pub async fn an_erased_user_leaves_no_recipient([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=7);
    store.set_opt_out(id(1), &name("news"), true, at(1)).await.unwrap();
    store.set_opt_out(id(7), &name("promo"), true, at(1)).await.unwrap();
    let first = sending(&*store, &plan("promo"), 1..=4).await;
    assert_eq!(claim(&*store, first, None, 9).await, [1, 2, 3, 4]);
    settle(&*store, first, &[1, 2, 3, 4], RecipientState::Sent, Some(4)).await;
    let second = sending(&*store, &plan("system"), 1..=6).await;
    assert_eq!(claim(&*store, second, None, 3).await, [1, 2, 3]);
    settle(&*store, second, &[3], RecipientState::Failed, None).await;
    // Settled, claimed, failed and queued ones, and a user who is no recipient.
    assert_eq!(other.delete(&[id(1), id(3), id(5), id(7), id(9)]).await.unwrap(), 4);
    assert_eq!(states(&*store, first).await, pairs(&[(2, "sent"), (4, "sent")]));
    let expected = [(2, "claimed"), (4, "queued"), (6, "queued")];
    assert_eq!(states(&*store, second).await, pairs(&expected));
    assert_eq!(sums(&*store, first).await, counted(&[("sent", 4)]));
    let failed = ("failed too_long", 1);
    let expected = [("queued", 2), ("claimed", 1), failed, ("skipped erased", 2)];
    assert_eq!(sums(&*store, second).await, counted(&expected));

    // The outcome of a message that was going out is not stored.
    settle(&*store, second, &[1, 2], RecipientState::Sent, None).await;
    let expected = [("queued", 2), ("sent", 1), failed, ("skipped erased", 2)];
    assert_eq!(sums(&*store, second).await, counted(&expected));
    // A user who comes back is a new one, without opt-outs, and gets none of these messages.
    users(&*store, [1, 5, 7]);
    for n in [1, 5, 7] {
        assert!(store.opt_outs(id(n)).await.unwrap().is_empty());
    }
    assert_eq!(claim(&*store, second, None, 9).await, [4, 6]);
    other.delete(&[id(4), id(6)]).await.unwrap();
    assert_eq!(store.recover_recipients(ME, second, true, at(60)).await.unwrap(), Some(0));
    assert!(finish(&*store, second).await);
    let expected = [("sent", 1), failed, ("skipped erased", 4)];
    assert_eq!(sums(&*store, second).await, counted(&expected));
}

/// Erasing a user waits for the statement that adds the user as a recipient, or the other way round.
pub async fn users_erased_while_recipients_are_added_leave_none(
    [(store, _), (other, _)]: [Store; 2],
) {
    let broadcast = preparing(&*store, &plan("news")).await;
    for round in 0..20 {
        let all: Vec<i64> = (1 + round * 50..=50 + round * 50).collect();
        users(&*store, all.clone());
        let erasing = {
            let (other, all) = (other.clone(), super::store::ids(&all));
            tokio::spawn(async move {
                for part in all.chunks(10) {
                    other.delete(part).await.unwrap();
                }
            })
        };
        for part in all.chunks(5) {
            add(&*store, broadcast, part, part.last().copied()).await;
        }
        erasing.await.unwrap();
        assert_eq!(states(&*store, broadcast).await, []);
        let sums = sums(&*store, broadcast).await;
        assert!(sums.iter().all(|it| it.0 == named(RecipientState::Skipped, Some("erased"))));
    }
}
