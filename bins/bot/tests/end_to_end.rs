//! The bot from outside: the real program, a simulated Telegram over HTTP, a real database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{os::unix::fs::FileExt, time::Duration};

use rollcall_domain::{StartPayload, SystemClock, TelegramId, UnreachableReason, Username};
use rollcall_repository::QuarantineRepository;
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselQuarantineRepository};
use rollcall_service::AdminService;
use rollcall_simulator::{Chat, Fault, Person, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot, WATCHED,
    database::{HeldDatabase, stored},
};
use serde_json::json;

const ADMIN: i64 = 99;

stories!(
    everybody_is_registered_whatever_they_do,
    people_are_answered,
    blocks_returns_and_deep_links_are_known,
    admins_see_users_and_figures,
    an_admin_gets_a_link_to_sign_in_once,
    what_cannot_be_read_holds_nothing_up,
    updates_come_again_until_they_are_stored,
    what_is_not_stored_is_not_confirmed,
    a_second_signal_ends_it_at_once,
    a_signal_ends_it_and_confirms_what_was_taken,
    nothing_that_people_write_and_no_token_is_logged,
    a_database_of_another_bot_is_refused,
);

/// A dozen people and more, over every kind of update that names one.
async fn everybody_is_registered_whatever_they_do(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
    let group = Chat::supergroup(-1_001_234, "Fans");
    let channel = Chat::channel(-1_005_678, "News");
    let person = |n: i64| {
        Person::new((1 << 40) + n, format!("First{n}")).last_name("Last").username(format!("u{n}"))
    };
    let stranger = person(1000);
    let updates = [
        Update::text(&person(0), "hello"),
        Update::text(&person(1), "in a group").in_chat(&group),
        Update::photo(&person(2)),
        Update::edited_text(&person(3), "better"),
        Update::callback_query(&person(4), "data"),
        Update::inline_callback_query(&person(5), "data"),
        Update::inline_query(&person(6), "query"),
        Update::chosen_inline_result(&person(7), "1", "query"),
        Update::shipping_query(&person(8), "payload"),
        Update::pre_checkout_query(&person(9), "payload"),
        Update::poll_answer(&person(10), "1", &[0]),
        Update::blocked(&person(11)),
        Update::bot_member(&person(12), &group, "left", "member"),
        Update::chat_member(&person(13), &group, &stranger, "left", "member"),
        Update::chat_join_request(&person(14), &group),
        Update::reaction(&person(15), &group, 5, "👍"),
        Update::business_connection(&person(16), "connection"),
        Update::business_text(&person(17), "connection", "hello"),
        Update::edited_business_text(&person(18), "connection", "better"),
        Update::purchased_paid_media(&person(19), "payload"),
        Update::chat_boost(&person(20), &channel),
        Update::removed_chat_boost(&person(21), &channel),
        Update::guest_message(&person(22), "hello"),
        Update::managed_bot(&person(23), &person(1001).bot()),
        Update::subscription(&person(24), "payload"),
        Update::new(
            "telepathy",
            json!({"from": {"id": (1_i64 << 40) + 25, "is_bot": false,
            "first_name": "First25", "last_name": "Last", "username": "u25"}}),
        ),
        Update::text(&person(26).bot(), "beep").in_chat(&group),
        Update::text(&person(27), "not mine").forwarded_from(&stranger).replying_to(&stranger, "x"),
        Update::new_chat_members(&person(28), &group, std::slice::from_ref(&stranger)),
    ];
    let actorless = [
        Update::channel_post(&channel, "news"),
        Update::edited_channel_post(&channel, "better news"),
        Update::anonymous_admin(&group, "hello"),
        Update::channel_forward(&channel, &group, "news"),
        Update::poll("1", "question"),
        Update::poll_answer_by_chat(&channel, "1", &[0]),
        Update::anonymous_reaction(&channel, &group, 5, "👍"),
        Update::reaction_count(&channel, 5, "👍", 3),
        Update::deleted_business_messages(&Chat::private(&stranger), "connection", &[1]),
    ];
    let people = updates.len();
    let mut last = 0;
    for update in updates.into_iter().chain(actorless) {
        last = telegram.push(update);
    }

    let bot =
        RunningBot::start(&telegram, &database, &[("REGISTER_BUSINESS_CUSTOMERS", "on")]).await;
    telegram.wait_until_confirmed(last).await.unwrap();
    bot.terminate().await;

    let users = stored(&database).await;
    assert_eq!(users.len(), people);
    let mut seen: Vec<i64> = users.iter().map(|user| user.telegram_id.get() - (1 << 40)).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..29).collect::<Vec<_>>());
    for user in &users {
        let n = user.telegram_id.get() - (1 << 40);
        assert_eq!(user.full_name(), format!("First{n} Last"));
        assert_eq!(user.username.as_ref().map(Username::as_str), Some(format!("u{n}").as_str()));
        assert_eq!(user.is_bot, n == 26);
    }
}

