//! Calls over HTTP.

mod broadcasts;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api_error::OTHER_POLL;
use crate::bot::Bot;
use crate::{Chat, Fault, Person, Simulator, Update};

async fn start() -> (Simulator, Bot) {
    let telegram = Simulator::start().await.unwrap();
    let bot = Bot::of(&telegram);
    (telegram, bot)
}

fn ann() -> Person {
    Person::new(42, "Ann").username("ann")
}

fn ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn updates_are_repeated_until_an_offset_confirms_them() {
    let (telegram, bot) = start().await;
    let first = telegram.write(&ann(), "one");
    let second = telegram.write(&ann(), "two");
    let third = telegram.write(&ann(), "three");

    assert_eq!(ids(&bot.updates(json!({})).await), [first, second, third]);
    assert_eq!(ids(&bot.updates(json!({ "limit": 2 })).await), [first, second]);
    assert_eq!(ids(&bot.updates(json!({ "limit": 0 })).await), [first]);
    assert_eq!(ids(&bot.updates(json!({ "offset": second })).await), [second, third]);
    assert_eq!((telegram.confirmed(), telegram.pending()), (second, 2));
    assert!(telegram.is_confirmed(first) && !telegram.is_confirmed(second));

    assert_eq!(ids(&bot.updates(json!({ "offset": -1 })).await), [third]);
    telegram.wait_until_confirmed(second).await.unwrap();
    assert!(bot.updates(json!({ "offset": third + 1 })).await.is_empty());
    telegram.wait_until_drained().await.unwrap();
}

