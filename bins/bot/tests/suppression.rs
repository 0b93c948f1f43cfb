//! A user who was erased is not stored again, whatever they do, until they agree.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;
mod behind;

use std::time::{Duration, Instant};

use behind::{BotBehind, accepted, status};
use rollcall_domain::{SystemClock, TelegramId};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_simulator::{Chat, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::{counted, quarantined, stored},
};
use tokio::time::sleep;

stories!(
    an_erased_user_is_stored_again_once_they_agree,
    in_front_of_another_bot_updates_are_delivered_and_not_stored,
    the_key_is_moved_to_a_file_and_missed_without_it,
);

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(60);
const QUESTION: &str = "Deine Daten wurden bei diesem Bot gelöscht";

fn ada() -> Person {
    Person::new(1815, "Ada").username("ada").language_code("de")
}

/// Erases Ada, as owners and management commands do, from another process.
async fn erase(database: &ThrowAwayDatabase) {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = UserService::new(DieselUserRepository::new(database), SystemClock);
    let id: TelegramId = ada().id.try_into().unwrap();
    assert_eq!(users.delete_users(&[id]).await.unwrap(), 1);
}

async fn an_erased_user_is_stored_again_once_they_agree(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "off")]).await;
    ask(&telegram, &ada(), "/start spring_ad").await;
    assert_eq!(stored(&database).await.len(), 1);
    erase(&database).await;

    // What is not addressed to the bot, and the rest of what people do.
    let group = Chat::group(-77, "Family");
    let before = counted(&database).await;
    telegram.push(Update::text(&ada(), "hello everybody").in_chat(&group));
    telegram.push(Update::edited_text(&ada(), "hello, everybody").in_chat(&group));
    telegram.push(Update::reaction(&ada(), &group, 5, "👍"));
    telegram.block(&ada());
    telegram.unblock(&ada());
    let grace = Person::new(99, "Grace");
    let last = telegram.push(Update::text(&grace, "hello, Ada").in_chat(&group));
    telegram.wait_until_confirmed(last).await.unwrap();
    let users = stored(&database).await;
    assert_eq!(users.iter().map(|it| it.telegram_id.get()).collect::<Vec<_>>(), [99]);
    // They count without a name.
    assert_eq!(counted(&database).await, before + 6);

    let question = ask(&telegram, &ada(), "/start").await;
    assert!(question.text.starts_with(QUESTION), "{}", question.text);
    let declined = press(&telegram, &ada(), &question, "Nein").await;
    assert!(declined.text.contains("wird nichts gespeichert"), "{}", declined.text);
    assert!(declined.buttons().is_empty());
    // What needs no storage is answered.
    let help = ask(&telegram, &ada(), "/help").await;
    assert!(help.text.contains("/settings"), "{}", help.text);
    let again = ask(&telegram, &ada(), "/settings").await;
    assert!(again.text.starts_with(QUESTION), "{}", again.text);
    assert_eq!(stored(&database).await.len(), 1);

    let welcome = press(&telegram, &ada(), &again, "Ja, er darf").await;
    assert!(welcome.text.starts_with("Hallo"), "{}", welcome.text);
    let users = stored(&database).await;
    let user = users.iter().find(|user| user.telegram_id.get() == 1815).expect("Ada is stored");
    assert_eq!(user.username.as_ref().map(|it| it.as_str()), Some("ada"));
    assert!(user.reachability.is_reachable());
    // Nothing of what they had before.
    assert_eq!(user.source, None);
    let settings = ask(&telegram, &ada(), "/settings").await;
    assert!(!settings.text.starts_with(QUESTION), "{}", settings.text);
    let output = bot.terminate().await;
    assert!(!output.contains("1815"), "{output}");
}

async fn in_front_of_another_bot_updates_are_delivered_and_not_stored(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    let url = behind.url();
    let settings = [
        ("FORWARD_URL", url.as_str()),
        ("FORWARD_GIVE_UP_AFTER", "2s"),
        ("OWN_COMMANDS", "/settings"),
    ];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let first = telegram.write(&ada(), "/start");
    telegram.wait_until_confirmed(first).await.unwrap();
    erase(&database).await;

    let second = telegram.write(&ada(), "/start");
    telegram.wait_until_confirmed(second).await.unwrap();
    let taken: Vec<i64> = behind.taken().iter().map(|it| it.id).collect();
    assert_eq!(taken, [first, second]);
    assert!(stored(&database).await.is_empty());
    // One that it refuses, while it accepts others, is not kept.
    behind.answer(|update| match update["message"]["from"]["id"].as_i64() {
        Some(1815) => status(500),
        _ => accepted(update),
    });
    let refused = telegram.write(&ada(), "odd");
    let begun = Instant::now();
    while !telegram.is_confirmed(refused) {
        assert!(begun.elapsed() < PATIENCE, "{}", bot.log());
        telegram.write(&Person::new(99, "Grace"), "hello");
        sleep(Duration::from_millis(100)).await;
    }
    behind.answer(accepted);
    telegram.wait_until_drained().await.unwrap();
    assert_eq!((stored(&database).await.len(), quarantined(&database).await), (1, 0));

    let question = ask(&telegram, &ada(), "/settings").await;
    assert!(question.text.starts_with(QUESTION), "{}", question.text);
    press(&telegram, &ada(), &question, "Ja, er darf").await;
    assert_eq!(stored(&database).await.len(), 2);
    bot.terminate().await;
}

async fn the_key_is_moved_to_a_file_and_missed_without_it(database: ThrowAwayDatabase) {
    const WARNING: &str = "the key that recognises erased users is in the database";
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    ask(&telegram, &ada(), "/help").await;
    erase(&database).await;
    assert!(!bot.terminate().await.contains(WARNING));
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    assert!(bot.terminate().await.contains(WARNING));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let setting = [("SUPPRESSION_KEY_FILE", path.to_str().unwrap())];
    // Another key than that of the database.
    std::fs::write(&path, [7; 32]).unwrap();
    let (code, output) = RunningBot::fails(&telegram, &database, &setting).await;
    assert!(code != 0 && output.contains("`manage suppression-key FILE`"), "{output}");

    let opened = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let key = opened.suppression_key_to_move().await.unwrap().expect("a key in the database");
    std::fs::write(&path, key.to_hex()).unwrap();
    let bot = RunningBot::start(&telegram, &database, &setting).await;
    assert!(!bot.has_said(WARNING));
    // It recognises users that were erased with the key before.
    let answer = ask(&telegram, &ada(), "/start").await;
    assert!(answer.text.starts_with(QUESTION), "{}", answer.text);
    bot.terminate().await;

    let (code, output) = RunningBot::fails(&telegram, &database, &[]).await;
    assert!(code != 0 && output.contains("SUPPRESSION_KEY_FILE is not set"), "{output}");
    std::fs::write(&path, "7".repeat(64)).unwrap();
    let (code, output) = RunningBot::fails(&telegram, &database, &setting).await;
    assert!(code != 0 && output.contains("is not the one with which users of this"), "{output}");
    std::fs::write(&path, "short").unwrap();
    let (code, output) = RunningBot::fails(&telegram, &database, &setting).await;
    let path = path.to_str().unwrap();
    let fault = format!("SUPPRESSION_KEY_FILE: {path}: 5 bytes are not a key");
    assert!(code != 0 && output.contains(&fault), "{output}");
}
