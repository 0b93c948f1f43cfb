//! Experiments with broadcasts of the real bot to the simulated Telegram.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::TimeDelta;
use rollcall_domain::{
    Arm, Broadcast, BroadcastButton, BroadcastContent, BroadcastPlan, BroadcastState, Clock,
    Experiment, Percent, RecipientState, SystemClock, VariantTest, WinnerBy,
};
use rollcall_repository::BroadcastRepository;
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::tamper,
    owner::{self, Owner},
};

/// How many users there are.
const USERS: i64 = 400;
/// The lease, so that a killed bot is soon followed.
const SETTINGS: [(&str, &str); 1] = [("BROADCAST_LEASE", "1")];

stories!(
    the_held_out_part_gets_nothing_and_is_compared_a_week_later,
    those_who_wait_get_the_winner_once_although_the_bot_is_killed,
    a_picked_winner_goes_out_at_once,
);

async fn the_held_out_part_gets_nothing_and_is_compared_a_week_later(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let experiment = Experiment { hold_out: Percent::new(30), ..Experiment::default() };
    let started = owner.start(&plan(experiment.clone(), "Hi")).await;
    // The bot is killed in the middle: the part stays the same.
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |_, sums| sums.settled() > 50).await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;

    let is_out = |id: &i64| experiment.is_held_out(started.id, (*id).try_into().unwrap());
    let held_out: BTreeSet<i64> = (1..=USERS).filter(is_out).collect();
    let got: BTreeSet<i64> = messages(&telegram).into_keys().collect();
    assert!(got.is_disjoint(&held_out), "{:?}", got.intersection(&held_out));
    let sums = owner.sums(started.id).await;
    assert_eq!(sums.held_out(), u64::try_from(held_out.len()).unwrap());
    assert_eq!(sums.all(), u64::try_from(USERS).unwrap());

    // Nine days later, half of the users have come back in time.
    assert_eq!(owner.service.activity(started.id).await.unwrap(), None);
    for change in [
        "UPDATE broadcasts SET ended_at = '2026-01-02 12:00:00.000000'",
        "UPDATE broadcast_recipients SET at = '2026-01-02 12:00:00.000000'",
        "INSERT INTO active_days (telegram_id, day, interactions)
         SELECT telegram_id, '2026-01-09', 1 FROM telegram_users WHERE telegram_id <= 200",
    ] {
        tamper(&database, change);
    }
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    let known = async || owner.service.activity(started.id).await.unwrap().is_some();
    owner.wait(known).await;
    bot.kill().await;
    let activity = owner.service.activity(started.id).await.unwrap().unwrap();
    let early = held_out.iter().filter(|id| **id <= 200).count();
    assert_eq!(activity.held_out.users, sums.held_out());
    assert_eq!(activity.held_out.active, u64::try_from(early).unwrap());
    // All whose message went out, also if the kill leaves unknown whether it arrived.
    assert_eq!(activity.sent.users, sums.all() - sums.held_out());
}

/// A text with a button that counts presses.
fn content(text: &str) -> BroadcastContent {
    owner::content(text, "Yes = press")
}

fn testing(after: TimeDelta) -> Experiment {
    let test = VariantTest { part: Percent::new(30).unwrap(), by: WinnerBy::Presses, after };
    Experiment { others: vec![content("b")], test: Some(test), ..Experiment::default() }
}

/// The test part of a broadcast by variant, and those that wait for the winner.
fn arms(broadcast: &Broadcast) -> BTreeMap<Option<Arm>, Vec<i64>> {
    let mut arms: BTreeMap<Option<Arm>, Vec<i64>> = BTreeMap::new();
    for id in 1..=USERS {
        let arm = broadcast.plan.experiment.arm(broadcast.id, id.try_into().unwrap(), false);
        arms.entry(arm).or_default().push(id);
    }
    arms
}

async fn those_who_wait_get_the_winner_once_although_the_bot_is_killed(
    database: ThrowAwayDatabase,
) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let started = owner.start(&plan(testing(TimeDelta::seconds(2)), "a")).await;
    let arms = arms(&started);
    let b = Arm::from_name("B").unwrap();

    // Killed between the last message of the test and the decision.
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it, _| it.tested_at.is_some()).await;
    bot.kill().await;
    let known = owner.find(started.id).await;
    assert_eq!(known.decision, None);
    let tested = messages(&telegram);
    assert!(arms[&None].iter().all(|id| !tested.contains_key(id)));
    for (id, text) in tested.iter().map(|(id, texts)| (id, texts.as_slice())) {
        let is_b = arms[&Some(b)].contains(id);
        assert_eq!(text, [if is_b { "b" } else { "a" }], "{id}");
    }
    let presser = arms[&Some(b)][0].try_into().unwrap();
    let button = BroadcastButton { broadcast: started.id, button: 1 };
    let pressed = owner.storage.press_button(presser, button, SystemClock.now()).await;
    assert!(pressed.unwrap());

    // Killed as soon as it is decided.
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it, _| it.decision.is_some()).await;
    bot.kill().await;
    let decided = owner.find(started.id).await.decision;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;

    let known = owner.find(started.id).await;
    assert_eq!(known.decision, decided, "it is decided once");
    let decision = decided.unwrap();
    assert_eq!((decision.winner.to_string().as_str(), decision.pick), ("B", None));
    let got = messages(&telegram);
    assert!(got.values().all(|texts| texts.len() == 1), "nobody gets two messages");
    let sums = owner.sums(started.id).await;
    let users = u64::try_from(USERS).unwrap();
    assert_eq!(sums.of(RecipientState::Sent) + sums.of(RecipientState::Unknown), users);
    assert!(sums.of(RecipientState::Unknown) <= 50, "{sums:?}");
    for id in &arms[&None] {
        assert!(got.get(id).is_none_or(|texts| texts == &["b"]), "{id}");
    }
}

async fn a_picked_winner_goes_out_at_once(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let started = owner.start(&plan(testing(TimeDelta::hours(4)), "a")).await;
    let b = "B".parse().unwrap();
    let bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it, _| it.tested_at.is_some()).await;
    let tested = messages(&telegram);
    owner.service.pick_winner(started.id, b, None).await.unwrap();
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.terminate().await;
    let got = messages(&telegram);
    assert_eq!(got.len(), usize::try_from(USERS).unwrap());
    for (id, texts) in &got {
        assert_eq!(texts.len(), 1, "{id}");
        assert!(tested.contains_key(id) || texts == &["b"], "{id}");
    }
    let refused = owner.service.pick_winner(started.id, b, None).await.unwrap_err();
    assert!(refused.to_string().contains("is decided: it is B"), "{refused}");
}

async fn simulator() -> Simulator {
    Simulator::builder()
        .every_chat_open()
        .record_limit(100_000)
        .wait_timeout(Duration::from_secs(60))
        .start()
        .await
        .unwrap()
}

/// The texts that each chat got.
fn messages(telegram: &Simulator) -> BTreeMap<i64, Vec<String>> {
    let mut messages: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for request in telegram.requests_to("sendMessage") {
        let text = request.params.get("text").and_then(|it| it.as_str()).unwrap_or_default();
        if let Some(id) = request.params.get("chat_id").and_then(|id| id.as_i64()) {
            messages.entry(id).or_default().push(text.to_owned());
        }
    }
    messages
}

/// A broadcast to everyone.
fn plan(experiment: Experiment, text: &str) -> BroadcastPlan {
    BroadcastPlan { content: content(text), rate: Some(200), experiment, ..owner::plan(text) }
}