#[tokio::test]
async fn at_most_a_hundred_updates_are_returned() {
    let (telegram, bot) = start().await;
    for _ in 0..150 {
        telegram.write(&ann(), "hi");
    }
    assert_eq!(bot.updates(json!({ "limit": 1000 })).await.len(), 100);
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_update_or_its_timeout() {
    let (telegram, bot) = start().await;
    let polling = tokio::spawn({
        let bot = bot.clone();
        async move { bot.updates(json!({ "timeout": 30 })).await }
    });
    telegram.wait_until_polled().await.unwrap();
    let update = telegram.write(&ann(), "hi");
    assert_eq!(ids(&polling.await.unwrap()), [update]);

    let began = Instant::now();
    assert!(bot.updates(json!({ "offset": update + 1, "timeout": 1 })).await.is_empty());
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_second_get_updates_ends_the_first() {
    let (telegram, bot) = start().await;
    let first = tokio::spawn({
        let bot = bot.clone();
        async move { bot.call("getUpdates", json!({ "timeout": 30 })).await }
    });
    telegram.wait_until_polled().await.unwrap();

    assert!(bot.updates(json!({})).await.is_empty());
    let (status, answer) = first.await.unwrap();
    assert_eq!((status, answer["description"].as_str().unwrap()), (409, OTHER_POLL));
}

#[tokio::test]
async fn allowed_updates_are_kept_and_exclude_kinds_by_default() {
    let (telegram, bot) = start().await;
    let group = Chat::supergroup(-1_001, "Rink");
    let reaction = || Update::reaction(&ann(), &group, 1, "👍");

    let refused = telegram.push(reaction());
    let error = telegram.wait_until_confirmed(refused).await.unwrap_err().to_string();
    assert!(error.contains("allowed_updates leave message_reaction out"), "{error}");

    bot.updates(json!({ "allowed_updates": ["message_reaction"] })).await;
    telegram.write(&ann(), "not wanted");
    let wanted = telegram.push(reaction());
    let unknown = telegram.push(Update::new("telepathy", json!({ "from": ann() })));
    assert_eq!(ids(&bot.updates(json!({})).await), [wanted, unknown]);

    bot.updates(json!({ "allowed_updates": [] })).await;
    telegram.push(reaction());
    let text = telegram.write(&ann(), "wanted again");
    assert_eq!(ids(&bot.updates(json!({ "offset": unknown + 1 })).await), [text]);
}

#[tokio::test]
async fn tokens_are_checked() {
    let (telegram, bot) = start().await;
    let status = async |bot: Bot| bot.call("getMe", json!({})).await.0;
    assert_eq!(status(bot.clone()).await, 200);
    assert_eq!(status(bot.with_token("123456789:SIMULATED-of-another-bot")).await, 401);
    assert_eq!(status(bot.with_token("nonsense")).await, 404);

    let polling = tokio::spawn({
        let bot = bot.clone();
        async move { bot.call("getUpdates", json!({ "timeout": 30 })).await.0 }
    });
    telegram.wait_until_polled().await.unwrap();
    telegram.revoke_token();
    assert_eq!(polling.await.unwrap(), 401);
    let answer = bot.call("getMe", json!({})).await;
    let unauthorized = json!({ "ok": false, "error_code": 401, "description": "Unauthorized" });
    assert_eq!(answer, (401, unauthorized));
}

#[tokio::test]
async fn a_server_can_lack_fields_and_methods() {
    let builder = Simulator::builder().bot_id(77).get_me_without("is_bot");
    let telegram = builder.without_method("setMyCommands").start().await.unwrap();
    let bot = Bot::of(&telegram);
    let (_, me) = bot.call("GETME", json!({})).await;
    assert_eq!(me["result"]["id"], 77);
    assert!(me["result"].get("is_bot").is_none());
    assert_eq!(bot.call("setMyCommands", json!({})).await.0, 404);
    let (status, answer) = bot.call("sendTelepathy", json!({})).await;
    assert_eq!((status, &answer["description"]), (404, &json!("Not Found: method not found")));
}

#[tokio::test]
async fn a_conversation_of_a_person_and_the_bot() {
    let (telegram, bot) = start().await;
    telegram.write(&ann(), "/start");
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Next", "callback_data": "n" }]] });
    let text = json!({
        "chat_id": 42, "text": "Hi <b>Ann</b>", "parse_mode": "HTML", "reply_markup": keyboard,
    });
    bot.call("sendMessage", text).await;
    let message = telegram.wait_for_message(42).await.unwrap();
    assert_eq!(message.text, "Hi Ann");
    assert_eq!(message.json["entities"][0]["type"], "bold");

    telegram.press(&ann(), &message, &message.button("Next").unwrap());
    let press = &bot.updates(json!({ "offset": -1 })).await[0]["callback_query"];
    assert_eq!((&press["data"], &press["message"]), (&json!("n"), &message.json));
    bot.call("answerCallbackQuery", json!({ "callback_query_id": press["id"] })).await;
    let edit = json!({ "chat_id": 42, "message_id": message.message_id, "text": "Page 2" });
    bot.call("editMessageText", edit.clone()).await;
    assert_eq!(telegram.wait_for_edit(&message).await.unwrap().text, "Page 2");
    let (status, answer) = bot.call("editMessageText", edit).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(telegram.texts_to(42), ["Page 2"]);
    assert_eq!(telegram.requests_to("editmessagetext").len(), 2);
}

#[tokio::test]
async fn each_wait_for_a_message_returns_the_next_one() {
    let (telegram, bot) = start().await;
    telegram.introduce(&ann());
    for text in ["one", "two"] {
        bot.call("sendMessage", json!({ "chat_id": 42, "text": text })).await;
    }
    assert_eq!(telegram.wait_for_message(42).await.unwrap().text, "one");
    assert_eq!(telegram.wait_for_message(42).await.unwrap().text, "two");
}

#[tokio::test]
async fn a_wait_that_times_out_explains_why() {
    let builder = Simulator::builder().wait_timeout(Duration::from_millis(20));
    let telegram = builder.start().await.unwrap();
    let update = telegram.write(&ann(), "hi");
    let error = telegram.wait_until_confirmed(update).await.unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "waited for update 500000001: not within 0.02 s: 1 are pending and the bot has \
         confirmed up to 0"
    );
    telegram.wait_for_message(42).await.unwrap_err();
    telegram.wait_for("the moon", |_| None::<()>).await.unwrap_err();
}

#[tokio::test]
async fn texts_are_refused_as_on_telegram() {
    let (telegram, bot) = start().await;
    telegram.introduce(&ann());
    let bob = Person::new(43, "Bob");
    telegram.introduce(&bob);
    telegram.block(&bob);
    telegram.introduce(&Person::new(44, "Eve"));
    telegram.deactivate(&Person::new(44, "Eve"));
    telegram.introduce(&Person::new(45, "R2D2").bot());

    let sent = async |chat_id: i64, text: &str| {
        let text = json!({ "chat_id": chat_id, "text": text, "parse_mode": "HTML" });
        let (_, answer) = bot.call("sendMessage", text).await;
        answer["description"].as_str().unwrap_or("sent").to_owned()
    };
    assert_eq!(sent(42, "Ann &amp; Co").await, "sent");
    assert_eq!(
        sent(42, "Ann & Co").await,
        "Bad Request: can't parse entities: Unescaped \"&\" at byte offset 4"
    );
    assert_eq!(sent(42, "<b> </b>").await, "Bad Request: message text is empty");
    assert_eq!(sent(42, &"🏒".repeat(2048)).await, "sent");
    assert_eq!(sent(42, &"🏒".repeat(2049)).await, "Bad Request: message is too long");
    assert_eq!(sent(7, "hi").await, "Bad Request: chat not found");
    assert_eq!(sent(43, "hi").await, "Forbidden: bot was blocked by the user");
    assert_eq!(sent(44, "hi").await, "Forbidden: user is deactivated");
    assert_eq!(sent(45, "hi").await, "Forbidden: bot can't send messages to bots");

    telegram.unblock(&bob);
    assert_eq!(sent(43, "hi").await, "sent");
    telegram.fail_next("sendMessage", Fault::too_many_requests(100_000));
    assert_eq!(sent(42, "hi").await, "Too Many Requests: retry after 100000");
}

#[tokio::test]
async fn commands_are_set_and_deleted() {
    let (telegram, bot) = start().await;
    let commands = json!([{ "command": "start", "description": "Begin" }]);
    bot.call("setMyCommands", json!({ "commands": commands })).await;
    assert_eq!(telegram.commands(), [("start".to_owned(), "Begin".to_owned())]);
    assert_eq!(bot.call("getMyCommands", json!({})).await.1["result"], commands);
    let wrong = json!([{ "command": "Not one", "description": "" }]);
    assert_eq!(bot.call("setMyCommands", json!({ "commands": wrong })).await.0, 400);
    bot.call("deleteMyCommands", json!({})).await;
    assert!(telegram.commands().is_empty());
}
