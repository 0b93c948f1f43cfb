//! The example bot against the simulator over HTTP, on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::PathBuf, process::Stdio};

use rollcall::Rollcall;
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::process::{Child, Command};

#[tokio::test]
async fn own_bot_on_sqlite() {
    own_bot(&ThrowAwayDatabase::sqlite()).await;
}

#[tokio::test]
async fn own_bot_on_postgres() {
    if let Some(database) = ThrowAwayDatabase::postgres() {
        own_bot(&database).await;
    }
}

/// Cargo builds the example beside the test.
fn start(telegram: &Simulator, database: &ThrowAwayDatabase) -> Child {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().to_owned();
    let program: PathBuf = folder.join("examples/own_bot");
    Command::new(program)
        .env("TELEGRAM_API_URL", telegram.url())
        .env("TELEGRAM_BOT_TOKEN", telegram.token())
        .env("DATABASE_URL", database.url())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn own_bot(database: &ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let mut bot = start(&telegram, database);
    let ann = Person::new(42, "Ann <3").language_code("de");

    telegram.write(&ann, "/start ad");
    let greeting = telegram.wait_for_message(ann.id).await.unwrap();
    assert_eq!(greeting.text, "Welcome, Ann <3! Tea or coffee?");
    telegram.write(&ann, "/start");
    let greeting = telegram.wait_for_message(ann.id).await.unwrap();
    assert_eq!(greeting.text, "Welcome back, Ann <3! Tea or coffee?");

    telegram.press(&ann, &greeting, "vote:tea");
    let edited = telegram.wait_for_edit(&greeting).await.unwrap();
    assert_eq!(edited.text, "You prefer tea.");
    telegram.write(&ann, "hello & bye");
    let echoed = telegram.wait_for_message(ann.id).await.unwrap();
    assert_eq!(echoed.text, "You wrote: hello & bye");
    let last = telegram.write(&ann, "/stats");
    let stats = telegram.wait_for_message(ann.id).await.unwrap();
    assert_eq!(stats.text, "I know 1 users.");
    telegram.wait_until_confirmed(last).await.unwrap();

    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let stored = rollcall.user(ann.id).await.unwrap().unwrap();
    assert_eq!(stored.source.as_ref().map(|it| it.as_str()), Some("ad"));
    assert_eq!(stored.language_code.as_deref(), Some("de"));
    assert!(stored.reachability.is_reachable());
    bot.kill().await.unwrap();
}
