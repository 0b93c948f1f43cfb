//! Broadcasts of the real bot to the simulated Telegram: to everyone once, also when the bot is killed
//! in the middle.
//!
//! By default five kills for each policy and database. `ROLLCALL_KILLS=100 cargo test -p bot --test
//! broadcasts -- --nocapture` does as many as you like, and prints what it counted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    ops::Range,
    time::Duration,
};

use rollcall_domain::{
    Broadcast, BroadcastPlan, BroadcastState, OnUnknown, RecipientState, RecipientSums,
};
use rollcall_repository::Recipient;
use rollcall_service::BroadcastChange;
use rollcall_simulator::{Person, Request, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    owner::{self, Owner},
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

/// How many users there are.
const USERS: i64 = 5_000;
/// How many messages a second are sent at most.
const RATE: u32 = 1_000;
/// How many recipients are claimed at most: see `Sending`.
const WINDOW: u64 = 200;
/// The lease, so that a killed bot is soon followed.
const SETTINGS: [(&str, &str); 1] = [("BROADCAST_LEASE", "1")];

stories!(
    everyone_gets_a_broadcast_at_most_once,
    everyone_gets_a_broadcast_at_least_once,
    a_broadcast_is_paused_resumed_and_cancelled,
    who_was_left_claimed_is_unknown_also_when_it_is_cancelled,
    it_goes_after_our_replies_and_the_calls_of_the_bot_behind,
);

async fn everyone_gets_a_broadcast_at_most_once(database: ThrowAwayDatabase) {
    survives(&database, OnUnknown::Skip).await;
}

async fn everyone_gets_a_broadcast_at_least_once(database: ThrowAwayDatabase) {
    survives(&database, OnUnknown::Resend).await;
}

/// A broadcast in a bot that is killed at random moments.
async fn survives(database: &ThrowAwayDatabase, on_unknown: OnUnknown) {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let owner = Owner::of(database, USERS).await;
    let telegram = simulator().await;
    // Slow enough that every kill meets the broadcast.
    let rate = u32::try_from(USERS / (kills + 1)).unwrap().clamp(20, RATE);
    let started = owner.start(&plan(on_unknown, rate)).await;
    let mut met = 0;
    for _ in 0..kills {
        let before = owner.sums(started.id).await.settled();
        let mut bot = RunningBot::launch(&telegram, database, &SETTINGS);
        owner
            .wait_until(started.id, |it, sums| it.state.has_ended() || sums.settled() > before)
            .await;
        sleep(Duration::from_millis(random() % 700)).await;
        bot.kill().await;
        met += i64::from(owner.find(started.id).await.state == BroadcastState::Sending);
    }
    let mut bot = RunningBot::launch(&telegram, database, &SETTINGS);
    owner.wait_until_in(started.id, BroadcastState::Finished).await;
    bot.kill().await;

    let sums = owner.sums(started.id).await;
    let messages = messages(&telegram);
    let twice = messages.values().filter(|number| **number > 1).count();
    let unknown = sums.of(RecipientState::Unknown);
    let got = u64::try_from(messages.len()).unwrap();
    println!(
        "{kills} kills, {met} of them while it was sent: {} sent, {unknown} unknown, {twice} got \
         it twice, {got} got it",
        sums.of(RecipientState::Sent),
    );
    let users = u64::try_from(USERS).unwrap();
    assert_eq!(sums.all(), users);
    assert_eq!(sums.of(RecipientState::Sent) + unknown, users);
    assert!(met > 0, "no kill met the broadcast");
    let in_flight = WINDOW.min(u64::from(rate)) * u64::try_from(met).unwrap();
    for Recipient { telegram_id: id, state, .. } in owner.recipients(started.id).await {
        let number = messages.get(&id.get()).copied().unwrap_or_default();
        match (state, on_unknown) {
            (RecipientState::Sent, OnUnknown::Skip) => assert_eq!(number, 1, "{id:?}"),
            (RecipientState::Sent, OnUnknown::Resend) => assert!(number >= 1, "{id:?}"),
            (RecipientState::Unknown, OnUnknown::Skip) => assert!(number <= 1, "{id:?}"),
            other => panic!("{id:?}: {other:?}"),
        }
    }
    match on_unknown {
        OnUnknown::Skip => assert!(unknown <= in_flight, "{unknown} of at most {in_flight}"),
        OnUnknown::Resend => {
            let twice = u64::try_from(twice).unwrap();
            assert!(twice <= in_flight, "{twice} of at most {in_flight}");
        }
    }
}

async fn a_broadcast_is_paused_resumed_and_cancelled(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let started = owner.start(&plan(OnUnknown::Skip, 500)).await;
    let bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |_, sums| sums.settled() > 100).await;
    owner.change(started.id, BroadcastChange::Pause).await;
    // Nothing is going out any more once nobody is claimed.
    owner.wait_until(started.id, is_calm).await;
    let paused = owner.sums(started.id).await;
    let sent = paused.of(RecipientState::Sent);
    assert_eq!(sent, u64::try_from(messages(&telegram).len()).unwrap());
    assert_eq!(sent + paused.of(RecipientState::Queued), paused.all());
    // A bot that is stopped in an orderly way leaves nobody unknown.
    owner.change(started.id, BroadcastChange::Resume).await;
    owner.wait_until(started.id, |_, sums| sums.settled() > sent).await;
    bot.terminate().await;
    let stopped = owner.sums(started.id).await;
    assert_eq!(stopped.of(RecipientState::Claimed), 0, "{stopped:?}");
    assert_eq!(stopped.of(RecipientState::Sent), u64::try_from(messages(&telegram).len()).unwrap());
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |_, sums| sums.settled() > stopped.settled()).await;
    owner.change(started.id, BroadcastChange::Cancel).await;
    owner.wait_until(started.id, is_calm).await;
    bot.kill().await;
    let cancelled = owner.sums(started.id).await;
    assert!(cancelled.of(RecipientState::Queued) > 0);
    assert_eq!(cancelled.of(RecipientState::Unknown), 0);
    let messages = messages(&telegram);
    assert!(messages.values().all(|number| *number == 1));
    assert_eq!(cancelled.of(RecipientState::Sent), u64::try_from(messages.len()).unwrap());
}

