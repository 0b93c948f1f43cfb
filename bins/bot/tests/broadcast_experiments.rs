//! Experiments with broadcasts of the real bot to the simulated Telegram.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::TimeDelta;
use chrono_tz::Tz;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind, Clock,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, Percent, Profile,
    RecipientState, SystemClock, TelegramId,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{BroadcastChange, BroadcastService, UserService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, database::tamper};
use tokio::time::{sleep, timeout};

/// How many users there are.
const USERS: i64 = 400;
/// The lease, so that a killed bot is soon followed.
const SETTINGS: [(&str, &str); 1] = [("BROADCAST_LEASE", "1")];
/// How long the test waits, before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

stories!(the_held_out_part_gets_nothing_and_is_compared_a_week_later,);

async fn the_held_out_part_gets_nothing_and_is_compared_a_week_later(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = simulator().await;
    let experiment = Experiment { hold_out: Percent::new(30) };
    let started = owner.start(experiment.clone(), "Hi").await;
    // The bot is killed in the middle: the part stays the same.
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(async || owner.sums(started.id).await.1 > 50).await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(async || owner.state(started.id).await == BroadcastState::Finished).await;
    bot.kill().await;

    let is_out = |id: &i64| experiment.is_held_out(started.id, (*id).try_into().unwrap());
    let held_out: BTreeSet<i64> = (1..=USERS).filter(is_out).collect();
    let got: BTreeSet<i64> = messages(&telegram).into_keys().collect();
    assert!(got.is_disjoint(&held_out), "{:?}", got.intersection(&held_out));
    let (sums, _) = owner.sums(started.id).await;
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
    owner.wait_until(known).await;
    bot.kill().await;
    let activity = owner.service.activity(started.id).await.unwrap().unwrap();
    let early = held_out.iter().filter(|id| **id <= 200).count();
    assert_eq!(activity.held_out.users, sums.held_out());
    assert_eq!(activity.held_out.active, u64::try_from(early).unwrap());
    assert_eq!(activity.sent.users, sums.of(RecipientState::Sent));
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

struct Owner {
    service: BroadcastService,
}

impl Owner {
    /// An owner of a bot with users.
    async fn of(database: &ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let repository = DieselUserRepository::new(storage);
        let users = UserService::new(repository.clone(), SystemClock);
        let at = SystemClock.now() - TimeDelta::hours(1);
        let all: Vec<Interaction> = (1..=USERS)
            .map(|id| {
                let profile = Profile::new(TelegramId::try_from(id).unwrap(), "Ann");
                let mut interaction = Interaction::new(at, profile, InteractionKind::Text);
                interaction.chat = Some(Chat { id, kind: ChatKind::Private });
                interaction
            })
            .collect();
        users.register(&all).await.unwrap();
        Self { service: BroadcastService::new(repository, SystemClock) }
    }

    async fn start(&self, experiment: Experiment, text: &str) -> Broadcast {
        let texts = [(String::new(), text.to_owned())].into();
        let plan = BroadcastPlan {
            name: "a try".to_owned(),
            category: "news".parse().unwrap(),
            filter: "".parse().unwrap(),
            zone: Tz::UTC,
            content: BroadcastContent::Text { texts, buttons: String::new(), picture: None },
            rate: Some(200),
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: TimeDelta::hours(24),
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment,
        };
        let created = self.service.create(&plan, None).await.unwrap();
        self.service.change(created.id, BroadcastChange::Start, None).await.unwrap()
    }

    async fn state(&self, id: i64) -> BroadcastState {
        self.service.find(id).await.unwrap().state
    }

    /// The sums of the recipients, and how many have an outcome.
    async fn sums(&self, id: i64) -> (rollcall_domain::RecipientSums, u64) {
        let sums = self.service.sums(id).await.unwrap();
        let settled = sums.settled();
        (sums, settled)
    }

    async fn wait_until(&self, is_so: impl AsyncFn() -> bool) {
        let so = async {
            while !is_so().await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, so).await.is_err() {
            panic!("{:?}", self.service.list(None, 1).await);
        }
    }
}
