//! Where answers go, and which commands get one: the real program, a simulated Telegram with topics,
//! direct messages and groups that become supergroups, a real database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use rollcall_domain::{Language, StartPayload, TelegramUser};
use rollcall_simulator::{Chat, Fault, Person, Request, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::{commands, stored},
};
use serde_json::{Value, json};

stories!(
    answers_stay_in_their_topic,
    direct_messages_of_a_channel_are_answered_where_they_are,
    an_answer_to_a_topic_that_is_gone_goes_to_the_chat,
    numbers_may_be_long,
    answers_follow_a_group_that_becomes_a_supergroup,
    a_migration_that_is_announced_needs_no_refusal,
    a_button_below_a_message_that_is_gone_brings_a_new_one,
    a_user_who_stops_an_answer_is_registered,
    a_command_means_the_same_however_it_is_typed,
    a_renamed_bot_is_noticed,
    many_names_of_others_are_asked_about_seldom,
    a_name_that_cannot_be_asked_about_holds_nothing_up,
);

/// An id that has more than 32 bits.
const LONG: i64 = 1 << 40;

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

fn text(person: &Person, chat: &Chat, text: &str) -> Update {
    Update::text(person, text).in_chat(chat)
}

/// The next message to a chat, with the topic that it is in.
async fn next_to(telegram: &Simulator, chat: &Chat) -> (SentMessage, Option<i64>) {
    let message = telegram.wait_for_message(chat.id).await.unwrap();
    let topic = message.json.get("message_thread_id").and_then(Value::as_i64);
    (message, topic)
}

/// The chats that a method was called for, in order.
fn chats(requests: &[Request]) -> Vec<i64> {
    let chat = |it: &Request| it.params.get("chat_id").and_then(Value::as_i64);
    requests.iter().filter_map(chat).collect()
}

async fn answers_stay_in_their_topic(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let (ada, forum) = (ada(), Chat::forum(-1_001_234, "Fans"));
    for (chat, thread) in [(&forum, 7), (&forum, LONG), (&Chat::private(&ada), LONG + 1)] {
        telegram.push(text(&ada, chat, "/schedule").in_topic(thread));
        let (message, topic) = next_to(&telegram, chat).await;
        assert_eq!(topic, Some(thread));
        // What a button changes is where the button is.
        telegram.press(&ada, &message, "1/s/tomorrow");
        telegram.wait_for_edit(&message).await.unwrap();
    }
    // Replies have a number of a thread too, to which nothing can be sent.
    telegram.push(text(&ada, &forum, "/help").with("message_thread_id", 5));
    assert_eq!(next_to(&telegram, &forum).await.1, None);
    telegram.push(text(&ada, &Chat::private(&ada), "/help"));
    assert_eq!(next_to(&telegram, &Chat::private(&ada)).await.1, None);
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
    assert_eq!(telegram.calls("sendMessage"), 5);
}

async fn direct_messages_of_a_channel_are_answered_where_they_are(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let chat = Chat::direct_messages(-1_001_234, "News");
    let people = [ada(), Person::new(LONG, "Bob").language_code("en")];
    for person in &people {
        telegram.push(Update::direct_message(person, &chat, "/schedule"));
        let (message, _) = next_to(&telegram, &chat).await;
        assert_eq!(
            message.json.pointer("/direct_messages_topic/topic_id"),
            Some(&json!(person.id))
        );
        telegram.press(person, &message, "1/s/tomorrow");
        telegram.wait_for_edit(&message).await.unwrap();
    }
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
    assert_eq!(telegram.messages_to(chat.id).len(), 2);
    assert_eq!(stored(&database).await.len(), 2);
}

async fn an_answer_to_a_topic_that_is_gone_goes_to_the_chat(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let (ada, forum) = (ada(), Chat::forum(-1_001_234, "Fans"));
    for chat in [&forum, &Chat::private(&ada)] {
        for close in [Simulator::close_topic, Simulator::delete_topic] {
            telegram.push(text(&ada, chat, "hello").in_topic(7));
            telegram.wait_until_drained().await.unwrap();
            // Just before the bot answers.
            telegram.fail_next("sendMessage", Fault::too_many_requests(1));
            let calls = telegram.calls("sendMessage");
            telegram.push(text(&ada, chat, "/help").in_topic(7));
            telegram.wait_for_requests("sendMessage", calls + 1).await.unwrap();
            close(&telegram, chat, 7);
            assert_eq!(next_to(&telegram, chat).await.1, None);
            assert_eq!(telegram.calls("sendMessage"), calls + 3, "tried again once");
        }
    }
    // Where the chat as a whole is closed too, that is the end of it.
    telegram.fail_always("sendMessage", Fault::api(400, "Bad Request: TOPIC_CLOSED"));
    telegram.push(text(&ada, &forum, "/help").in_topic(8));
    bot.said("an answer was not sent").await;
    assert_eq!(telegram.calls("sendMessage"), 14);
    bot.terminate().await;
}

