//! A bot behind that sets its webhook here.

use std::time::Duration;

use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use super::{
    api::Api,
    behind::{Answer, BotBehind, accepted, status},
    running::{
        RunningBot,
        database::{counted, quarantined},
    },
};

stories!(
    its_webhook_is_honoured_and_outlives_a_restart,
    an_invalid_webhook_changes_nothing,
    a_redirect_of_its_webhook_is_not_followed,
    a_slow_webhook_delays_its_own_chat_only,
    a_webhook_that_breaks_off_gets_the_update_again,
    a_response_that_cannot_be_read_is_no_call,
    an_update_that_its_webhook_alone_refuses_is_set_aside,
);

const SECRET: &str = "between_us";

async fn its_webhook_is_honoured_and_outlives_a_restart(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let behind = BotBehind::start().await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let ann = Person::new(1, "Ann");
    // It waits while the bot behind polls, and goes to the webhook then.
    let first = telegram.write(&ann, "hello");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [first]);
    let set = api
        .call(
            "setWebhook",
            json!({"url": behind.url(), "secret_token": SECRET, "max_connections": 7,
                   "allowed_updates": ["message"]}),
        )
        .await;
    assert_eq!(set, json!({"ok": true, "result": true, "description": "Webhook was set"}));
    telegram.wait_until_confirmed(first).await.unwrap();
    let refused = api.call("getUpdates", json!({})).await;
    assert_eq!(refused["error_code"], 409);
    assert!(refused["description"].as_str().unwrap().contains("while webhook is active"));
    assert_eq!(telegram.calls("setWebhook"), 0, "Telegram knows nothing of it");
    bot.terminate().await;

    let bot = api.serve(&telegram, &database, &[]).await;
    let second = telegram.write(&ann, "hello again");
    telegram.wait_until_confirmed(second).await.unwrap();
    let taken = behind.taken();
    assert_eq!(taken.iter().map(|it| it.id).collect::<Vec<_>>(), [first, second]);
    assert!(taken.iter().all(|it| it.secret.as_deref() == Some(SECRET)));
    let info = api.call("getWebhookInfo", json!({})).await["result"].clone();
    let expected = json!({
        "url": behind.url(), "has_custom_certificate": false, "pending_update_count": 0,
        "max_connections": 7, "allowed_updates": ["message"],
    });
    assert_eq!(info, expected);

    behind.answer(|_| status(500));
    let third = telegram.write(&ann, "and again");
    bot.said("the bot behind does not accept updates").await;
    let info = api.call("getWebhookInfo", json!({})).await["result"].clone();
    assert_eq!(info["last_error_message"], "it responded with the HTTP status 500", "{info}");
    assert_eq!(info["pending_update_count"], 1);
    // It deletes its webhook, and asks for what it did not accept.
    let deleted = api.call("deleteWebhook", json!({})).await;
    assert_eq!(deleted["description"], "Webhook was deleted");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [third]);
    assert_eq!(api.updates(json!({"offset": third + 1})).await, [0; 0]);
    telegram.wait_until_confirmed(third).await.unwrap();
    assert_eq!(counted(&database).await, 3);
    bot.terminate().await;
}

async fn an_invalid_webhook_changes_nothing(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    for (parameters, reason) in [
        (json!({"url": "bot.example.org"}), "bad webhook"),
        (json!({"url": "http://127.0.0.1:1/", "secret_token": "a b"}), "unallowed characters"),
        (
            json!({"url": "http://127.0.0.1:1/", "certificate": "x"}),
            "a certificate is not supported",
        ),
    ] {
        let answer = api.call("setWebhook", parameters).await;
        assert_eq!(answer["error_code"], 400, "{answer}");
        assert!(answer["description"].as_str().unwrap().contains(reason), "{answer}");
    }
    let update = telegram.write(&Person::new(1, "Ann"), "hello");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [update]);
    bot.terminate().await;
}

async fn a_redirect_of_its_webhook_is_not_followed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let (behind, elsewhere) = (BotBehind::start().await, BotBehind::start().await);
    let place = elsewhere.url();
    behind.answer(move |_| (307, format!("Location: {place}\r\nContent-Length: 0\r\n\r\n")));
    let bot = api.serve(&telegram, &database, &[]).await;
    api.call("setWebhook", json!({"url": behind.url(), "secret_token": SECRET})).await;
    let update = telegram.write(&Person::new(1, "Ann"), "hello");
    bot.said("it responded with the HTTP status 307").await;
    assert!(elsewhere.taken().is_empty() && !telegram.is_confirmed(update));
    behind.answer(accepted);
    telegram.wait_until_confirmed(update).await.unwrap();
    assert!(elsewhere.taken().is_empty());
    bot.terminate().await;
}

