//! Admins that the figures leave out, with `COUNT_ADMINS=off`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::sync::Arc;

use chrono::NaiveDate;
use rollcall_domain::Figure;
use rollcall_repository::ActivityRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, chat::ask};

stories!(admins_are_left_out_while_that_is_off, admins_change_with_each_start,);

const OFF: (&str, &str) = ("COUNT_ADMINS", "off");

fn boss() -> Person {
    Person::new(99, "Boss").language_code("de")
}

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

/// The current users, all who ever joined, and the interactions of all kinds. They agree with a
/// recount.
async fn counted(database: &ThrowAwayDatabase) -> [i64; 3] {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    assert_eq!(users.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
    let figures = [Figure::Users, Figure::New, Figure::Kind];
    users.totals(&figures, NaiveDate::MAX).await.unwrap().try_into().unwrap()
}

async fn admins_are_left_out_while_that_is_off(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let admins = ("ADMIN_TELEGRAM_IDS", "99");
    let bot = RunningBot::start(&telegram, &database, &[admins, OFF]).await;
    ask(&telegram, &boss(), "/start").await;
    ask(&telegram, &ada(), "/start").await;
    let stats = ask(&telegram, &boss(), "/stats").await.text;
    assert!(stats.starts_with("1 Nutzer, "), "{stats}");
    assert_eq!(counted(&database).await, [1, 1, 1]);
    bot.terminate().await;

    // From now on the admin counts, with the day that is stored. Interactions are stored as sums only.
    let bot = RunningBot::start(&telegram, &database, &[admins]).await;
    ask(&telegram, &boss(), "/id").await;
    assert_eq!(counted(&database).await, [2, 2, 2]);
    bot.terminate().await;

    // What has been counted stays.
    let bot = RunningBot::start(&telegram, &database, &[admins, OFF]).await;
    ask(&telegram, &boss(), "/id").await;
    ask(&telegram, &ada(), "/id").await;
    assert_eq!(counted(&database).await, [1, 2, 3]);
    bot.terminate().await;
}

async fn admins_change_with_each_start(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    for (admins, expected) in
        [("99", [1, 1, 1]), ("1815", [1, 2, 2]), ("99,1815", [0, 2, 2]), ("", [2, 2, 4])]
    {
        let settings = [("ADMIN_TELEGRAM_IDS", admins), OFF];
        let bot = RunningBot::start(&telegram, &database, &settings).await;
        ask(&telegram, &boss(), "/id").await;
        ask(&telegram, &ada(), "/id").await;
        assert_eq!(counted(&database).await, expected, "{admins}");
        bot.terminate().await;
    }
    let wrong = [("COUNT_ADMINS", "no")];
    let (code, output) = RunningBot::fails(&telegram, &database, &wrong).await;
    assert_eq!(code, 1);
    assert_eq!(output, "error: COUNT_ADMINS: \"no\" is not valid; expected on or off\n");
}
