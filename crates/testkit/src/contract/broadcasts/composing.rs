//! Broadcasts that owners compose in their chat with the bot.

use chrono_tz::Tz;
use rollcall_domain::{Admin, AuditAction, BroadcastPlan, BroadcastState, DeliveryTimes};
use rollcall_repository::{
    BroadcastChange, BroadcastRequest, ChangedBroadcast, DraftChange, ProgressMessage,
};

use super::store::{Store, at, change, create, entries, id, name, plan, users};

fn request(filter: &str, second: i64) -> BroadcastRequest {
    BroadcastRequest { filter: filter.parse().unwrap(), zone: Tz::Europe__Berlin, at: at(second) }
}

fn message(owner: i64, broadcast: i64, message_id: i64) -> ProgressMessage {
    ProgressMessage { owner: id(owner), broadcast, message_id, next_at: at(10), shown: None }
}

pub async fn a_request_is_replaced_and_taken_once([(store, _), (other, _)]: [Store; 2]) {
    assert_eq!(store.broadcast_request(id(1)).await.unwrap(), None);
    assert_eq!(store.take_broadcast_request(id(1)).await.unwrap(), None);
    for (filter, second) in [("", 1), ("lang:de -(tag:vip or seen<3d)", 2)] {
        store.put_broadcast_request(id(1), &request(filter, second)).await.unwrap();
        let expected = Some(request(filter, second));
        assert_eq!(other.broadcast_request(id(1)).await.unwrap(), expected);
    }
    assert_eq!(store.broadcast_request(id(2)).await.unwrap(), None);
    for _ in 0..20 {
        store.put_broadcast_request(id(1), &request("bot", 3)).await.unwrap();
        let (one, two) =
            tokio::join!(store.take_broadcast_request(id(1)), other.take_broadcast_request(id(1)));
        let taken: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(taken, [request("bot", 3)]);
        assert_eq!(store.broadcast_request(id(1)).await.unwrap(), None);
    }
}

pub async fn an_album_is_noted_once_for_a_request([(store, _), (other, _)]: [Store; 2]) {
    assert!(!store.note_refused_album(id(1), "a").await.unwrap(), "there is no request");
    store.put_broadcast_request(id(1), &request("", 1)).await.unwrap();
    for (album, is_new) in [("a", true), ("a", false), ("b", true), ("b", false), ("a", true)] {
        assert_eq!(store.note_refused_album(id(1), album).await.unwrap(), is_new, "{album}");
    }
    let noted =
        tokio::join!(store.note_refused_album(id(1), "c"), other.note_refused_album(id(1), "c"));
    assert_ne!(noted.0.unwrap(), noted.1.unwrap());
    // It belongs to the request.
    store.put_broadcast_request(id(1), &request("", 2)).await.unwrap();
    assert!(store.note_refused_album(id(1), "c").await.unwrap());
    assert_eq!(store.broadcast_request(id(1)).await.unwrap(), Some(request("", 2)));
}

pub async fn one_process_edits_a_progress_message_at_a_time([(store, _), (other, _)]: [Store; 2]) {
    let all = [message(1, 1, 70), message(1, 2, 71), message(2, 1, 70)];
    for message in all {
        store.put_progress_message(message).await.unwrap();
    }
    assert_eq!(other.progress_messages(9).await.unwrap(), all);
    assert_eq!(other.progress_messages(2).await.unwrap(), all[..2]);
    let (one, two) = tokio::join!(
        store.postpone_progress_message(all[0], at(20), Some(-5)),
        other.postpone_progress_message(all[0], at(20), Some(-5)),
    );
    assert_ne!(one.unwrap(), two.unwrap());
    let postponed = ProgressMessage { next_at: at(20), shown: Some(-5), ..all[0] };
    assert_eq!(store.progress_messages(9).await.unwrap(), [postponed, all[1], all[2]]);
    // What has changed meanwhile is not postponed.
    for changed in [all[0], ProgressMessage { message_id: 77, ..postponed }, message(3, 1, 70)] {
        assert!(!store.postpone_progress_message(changed, at(30), None).await.unwrap());
    }
    assert!(store.postpone_progress_message(postponed, at(30), None).await.unwrap());
    assert_eq!(store.progress_messages(1).await.unwrap()[0].shown, None);
}

pub async fn a_progress_message_is_replaced_and_deleted([(store, _), _]: [Store; 2]) {
    store.put_progress_message(message(1, 1, 70)).await.unwrap();
    let newer = ProgressMessage { next_at: at(15), ..message(1, 1, 80) };
    store.put_progress_message(newer).await.unwrap();
    store.delete_progress_message(message(1, 1, 70)).await.unwrap();
    assert_eq!(store.progress_messages(9).await.unwrap(), [newer]);
    store.delete_progress_message(newer).await.unwrap();
    assert_eq!(store.progress_messages(9).await.unwrap(), []);
}