/// Rollcall in front of a bot behind that has set its webhook.
async fn start(
    telegram: &Simulator,
    database: &ThrowAwayDatabase,
    settings: &[(&str, &str)],
) -> (Api, BotBehind, RunningBot) {
    let api = Api::new(telegram).await;
    let behind = BotBehind::start().await;
    let bot = api.serve(telegram, database, settings).await;
    let set = api.call("setWebhook", json!({"url": behind.url(), "secret_token": SECRET})).await;
    assert_eq!(set["ok"], true, "{set}");
    (api, behind, bot)
}

async fn a_slow_webhook_delays_its_own_chat_only(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let (_api, behind, bot) = start(&telegram, &database, &[]).await;
    behind.answer(|update| match update["message"]["text"].as_str() {
        Some("slow") => accepted(update).after(Duration::from_secs(3)),
        _ => accepted(update),
    });
    let (ann, bob) = (Person::new(1, "Ann"), Person::new(2, "Bob"));
    let slow = telegram.write(&ann, "slow");
    let next = telegram.write(&ann, "next");
    let other = telegram.write(&bob, "hello");
    behind.wait_until(|taken| taken.len() == 2).await;
    // It is still being answered, so Telegram keeps it.
    assert!(!telegram.is_confirmed(slow));
    telegram.wait_until_confirmed(next).await.unwrap();
    let order: Vec<i64> = behind.taken().iter().map(|it| it.id).collect();
    assert!(order == [slow, other, next] || order == [other, slow, next], "{order:?}");
    assert_eq!(counted(&database).await, 3);
    bot.terminate().await;
}

async fn a_webhook_that_breaks_off_gets_the_update_again(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let (api, behind, bot) = start(&telegram, &database, &[]).await;
    for broken in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Le", "no HTTP at all\r\n\r\n"] {
        behind.answer(|_| Answer::broken(broken));
        let update = telegram.write(&Person::new(1, "Ann"), "hello");
        loop {
            let info = api.call("getWebhookInfo", json!({})).await["result"].clone();
            if info["last_error_message"] == "it cannot be reached" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!telegram.is_confirmed(update), "{broken:?}");
        behind.answer(accepted);
        telegram.wait_until_confirmed(update).await.unwrap();
        assert_eq!(behind.counts()[&update], 1, "{broken:?}");
        // Forgets the error.
        api.call("deleteWebhook", json!({})).await;
        api.call("setWebhook", json!({"url": behind.url(), "secret_token": SECRET})).await;
    }
    assert_eq!(counted(&database).await, 4);
    bot.terminate().await;
}

async fn a_response_that_cannot_be_read_is_no_call(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let (_api, behind, bot) = start(&telegram, &database, &[]).await;
    let ann = Person::new(1, "Ann");
    let json = |length: usize, body: &str| {
        let head = format!("Content-Type: application/json\r\nContent-Length: {length}");
        (200, format!("{head}\r\n\r\n{body}"))
    };
    let call = r#"{"method":"sendMessage","chat_id":1,"text":"whole"}"#;
    for body in [&call[..30], "{", "[]", r#"{"method":"../getMe"}"#, r#"{"method":5}"#] {
        // Cut off, unless it is as long as it says.
        let length = if body.starts_with(&call[..30]) { call.len() } else { body.len() };
        let response = json(length, body);
        behind.answer(move |_| Answer::from(response.clone()).closing());
        let update = telegram.write(&ann, "hello");
        telegram.wait_until_confirmed(update).await.unwrap();
        assert_eq!(behind.counts()[&update], 1, "its status accepts the update");
    }
    let response = json(call.len(), call);
    behind.answer(move |_| response.clone());
    telegram.write(&ann, "hello");
    assert_eq!(telegram.wait_for_message(1).await.unwrap().text, "whole");
    assert_eq!((telegram.calls("sendMessage"), counted(&database).await), (1, 6));
    bot.terminate().await;
}

async fn an_update_that_its_webhook_alone_refuses_is_set_aside(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let settings = [("FORWARD_GIVE_UP_AFTER", "1s")];
    let (_api, behind, bot) = start(&telegram, &database, &settings).await;
    behind.answer(|update| match update["message"]["text"].as_str() {
        Some("poison") => status(500),
        _ => accepted(update),
    });
    let poison = telegram.write(&Person::new(1, "Ann"), "poison");
    // Others are accepted meanwhile.
    while !telegram.is_confirmed(poison) {
        telegram.write(&Person::new(2, "Bob"), "hello");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    telegram.wait_until_drained().await.unwrap();
    assert!(!behind.counts().contains_key(&poison));
    assert_eq!(quarantined(&database).await, 1);
    bot.terminate().await;
}