async fn people_are_answered(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let ada = Person::new(1815, "Ada <3 & \"co\"").language_code("en");
    let greeting = "Hello, \u{2068}Ada <3 & \"co\"\u{2069}! \
                    I show you upcoming NHL games and live scores, in your language and time zone.";

    telegram.write(&ada, "/start");
    assert_eq!(telegram.wait_for_message(ada.id).await.unwrap().text, greeting);
    telegram.write(&ada, "/start@rollcall_bot deep_link");
    assert_eq!(telegram.wait_for_message(ada.id).await.unwrap().text, greeting);
    telegram.write(&ada, "/schedule");
    let answer = telegram.wait_for_message(ada.id).await.unwrap();
    assert_eq!(answer.text, "No games are scheduled.");
    telegram.write(&ada, "/help");
    let answer = telegram.wait_for_message(ada.id).await.unwrap();
    assert_eq!(
        answer.text,
        "/start – say hello\n/schedule – the next games\n\
         /settings – language, time zone and teams\n/id – your Telegram id\n/help – this message\n\
         /privacy – what is stored about you, and how to get or delete it"
    );

    // Plain words, unknown commands, those of admins and of other bots get no answer.
    for text in ["hello", "/nonsense", "/users", "/stats", "/admin", "/start@other_bot"] {
        telegram.write(&ada, text);
    }
    let group = Chat::group(-77, "Family");
    telegram.push(Update::text(&ada, "/help@rollcall_bot").in_chat(&group));
    telegram.wait_for_message(group.id).await.unwrap();
    telegram.wait_until_drained().await.unwrap();
    // The bot ends only when everything that it answers is sent.
    bot.terminate().await;
    assert_eq!(telegram.messages_to(ada.id).len(), 4);
    assert_eq!(telegram.messages_to(group.id).len(), 1);
}

async fn blocks_returns_and_deep_links_are_known(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let [blocker, returner, groupie] = [1, 2, 3].map(|n| Person::new(n, "Ada"));
    let group = Chat::supergroup(-1_001_234, "Fans");
    for person in [&blocker, &returner] {
        telegram.write(person, "/start spring-ad");
        telegram.wait_for_message(person.id).await.unwrap();
        telegram.block(person);
    }
    telegram.push(Update::text(&blocker, "still here").in_chat(&group));
    telegram.push(Update::text(&groupie, "hello").in_chat(&group));
    telegram.unblock(&returner);
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;

    let users = stored(&database).await;
    let of = |n: i64| users.iter().find(|user| user.telegram_id.get() == n).unwrap();
    let reachable = [1, 2, 3].map(|n| of(n).reachability.is_reachable());
    assert_eq!(reachable, [false, true, false]);
    assert_eq!(of(1).reachability.obstacle, Some(UnreachableReason::Blocked));
    let source = |n| of(n).source.as_ref().map(StartPayload::as_str);
    assert_eq!([source(1), source(2), source(3)], [Some("spring-ad"), Some("spring-ad"), None]);
}