pub async fn an_erased_owner_composes_nothing([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=3);
    for owner in 1..=3 {
        store.put_broadcast_request(id(owner), &request("", 1)).await.unwrap();
        store.put_progress_message(message(owner, 1, 70)).await.unwrap();
    }
    assert_eq!(other.delete(&[id(1), id(3)]).await.unwrap(), 2);
    for owner in [1, 3] {
        assert_eq!(store.broadcast_request(id(owner)).await.unwrap(), None);
    }
    assert_eq!(store.broadcast_request(id(2)).await.unwrap(), Some(request("", 1)));
    assert_eq!(store.progress_messages(9).await.unwrap(), [message(2, 1, 70)]);
}

pub async fn only_a_draft_gets_another_category([(store, admins), (other, _)]: [Store; 2]) {
    let ada = Admin::Account("ada".parse().unwrap());
    let broadcast = create(&*store, &plan("news")).await;
    let set = async |number, category: &str, has_button| {
        let change =
            DraftChange::Category { category: name(category), has_opt_out_button: has_button };
        store.change_draft(number, &change, Some(&ada), at(5)).await.unwrap()
    };
    assert_eq!(set(broadcast.id, "gone", false).await, None);
    assert_eq!(set(9_999, "news", false).await, Some(ChangedBroadcast::Missing));
    let mut expected = broadcast.clone();
    expected.plan.category = name("promo");
    expected.plan.has_opt_out_button = true;
    let changed = set(broadcast.id, "promo", true).await;
    assert_eq!(changed, Some(ChangedBroadcast::Changed(expected.clone())));
    assert_eq!(other.broadcast(broadcast.id).await.unwrap(), Some(expected));
    change(&*store, broadcast.id, BroadcastChange::Start).await;
    match set(broadcast.id, "news", false).await {
        Some(ChangedBroadcast::Refused(it)) => assert_eq!(it.state, BroadcastState::Preparing),
        changed => panic!("{changed:?}"),
    }
    let log = entries(&*admins).await;
    let (old, new) = ("1 Hello; category news", "1 Hello; category promo");
    let entry = (AuditAction::ChangedBroadcast, old.to_owned(), new.to_owned());
    assert_eq!((log.len(), &log[1]), (3, &entry));
}

pub async fn a_draft_gets_another_time_and_speed([(store, admins), (other, _)]: [Store; 2]) {
    let mut expected = create(&*store, &plan("news")).await;
    let number = expected.id;
    let set = async |change| store.change_draft(number, &change, None, at(5)).await.unwrap();
    let speed = |rate, is_paid| DraftChange::Speed { rate, is_paid };
    let start = at(3_600);
    expected.plan.starts_at = Some(start);
    let changed = set(DraftChange::StartsAt(Some(start))).await;
    assert_eq!(changed, Some(ChangedBroadcast::Changed(expected.clone())));
    (expected.plan.rate, expected.plan.is_paid) = (Some(500), true);
    let changed = set(speed(Some(500), true)).await;
    assert_eq!(changed, Some(ChangedBroadcast::Changed(expected.clone())));
    assert_eq!(other.broadcast(number).await.unwrap(), Some(expected.clone()));
    expected.plan.starts_at = None;
    (expected.plan.rate, expected.plan.is_paid) = (None, false);
    set(DraftChange::StartsAt(None)).await;
    let changed = set(speed(None, false)).await;
    assert_eq!(changed, Some(ChangedBroadcast::Changed(expected.clone())));
    assert_eq!(other.broadcast(number).await.unwrap(), Some(expected));

    // A time for all replaces the one of each user's own clock.
    let times = DeliveryTimes { local_time: Some(start.naive_utc()), ..DeliveryTimes::default() };
    let local = BroadcastPlan { times, starts_at: Some(at(60)), ..plan("news") };
    let local = create(&*store, &local).await;
    store.change_draft(local.id, &DraftChange::StartsAt(None), None, at(5)).await.unwrap();
    let changed = other.broadcast(local.id).await.unwrap().unwrap();
    assert_eq!(changed.plan, plan("news"));

    change(&*store, number, BroadcastChange::Start).await;
    for change in [DraftChange::StartsAt(None), speed(None, true)] {
        match set(change).await {
            Some(ChangedBroadcast::Refused(it)) => assert_eq!(it.state, BroadcastState::Preparing),
            changed => panic!("{changed:?}"),
        }
    }
    let log = entries(&*admins).await;
    let of = |place: usize| (log[place].1.as_str(), log[place].2.as_str());
    assert_eq!(of(1), ("1 Hello; without a time", "1 Hello; for 2026-11-20 13:00:00 UTC"));
    assert_eq!(of(2), ("1 Hello; unpaid", "1 Hello; paid, at most 500 a second"));
}
