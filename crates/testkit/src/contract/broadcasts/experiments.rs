use std::collections::BTreeSet;

use chrono::TimeDelta;
use rollcall_domain::{
    ActiveUsers, Arm, ArmResponse, BroadcastActivity, BroadcastButton, BroadcastContent,
    BroadcastPlan, BroadcastResponse, Experiment, Interaction, InteractionKind, Percent, Profile,
    RecipientState, UnreachableReason, Variant, VariantTest, WinnerBy,
};
use rollcall_repository::{BroadcastChange, ChangedBroadcast, RecipientOutcome, Rest};
use tokio::task::block_in_place;

use super::store::{
    BroadcastStore, ME, Store, add, at, change, claim, claim_at, counted, finish, id, ids, name,
    outcome, plan, preparing, sending, settle, states, sums, take, users,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn holding_out(percent: u8) -> BroadcastPlan {
    let experiment = Experiment { hold_out: Percent::new(percent), ..Experiment::default() };
    BroadcastPlan { experiment, ..plan("news") }
}

/// Those of the users 1 to 60 that a broadcast holds out, and the others.
fn parts(broadcast: i64, plan: &BroadcastPlan) -> (Vec<i64>, Vec<i64>) {
    (1..=60).partition(|n| plan.experiment.is_held_out(broadcast, id(*n)))
}

pub async fn the_held_out_part_does_not_get_the_message([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=60);
    let plan = holding_out(20);
    let broadcast = preparing(&*store, &plan).await;
    // The part is the same for a preparation that goes on after a pause.
    add(&*store, broadcast, &(1..=30).collect::<Vec<_>>(), Some(30)).await;
    change(&*store, broadcast, BroadcastChange::Pause).await;
    change(&*store, broadcast, BroadcastChange::Resume).await;
    add(&*store, broadcast, &(20..=60).collect::<Vec<_>>(), None).await;
    let (held_out, others) = parts(broadcast, &plan);
    assert!((3..30).contains(&held_out.len()), "{held_out:?}");

    let mut claimed = claim(&*store, broadcast, None, 25).await;
    claimed.extend(claim(&*store, broadcast, Some(25), 99).await);
    assert_eq!(claimed, others);
    // Those that are queued again are not held out then.
    settle(&*store, broadcast, &others, RecipientState::Queued, None).await;
    assert_eq!(claim(&*store, broadcast, None, 99).await, others);
    settle(&*store, broadcast, &others, RecipientState::Sent, Some(60)).await;
    let number = |users: &[i64]| u64::try_from(users.len()).unwrap();
    assert_eq!(
        sums(&*store, broadcast).await,
        counted(&[("sent", number(&others)), ("skipped held_out", number(&held_out))])
    );
    let skipped = states(&*store, broadcast).await;
    let skipped = skipped.into_iter().filter(|(_, state)| state == "skipped held_out");
    assert_eq!(skipped.map(|(n, _)| n).collect::<Vec<_>>(), held_out);
    assert!(finish(&*store, broadcast).await);

    let another = sending(&*store, &plan, 1..=60).await;
    let claimed = claim(&*store, another, None, 99).await;
    assert_eq!(claimed, parts(another, &plan).1);
    assert_ne!(claimed, others, "another broadcast holds out others");
}

pub async fn only_users_who_would_get_the_message_are_held_out([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=60);
    let plan = holding_out(50);
    let broadcast = sending(&*store, &plan, 1..=60).await;
    let (held_out, _) = parts(broadcast, &plan);
    let [out, erased, held, ..] = held_out.as_slice() else { panic!("{held_out:?}") };
    store.set_opt_out(id(*out), &name("news"), true, at(25)).await.unwrap();
    store.delete(&ids(&[*erased])).await.unwrap();
    claim(&*store, broadcast, None, 99).await;
    let state = async |n: i64| {
        let of = states(&*store, broadcast).await.into_iter().find(|(its, _)| *its == n);
        of.map(|(_, state)| state)
    };
    assert_eq!(state(*out).await.as_deref(), Some("skipped opted_out"));
    assert_eq!(state(*erased).await, None);
    assert_eq!(state(*held).await.as_deref(), Some("skipped held_out"));
    // After the end of the broadcast, nobody is said to be held out.
    let late = sending(&*store, &plan, 1..=60).await;
    claim_at(&*store, late, None, 99, 2 * DAY).await;
    assert_eq!(sums(&*store, late).await, counted(&[("skipped expired", 59)]));
}

fn active(store: &dyn BroadcastStore, n: i64, second: i64) {
    let it = Interaction::new(at(second), Profile::new(id(n), "x"), InteractionKind::Text);
    block_in_place(|| store.register(&vec![it].into(), at(99 * DAY))).unwrap();
}

/// A broadcast of which the users 1 to 60 are recipients, and that ended a minute after its start. Returns
/// its held-out part, too.
async fn ended(store: &dyn BroadcastStore, percent: u8) -> (i64, BTreeSet<i64>) {
    let plan = holding_out(percent);
    let broadcast = sending(store, &plan, 1..=60).await;
    let others = claim(store, broadcast, None, 99).await;
    let sent = |n: &i64| RecipientOutcome { at: at(30), ..outcome(*n, RecipientState::Sent) };
    let outcomes: Vec<_> = others.iter().map(sent).collect();
    store.settle_recipients(ME, broadcast, &outcomes, None).await.unwrap().unwrap();
    assert!(finish(store, broadcast).await);
    (broadcast, parts(broadcast, &plan).0.into_iter().collect())
}

pub async fn activity_is_counted_when_seven_days_are_over([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=60);
    let (broadcast, held_out) = ended(&*store, 50).await;
    // The message went out at noon.
    let (days_after, evening) = (|days: i64| days * DAY, 8 * HOUR);
    let times: [&[i64]; 6] = [
        &[],
        &[evening],
        &[days_after(3), days_after(9)],
        &[days_after(7) + 11 * HOUR],
        &[days_after(7) + 13 * HOUR],
        &[-days_after(1), evening, days_after(8)],
    ];
    // The last moment that counts is the end of the seventh day, twelve hours after these.
    // The last ones were active in the hour of the message, too, so it is not known when they first were
    // after it.
    let counts = [false, true, true, true, false, false];
    let mut expected = BroadcastActivity::default();
    for n in 1..=60_i64 {
        let case = usize::try_from(n).unwrap() % times.len();
        for second in times[case] {
            active(&*store, n, *second);
        }
        let part = match held_out.contains(&n) {
            true => &mut expected.held_out,
            false => &mut expected.sent,
        };
        part.add(counts[case]);
    }
    assert!(expected.sent.active > 0 && expected.held_out.active > 0);

    let before = at(days_after(7) + 12 * HOUR - 1);
    assert_eq!(store.uncounted_activity(before).await.unwrap(), None);
    let known = at(days_after(7) + 12 * HOUR);
    assert_eq!(store.uncounted_activity(known).await.unwrap(), Some(broadcast));
    assert_eq!(store.activity(broadcast).await.unwrap(), None);
    assert_eq!(store.count_activity(ME, broadcast, 99, known).await.unwrap(), Some(false));
    assert_eq!(store.activity(broadcast).await.unwrap(), None);
    assert_eq!(store.count_activity(ME, broadcast, 99, known).await.unwrap(), Some(true));
    assert_eq!(store.activity(broadcast).await.unwrap(), Some(expected));
    assert_eq!(store.uncounted_activity(known).await.unwrap(), None);
    // What happens later changes nothing.
    store.delete(&ids(&[1, 2, 3])).await.unwrap();
    assert_eq!(store.count_activity(ME, broadcast, 99, known).await.unwrap(), Some(true));
    assert_eq!(store.activity(broadcast).await.unwrap(), Some(expected));
}

pub async fn activity_is_counted_part_by_part([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=60);
    let (broadcast, _) = ended(&*store, 10).await;
    let (cancelled, draft) = (sending(&*store, &plan("news"), 1..=9).await, plan("news"));
    change(&*store, cancelled, BroadcastChange::Cancel).await;
    let never_started = store.create_broadcast(&draft, None, at(0)).await.unwrap().unwrap().id;
    change(&*store, never_started, BroadcastChange::Cancel).await;
    let known = at(9 * DAY);
    store.delete(&ids(&[60])).await.unwrap();
    let mut parts = 0;
    while let Some(uncounted) = store.uncounted_activity(known).await.unwrap() {
        parts += 1;
        let (holder, counting) = if parts % 2 == 0 { ("other", &other) } else { (ME, &store) };
        take(&**counting, holder).await;
        let former = if holder == ME { "other" } else { ME };
        let lost = store.count_activity(former, uncounted, 7, known).await.unwrap();
        assert_eq!(lost, None, "a process without the lease counts nothing");
        counting.count_activity(holder, uncounted, 7, known).await.unwrap().unwrap();
    }
    assert_eq!(parts, (9 + 1) + (2 + 1));
    let counted = store.activity(broadcast).await.unwrap().unwrap();
    assert_eq!(counted.sent.users + counted.held_out.users, 59);
    let nobody = ActiveUsers::default();
    let nothing = Some(BroadcastActivity { sent: nobody, held_out: nobody });
    assert_eq!(store.activity(cancelled).await.unwrap(), nothing, "its recipients were left");
    assert_eq!(store.activity(never_started).await.unwrap(), None);
}

/// A broadcast of two variants, of which the first button of A and the second one of B count presses.
fn of_two(test: Option<VariantTest>) -> BroadcastPlan {
    let text = |text: &str, buttons: &str| BroadcastContent::Text {
        texts: [(String::new(), text.to_owned())].into(),
        buttons: buttons.to_owned(),
        picture: None,
    };
    BroadcastPlan {
        content: text("a", "Yes = press"),
        experiment: Experiment {
            others: vec![text("b", "Shop = https://example.org | Yes = press")],
            test,
            ..Experiment::default()
        },
        ..plan("news")
    }
}

pub async fn responses_count_for_the_variant_that_the_user_got([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=60);
    let plan = of_two(None);
    let broadcast = sending(&*store, &plan, 1..=60).await;
    let claim = store.claim_recipients(ME, broadcast, None, 99, at(30)).await.unwrap().unwrap();
    let of = |variant: Variant| {
        let users = claim.variants.iter().filter(|(_, its)| **its == variant);
        users.map(|(id, _)| id.get()).collect::<Vec<_>>()
    };
    let (a, b) = (of("A".parse().unwrap()), of("B".parse().unwrap()));
    assert_eq!(a.len() + b.len(), 60);
    settle(&*store, broadcast, &a, RecipientState::Sent, None).await;
    settle(&*store, broadcast, &b, RecipientState::Sent, None).await;
    for (n, content) in [(a[0], &plan.content), (b[0], &plan.experiment.others[0])] {
        let received = store.received_content(broadcast, id(n)).await.unwrap();
        assert_eq!(received.as_ref(), Some(content));
    }
    for (n, button, counts) in
        [(a[0], 1, true), (a[0], 2, false), (b[0], 1, false), (b[0], 2, true)]
    {
        let button = BroadcastButton { broadcast, button };
        assert_eq!(store.press_button(id(n), button, at(100)).await.unwrap(), counts);
    }
    let blocked = UnreachableReason::Blocked;
    store.mark_unreachable(id(a[1]), blocked, at(100), at(100)).await.unwrap();
    for (n, is_out) in [(b[1], true), (b[2], true), (b[1], false)] {
        store.set_opt_out(id(n), &name("news"), is_out, at(100)).await.unwrap();
    }
    let arm = |name: &str| Arm::from_name(name).unwrap();
    let expected = [
        (BroadcastResponse::Blocked, 1),
        (BroadcastResponse::Pressed, 2),
        (BroadcastResponse::Of(arm("A"), ArmResponse::Blocked), 1),
        (BroadcastResponse::Of(arm("A"), ArmResponse::Pressed), 1),
        (BroadcastResponse::Of(arm("A"), ArmResponse::Button(1)), 1),
        (BroadcastResponse::Of(arm("B"), ArmResponse::Pressed), 1),
        (BroadcastResponse::Of(arm("B"), ArmResponse::OptedOut), 1),
        (BroadcastResponse::Of(arm("B"), ArmResponse::Button(2)), 1),
    ];
    let responses = store.responses(broadcast).await.unwrap();
    assert_eq!(responses.0, expected.into_iter().collect());
}

pub async fn those_who_wait_get_the_winner_once([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=60);
    let test = VariantTest {
        part: Percent::new(40).unwrap(),
        by: WinnerBy::Presses,
        after: TimeDelta::hours(4),
    };
    let plan = of_two(Some(test));
    let broadcast = sending(&*store, &plan, 1..=60).await;
    let is_tested = |n: &i64| plan.experiment.arm(broadcast, id(*n), false).is_some();
    let (tested, others): (Vec<i64>, Vec<i64>) = (1..=60).partition(is_tested);
    assert_eq!(claim(&*store, broadcast, None, 99).await, tested);
    let decide =
        async |second| store.decide_winner(ME, broadcast, at(second)).await.unwrap().unwrap();
    assert_eq!(decide(35).await, Some(at(36)), "messages are on their way");
    settle(&*store, broadcast, &tested, RecipientState::Sent, Some(60)).await;
    let waits = store.claim_recipients(ME, broadcast, None, 99, at(50)).await.unwrap().unwrap();
    assert_eq!((waits.rest, waits.users.len()), (Rest::Undecided, 0));
    assert!(!finish(&*store, broadcast).await);
    assert_eq!(decide(60).await, Some(at(60 + 4 * HOUR)));
    // One press makes B the winner.
    let b: Variant = "B".parse().unwrap();
    let of_b = |n: &i64| plan.experiment.arm(broadcast, id(*n), false) == Some(Arm::Variant(b));
    let presser = tested.iter().copied().find(of_b).unwrap();
    let button = BroadcastButton { broadcast, button: 2 };
    assert!(store.press_button(id(presser), button, at(100)).await.unwrap());
    assert_eq!(decide(61 + HOUR).await, Some(at(60 + 4 * HOUR)), "the time does not move");
    assert_eq!(decide(60 + 4 * HOUR).await, None);
    assert_eq!(decide(60 + 5 * HOUR).await, None, "it is decided once");
    let known = store.broadcast(broadcast).await.unwrap().unwrap();
    let decision = known.decision.unwrap();
    assert_eq!((decision.winner, decision.at, decision.pick), (b, at(60 + 4 * HOUR), None));
    assert_eq!(decision.figures.iter().map(|it| it.pressed).collect::<Vec<_>>(), [0, 1]);
    let picked = store.pick_winner(broadcast, Variant::A, None, at(5 * HOUR)).await.unwrap();
    assert!(matches!(picked, ChangedBroadcast::Refused(_)));

    let claim = store.claim_recipients(ME, broadcast, None, 99, at(5 * HOUR)).await;
    let claim = claim.unwrap().unwrap();
    assert_eq!(claim.users.iter().map(|it| it.telegram_id.get()).collect::<Vec<_>>(), others);
    assert!(claim.variants.values().all(|its| *its == b));
    settle(&*store, broadcast, &others, RecipientState::Sent, Some(60)).await;
    assert!(finish(&*store, broadcast).await);
    let sums = store.arm_sums(broadcast).await.unwrap();
    let number = u64::try_from(others.len()).unwrap();
    assert_eq!(sums.of(Arm::Winner, RecipientState::Sent), number);
}
