//! Broadcasts of the real bot whose recipients wait for a time of their own clocks.
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

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind, Clock,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, Profile, QuietHours,
    RecipientState, SystemClock, TelegramId,
};
use rollcall_repository_diesel::{Database, DieselPreferencesRepository, DieselUserRepository};
use rollcall_service::{
    BroadcastChange, BroadcastService, PreferencesService, Recipient, UserService,
};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use tokio::time::{sleep, timeout};

/// A third of them has the first clocks on earth, a third the last ones, and a third no time zone.
const USERS: i64 = 90;
const EAST: Tz = Tz::Pacific__Kiritimati;
const WEST: Tz = Tz::Etc__GMTPlus12;
/// The lease, so that a killed bot is soon followed.
const SETTINGS: [(&str, &str); 1] = [("BROADCAST_LEASE", "1")];
/// How long the test waits for a broadcast, before it fails.
const PATIENCE: Duration = Duration::from_secs(180);

stories!(
    users_get_a_broadcast_at_their_own_time_although_the_bot_is_killed,
    users_in_quiet_hours_wait_and_the_broadcast_expires,
);

async fn users_get_a_broadcast_at_their_own_time_although_the_bot_is_killed(
    database: ThrowAwayDatabase,
) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let local = (SystemClock.now() + TimeDelta::seconds(5)).trunc_subsecs(0);
    let times = DeliveryTimes { local_time: Some(local.naive_utc()), quiet_hours: None };
    let started = owner.start(times, TimeDelta::hours(1)).await;
    assert_eq!(started.expires_at(), Some(local + TimeDelta::hours(13)));

    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it| in_state(it, RecipientState::Queued) <= 60).await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it| in_state(it, RecipientState::Sent) > 40).await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner
        .wait_until(started.id, |it| {
            in_state(it, RecipientState::Queued) == 30 && in_state(it, RecipientState::Claimed) == 0
        })
        .await;
    let messages = messages(&telegram);
    let due = local + TimeDelta::hours(12);
    for it in owner.recipients(started.id).await {
        let number = messages.get(&it.telegram_id.get()).copied().unwrap_or_default();
        match (zone_of(it.telegram_id.get()), it.state) {
            (Some(WEST), RecipientState::Queued) => {
                assert_eq!((number, it.due_at), (0, Some(due)), "{it:?}");
            }
            (Some(EAST) | None, RecipientState::Sent) => assert_eq!(number, 1, "{it:?}"),
            (Some(EAST) | None, RecipientState::Unknown) => assert!(number <= 1, "{it:?}"),
            _ => panic!("{it:?}"),
        }
        if zone_of(it.telegram_id.get()).is_none() {
            assert!(it.at >= Some(local), "{it:?} before {local}");
        }
    }
    let known = owner.service.find(started.id).await.unwrap();
    assert_eq!(known.state, BroadcastState::Sending, "30 wait");
    assert_eq!(owner.service.next_due(&known).await.unwrap(), Some(due));
    // They also wait after a pause, and get nothing once it is cancelled.
    for change in [BroadcastChange::Pause, BroadcastChange::Resume, BroadcastChange::Cancel] {
        owner.service.change(started.id, change, None).await.unwrap();
    }
    bot.kill().await;
    assert_eq!(in_state(&owner.recipients(started.id).await, RecipientState::Queued), 30);
}

async fn users_in_quiet_hours_wait_and_the_broadcast_expires(database: ThrowAwayDatabase) {
    let owner = Owner::of(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let now = SystemClock.now();
    let hour = TimeDelta::hours(1);
    // It is quiet for users without a zone.
    let quiet_hours = QuietHours::new((now - hour).time(), (now + hour).time()).unwrap();
    let quiet_hours = quiet_hours.to_string().parse().ok();
    let times = DeliveryTimes { local_time: None, quiet_hours };
    let started = owner.start(times, TimeDelta::seconds(8)).await;
    let expires_at = started.expires_at().unwrap();
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |it| it.iter().all(|it| it.state != RecipientState::Queued)).await;
    let finished = async {
        while !owner.service.find(started.id).await.unwrap().state.has_ended() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, finished).await.unwrap();
    bot.kill().await;
    let got: BTreeSet<i64> = messages(&telegram).into_keys().collect();
    let expected: BTreeSet<i64> = (1..=USERS).filter(|n| zone_of(*n).is_some()).collect();
    assert_eq!(got, expected);
    for it in owner.recipients(started.id).await {
        match zone_of(it.telegram_id.get()) {
            Some(_) => assert_eq!(it.state, RecipientState::Sent, "{it:?}"),
            None => {
                assert_eq!(it.reason.as_deref(), Some("expired"), "{it:?}");
                assert!(it.at >= Some(expires_at), "{it:?}");
            }
        }
        assert_eq!(it.due_at, None);
    }
}

fn zone_of(user: i64) -> Option<Tz> {
    [Some(EAST), Some(WEST), None].get(usize::try_from(user % 3).unwrap()).copied().flatten()
}

fn in_state(recipients: &[Recipient], state: RecipientState) -> usize {
    recipients.iter().filter(|it| it.state == state).count()
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

struct Owner {
    service: BroadcastService,
}

impl Owner {
    /// An owner of a bot with users.
    async fn of(database: &ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let preferences =
            PreferencesService::new(DieselPreferencesRepository::new(storage.clone()));
        let repository = DieselUserRepository::new(storage);
        let users = UserService::new(repository.clone(), SystemClock);
        let at: DateTime<Utc> = SystemClock.now() - TimeDelta::hours(1);
        let user = |id| {
            let profile = Profile::new(TelegramId::try_from(id).unwrap(), "Ann");
            let chat = Some(Chat { id, kind: ChatKind::Private });
            Interaction { chat, ..Interaction::new(at, profile, InteractionKind::Text) }
        };
        let all: Vec<Interaction> = (1..=USERS).map(user).collect();
        users.register(&all).await.unwrap();
        for n in 1..=USERS {
            let id = TelegramId::try_from(n).unwrap();
            assert!(preferences.set_time_zone(id, zone_of(n)).await.unwrap());
        }
        Self { service: BroadcastService::new(repository, SystemClock) }
    }

    async fn start(&self, times: DeliveryTimes, lasts: TimeDelta) -> Broadcast {
        let texts = [(String::new(), "Hello <b>{first_name}</b>".to_owned())].into();
        let plan = BroadcastPlan {
            name: "evening".to_owned(),
            category: "news".parse().unwrap(),
            filter: "".parse().unwrap(),
            zone: Tz::UTC,
            content: BroadcastContent::Text { texts, buttons: String::new(), picture: None },
            rate: Some(50),
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: times.span().map(|(first, _)| first),
            lasts,
            times,
            has_opt_out_button: false,
            experiment: Experiment::default(),
        };
        let created = self.service.create(&plan, None).await.unwrap();
        self.service.change(created.id, BroadcastChange::Start, None).await.unwrap()
    }

    async fn recipients(&self, id: i64) -> Vec<Recipient> {
        self.service.recipients(id, None, 5_000).await.unwrap()
    }

    async fn wait_until(&self, id: i64, is_so: impl Fn(&[Recipient]) -> bool) {
        let so = async {
            loop {
                let recipients = self.recipients(id).await;
                if !recipients.is_empty() && is_so(&recipients) {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, so).await.is_err() {
            panic!("{:?}, {:?}", self.service.find(id).await, self.service.sums(id).await);
        }
    }
}
