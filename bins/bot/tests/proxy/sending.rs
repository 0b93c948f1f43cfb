//! One outbox: our replies first, then the calls of the bot behind.

use std::time::{Duration, Instant};

use rollcall_simulator::{Fault, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use super::api::Api;

stories!(
    our_replies_go_before_the_calls_of_the_bot_behind,
    too_many_calls_at_once_are_asked_to_wait,
    a_chat_that_telegram_asks_to_wait_for_gets_no_calls_meanwhile,
);

async fn our_replies_go_before_the_calls_of_the_bot_behind(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let api = Api::new(&telegram).await;
    let settings = [("OWN_COMMANDS", "/id"), ("SEND_RATE", "10")];
    let bot = api.serve(&telegram, &database, &settings).await;
    let calls: Vec<_> = (100..125)
        .map(|chat| {
            let api = api.clone();
            tokio::spawn(async move {
                api.call("sendMessage", json!({"chat_id": chat, "text": "Hello"})).await
            })
        })
        .collect();
    telegram.wait_for_messages(2).await.unwrap();
    let before = telegram.message_count();
    telegram.write(&Person::new(1, "Ann"), "/id");
    telegram.wait_for_message(1).await.unwrap();
    // All the others were there before it.
    let between = telegram.message_count() - before;
    assert!(between <= 8, "{between} went before our reply");
    let mut sent = 0;
    for call in calls {
        sent += usize::from(call.await.unwrap()["ok"] == true);
    }
    assert_eq!(sent, 25);
    bot.terminate().await;
}

async fn too_many_calls_at_once_are_asked_to_wait(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[("SEND_RATE", "5")]).await;
    let begun = Instant::now();
    let calls: Vec<_> = (100..160)
        .map(|chat| {
            let api = api.clone();
            tokio::spawn(async move {
                api.call("sendMessage", json!({"chat_id": chat, "text": "Hello"})).await
            })
        })
        .collect();
    let (mut sent, mut refused) = (0, 0);
    for call in calls {
        let answer = call.await.unwrap();
        match answer["error_code"].as_i64() {
            None => sent += 1,
            Some(code) => {
                assert_eq!((code, &answer["parameters"]["retry_after"]), (429, &json!(1)));
                refused += 1;
            }
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(sent >= 10 && refused >= 20, "{sent} sent, {refused} refused");
    assert_eq!(telegram.message_count(), sent, "what was refused was not sent");
    // What sends nothing has no limit.
    assert_eq!(api.call("getMe", json!({})).await["ok"], true);
    bot.terminate().await;
}

async fn a_chat_that_telegram_asks_to_wait_for_gets_no_calls_meanwhile(
    database: ThrowAwayDatabase,
) {
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[("SEND_RATE", "1000")]).await;
    telegram.fail_next("sendMessage", Fault::too_many_requests(60));
    let send =
        async |chat: i64| api.call("sendMessage", json!({"chat_id": chat, "text": "Hello"})).await;
    assert_eq!(send(5).await["parameters"]["retry_after"], 60);
    let again = send(5).await;
    assert!(again["parameters"]["retry_after"].as_i64().unwrap() > 50, "{again}");
    assert_eq!(telegram.calls("sendMessage"), 1, "Telegram was not asked again");
    assert_eq!(send(6).await["ok"], true);
    bot.terminate().await;
}
