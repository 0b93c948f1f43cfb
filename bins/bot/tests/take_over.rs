//! A bot that runs elsewhere is not taken over unless the owner asks for it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use rollcall_simulator::{Fault, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use serde_json::{Value, json};

stories! {
    a_foreign_webhook_is_kept,
    foreign_commands_are_kept,
    another_poller_is_left_alone,
    another_poller_that_retries_is_noticed,
    a_new_bot_starts_and_takes_what_waits,
    a_bot_that_this_database_has_run_starts_again,
    an_answer_is_waited_for,
    a_bot_behind_is_no_foreign_one,
    a_server_without_these_methods_is_no_obstacle,
}

/// With FORWARD_URL, the commands and the webhook there belong to the bot behind.
async fn a_bot_behind_is_no_foreign_one(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let menu = json!({"commands": [{"command": "buy", "description": "Buy"}]});
    call(&telegram, "setMyCommands", menu).await;
    let settings = [("FORWARD_URL", "http://127.0.0.1:9/hook")];
    let elsewhere = json!({"url": "http://127.0.0.1:9/hook2"});
    call(&telegram, "setWebhook", elsewhere).await;
    let output = refusal(&telegram, &database, &settings).await;
    let expected = "gets its updates elsewhere (webhook http://127.0.0.1:9/…), not at FORWARD_URL \
                    (http://127.0.0.1:9/…). Stop what runs there, or use --take-over";
    assert!(output.contains(expected), "{output}");
    call(&telegram, "setWebhook", json!({"url": "http://127.0.0.1:9/hook"})).await;
    starts(&telegram, &database, &settings).await;
    assert_eq!(telegram.commands().len(), 1, "its menu is kept");
}

const ADVICE: &str = "Use a new bot from @BotFather, or --take-over to replace what runs there.";

/// What another program would have set up at Telegram.
async fn call(telegram: &Simulator, method: &str, parameters: Value) -> Value {
    let url = format!("{}/bot{}/{method}", telegram.url(), telegram.token());
    let response = reqwest::Client::new().post(url).json(&parameters).send().await.unwrap();
    response.json().await.unwrap()
}

/// Starts a bot that is to refuse; answers what it printed.
async fn refusal(
    telegram: &Simulator,
    database: &ThrowAwayDatabase,
    settings: &[(&str, &str)],
) -> String {
    telegram.forget_requests();
    let (code, output) = RunningBot::cautious(telegram, database, settings).ended().await;
    assert_eq!(code, 1, "{output}");
    for method in ["setMyCommands", "setWebhook", "deleteWebhook", "sendMessage"] {
        assert_eq!(telegram.requests_to(method).len(), 0, "{method}: {output}");
    }
    output
}

/// Starts a bot that is to take updates.
async fn starts(telegram: &Simulator, database: &ThrowAwayDatabase, settings: &[(&str, &str)]) {
    let bot = RunningBot::cautious(telegram, database, settings);
    bot.said("ready: @").await;
    telegram.wait_until_polled().await.unwrap();
    bot.terminate().await;
}

async fn a_foreign_webhook_is_kept(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    call(&telegram, "setWebhook", json!({ "url": "http://127.0.0.1:9/hunter2" })).await;
    let name = telegram.bot_username();
    let expected =
        format!("error: @{name} is already in use (webhook http://127.0.0.1:9/…). {ADVICE}\n");
    let own = [
        ("WEBHOOK_URL", "http://127.0.0.1:9/own"),
        ("WEBHOOK_SECRET", "s3cret-s3cret-s3cret"),
        ("LISTEN_ADDR", "127.0.0.1:0"),
    ];
    for settings in [&[][..], &own] {
        let output = refusal(&telegram, &database, settings).await;
        assert!(output.ends_with(&expected), "{output}");
    }
    let info = call(&telegram, "getWebhookInfo", json!({})).await;
    assert_eq!(info["result"]["url"], "http://127.0.0.1:9/hunter2");

    RunningBot::start(&telegram, &database, &[]).await.terminate().await;
    let info = call(&telegram, "getWebhookInfo", json!({})).await;
    assert_eq!(info["result"]["url"], "");
}