async fn numbers_may_be_long(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder().first_message_id(LONG).start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let group = Chat::supergroup(-1_009_999_999_999, "Fans");
    telegram.push(text(&ada(), &group, "/schedule"));
    let (message, _) = next_to(&telegram, &group).await;
    assert!(message.message_id > LONG, "{}", message.message_id);
    telegram.press(&ada(), &message, "1/s/tomorrow");
    telegram.wait_for_edit(&message).await.unwrap();
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
}

/// In the middle of a queue, twice, and unannounced.
async fn answers_follow_a_group_that_becomes_a_supergroup(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let group = Chat::group(-555, "Fans");
    let large = Chat::supergroup(-1_001_234_567_890, "Fans");
    let larger = Chat::supergroup(-1_001_234_567_891, "Fans");
    // The first answer has to wait, and the others wait for it.
    telegram.fail_next("sendMessage", Fault::too_many_requests(1));
    for command in ["/help", "/schedule", "/start"] {
        telegram.push(text(&ada(), &group, command));
    }
    telegram.wait_for_requests("sendMessage", 1).await.unwrap();
    telegram.migrate(&group, &large);
    for beginning in ["/start – say hello", "No games", "Hello"] {
        let (message, _) = next_to(&telegram, &large).await;
        assert!(message.text.starts_with(beginning), "in order: {}", message.text);
    }
    let calls = telegram.requests_to("sendMessage");
    let expected = [group.id, group.id, large.id, large.id, large.id];
    assert_eq!(chats(&calls), expected, "refused once, and remembered");

    telegram.migrate(&large, &larger);
    telegram.push(text(&ada(), &group, "/help"));
    next_to(&telegram, &larger).await;
    telegram.push(text(&ada(), &large, "/help"));
    next_to(&telegram, &larger).await;
    let calls = telegram.requests_to("sendMessage").split_off(5);
    assert_eq!(chats(&calls), [large.id, larger.id, larger.id]);
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
    assert_eq!(log.matches("a group became a supergroup").count(), 2, "{log}");
}

async fn a_migration_that_is_announced_needs_no_refusal(database: ThrowAwayDatabase) {
    for chat in 0..2 {
        let telegram = Simulator::builder().first_update_id(1000 * (chat + 1)).start();
        let telegram = telegram.await.unwrap();
        let bot = RunningBot::start(&telegram, &database, &[]).await;
        let group = Chat::group(-555, "Fans");
        let large = Chat::supergroup(-1_001_234_567_890, "Fans");
        telegram.migrate(&group, &large);
        // Announced in either of the chats, by an anonymous admin.
        let [old, new] = Update::migrated(&ada(), &group, &large);
        let announced = if chat == 0 { old } else { new };
        telegram.push(announced.with("sender_chat", json!(large)));
        telegram.push(text(&ada(), &group, "/help"));
        next_to(&telegram, &large).await;
        assert_eq!(chats(&telegram.requests_to("sendMessage")), [large.id]);
        bot.terminate().await;
    }
}

async fn a_button_below_a_message_that_is_gone_brings_a_new_one(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let (ada, forum) = (ada(), Chat::forum(-1_001_234, "Fans"));
    let private = Chat::private(&ada);
    telegram.push(text(&ada, &forum, "hello").in_topic(7));
    let press = |message: Value| {
        Update::callback_query(&ada, "1/s/tomorrow").with("message", message).with("id", "1")
    };
    // The bot cannot see it any more, and it was deleted in a topic.
    telegram.push(press(json!({"message_id": 99, "date": 0, "chat": private})));
    assert_eq!(next_to(&telegram, &private).await.1, None);
    let in_topic = json!({"message_id": 99, "chat": forum, "message_thread_id": 7,
        "is_topic_message": true, "text": "…"});
    telegram.push(press(in_topic));
    assert_eq!(next_to(&telegram, &forum).await.1, Some(7));

    // A message of the group does not come along: a supergroup has numbers of its own.
    let group = Chat::group(-555, "Fans");
    let large = Chat::supergroup(-1_001_234_567_890, "Fans");
    telegram.push(text(&ada, &group, "/schedule"));
    let (message, _) = next_to(&telegram, &group).await;
    telegram.migrate(&group, &large);
    telegram.press(&ada, &message, "1/s/tomorrow");
    let (new, _) = next_to(&telegram, &large).await;
    assert_eq!(new.text, "No games are scheduled for tomorrow.");
    assert_eq!(chats(&telegram.requests_to("editMessageText")), [private.id, forum.id, group.id]);
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");
}