async fn admins_see_users_and_figures(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let admin = Person::new(ADMIN, "Boss").username("boss");
    telegram.introduce(&admin);
    let bot = RunningBot::start(&telegram, &database, &[("ADMIN_TELEGRAM_IDS", "99,100")]).await;

    // Each in three languages, the first of which is for every other one too.
    let menus = telegram.wait_for_requests("setMyCommands", 9).await.unwrap();
    let menu = |index: usize| {
        let params = &menus[index].params;
        let commands = params["commands"].as_array().unwrap();
        let names = commands.iter().map(|it| it["command"].as_str().unwrap());
        let language = params["language_code"].as_str();
        (names.collect::<Vec<_>>().join(" "), params["scope"]["chat_id"].as_i64(), language)
    };
    let everybodys = "start schedule settings help privacy";
    let admins = "start schedule settings help privacy users segments broadcast stats admin";
    for (nth, language) in [None, Some("ru"), Some("de")].into_iter().enumerate() {
        assert_eq!(menu(nth), (everybodys.to_owned(), None, language));
        assert_eq!(menu(3 + nth), (admins.to_owned(), Some(99), language));
        assert_eq!(menu(6 + nth), (admins.to_owned(), Some(100), language));
    }
    assert_eq!(menus[2].params["commands"][1]["description"], "Die nächsten Spiele");

    for n in 1..=25 {
        let person = Person::new(n, format!("Person {n}"));
        telegram.push(Update::text(&person, "hello").at(1_700_000_000 + n));
    }
    telegram.wait_until_drained().await.unwrap();
    let ask = async |text: &str| {
        telegram.write(&admin, text);
        telegram.wait_for_message(ADMIN).await.unwrap().text
    };
    let figures = ask("/stats").await;
    // How today compares depends on the hours that are over.
    assert!(figures.starts_with("26 users, 26 reachable\n\nToday: 1 active"), "{figures}");
    assert!(figures.contains("\n7 days: 1 active (+1), 1 new (+1)\n"), "{figures}");
    assert!(ask("/help").await.contains("\n/users –"));
    assert_eq!(
        ask("/admin").await,
        "The web admin is not running: LISTEN_ADDR is off, or its port is in use."
    );

    pages_of_users_are_turned(&telegram, &admin).await;

    // In a group the admin's commands do not exist, not even for admins.
    let group = Chat::group(-77, "Family");
    telegram.push(Update::text(&admin, "/users").in_chat(&group));
    telegram.push(Update::text(&admin, "/schedule").in_chat(&group));
    let answer = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(answer.text, "No games are scheduled.");
    bot.terminate().await;
}

/// Pages of the list of 26 users, of which the admin is the newest.
async fn pages_of_users_are_turned(telegram: &Simulator, admin: &Person) {
    let ask = async |text: &str| {
        telegram.write(admin, text);
        telegram.wait_for_message(ADMIN).await.unwrap()
    };
    let turn = async |message: &SentMessage, label: &str| {
        telegram.press(admin, message, &message.button(label).unwrap());
        telegram.wait_for_edit(message).await.unwrap()
    };
    let buttons = |message: &SentMessage| -> Vec<String> {
        message.buttons().into_iter().map(|button| button.text).collect()
    };
    let first = ask("/users").await;
    assert!(first.text.starts_with("Users, newest first; 26 in all."), "{}", first.text);
    let boss = "\n\u{2068}Boss\u{2069}\n99 · @\u{2068}boss\u{2069}\nseen ";
    assert!(first.text.contains(boss), "{}", first.text);
    assert_eq!(buttons(&first), ["Older ›"]);

    // A user who joins meanwhile moves no page.
    let latecomer = Person::new(1000, "Latecomer");
    let update = telegram.write(&latecomer, "hello");
    telegram.wait_until_confirmed(update).await.unwrap();
    let second = turn(&first, "Older ›").await;
    assert_eq!(second.text.matches("Person").count(), 6, "{}", second.text);
    assert!(second.text.contains("Person 6\u{2069}") && second.text.contains("27 in all"));
    assert_eq!(buttons(&second), ["‹ Newer"]);
    let back = turn(&second, "‹ Newer").await;
    assert!(back.text.contains("Boss") && !back.text.contains("Latecomer"), "{}", back.text);
    assert_eq!(buttons(&back), ["‹ Newer", "Older ›"]);
    let newest = turn(&back, "‹ Newer").await;
    assert!(newest.text.contains("Latecomer"), "{}", newest.text);
    assert_eq!(buttons(&newest), ["Older ›"]);

    // A text after the command is a filter.
    let filtered = ask("/users id:2").await;
    assert!(filtered.text.starts_with("id:2\n1 user, newest first."), "{}", filtered.text);

    // The buttons are for admins only, also below a forwarded or made-up message.
    let stranger = Person::new(1, "Person 1");
    let older = newest.button("Older ›").unwrap();
    for (data, below) in [(older.as_str(), &stranger), ("1/u", &stranger), ("1/u/2", admin)] {
        let chat = json!({ "message_id": 7, "date": 0, "chat": Chat::private(below) });
        telegram.push(Update::callback_query(below, data).with("message", chat));
    }
    telegram.wait_for_requests("answerCallbackQuery", 6).await.unwrap();
    for answer in &telegram.requests_to("answerCallbackQuery")[3..] {
        let stale = "This button no longer works. Please send the command again.";
        assert_eq!(answer.params["text"], stale);
    }
    assert_eq!(telegram.messages_to(stranger.id), []);
}