async fn foreign_commands_are_kept(database: ThrowAwayDatabase) {
    for (scope, language) in [("default", ""), ("default", "de"), ("all_private_chats", "")] {
        let telegram = Simulator::start().await.unwrap();
        let commands = json!([
            { "command": "start", "description": "Open the shop" },
            { "command": "cart", "description": "What is in it" },
        ]);
        let menu = json!({
            "commands": commands, "scope": { "type": scope }, "language_code": language,
        });
        call(&telegram, "setMyCommands", menu).await;
        let output = refusal(&telegram, &database, &[]).await;
        let name = telegram.bot_username();
        let expected =
            format!("error: @{name} is already in use (commands /start, /cart). {ADVICE}\n");
        assert!(output.ends_with(&expected), "{output}");
    }
}

async fn another_poller_is_left_alone(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    telegram.fail_always("getUpdates", Fault::conflict());
    for _ in 0..2 {
        let output = refusal(&telegram, &database, &[]).await;
        let name = telegram.bot_username();
        let expected = format!(
            "error: @{name} is already in use (another program polls for its updates). {ADVICE}\n"
        );
        assert!(output.ends_with(&expected), "{output}");
    }
    // With --take-over, the other program may stop later.
    let bot = RunningBot::launch(&telegram, &database, &[]);
    bot.said("stop the other").await;
    telegram.clear_faults();
    telegram.wait_until_polled().await.unwrap();
    bot.terminate().await;
}

/// Telegram ends the request that waits already, not the one that comes: the other program notices
/// first, and retries.
async fn another_poller_that_retries_is_noticed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let poll = |url: String| async move {
        let client = reqwest::Client::new();
        loop {
            let request = client.post(&url).json(&json!({ "timeout": 50 })).send();
            let answer: Value = request.await.unwrap().json().await.unwrap();
            if answer["ok"] == false {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    let url = format!("{}/bot{}/getUpdates", telegram.url(), telegram.token());
    let other = tokio::spawn(poll(url));
    telegram.wait_until_polled().await.unwrap();
    let output = refusal(&telegram, &database, &[]).await;
    other.abort();
    assert!(output.contains("another program polls for its updates"), "{output}");
}

async fn a_new_bot_starts_and_takes_what_waits(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let ada = telegram.person(7);
    let update = telegram.write(&ada, "/start");
    let bot = RunningBot::cautious(&telegram, &database, &[]);
    telegram.wait_for_message(7).await.unwrap();
    telegram.wait_until_confirmed(update).await.unwrap();
    bot.terminate().await;
    assert_eq!(telegram.messages_to(7).len(), 1);
    // Its own menus are no reason to refuse, also on another database.
    starts(&telegram, &ThrowAwayDatabase::sqlite(), &[]).await;
}

async fn a_bot_that_this_database_has_run_starts_again(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    starts(&telegram, &database, &[]).await;
    call(&telegram, "setWebhook", json!({ "url": "http://127.0.0.1:9/hook" })).await;
    starts(&telegram, &database, &[]).await;
}

async fn an_answer_is_waited_for(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    call(&telegram, "setWebhook", json!({ "url": "http://127.0.0.1:9/hook" })).await;
    telegram.forget_requests();
    telegram.fail_always("getWebhookInfo", Fault::api(502, "Bad Gateway"));
    let bot = RunningBot::cautious(&telegram, &database, &[]);
    bot.said("cannot check whether the bot is in use").await;
    for method in ["setMyCommands", "deleteWebhook", "getUpdates"] {
        assert_eq!(telegram.requests_to(method).len(), 0, "{method}");
    }
    telegram.clear_faults();
    let (code, output) = bot.ended().await;
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("is already in use (webhook http://127.0.0.1:9/…)"), "{output}");
}

async fn a_server_without_these_methods_is_no_obstacle(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder()
        .without_method("getWebhookInfo")
        .without_method("getMyCommands")
        .wait_timeout(Duration::from_secs(15))
        .start()
        .await
        .unwrap();
    let bot = RunningBot::cautious(&telegram, &database, &[]);
    bot.said("cannot check whether the bot is already in use").await;
    bot.said("ready: @").await;
    telegram.wait_until_polled().await.unwrap();
    bot.terminate().await;
}
