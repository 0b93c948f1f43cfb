//! The example with the real teloxide against the simulator over HTTP, on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;

use diesel::{Connection, connection::SimpleConnection};
use rollcall::Rollcall;
use rollcall_simulator::{Fault, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::process::{Child, Command};

/// Runs a story on each database.
macro_rules! both {
    ($($story:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story(&rollcall_testkit::ThrowAwayDatabase::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                if let Some(database) = rollcall_testkit::ThrowAwayDatabase::postgres() {
                    super::$story(&database).await;
                }
            })*
        }
    };
}

both! {
    users_are_registered_before_handlers_get_them
    a_refused_message_marks_its_user
    nothing_is_confirmed_before_it_is_stored
}

/// Cargo builds the example beside the test.
fn start(telegram: &Simulator, database: &ThrowAwayDatabase) -> Child {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/greeter");
    Command::new(program)
        .env("TELOXIDE_API_URL", telegram.url())
        .env("TELOXIDE_TOKEN", telegram.token())
        .env("DATABASE_URL", database.url())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn users_are_registered_before_handlers_get_them(database: &ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let _bot = start(&telegram, database);
    let ann = Person::new(42, "Ann").language_code("de");
    telegram.write(&ann, "/start ad");
    assert_eq!(telegram.wait_for_message(ann.id).await.unwrap().text, "Welcome, Ann!");
    telegram.write(&ann, "hello");
    assert_eq!(telegram.wait_for_message(ann.id).await.unwrap().text, "Welcome back, Ann!");

    // A kind that teloxide does not know.
    let ben = json!({"id": 5, "is_bot": false, "first_name": "Ben"});
    let last = telegram.push(Update::new("telepathy", json!({"from": ben})));
    telegram.wait_until_confirmed(last).await.unwrap();
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let stored = rollcall.user(42).await.unwrap().unwrap();
    assert_eq!(stored.source.as_ref().map(|it| it.as_str()), Some("ad"));
    assert_eq!(rollcall.user(5).await.unwrap().unwrap().first_name, "Ben");
    assert_eq!(rollcall.stats().await.unwrap().total_users, 2);
}

async fn a_refused_message_marks_its_user(database: &ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let _bot = start(&telegram, database);
    let (ann, ben) = (Person::new(42, "Ann"), Person::new(43, "Ben"));
    telegram.fail_next("sendMessage", Fault::api(403, "Forbidden: bot was blocked by the user"));
    let refused = telegram.write(&ann, "hello");
    telegram.wait_until_confirmed(refused).await.unwrap();
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let mut reachable = true;
    // Chats are answered at once, so an answer to Ben does not show that Ann is marked already.
    for _ in 0..100 {
        telegram.write(&ben, "hello");
        telegram.wait_for_message(ben.id).await.unwrap();
        reachable = rollcall.user(ann.id).await.unwrap().unwrap().reachability.is_reachable();
        if !reachable {
            break;
        }
    }
    assert!(!reachable);
    assert!(rollcall.user(ben.id).await.unwrap().unwrap().reachability.is_reachable());
}

async fn nothing_is_confirmed_before_it_is_stored(database: &ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let mut bot = start(&telegram, database);
    let ann = Person::new(42, "Ann");
    telegram.write(&ann, "hello");
    telegram.wait_for_message(ann.id).await.unwrap();

    let held = hold(database);
    let ben = Person::new(43, "Ben");
    let waits = telegram.write(&ben, "hello");
    let fetched = |telegram: &Simulator| telegram.was_fetched(waits).then_some(());
    telegram.wait_for("the update to be fetched", fetched).await.unwrap();
    bot.kill().await.unwrap();
    assert!(!telegram.is_confirmed(waits));
    let mut bot = start(&telegram, database);
    drop(held);
    telegram.wait_until_confirmed(waits).await.unwrap();
    assert_eq!(telegram.wait_for_message(ben.id).await.unwrap().text, "Welcome, Ben!");
    bot.kill().await.unwrap();

    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let stats = rollcall.stats().await.unwrap();
    assert_eq!((stats.total_users, stats.interactions_today), (2, 2));
}

/// Keeps a database from being written until the connection is dropped.
fn hold(database: &ThrowAwayDatabase) -> Box<dyn std::any::Any> {
    match database.file() {
        Some(file) => {
            let file = file.to_str().unwrap();
            let mut connection = diesel::SqliteConnection::establish(file).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
            Box::new(connection)
        }
        None => {
            let mut connection = diesel::PgConnection::establish(database.url()).unwrap();
            let lock = "BEGIN; LOCK TABLE telegram_users IN EXCLUSIVE MODE";
            connection.batch_execute(lock).unwrap();
            Box::new(connection)
        }
    }
}