async fn an_admin_gets_a_link_to_sign_in_once(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let [admin, stranger] = [Person::new(ADMIN, "Boss"), Person::new(5, "Stranger")];
    let settings = [
        ("ADMIN_TELEGRAM_IDS", "99"),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("PUBLIC_URL", "https://example.org/rollcall/"),
    ];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    telegram.write(&stranger, "/admin");
    let group = Chat::group(-77, "Family");
    telegram.push(Update::text(&admin, "/admin").in_chat(&group));
    telegram.write(&admin, "/admin");
    let answer = telegram.wait_for_message(ADMIN).await.unwrap().text;
    let log = bot.terminate().await;
    assert!(telegram.messages_to(stranger.id).is_empty());
    assert!(telegram.messages_to(group.id).is_empty());

    let link = answer.lines().nth(1).unwrap();
    let token = link.strip_prefix("https://example.org/rollcall/admin/link/").unwrap();
    assert!(!log.contains(token));
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let storage = DieselAdminRepository::new(storage);
    let owners = [TelegramId::try_from(ADMIN).unwrap()].into();
    let admins = AdminService::new(storage, SystemClock, owners);
    let home: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    let signed_in = admins.sign_in_by_link(token, home).await.unwrap();
    assert_eq!(signed_in.session.admin.to_string(), "telegram:99");
    assert!(admins.sign_in_by_link(token, home).await.is_err());
}

