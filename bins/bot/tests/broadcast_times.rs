//! Broadcasts of the real bot whose recipients wait for a time of their own clocks.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SubsecRound, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{
    BroadcastPlan, BroadcastState, Clock, DeliveryTimes, QuietHours, RecipientState, SystemClock,
    TelegramId,
};
use rollcall_repository_diesel::DieselPreferencesRepository;
use rollcall_service::{BroadcastChange, PreferencesService};
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, owner::Owner};

/// A third of them has the first clocks on earth, a third the last ones, and a third no time zone.
const USERS: i64 = 90;
const EAST: Tz = Tz::Pacific__Kiritimati;
const WEST: Tz = Tz::Etc__GMTPlus12;
/// The lease, so that a killed bot is soon followed.
const SETTINGS: [(&str, &str); 1] = [("BROADCAST_LEASE", "1")];

stories!(
    users_get_a_broadcast_at_their_own_time_although_the_bot_is_killed,
    users_in_quiet_hours_wait_and_the_broadcast_expires,
);

async fn users_get_a_broadcast_at_their_own_time_although_the_bot_is_killed(
    database: ThrowAwayDatabase,
) {
    let owner = owner(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let local = (SystemClock.now() + TimeDelta::seconds(5)).trunc_subsecs(0);
    let times = DeliveryTimes { local_time: Some(local.naive_utc()), quiet_hours: None };
    let started = owner.start(&plan(times, TimeDelta::hours(1))).await;
    assert_eq!(started.expires_at(), Some(local + TimeDelta::hours(13)));

    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner
        .wait_until(started.id, |_, sums| sums.all() > 0 && sums.of(RecipientState::Queued) <= 60)
        .await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until(started.id, |_, sums| sums.of(RecipientState::Sent) > 40).await;
    bot.kill().await;
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner
        .wait_until(started.id, |_, sums| {
            sums.of(RecipientState::Queued) == 30 && sums.of(RecipientState::Claimed) == 0
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
    let known = owner.find(started.id).await;
    assert_eq!(known.state, BroadcastState::Sending, "30 wait");
    assert_eq!(owner.service.next_due(&known).await.unwrap(), Some(due));
    // They also wait after a pause, and get nothing once it is cancelled.
    for change in [BroadcastChange::Pause, BroadcastChange::Resume, BroadcastChange::Cancel] {
        owner.change(started.id, change).await;
    }
    bot.kill().await;
    assert_eq!(owner.sums(started.id).await.of(RecipientState::Queued), 30);
}

async fn users_in_quiet_hours_wait_and_the_broadcast_expires(database: ThrowAwayDatabase) {
    let owner = owner(&database).await;
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let now = SystemClock.now();
    let hour = TimeDelta::hours(1);
    // It is quiet for users without a zone.
    let quiet_hours = QuietHours::new((now - hour).time(), (now + hour).time()).unwrap();
    let quiet_hours = quiet_hours.to_string().parse().ok();
    let times = DeliveryTimes { local_time: None, quiet_hours };
    let started = owner.start(&plan(times, TimeDelta::seconds(8))).await;
    let expires_at = started.expires_at().unwrap();
    let mut bot = RunningBot::launch(&telegram, &database, &SETTINGS);
    owner.wait_until_ended(started.id).await;
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

/// An owner of a bot whose users have time zones.
async fn owner(database: &ThrowAwayDatabase) -> Owner {
    let owner = Owner::of(database, USERS).await;
    let preferences = DieselPreferencesRepository::new(owner.database.clone());
    let preferences = PreferencesService::new(preferences);
    for n in 1..=USERS {
        let id = TelegramId::try_from(n).unwrap();
        assert!(preferences.set_time_zone(id, zone_of(n)).await.unwrap());
    }
    owner
}

fn plan(times: DeliveryTimes, lasts: TimeDelta) -> BroadcastPlan {
    BroadcastPlan {
        rate: Some(50),
        starts_at: times.span().map(|(first, _)| first),
        lasts,
        times,
        ..running::owner::plan("Hello <b>{first_name}</b>")
    }
}
