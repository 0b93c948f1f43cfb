//! Creating and listing broadcasts, and the changes of their states.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Admin, AuditAction, Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, DeliveryTimes,
    Experiment, OnUnknown, PauseReason, Percent, Picture, VariantTest, WinnerBy,
};
use rollcall_repository::{AuditFilter, BroadcastCategory, BroadcastChange, ChangedBroadcast};
use tokio::task::JoinSet;

use super::store::{
    BroadcastStore, ME, Store, add, at, change, create, entries, finish, id, name, plan, preparing,
    sending, state, take, users,
};

pub async fn broadcasts_are_numbered_and_listed_from_the_newest(
    [(store, _), (other, _)]: [Store; 2],
) {
    assert_eq!(store.broadcasts(None, 10).await.unwrap(), []);
    assert_eq!(store.broadcast(1).await.unwrap(), None);
    let mut all = Vec::new();
    for n in 0..5 {
        let plan = BroadcastPlan { name: format!("Broadcast {n}"), ..plan("news") };
        let created = create(&**[&store, &other][n % 2], &plan).await;
        assert_eq!(created.id, i64::try_from(n).unwrap() + 1);
        assert_eq!(store.broadcast(created.id).await.unwrap().as_ref(), Some(&created));
        all.insert(0, created);
    }
    assert_eq!(store.broadcasts(None, 10).await.unwrap(), all);
    assert_eq!(store.broadcasts(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.broadcasts(Some(4), 2).await.unwrap(), all[2..4]);
    assert_eq!(store.broadcasts(Some(1), 2).await.unwrap(), []);
}

pub async fn concurrent_writers_create_broadcasts_of_different_numbers(stores: [Store; 2]) {
    let mut writers = JoinSet::new();
    for n in 0..8 {
        let store = stores[n % 2].0.clone();
        writers.spawn(async move { create(&*store, &plan("news")).await.id });
    }
    let numbers: BTreeSet<i64> = writers.join_all().await.into_iter().collect();
    assert_eq!(numbers, (1..=8).collect());
}

pub async fn a_broadcast_needs_a_category_that_exists([(store, admins), _]: [Store; 2]) {
    assert_eq!(store.create_broadcast(&plan("sports"), None, at(0)).await.unwrap(), None);
    assert_eq!(store.broadcasts(None, 10).await.unwrap(), []);
    assert_eq!(entries(&*admins).await, []);
    store.add_category(&name("sports"), None, None, at(0)).await.unwrap();
    assert_eq!(create(&*store, &plan("sports")).await.plan, plan("sports"));
}

pub async fn every_plan_survives_being_stored([(store, _), (other, _)]: [Store; 2]) {
    let texts = |texts: &[(&str, &str)]| {
        texts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let contents = [
        BroadcastContent::Text { texts: BTreeMap::new(), buttons: String::new(), picture: None },
        BroadcastContent::Text {
            texts: texts(&[("", "<b>Hi</b> \"you\" \\ 🎉\n\u{0}"), ("de", "Hallo"), ("copy", "")]),
            buttons: "Open - https://example.org\nMore - more".to_owned(),
            picture: Picture::of_file_id("AgACAgIAAxkBAAIB_-7"),
        },
        BroadcastContent::Copy { from_chat_id: 7, message_id: 9, reply_markup: None },
        BroadcastContent::Copy {
            from_chat_id: -1_001_234_567_890,
            message_id: i64::from(i32::MAX),
            reply_markup: Some(r#"{"inline_keyboard":[[]]}"#.to_owned()),
        },
    ];
    let start = at(3_600) + TimeDelta::microseconds(123_456);
    let part = Percent::new(20).unwrap();
    let test = |by| VariantTest { part, by, after: TimeDelta::minutes(90) };
    let mut plans = Vec::new();
    for (n, content) in contents.into_iter().enumerate() {
        for on_unknown in OnUnknown::ALL {
            plans.push(BroadcastPlan {
                name: format!("Öffnung «{n}» 🎉"),
                category: name(["news", "promo", "system"][n % 3]),
                filter: ["", "lang:de days>=5", "name:ann or -tag:vip", "segment:loyal"][n]
                    .parse()
                    .unwrap(),
                zone: [Tz::UTC, Tz::Europe__Berlin, Tz::America__Sao_Paulo, Tz::Asia__Kolkata][n],
                content: content.clone(),
                rate: [None, Some(1), Some(1_000), Some(30)][n],
                is_paid: n % 2 == 1,
                on_unknown,
                starts_at: (n % 2 == 0).then_some(start),
                lasts: [TimeDelta::seconds(1), TimeDelta::hours(24), TimeDelta::days(30)][n % 3],
                times: DeliveryTimes {
                    local_time: (n > 1).then(|| start.naive_utc()),
                    quiet_hours: (n % 2 == 1).then(|| "22:00-08:30".parse().unwrap()),
                },
                has_opt_out_button: n % 2 == 0,
                experiment: Experiment {
                    hold_out: [None, Percent::new(1), Percent::new(50), None][n],
                    others: vec![content.clone(); n],
                    test: [None, None, Some(test(WinnerBy::Blocks)), Some(test(WinnerBy::Presses))]
                        [n],
                },
            });
        }
    }
    let ada = Admin::Account("ada".parse().unwrap());
    for (n, plan) in plans.into_iter().enumerate() {
        let by = (n % 2 == 0).then_some(&ada);
        let created = store.create_broadcast(&plan, by, start).await.unwrap().unwrap();
        let expected = Broadcast {
            id: created.id,
            plan,
            state: BroadcastState::Draft,
            created_at: start,
            created_by: by.map(Admin::to_string),
            started_at: None,
            prepared_at: None,
            ended_at: None,
            prepared_to: None,
            settled_to: None,
            opt_outs: 0,
            tested_at: None,
            pick: None,
            decision: None,
        };
        assert_eq!(created, expected);
        assert_eq!(other.broadcast(created.id).await.unwrap(), Some(expected));
    }
}

pub async fn changes_by_owners_are_in_the_audit_log_without_names_of_users(
    [(store, admins), _]: [Store; 2],
) {
    let ada = Admin::Account("ada".parse().unwrap());
    let plan = BroadcastPlan {
        filter: "name:ann lang:de".parse().unwrap(),
        starts_at: Some(at(3_600)),
        ..plan("news")
    };
    let id = store.create_broadcast(&plan, Some(&ada), at(1)).await.unwrap().unwrap().id;
    let changes = [
        BroadcastChange::Schedule,
        BroadcastChange::Start,
        BroadcastChange::Pause,
        BroadcastChange::Resume,
        BroadcastChange::Cancel,
    ];
    for change in changes {
        let changed = store.change_broadcast(id, change, Some(&ada), at(2)).await.unwrap();
        assert!(matches!(changed, ChangedBroadcast::Changed(_)), "{changed:?}");
        // Refused changes have no entry.
        store.change_broadcast(id, BroadcastChange::Schedule, Some(&ada), at(3)).await.unwrap();
    }
    let mut expected = vec![(AuditAction::CreatedBroadcast, "1 Hello; filter name:\"…\" lang:de")];
    expected.push((AuditAction::ScheduledBroadcast, "1 Hello; for 2026-11-20 13:00:00 UTC"));
    for action in [
        AuditAction::StartedBroadcast,
        AuditAction::PausedBroadcast,
        AuditAction::ResumedBroadcast,
        AuditAction::CancelledBroadcast,
    ] {
        expected.push((action, "1 Hello"));
    }
    let expected: Vec<_> =
        expected.into_iter().map(|(action, new)| (action, String::new(), new.into())).collect();
    assert_eq!(entries(&*admins).await, expected);
    let by_ada = AuditFilter::all().by(ada);
    assert_eq!(admins.audit_log(&by_ada, None, 10).await.unwrap().len(), expected.len());
}

/// Each state, and a broadcast that has it.
async fn in_each_state(store: &dyn BroadcastStore) -> Vec<Broadcast> {
    use BroadcastChange::{Cancel, Pause, Schedule};
    let scheduled = BroadcastPlan { starts_at: Some(at(3_600)), ..plan("news") };
    let mut all = vec![create(store, &plan("news")).await.id];
    let id = create(store, &scheduled).await.id;
    all.push(id);
    let id = create(store, &scheduled).await.id;
    change(store, id, Schedule).await;
    all.push(id);
    all.push(preparing(store, &plan("news")).await);
    all.push(sending(store, &plan("news"), [1]).await);
    let id = preparing(store, &plan("news")).await;
    change(store, id, Pause).await;
    all.push(id);
    let id = sending(store, &plan("news"), [1]).await;
    store.pause_broadcast(ME, id, PauseReason::Safety).await.unwrap().unwrap();
    all.push(id);
    let id = sending(store, &plan("news"), []).await;
    assert!(finish(store, id).await);
    all.push(id);
    let id = sending(store, &plan("news"), []).await;
    change(store, id, Cancel).await;
    all.push(id);
    let mut broadcasts = Vec::new();
    for id in all {
        broadcasts.push(store.broadcast(id).await.unwrap().unwrap());
    }
    broadcasts
}

pub async fn a_change_is_made_only_in_a_state_that_allows_it([(store, admins), _]: [Store; 2]) {
    use BroadcastChange::{Cancel, Pause, Resume, Schedule, Start};
    users(&*store, [1]);
    // Draft, draft with a time, scheduled, preparing, sending, paused while preparing, paused while
    // sending, finished, cancelled.
    let table = [
        (Start, ["preparing", "preparing", "preparing", "", "", "", "", "", ""]),
        (Schedule, ["", "scheduled", "", "", "", "", "", "", ""]),
        (Pause, ["", "", "", "paused", "paused", "", "", "", ""]),
        (Resume, ["", "", "", "", "", "preparing", "sending", "", ""]),
        (
            Cancel,
            [
                "cancelled",
                "cancelled",
                "cancelled",
                "cancelled",
                "cancelled",
                "cancelled",
                "cancelled",
                "",
                "",
            ],
        ),
    ];
    for (change, next) in table {
        let broadcasts = in_each_state(&*store).await;
        for (before, next) in broadcasts.into_iter().zip(next) {
            let logged = entries(&*admins).await.len();
            let result = store.change_broadcast(before.id, change, None, at(99)).await.unwrap();
            let now = store.broadcast(before.id).await.unwrap().unwrap();
            let about = format!("{change:?} of {before:?}");
            if next.is_empty() {
                assert_eq!(result, ChangedBroadcast::Refused(before.clone()), "{about}");
                assert_eq!(now, before, "{about}");
                assert_eq!(entries(&*admins).await.len(), logged, "{about}");
                continue;
            }
            assert_eq!(result, ChangedBroadcast::Changed(now.clone()), "{about}");
            assert_eq!(now.state.name(), next, "{about}");
            let reason = (change == Pause).then_some(PauseReason::Owner);
            assert_eq!(now.state.reason(), reason, "{about}");
            let started = (change == Start).then_some(at(99)).or(before.started_at);
            assert_eq!(now.started_at, started, "{about}");
            assert_eq!(now.prepared_at, before.prepared_at, "{about}");
            assert_eq!(now.ended_at, (change == Cancel).then_some(at(99)), "{about}");
            assert_eq!(now.plan, before.plan, "{about}");
        }
    }
    let missing = store.change_broadcast(9_999, Start, None, at(0)).await.unwrap();
    assert_eq!(missing, ChangedBroadcast::Missing);
}

pub async fn one_of_several_concurrent_starts_succeeds(stores: [Store; 2]) {
    for _ in 0..3 {
        let id = create(&*stores[0].0, &plan("news")).await.id;
        let mut owners = JoinSet::new();
        for n in 0..6 {
            let store = stores[n % 2].0.clone();
            owners.spawn(async move {
                let change = BroadcastChange::Start;
                store.change_broadcast(id, change, None, at(1)).await.unwrap()
            });
        }
        let results = owners.join_all().await;
        let is_started = |it: &&ChangedBroadcast| matches!(it, ChangedBroadcast::Changed(_));
        assert_eq!(results.iter().filter(is_started).count(), 1, "{results:?}");
        let started = entries(&*stores[0].1).await;
        let started = started.iter().filter(|it| it.0 == AuditAction::StartedBroadcast);
        assert_eq!(started.count(), usize::try_from(id).unwrap());
    }
}

pub async fn a_scheduled_broadcast_begins_at_its_time([(store, _), _]: [Store; 2]) {
    take(&*store, ME).await;
    let plan = BroadcastPlan { starts_at: Some(at(100)), ..plan("news") };
    let [first, draft] = [create(&*store, &plan).await.id, create(&*store, &plan).await.id];
    change(&*store, first, BroadcastChange::Schedule).await;
    let begin =
        async |id, second| store.begin_scheduled(ME, id, at(second)).await.unwrap().unwrap();
    let active = async |second| {
        let active = store.active_broadcasts(at(second)).await.unwrap();
        active.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(active(99).await, [0; 0]);
    assert!(!begin(first, 99).await);
    assert_eq!(state(&*store, first).await, BroadcastState::Scheduled);
    assert_eq!(active(100).await, [first]);
    assert!(!begin(draft, 200).await, "it is not scheduled");
    assert!(!begin(9_999, 200).await);
    assert!(begin(first, 100).await);
    assert!(!begin(first, 101).await, "it has begun");
    let begun = store.broadcast(first).await.unwrap().unwrap();
    assert_eq!((begun.state, begun.started_at), (BroadcastState::Preparing, Some(at(100))));
    assert_eq!(active(0).await, [first]);
}

pub async fn active_broadcasts_are_those_to_work_on([(store, _), _]: [Store; 2]) {
    users(&*store, [1]);
    let all = in_each_state(&*store).await;
    let active = store.active_broadcasts(at(3_599)).await.unwrap();
    let names: Vec<_> = active.iter().map(|it| it.state.name()).collect();
    assert_eq!(names, ["preparing", "sending"]);
    assert!(active.iter().all(|it| all.contains(it)));
    let active = store.active_broadcasts(at(3_600)).await.unwrap();
    let names: Vec<_> = active.iter().map(|it| it.state.name()).collect();
    assert_eq!(names, ["scheduled", "preparing", "sending"]);
}

pub async fn categories_are_added_and_their_cap_is_changed(
    [(store, admins), (other, _)]: [Store; 2],
) {
    let listed = async || {
        let all = store.broadcast_categories().await.unwrap();
        let category = |it: BroadcastCategory| (it.name.to_string(), it.weekly_cap);
        all.into_iter().map(category).collect::<Vec<_>>()
    };
    let named = |all: &[(&str, Option<u32>)]| -> Vec<(String, Option<u32>)> {
        all.iter().map(|(name, cap)| ((*name).to_owned(), *cap)).collect()
    };
    assert_eq!(listed().await, named(&[("news", None), ("promo", None), ("system", None)]));
    let ada = Admin::Account("ada".parse().unwrap());
    let set = async |text: &str, cap| {
        other.add_category(&name(text), cap, Some(&ada), at(1)).await.unwrap()
    };
    assert!(set("a_b", Some(2)).await);
    assert!(set("a-b", None).await);
    assert!(!set("a_b", Some(2)).await, "nothing changes");
    assert!(!set("a_b", Some(3)).await);
    assert!(!set("promo", Some(1)).await);
    assert!(!set("promo", None).await);
    let expected = [("a-b", None), ("a_b", Some(3)), ("news", None), ("promo", None)];
    assert_eq!(listed().await, named(&[&expected[..], &[("system", None)]].concat()));
    let entry =
        |old: &str, new: &str| (AuditAction::SetBroadcastCategory, old.to_owned(), new.to_owned());
    let expected = [
        entry("", "a_b: at most 2 a week"),
        entry("", "a-b"),
        entry("a_b: at most 2 a week", "a_b: at most 3 a week"),
        entry("promo", "promo: at most 1 a week"),
        entry("promo: at most 1 a week", "promo"),
    ];
    assert_eq!(entries(&*admins).await, expected);
}

pub async fn users_opt_out_of_categories([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, [1, 2]);
    let set = async |user, category: &str, is_out| {
        store.set_opt_out(id(user), &name(category), is_out, at(1)).await.unwrap()
    };
    let out = async |user| {
        let out = other.opt_outs(id(user)).await.unwrap();
        out.into_iter().map(|it| it.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(out(1).await, [""; 0]);
    assert!(set(1, "promo", true).await);
    assert!(set(1, "news", true).await);
    assert!(set(1, "news", true).await, "again");
    assert_eq!(out(1).await, ["news", "promo"]);
    assert_eq!(out(2).await, [""; 0]);
    assert!(set(1, "promo", false).await);
    assert!(set(1, "promo", false).await, "again");
    assert_eq!(out(1).await, ["news"]);
    for is_out in [true, false] {
        assert!(!set(1, "system", is_out).await);
        assert!(!set(1, "sports", is_out).await, "there is no such category");
        assert!(!set(9, "news", is_out).await, "there is no such user");
    }
    assert_eq!((out(1).await, out(9).await), (vec!["news".to_owned()], vec![]));
}

pub async fn a_broadcast_that_ended_is_not_worked_on([(store, _), _]: [Store; 2]) {
    users(&*store, [1]);
    for broadcast in in_each_state(&*store).await {
        let is_preparing = broadcast.state == BroadcastState::Preparing;
        let before = store.broadcast(broadcast.id).await.unwrap();
        assert_eq!(add(&*store, broadcast.id, &[1], Some(1)).await, is_preparing);
        let claim = store.claim_recipients(ME, broadcast.id, None, 9, at(30)).await.unwrap();
        let claim = claim.unwrap();
        let is_sending = broadcast.state == BroadcastState::Sending;
        assert_eq!(claim.is_sending, is_sending, "{broadcast:?}");
        assert_eq!(claim.users.len(), usize::from(is_sending), "{broadcast:?}");
        assert!(!finish(&*store, broadcast.id).await, "{broadcast:?}");
        if !is_preparing && !is_sending {
            store.pause_broadcast(ME, broadcast.id, PauseReason::Content).await.unwrap().unwrap();
            assert_eq!(store.broadcast(broadcast.id).await.unwrap(), before);
        }
    }
}