async fn who_was_left_claimed_is_unknown_also_when_it_is_cancelled(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let started = owner.start(&plan(OnUnknown::Resend, 500)).await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |_, sums| sums.settled() > 100).await;
    bot.kill().await;
    let claimed = owner.sums(started.id).await.of(RecipientState::Claimed);
    assert!(claimed > 0);
    owner.change(started.id, BroadcastChange::Cancel).await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, is_calm).await;
    bot.kill().await;
    let cancelled = owner.sums(started.id).await;
    assert_eq!(cancelled.of(RecipientState::Unknown), claimed);
    assert!(messages(&telegram).values().all(|number| *number == 1));
}

async fn it_goes_after_our_replies_and_the_calls_of_the_bot_behind(database: ThrowAwayDatabase) {
    // Chats that are no recipients.
    const ANN: i64 = 10_000;
    const CALLED: Range<i64> = 10_001..10_031;
    let owner = Owner::of(&database, USERS).await;
    let telegram = simulator().await;
    let started = owner.start(&plan(OnUnknown::Skip, 20)).await;
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = address.to_string();
    let settings =
        [("API_PROXY_ADDR", address.as_str()), ("OWN_COMMANDS", "/id"), ("SEND_RATE", "20")];
    let mut bot = RunningBot::launch(&telegram, &database, &settings);
    owner.wait_until(started.id, |_, sums| sums.settled() > 20).await;
    let url = format!("http://{address}/bot{}/sendMessage", telegram.token());
    let http = reqwest::Client::new();
    let mut calls: JoinSet<_> = CALLED
        .map(|chat| http.post(&url).json(&json!({"chat_id": chat, "text": "Hello"})).send())
        .collect();
    calls.join_next().await.unwrap().unwrap().unwrap();
    telegram.write(&Person::new(ANN, "Ann"), "/id");
    for response in calls.join_all().await {
        assert_eq!(response.unwrap().status(), 200);
    }
    let chat = |request: &Request| request.params.get("chat_id").and_then(|id| id.as_i64());
    let order: Vec<i64> = telegram.requests_to("sendMessage").iter().filter_map(chat).collect();
    let is_call = |chat: &i64| CALLED.contains(chat);
    let first = order.iter().position(is_call).unwrap();
    let last = order.iter().rposition(is_call).unwrap();
    let between = order.get(first..last).unwrap();
    let reply = between.iter().position(|chat| *chat == ANN).expect("the reply overtakes calls");
    assert!(reply < 20, "after {reply} others");
    let recipients = between.iter().filter(|chat| **chat < ANN).count();
    assert!(recipients <= 3, "{recipients} messages of the broadcast went before the last call");
    let settled = owner.sums(started.id).await.settled();
    owner.wait_until(started.id, |_, sums| sums.settled() > settled + 5).await;
    bot.kill().await;
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

/// How many messages each chat got.
fn messages(telegram: &Simulator) -> BTreeMap<i64, u64> {
    let mut messages = BTreeMap::new();
    for request in telegram.requests_to("sendMessage") {
        if let Some(id) = request.params.get("chat_id").and_then(|id| id.as_i64()) {
            *messages.entry(id).or_default() += 1;
        }
    }
    messages
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A broadcast to everyone.
fn plan(on_unknown: OnUnknown, rate: u32) -> BroadcastPlan {
    BroadcastPlan { rate: Some(rate), on_unknown, ..owner::plan("Hello <b>{first_name}</b>") }
}

/// Whether nobody is claimed.
fn is_calm(_: &Broadcast, sums: &RecipientSums) -> bool {
    sums.of(RecipientState::Claimed) == 0
}
