//! A bot behind that sets its webhook here.

use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

use super::{
    api::Api,
    behind::{BotBehind, accepted, status},
    running::database::counted,
};

stories!(
    its_webhook_is_honoured_and_outlives_a_restart,
    an_invalid_webhook_changes_nothing,
    a_redirect_of_its_webhook_is_not_followed,
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
