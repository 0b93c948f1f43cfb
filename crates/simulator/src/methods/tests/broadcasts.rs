//! What broadcasts need: copies, media, and faults of many calls.

use std::collections::HashMap;

use super::*;

/// A simulator in which Ann, Bob and Eve may get messages.
async fn with_recipients() -> (Simulator, Bot) {
    let (telegram, bot) = start().await;
    for (id, name) in [(42, "Ann"), (43, "Bob"), (44, "Eve")] {
        telegram.introduce(&Person::new(id, name));
    }
    (telegram, bot)
}

/// The description of the error, or "sent".
async fn outcome(bot: &Bot, method: &str, params: Value) -> String {
    let (status, answer) = bot.call(method, params).await;
    assert_eq!(status == 200, answer["ok"] == true);
    answer["description"].as_str().unwrap_or("sent").to_owned()
}

#[tokio::test]
async fn a_copy_shows_the_same_but_has_only_the_buttons_it_is_given() {
    let (telegram, bot) = with_recipients().await;
    let channel = Chat::channel(-1_005_678, "News");
    let original = Update::photo(&ann())
        .with("message_id", 700)
        .with_caption("The goal")
        .with_links(&[("Read", "https://example.com/")])
        .forwarded_from_channel(&channel, 8);
    telegram.push(original.clone());

    let copy = json!({ "chat_id": 43, "from_chat_id": 42, "message_id": 700 });
    let (status, answer) = bot.call("copyMessage", copy.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let sent = telegram.wait_for_message(43).await.unwrap();
    assert_eq!(answer["result"], json!({ "message_id": sent.message_id }));
    assert_eq!(sent.text, "The goal");
    assert_eq!(sent.json["photo"], original.content()["photo"]);
    assert_eq!(sent.json["from"]["id"], telegram.bot_id());
    assert!(sent.json.get("forward_origin").is_none() && sent.buttons().is_empty());

    let mut with_buttons = copy;
    with_buttons["reply_markup"] = original.content()["reply_markup"].clone();
    with_buttons["protect_content"] = json!(true);
    with_buttons["allow_paid_broadcast"] = json!(true);
    assert_eq!(outcome(&bot, "copyMessage", with_buttons.clone()).await, "sent");
    let sent = telegram.wait_for_message(43).await.unwrap();
    assert_eq!(sent.buttons()[0].text, "Read");
    assert_eq!(sent.json["has_protected_content"], true);
    assert_eq!((telegram.message_count(), telegram.paid_message_count()), (2, 1));

    with_buttons["caption"] = json!("Another");
    assert_eq!(outcome(&bot, "copyMessage", with_buttons).await, "sent");
    assert_eq!(telegram.wait_for_message(43).await.unwrap().json["caption"], "Another");
}

#[tokio::test]
async fn every_kind_of_message_can_be_copied() {
    let (telegram, bot) = with_recipients().await;
    let kinds = [
        ("text", Update::text(&ann(), "hi").forwarded_from(&Person::new(43, "Bob"))),
        ("video", Update::video(&ann())),
        ("document", Update::document(&ann(), "rules.pdf")),
        ("voice", Update::voice(&ann())),
        ("poll", Update::poll_message(&ann(), "Win?")),
        ("sticker", Update::sticker(&ann())),
    ];
    for (message_id, (field, update)) in (700..).zip(kinds) {
        telegram.push(update.clone().with("message_id", message_id));
        let copy = json!({ "chat_id": 43, "from_chat_id": 42, "message_id": message_id });
        assert_eq!(outcome(&bot, "copyMessage", copy).await, "sent", "{field}");
        let sent = telegram.wait_for_message(43).await.unwrap();
        assert_eq!(sent.json[field], update.content()[field]);
    }
    // An edited message, and one of the bot's own.
    telegram.push(Update::edited_text(&ann(), "hi!").with("message_id", 700));
    let copy = json!({ "chat_id": 43, "from_chat_id": 42, "message_id": 700 });
    let (_, answer) = bot.call("copyMessage", copy).await;
    let copy = json!({
        "chat_id": 44, "from_chat_id": 43, "message_id": answer["result"]["message_id"],
    });
    assert_eq!(outcome(&bot, "copyMessage", copy).await, "sent");
    assert_eq!(telegram.texts_to(44), ["hi!"]);
}

#[tokio::test]
async fn copies_are_refused_as_on_telegram() {
    let (telegram, bot) = with_recipients().await;
    let copied = async |chat_id: i64, from: i64, message_id: i64| {
        let copy = json!({ "chat_id": chat_id, "from_chat_id": from, "message_id": message_id });
        outcome(&bot, "copyMessage", copy).await
    };
    telegram.push(Update::photo(&ann()).with("message_id", 700));
    let service = json!({ "from": ann(), "chat": Chat::private(&ann()), "message_id": 701 });
    telegram.push(Update::new("message", service));
    assert_eq!(copied(43, 42, 700).await, "sent");
    assert_eq!(copied(43, 42, 1).await, "Bad Request: message to copy not found");
    assert_eq!(copied(43, 42, 701).await, "Bad Request: can't copy message");
    assert_eq!(copied(43, 7, 700).await, "Bad Request: chat not found");
    assert_eq!(copied(7, 42, 700).await, "Bad Request: chat not found");
    telegram.block(&Person::new(44, "Eve"));
    assert_eq!(copied(44, 42, 700).await, "Forbidden: bot was blocked by the user");
    telegram.lose_file("AgACAgIAAxkBAAM");
    let lost = "Bad Request: wrong file identifier/HTTP URL specified";
    assert_eq!(copied(43, 42, 700).await, lost);
    telegram.delete_message(42, 700);
    assert_eq!(copied(43, 42, 700).await, "Bad Request: message to copy not found");
}

#[tokio::test]
async fn media_are_sent_by_the_ids_of_their_files() {
    let (telegram, bot) = with_recipients().await;
    for field in ["photo", "video", "document", "voice"] {
        let method = format!("send{field}");
        let mut params = json!({ "chat_id": 42, "caption": "<b>Hi</b>", "parse_mode": "HTML" });
        let missing = format!("Bad Request: there is no {field} in the request");
        assert_eq!(outcome(&bot, &method, params.clone()).await, missing);
        params[field] = json!("FILE");
        let (status, answer) = bot.call(&method, params.clone()).await;
        let media = &answer["result"][field];
        let file = media.get(0).unwrap_or(media);
        assert_eq!((status, &file["file_id"]), (200, &json!("FILE")), "{answer}");
        assert_eq!(answer["result"]["caption_entities"][0]["type"], "bold");
        params["caption"] = json!("x".repeat(1025));
        let too_long = "Bad Request: message caption is too long";
        assert_eq!(outcome(&bot, &method, params).await, too_long);
    }
    let mut poll = json!({ "chat_id": 42, "question": "Win?", "options": [] });
    let none = "Bad Request: poll must have at least 1 option";
    assert_eq!(outcome(&bot, "sendPoll", poll.clone()).await, none);
    poll["options"] = json!(["Yes", { "text": "No" }]);
    let (_, answer) = bot.call("sendPoll", poll).await;
    assert_eq!(answer["result"]["poll"]["options"][1]["text"], "No");
    assert_eq!(telegram.texts_to(42), ["Hi", "Hi", "Hi", "Hi", "Win?"]);
}

#[tokio::test]
async fn texts_and_a_share_of_all_people_can_be_refused() {
    let (telegram, bot) = with_recipients().await;
    telegram.refuse_text("broken");
    let text = |chat_id: i64, text: &str| json!({ "chat_id": chat_id, "text": text });
    assert_eq!(outcome(&bot, "sendMessage", text(42, "fine")).await, "sent");
    let refused = outcome(&bot, "sendMessage", text(42, "This is broken.")).await;
    assert!(refused.starts_with("Bad Request: can't parse entities: "), "{refused}");

    telegram.block_share(0.1, 7);
    let chosen = |telegram: &Simulator| {
        (1..=10_000).filter(|id| telegram.is_in_blocked_share(*id)).collect::<Vec<i64>>()
    };
    let blocked = chosen(&telegram);
    assert!((900..1100).contains(&blocked.len()), "{}", blocked.len());
    telegram.introduce(&Person::new(blocked[0], "Mallory"));
    let outcome_of_chosen = outcome(&bot, "sendMessage", text(blocked[0], "fine")).await;
    assert_eq!(outcome_of_chosen, "Forbidden: bot was blocked by the user");
    let (another, _) = start().await;
    another.block_share(0.1, 7);
    assert_eq!(chosen(&another), blocked, "the seed decides");
    another.block_share(0.1, 8);
    assert_ne!(chosen(&another), blocked);

    telegram.clear_faults();
    assert_eq!(outcome(&bot, "sendMessage", text(blocked[0], "broken")).await, "sent");
}

#[tokio::test]
async fn faults_of_every_nth_call() {
    let (telegram, bot) = with_recipients().await;
    telegram.fail_every("sendMessage", 3, Fault::too_many_requests(1));
    telegram.fail_every("*", 4, Fault::LostAnswer);
    let mut statuses = vec![];
    for chat_id in [42, 43, 44, 42, 43, 44, 42] {
        let call = bot.try_call("sendMessage", json!({ "chat_id": chat_id, "text": "Hi" })).await;
        statuses.push(call.map_or(0, |response| response.status.as_u16()));
    }
    assert_eq!(statuses, [200, 200, 429, 0, 200, 429, 200]);
    // A message whose response was lost has been taken.
    assert_eq!(telegram.messages_per_chat(), HashMap::from([(42, 3), (43, 2)]));
    telegram.wait_for_messages(5).await.unwrap();
}

#[tokio::test]
async fn a_call_that_waits_counts_once_for_faults_of_every_nth_call() {
    let (telegram, bot) = with_recipients().await;
    telegram.fail_every("*", 3, Fault::internal());
    let polling = tokio::spawn({
        let bot = bot.clone();
        async move { bot.updates(json!({ "timeout": 30 })).await }
    });
    telegram.wait_until_polled().await.unwrap();
    let send = async || bot.call("sendMessage", json!({ "chat_id": 42, "text": "Hi" })).await.0;
    assert_eq!([send().await, send().await, send().await], [200, 500, 200]);
    let update = telegram.write(&ann(), "hi");
    assert_eq!(ids(&polling.await.unwrap()), [update]);
}

#[tokio::test]
async fn faults_at_given_times() {
    let (telegram, bot) = with_recipients().await;
    telegram.fail_after("sendMessage", Duration::from_secs(3600), Fault::internal());
    telegram.fail_after("sendMessage", Duration::ZERO, Fault::too_many_requests(1));
    let mut statuses = vec![];
    for _ in 0..3 {
        statuses.push(bot.call("sendMessage", json!({ "chat_id": 42, "text": "Hi" })).await.0);
    }
    assert_eq!(statuses, [429, 200, 200]);
}
