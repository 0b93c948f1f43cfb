//! A bot whose machine has another time than Telegram.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Clock, SystemClock, TelegramUser};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::{stored, tamper},
};
use serde_json::json;

stories!(
    a_clock_that_is_ahead_freezes_no_profile,
    what_a_clock_that_was_ahead_left_behind_freezes_nothing,
    live_updates_that_are_dated_before_are_believed,
);

/// How far this machine's clock is ahead.
const HOUR: i64 = 3600;

/// A button press has no time, so it is dated by Telegram's clock, and what follows counts.
async fn a_clock_that_is_ahead_freezes_no_profile(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    telegram.set_clock(-HOUR);
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    bot.said(" seconds ahead of Telegram's").await;
    let person = |name: &str| Person::new(1815, name);
    taken(&telegram, Update::callback_query(&person("Ada"), "data")).await;
    taken(&telegram, Update::text(&person("Augusta"), "hello")).await;
    let renamed = one(&database).await;
    assert_eq!(renamed.first_name, "Augusta");
    let now = SystemClock.now() - TimeDelta::seconds(HOUR);
    assert!(renamed.last_seen <= now, "{renamed:?}");

    // Set right: by an hour later Telegram's clock shows the same.
    telegram.set_clock(0);
    taken(&telegram, Update::inline_query(&person("Countess"), "query")).await;
    bot.said("this machine's clock agrees with Telegram's again").await;
    taken(&telegram, Update::text(&person("King"), "hello")).await;
    let renamed = one(&database).await;
    assert_eq!((renamed.first_name.as_str(), renamed.profile_seen), ("King", None));
    let log = bot.terminate().await;
    assert_eq!(log.matches("ahead of Telegram's").count(), 1, "{log}");
}

/// As an older version left it, or another program that uses the crates.
async fn what_a_clock_that_was_ahead_left_behind_freezes_nothing(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let person = |name: &str| Person::new(1815, name).username("ada");
    taken(&telegram, Update::text(&person("Ada"), "hello")).await;
    let ahead = SystemClock.now() + TimeDelta::seconds(HOUR);
    let text = ahead.format("%Y-%m-%d %H:%M:%S%.6f");
    tamper(&database, &format!("UPDATE telegram_users SET last_seen = '{text}'"));

    taken(&telegram, Update::text(&person("Augusta"), "hello")).await;
    let renamed = one(&database).await;
    assert_eq!((renamed.first_name.as_str(), renamed.last_seen), ("Augusta", micros(ahead)));
    // A username passes on, too.
    taken(&telegram, Update::text(&Person::new(7, "Other").username("ada"), "hello")).await;
    let users = stored(&database).await;
    let holders: Vec<_> = users.iter().filter(|it| it.username.is_some()).collect();
    assert_eq!(holders.iter().map(|it| it.telegram_id.get()).collect::<Vec<_>>(), [7]);
    assert!(!bot.terminate().await.contains("clock"));
}

/// Where a server sends no time, or that of the same machine, messages that have just been written
/// show what Telegram's is.
async fn live_updates_that_are_dated_before_are_believed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let text = async |name: &str| {
        let date = SystemClock.now().timestamp() - HOUR;
        let from = json!({"id": 1815, "is_bot": false, "first_name": name});
        let update = json!({"update_id": telegram.next_update_id(), "message": {
            "message_id": 1, "date": date, "from": from, "text": "hello",
            "chat": {"id": 1815, "type": "private", "first_name": name},
        }});
        let id = telegram.push_raw(update.to_string());
        telegram.wait_until_confirmed(id).await.unwrap();
    };
    // What comes after an answer was not waiting before it.
    taken(&telegram, Update::text(&Person::new(7, "Other"), "hello")).await;
    telegram.wait_until_polled().await.unwrap();
    text("Ada").await;
    bot.said("updates that have just happened are dated 36").await;
    taken(&telegram, Update::callback_query(&Person::new(1815, "Augusta"), "data")).await;
    let ada = async || {
        let mut users = stored(&database).await;
        users.retain(|user| user.telegram_id.get() == 1815);
        users.remove(0)
    };
    let pressed = ada().await;
    assert_eq!(pressed.first_name, "Augusta");
    let age = (SystemClock.now() - pressed.last_seen).num_seconds();
    assert!(age >= HOUR, "{age}");
    text("King").await;
    assert_eq!(ada().await.first_name, "King");
}

/// Waits until the bot has taken an update.
async fn taken(telegram: &Simulator, update: Update) {
    let id = telegram.push(update);
    telegram.wait_until_confirmed(id).await.unwrap();
}

async fn one(database: &ThrowAwayDatabase) -> TelegramUser {
    stored(database).await.into_iter().next().unwrap()
}

/// As the databases store it.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap()
}