async fn what_cannot_be_read_holds_nothing_up(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let id = telegram.next_update_id();
    telegram.write(&Person::new(1, "Before"), "hello");
    telegram.push_raw(format!(r#"{{"update_id": {}, "message": "garbage"}}"#, id + 1));
    telegram.push_raw(format!(
        r#"{{"update_id": {}, "message": {{"from": {{"id": 2, "first_name": []}}}}}}"#,
        id + 2
    ));
    telegram.push_raw(format!(r#"{{"update_id": {}}}"#, id + 3));
    telegram.push_raw(format!(r#"{{"update_id": {}, "message": {{"text": "/start", "from": {{"id": 3, "first_name": "Odd"}}}}}}"#, id + 4));
    let last = telegram.push(Update::text(&Person::new(4, "After"), "hello").id(id + 5));

    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.wait_until_confirmed(last).await.unwrap();
    let log = bot.terminate().await;
    let mut names: Vec<_> = stored(&database).await.iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, ["After (4)", "Before (1)", "Odd (3)", "User 2"]);
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let quarantined = DieselQuarantineRepository::new(storage).list(0, 10).await.unwrap();
    let kept: Vec<_> = quarantined.iter().map(|it| (it.update_id - id, it.registered)).collect();
    assert_eq!(kept, [(1, false), (2, true), (4, true)]);
    for update_id in [id + 1, id + 2, id + 4] {
        assert!(
            log.contains(&format!(
                "could not be read in full, and is set aside update_id={update_id} "
            )),
            "{log}"
        );
    }
}

async fn updates_come_again_until_they_are_stored(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let ada = Person::new(1815, "Ada");
    let mut bot = RunningBot::start(&telegram, &database, &[]).await;
    for fault in [
        Fault::api(500, "Internal Server Error"),
        Fault::bad_gateway(),
        Fault::not_json(),
        Fault::no_result(),
        Fault::CutOff,
        Fault::Closed,
        Fault::LostAnswer,
    ] {
        telegram.fail_next("getUpdates", fault);
        let update = telegram.write(&ada, "hello");
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    bot.kill().await;
    // What came while it was dead is there when it starts again.
    let update = telegram.write(&Person::new(7, "Bob"), "hello");
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.wait_until_confirmed(update).await.unwrap();
    bot.terminate().await;
    assert_eq!(stored(&database).await.len(), 2);
}

/// While the database cannot be written, nothing is confirmed, however the bot ends; and once it
/// can, nothing is missing.
async fn what_is_not_stored_is_not_confirmed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    for (n, signal) in [(1, "KILL"), (2, "TERM")] {
        let person = Person::new(n, "Ada");
        let mut bot = RunningBot::start(&telegram, &database, WATCHED).await;
        let held = HeldDatabase::hold(&database);
        let update = telegram.write(&person, "/start");
        bot.registers().await;
        assert!(!telegram.is_confirmed(update));
        match signal {
            "KILL" => bot.kill().await,
            signal => drop(bot.signal(signal).await),
        }
        assert!(!telegram.is_confirmed(update));
        assert_eq!(telegram.texts_to(n), [""; 0]);

        drop(held);
        let bot = RunningBot::start(&telegram, &database, &[]).await;
        telegram.wait_until_confirmed(update).await.unwrap();
        telegram.wait_for_message(n).await.unwrap();
        bot.terminate().await;
    }
    assert_eq!(stored(&database).await.len(), 2);
}

async fn a_second_signal_ends_it_at_once(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, WATCHED).await;
    let _held = HeldDatabase::hold(&database);
    let update = telegram.write(&Person::new(1815, "Ada"), "hello");
    // A bot that is asked to end before that has nothing to finish.
    bot.registers().await;
    // Two of one kind that come at once would be one.
    bot.send("TERM").await;
    bot.send("INT").await;
    let (code, _) = bot.ended().await;
    assert_eq!(code, 130);
    assert!(!telegram.is_confirmed(update));
}

async fn a_signal_ends_it_and_confirms_what_was_taken(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    for (signal, answers) in [("INT", 1_usize), ("TERM", 2)] {
        let bot = RunningBot::start(&telegram, &database, &[]).await;
        let slow = Duration::from_millis(300);
        telegram.fail_next("sendMessage", Fault::Slow(slow));
        let update = telegram.write(&Person::new(1815, "Ada"), "/start");
        telegram.wait_for_requests("sendMessage", answers.try_into().unwrap()).await.unwrap();
        let log = bot.signal(signal).await;
        assert!(telegram.is_confirmed(update), "{log}");
        assert!(log.contains("stopped"), "{log}");
        assert_eq!(telegram.messages_to(1815).len(), answers, "what was under way was finished");
    }
}

/// A day in the bot's life at trace level, errors included.
async fn nothing_that_people_write_and_no_token_is_logged(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder().every_kind_allowed().start().await.unwrap();
    let ada = Person::new(1815, "Secretfirst").last_name("Secretlast").username("secretname");
    let boss = Person::new(ADMIN, "Secretboss").username("secretboss");
    let bot = RunningBot::start(
        &telegram,
        &database,
        &[("RUST_LOG", "trace"), ("ADMIN_TELEGRAM_IDS", "99")],
    )
    .await;

    for update in [
        Update::text(&ada, "Secrettext"),
        Update::text(&ada, "/start Secretpayload"),
        Update::edited_text(&ada, "Secrettext"),
        Update::inline_query(&ada, "Secretquery"),
        Update::callback_query(&ada, "Secretdata"),
        Update::text(&boss, "/users"),
        Update::text(&boss, "/stats"),
        Update::new("message", json!({"from": {"id": 5, "first_name": ["Secretodd"]}})),
        Update::new("message", json!("Secretgarbage")),
        Update::new(
            "message",
            json!({"from": {"id": 6, "first_name": "Secretodd"},
            "date": "Secretdate", "text": "/start Secretpayload"}),
        ),
    ] {
        telegram.push(update);
    }
    telegram.wait_until_drained().await.unwrap();
    for fault in [
        Fault::internal(),
        Fault::not_json(),
        Fault::CutOff,
        Fault::Closed,
        Fault::json(r#"{"ok":true,"result":[{"update_id":"Secretid"}]}"#),
        Fault::json(r#"{"ok":true,"result":"Secretresult"}"#),
        Fault::api(409, "Conflict: terminated by other getUpdates request"),
    ] {
        telegram.fail_next("getUpdates", fault);
        let update = telegram.write(&ada, "Secrettext");
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    for fault in [
        Fault::blocked(),
        Fault::internal(),
        Fault::Closed,
        Fault::api(400, "Bad Request: can't parse entities: Unsupported start tag \"Secrettag\""),
    ] {
        let calls = telegram.calls("sendMessage");
        telegram.fail_next("sendMessage", fault);
        telegram.write(&ada, "/start");
        let called = |telegram: &Simulator| (telegram.calls("sendMessage") > calls).then_some(());
        telegram.wait_for("another sendMessage", called).await.unwrap();
    }
    telegram.wait_until_drained().await.unwrap();
    let log = bot.terminate().await;

    assert!(log.contains("registered telegram_id=1815"), "registrations are logged: {log}");
    assert!(log.contains("an answer was not sent"), "errors are logged: {log}");
    let has_an_id = |line: &&str| line.contains("telegram_id=") && !line.contains("DEBUG");
    assert_eq!(log.lines().find(has_an_id), None, "users' ids are logged only at debug");
    let lower = log.to_lowercase();
    assert!(!lower.contains("secret"), "{log}");
    let (_, secret) = telegram.token().split_once(':').unwrap();
    assert!(!log.contains(secret), "{log}");
}

async fn a_database_of_another_bot_is_refused(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    RunningBot::start(&telegram, &database, &[]).await.terminate().await;
    let other = Simulator::builder().bot_id(555).start().await.unwrap();
    let (code, output) = RunningBot::fails(&other, &database, &[]).await;
    assert_eq!(code, 1);
    let expected = "belongs to the bot 123456789, but the token belongs to the bot 555; \
                    each bot needs its own DATABASE_URL";
    assert!(output.contains(expected), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_telegram_does_not_accept_ends_it() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    for wrong in ["123456789:wrong", "1:x"] {
        let (code, output) =
            RunningBot::fails(&telegram, &database, &[("TELEGRAM_BOT_TOKEN", wrong)]).await;
        assert_eq!(code, 1);
        assert!(output.contains("error: Telegram does not accept the bot token"), "{output}");
        assert!(!output.contains(wrong), "{output}");
    }

    // Revoked before the first getUpdates; a token that has worked would be tried for five minutes.
    telegram.fail_always("getUpdates", Fault::unauthorized());
    let (code, output) = RunningBot::fails(&telegram, &database, &[]).await;
    assert_eq!(code, 1);
    assert!(output.contains("error: Telegram does not accept the bot token"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_servers_of_the_bot_api_are_good_enough() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::builder()
        .get_me_without("is_bot")
        .get_me_without("first_name")
        .without_method("setMyCommands")
        .start()
        .await
        .unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.write(&Person::new(1, "Ada"), "/start");
    telegram.wait_for_message(1).await.unwrap();
    bot.said("the menu was not set").await;
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_telegram_that_cannot_be_reached() {
    let database = ThrowAwayDatabase::sqlite();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let token = "123456789:SIMULATED";
    let settings = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", token)];
    let bot = RunningBot::start_until(&database, &settings, "Telegram cannot be reached").await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let telegram = Simulator::builder().token(token).start_on(listener).unwrap();
    telegram.write(&Person::new(1, "Ada"), "/start");
    telegram.wait_for_message(1).await.unwrap();
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_reported_in_one_line() {
    let telegram = Simulator::start().await.unwrap();
    let database = ThrowAwayDatabase::sqlite();
    for (name, value, expected) in [
        ("TELEGRAM_BOT_TOKEN", "", "error: TELEGRAM_BOT_TOKEN is not set; expected"),
        (
            "TELEGRAM_BOT_TOKEN",
            "hunter2",
            "error: TELEGRAM_BOT_TOKEN: it is not a bot token; expected",
        ),
        ("TELEGRAM_API_URL", "telegram", "error: TELEGRAM_API_URL: it is not the address"),
        (
            "TELEGRAM_API_URL",
            "https://api.telegram.org/bot",
            "error: TELEGRAM_API_URL: it ends in /bot, which Rollcall adds itself; expected a URL",
        ),
        (
            "TELEGRAM_API_URL",
            "https://api.telegram.org/bot123:hunter2/",
            "error: TELEGRAM_API_URL: it contains a bot token, or a placeholder for one; Rollcall adds",
        ),
        (
            "TELEGRAM_API_URL",
            "https://123:hunter2@api.telegram.org",
            "error: TELEGRAM_API_URL: a user name or password is not supported here; expected",
        ),
        (
            "TELEGRAM_API_URL",
            "http://127.0.0.1:8081/?token=hunter2",
            "error: TELEGRAM_API_URL: a query or fragment (what follows ? or #) is not supported",
        ),
        (
            "NHL_API_URL",
            "https://ada:hunter2@api-web.nhle.com",
            "error: NHL_API_URL: it is not the root of an API; expected",
        ),
        (
            "PUBLIC_URL",
            "https://bot.example.org/admin",
            "error: PUBLIC_URL: it ends in /admin, which is added automatically; expected",
        ),
        (
            "TRUSTED_PROXIES",
            "127.0.0.1:8080",
            "error: TRUSTED_PROXIES: \"127.0.0.1:8080\" is not an address or a network; expected",
        ),
        ("FORWARDED_HEADER", "x-real-ip", "error: FORWARDED_HEADER: unknown header; expected"),
        (
            "LISTEN_ADDR",
            "http://127.0.0.1:8080",
            "error: LISTEN_ADDR: it is not an address to listen on; expected one such as",
        ),
        (
            "DATABASE_URL",
            "mysql://hunter2@h/d",
            "error: DATABASE_URL: the scheme mysql:// is not supported; expected sqlite://path",
        ),
        (
            "DATABASE_URL",
            "sqlite:///no/such/folder/x.db",
            "error: cannot open the database sqlite:///no/such/folder/x.db: ",
        ),
        (
            "DATABASE_URL",
            "sqlite://x.db?mode=rwc&cache=hunter2",
            "error: DATABASE_URL: the parameter cache is not understood; expected nothing after",
        ),
        (
            "DATABASE_URL",
            "sqlite://x.db#hunter2",
            "error: DATABASE_URL: a fragment (what follows #) is not understood; expected",
        ),
        (
            "DATABASE_URL",
            "sqlite://x.db?mode=ro",
            "error: DATABASE_URL: mode=ro is read-only; expected mode=rw or mode=rwc",
        ),
        (
            "DATABASE_URL",
            "sqlite://x.db?mode=rw",
            "error: there is no database at sqlite://x.db?mode=rw, and mode=rw creates none",
        ),
        (
            "DATABASE_URL",
            "postgres://u:hunter2@no-such-host.invalid/d",
            "error: cannot open the database postgres://no-such-host.invalid/d: ",
        ),
        ("SEND_RATE", "-1", "error: SEND_RATE: \"-1\" is not a number of messages a second"),
        (
            "ADMIN_TELEGRAM_IDS",
            "5,boss",
            "error: ADMIN_TELEGRAM_IDS: \"boss\" is not a Telegram id; expected",
        ),
    ] {
        let (code, output) = RunningBot::fails(&telegram, &database, &[(name, value)]).await;
        assert_eq!(code, 1, "{output}");
        assert!(output.starts_with(expected), "{output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(!output.contains("hunter2"), "{output}");
    }
    assert!(!database.file().unwrap().exists(), "a wrong setting changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_is_reported_in_one_line() {
    let telegram = Simulator::start().await.unwrap();
    let database = ThrowAwayDatabase::sqlite();
    RunningBot::start(&telegram, &database, &[]).await.terminate().await;
    // Marked as written by a future version of SQLite, which this one only reads: unlike the
    // file's permissions, that also binds root.
    let file = std::fs::OpenOptions::new().write(true).open(database.file().unwrap()).unwrap();
    file.write_all_at(&[3], 18).unwrap();
    let (code, output) = RunningBot::fails(&telegram, &database, &[]).await;
    assert_eq!(code, 1);
    let expected = "error: the database is read-only: SQLITE_READONLY: attempt to write a readonly \
                    database\n";
    assert_eq!(output, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_needs_nothing_and_touches_nothing() {
    let database = ThrowAwayDatabase::sqlite();
    let settings =
        [("TELEGRAM_BOT_TOKEN", "123:production"), ("ALL_PROXY", "socks5://127.0.0.1:1")];
    let bot = RunningBot::demo_with(&database, &["--verbose"], &settings).await;
    bot.said("demo │     the bot to ").await;
    bot.said("fetched the schedule").await;
    let output = bot.signal("INT").await;
    assert!(output.contains("demo │ This is a demo:"), "{output}");
    assert!(output.contains("updates and registered "), "{output}");
    assert!(!database.file().unwrap().exists());
    let temporary =
        output.split("sqlite://").nth(1).unwrap().split(". Press Ctrl-C").next().unwrap();
    assert!(!std::path::Path::new(temporary).exists(), "{temporary}");
}