async fn a_user_who_stops_an_answer_is_registered(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let bob = Person::new(7, "Bob").last_name("Bit").username("bob").language_code("de");
    telegram.write(&ada(), "/start");
    telegram.push(Update::stopped_message_generation(&Chat::private(&ada()), 1));
    let stopped = Update::stopped_message_generation(&Chat::private(&bob), 2);
    let last = telegram.push(stopped.with("message_thread_id", LONG));
    telegram.wait_until_confirmed(last).await.unwrap();
    bot.terminate().await;

    let users = stored(&database).await;
    let of = |id: i64| users.iter().find(|user| user.telegram_id.get() == id).unwrap();
    assert_eq!(users.len(), 2);
    assert_eq!(of(7).full_name(), "Bob Bit");
    assert!(of(7).reachability.is_reachable());
    let language = |user: &TelegramUser| user.language_code.clone();
    assert_eq!((language(of(7)), of(1815).full_name()), (None, "Ada".to_owned()));
    assert_eq!(language(of(1815)).as_deref(), Some(Language::English.code()), "it stays");
}

async fn a_command_means_the_same_however_it_is_typed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let ours = [
        "/start ad_1",
        "/Start ad_1",
        "/START  ad_1",
        "/start\tad_1",
        "/start \n ad_1 ",
        "/start@rollcall_bot ad_1",
        "/START@Rollcall_Bot\n\nad_1",
    ];
    let others =
        ["/start@other_bot ad_1", "/start@rollcall_bo ad_1", "/start@ ad_1", "/begin ad_1"];
    for (n, text) in (1..).zip(ours.iter().chain(&others)) {
        telegram.write(&Person::new(n, "Somebody"), text);
    }
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;

    for (n, text) in (1..).zip(ours) {
        assert_eq!(telegram.messages_to(n).len(), 1, "{text:?}");
    }
    assert_eq!(telegram.calls("sendMessage"), 7, "no answer to what is another's");
    let mut users = stored(&database).await;
    users.sort_by_key(|user| user.telegram_id);
    let sources: Vec<Option<&str>> =
        users.iter().map(|user| user.source.as_ref().map(StartPayload::as_str)).collect();
    assert_eq!(sources, [[Some("ad_1"); 7].as_slice(), &[None; 4]].concat());
    assert_eq!(commands(&database).await, [("(other)".to_owned(), 4), ("start".to_owned(), 7)]);
}

async fn a_renamed_bot_is_noticed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let group = Chat::group(-555, "Fans");
    let person = |n: i64| Person::new(n, "Somebody").language_code("en");
    // A name that is another's for now.
    telegram.write(&person(1), "/start@other_bot ad_1");
    telegram.write(&person(2), "/start@rollcall_bot ad_1");
    telegram.wait_for_message(2).await.unwrap();
    telegram.rename_bot("New_Bot");
    telegram.write(&person(3), "/start@new_bot ad_1");
    telegram.wait_for_message(3).await.unwrap();
    telegram.push(text(&person(3), &group, "/help@NEW_BOT"));
    telegram.wait_for_message(group.id).await.unwrap();
    // The old name may be somebody else's now.
    telegram.write(&person(4), "/start@rollcall_bot ad_1");
    telegram.write(&person(5), "/start@new_bot ad_1");
    telegram.wait_for_message(5).await.unwrap();
    telegram.wait_until_drained().await.unwrap();
    let log = bot.terminate().await;

    assert!(log.contains("the bot is called @New_Bot now"), "{log}");
    assert_eq!(telegram.calls("sendMessage"), 4);
    let users = stored(&database).await;
    let mut with_source: Vec<i64> = users
        .iter()
        .filter(|user| user.source.is_some())
        .map(|user| user.telegram_id.get())
        .collect();
    with_source.sort_unstable();
    assert_eq!(with_source, [2, 3, 5]);
    let expected = [("(other)".to_owned(), 2), ("help".to_owned(), 1), ("start".to_owned(), 3)];
    assert_eq!(commands(&database).await, expected);
}

async fn many_names_of_others_are_asked_about_seldom(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let group = Chat::group(-555, "Fans");
    // One after the other, so that each is a batch of its own.
    for n in 0..40 {
        let update = telegram.push(text(&ada(), &group, &format!("/help@bot_{n}")));
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    bot.terminate().await;
    // Once at the start, five at once, and one each half a minute.
    assert!((6..=10).contains(&telegram.calls("getMe")), "{}", telegram.calls("getMe"));
    assert_eq!(telegram.calls("sendMessage"), 0);
}

async fn a_name_that_cannot_be_asked_about_holds_nothing_up(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.fail_always("getMe", Fault::Slow(Duration::from_secs(3600)));
    for n in 0..100 {
        let update = telegram.write(&ada(), &format!("/start@another_{n}"));
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    telegram.write(&ada(), "/help@rollcall_bot");
    telegram.wait_for_message(ada().id).await.unwrap();
    bot.terminate().await;
    // Not again for a minute.
    assert!((2..=4).contains(&telegram.calls("getMe")), "{}", telegram.calls("getMe"));
    assert_eq!(telegram.calls("sendMessage"), 1);
}
