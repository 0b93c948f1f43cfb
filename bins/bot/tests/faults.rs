//! What goes wrong between the bot and Telegram, and that it recovers by itself: the real program
//! against a simulated Telegram that misbehaves.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod running;

use std::time::{Duration, Instant};

use rollcall_domain::{UnreachableReason, UserFilter, UserSort};
use rollcall_repository::DirectoryRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_simulator::{Fault, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::RunningBot;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECOND: Duration = Duration::from_secs(1);
/// The bot ends within this.
const END: Duration = Duration::from_secs(10);
const LIMITED: [(&str, &str); 1] = [("SEND_RATE", "30")];

#[tokio::test(flavor = "multi_thread")]
async fn every_method_waits_as_long_as_telegram_asks() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let methods = ["getMe", "deleteWebhook", "setMyCommands", "getUpdates", "sendMessage"];
    for method in methods {
        telegram.fail_next(method, Fault::too_many_requests(1));
    }
    let update = telegram.write(&ada(), "/start");
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.wait_until_confirmed(update).await.unwrap();
    telegram.wait_for_message(ada().id).await.unwrap();
    for method in methods {
        let requests = telegram.wait_for_requests(method, 2).await.unwrap();
        let [first, second, ..] = requests.as_slice() else { panic!("{method}: {requests:?}") };
        assert!(second.at - first.at >= SECOND, "{method}");
    }
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_for_updates_ends_with_the_bot() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.fail_next("getUpdates", Fault::too_many_requests(100_000));
    bot.said("429 Too Many Requests: retry after 100000").await;
    let calls = telegram.calls("getUpdates");
    let asked_to_end = Instant::now();
    bot.terminate().await;
    assert!(asked_to_end.elapsed() < END);
    assert_eq!(telegram.calls("getUpdates"), calls, "it was waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_telegram_holds_back_holds_nobody_up() {
    for settings in [&LIMITED[..], &[]] {
        let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
        let bot = RunningBot::start(&telegram, &database, settings).await;
        // Too long to be waited out, and short enough to be under way when the bot is to end.
        for (id, retry_after_s) in [(1, 100_000), (2, 50)] {
            telegram.fail_next("sendMessage", Fault::too_many_requests(retry_after_s));
            telegram.write(&Person::new(id, "Held"), "/start");
            let calls = telegram.calls("sendMessage") + 1;
            telegram.wait_for_requests("sendMessage", calls).await.unwrap();
        }
        let update = telegram.write(&ada(), "/start");
        telegram.wait_for_message(ada().id).await.unwrap();
        telegram.wait_until_confirmed(update).await.unwrap();
        telegram.write(&Person::new(1, "Held"), "/start");
        telegram.write(&ada(), "/help");
        telegram.wait_for_message(ada().id).await.unwrap();

        let asked_to_end = Instant::now();
        let log = bot.terminate().await;
        assert!(asked_to_end.elapsed() < END);
        assert!(log.contains("an answer was not sent error=Telegram asks to wait for"), "{log}");
        assert_eq!(telegram.messages_to(1).len(), 0, "not even asked for as long as it says");
        assert_eq!(telegram.calls("sendMessage"), 4);
        assert_eq!(stored(&database).await, 3);
    }
}

/// However many commands cannot be answered, everybody is registered.
#[tokio::test(flavor = "multi_thread")]
async fn registration_does_not_wait_for_answers() {
    let too_many = Fault::too_many_requests;
    for (fault, settings) in [
        (too_many(100_000), &LIMITED[..]),
        (too_many(50), &LIMITED),
        (Fault::Slow(END), &LIMITED),
        (too_many(100_000), &[]),
    ] {
        let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
        telegram.fail_always("sendMessage", fault);
        let bot = RunningBot::start(&telegram, &database, settings).await;
        for _ in 0..1500 {
            telegram.write(&ada(), "/start");
        }
        for id in 1..=1500 {
            telegram.write(&Person::new(10_000 + id, "Somebody"), "/start");
        }
        telegram.wait_until_drained().await.unwrap();
        let log = bot.terminate().await;
        assert_eq!(stored(&database).await, 1501);
        // Without limits it depends on the machine whether there is room for all of them.
        let message = log.matches("overloaded: some commands were not answered").count();
        assert!(message == 1 || (message == 0 && settings.is_empty()), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_telegram_are_kept() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &LIMITED).await;
    for id in 1..=60 {
        telegram.write(&Person::new(id, "Somebody"), "/start");
    }
    for _ in 0..5 {
        telegram.write(&ada(), "/start");
    }
    let sent = telegram.wait_for_requests("sendMessage", 65).await.unwrap();
    let took = |requests: &[rollcall_simulator::Request]| {
        let times = requests.iter().map(|request| request.at);
        times.clone().max().unwrap() - times.min().unwrap()
    };
    // What is sent in 29 gaps of a thirtieth of a second takes two seconds and more for 65.
    assert!(took(&sent) >= 2 * SECOND, "{:?}", took(&sent));
    let to_ada: Vec<_> =
        sent.into_iter().filter(|request| request.params["chat_id"] == ada().id).collect();
    assert_eq!(to_ada.len(), 5);
    assert!(took(&to_ada) >= SECOND * 19 / 10, "three at once, and two more: {:?}", took(&to_ada));
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_poller_is_logged_once_and_waited_out() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    for _ in 0..2 {
        telegram.fail_next("getUpdates", Fault::conflict());
        let update = telegram.write(&ada(), "hello");
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    let log = bot.terminate().await;
    let message = "another process polls for this bot, and Telegram lets only one: stop the other";
    assert_eq!(log.matches(message).count(), 1, "{log}");
    assert!(!log.contains("webhook"), "{log}");
    assert_eq!(telegram.calls("deleteWebhook"), 1, "at the start only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_set_meanwhile_is_logged_once_and_deleted() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    for _ in 0..2 {
        set_webhook(&telegram).await;
        let update = telegram.write(&ada(), "hello");
        telegram.wait_until_confirmed(update).await.unwrap();
    }
    let log = bot.terminate().await;
    let message = "updates go to a webhook of this bot, which was set while it polls: deleting it";
    assert_eq!(log.matches(message).count(), 1, "{log}");
    assert!(!log.contains("another process"), "{log}");
    let deleted = telegram.requests_to("deleteWebhook");
    assert!(deleted.len() >= 3, "{deleted:?}");
    for request in deleted {
        assert_eq!(request.params.get("drop_pending_updates"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_recovers_from_whatever_is_answered_to_get_updates() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let faults = [
        Fault::internal(),
        Fault::bad_gateway(),
        Fault::Closed,
        Fault::CutOff,
        Fault::not_json(),
        Fault::no_result(),
        Fault::json(""),
        Fault::json(r#"{"ok":true,"result":null}"#),
        Fault::json(r#"{"ok":false}"#),
        Fault::Huge { bytes: 300 << 20 },
    ];
    let count = faults.len();
    for fault in faults {
        telegram.wait_until_polled().await.unwrap();
        let calls = telegram.calls("getUpdates");
        telegram.fail_next("getUpdates", fault.clone());
        telegram.wait_for_requests("getUpdates", calls + 1).await.unwrap();
        let update = telegram.write(&ada(), "/start");
        telegram.wait_until_confirmed(update).await.unwrap_or_else(|error| {
            panic!("{fault:?}: {error}");
        });
        telegram.wait_for_message(ada().id).await.unwrap();
    }
    let peak = bot.peak_memory_bytes();
    assert!(peak < 150 << 20, "{peak} bytes for an answer of 300 MiB");
    let log = bot.terminate().await;
    let over = "recovered: updates cannot be fetched";
    assert_eq!(log.matches(over).count(), count, "{log}");
}

/// A hundred updates may be too long together.
#[tokio::test(flavor = "multi_thread")]
async fn it_asks_for_fewer_updates_where_an_answer_is_too_long() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.fail_next("getUpdates", Fault::Huge { bytes: 33 << 20 });
    telegram.fail_next("getUpdates", Fault::Huge { bytes: 33 << 20 });
    let update = telegram.write(&ada(), "/start");
    telegram.wait_until_confirmed(update).await.unwrap();
    let update = telegram.write(&ada(), "/start");
    telegram.wait_until_confirmed(update).await.unwrap();
    let limits: Vec<_> = telegram
        .requests_to("getUpdates")
        .iter()
        .filter_map(|request| request.params["limit"].as_u64())
        .filter(|limit| *limit > 1)
        .collect();
    assert!(limits.windows(4).any(|four| four == [100, 50, 25, 50]), "{limits:?}");
    bot.terminate().await;
}

/// A name that is half a character, and another that is no Unicode at all.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_unicode_is_read_as_far_as_it_is() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let id = telegram.next_update_id();
    let half = r#""\ud83d": 1, "message": {"from": {"id": 5, "first_name": "Half"}}"#;
    telegram.push_raw(format!(r#"{{"update_id": {id}, {half}}}"#));
    let update = telegram.write(&ada(), "hello");
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    telegram.wait_until_confirmed(update).await.unwrap();
    let log = bot.terminate().await;
    assert!(!log.contains("aside"), "{log}");
    assert_eq!(stored(&database).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_tried_again_where_that_may_help() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let faults = [
        Fault::internal(),
        Fault::bad_gateway(),
        Fault::Closed,
        Fault::CutOff,
        Fault::no_result(),
        Fault::Huge { bytes: 300 << 20 },
    ];
    for fault in faults {
        telegram.fail_next("sendMessage", fault);
        telegram.write(&ada(), "/start");
        telegram.wait_for_message(ada().id).await.unwrap();
    }
    assert!(!bot.terminate().await.contains("WARN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_cannot_be_reached_stop_nothing() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &LIMITED).await;
    for (id, fault, cause) in [
        (1, Fault::blocked(), "blocked"),
        (2, Fault::api(403, "Forbidden: user is deactivated"), "deactivated"),
        (3, Fault::api(400, "Bad Request: chat not found"), "chat_not_found"),
        (
            4,
            Fault::api(403, "Forbidden: bot can't initiate conversation with a user"),
            "never_started",
        ),
    ] {
        telegram.fail_next("sendMessage", fault);
        telegram.write(&Person::new(id, "Away"), "/start");
        bot.said(&format!("the user is unreachable: {cause}")).await;
        telegram.write(&ada(), "/start");
        telegram.wait_for_message(ada().id).await.unwrap();
    }
    telegram.wait_until_drained().await.unwrap();
    let log = bot.terminate().await;
    assert_eq!(log.matches("an answer was not sent").count(), 4, "once each: {log}");
    assert_eq!(telegram.calls("sendMessage"), 8, "not tried again");
    let mut users = running::database::stored(&database).await;
    users.sort_by_key(|user| user.telegram_id);
    let obstacles: Vec<_> = users.iter().map(|user| user.reachability.obstacle).collect();
    use UnreachableReason::{Blocked, ChatNotFound, Deactivated, NeverStarted};
    let expected = [Blocked, Deactivated, ChatNotFound, NeverStarted].map(Some);
    assert_eq!((&obstacles[..4], obstacles[4]), (&expected[..], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn menus_keep_nobody_waiting() {
    for fault in [Fault::Slow(Duration::from_secs(3600)), Fault::internal(), Fault::Closed] {
        let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
        telegram.fail_always("setMyCommands", fault);
        let admins = [("ADMIN_TELEGRAM_IDS", "1815,99")];
        let started = Instant::now();
        let bot = RunningBot::start(&telegram, &database, &admins).await;
        // An admin's /start sets their menu too.
        telegram.write(&ada(), "/start");
        telegram.write(&Person::new(7, "Bob"), "/start");
        telegram.wait_for_message(ada().id).await.unwrap();
        telegram.wait_for_message(7).await.unwrap();
        telegram.wait_until_drained().await.unwrap();
        assert!(started.elapsed() < END);
        let asked_to_end = Instant::now();
        bot.terminate().await;
        assert!(asked_to_end.elapsed() < END);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_telegram_does_not_know_ends() {
    for fault in [Fault::unauthorized(), Fault::not_found()] {
        let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
        telegram.fail_next("getUpdates", fault);
        let (code, output) = RunningBot::fails(&telegram, &database, &[]).await;
        assert_eq!(code, 1);
        assert!(output.contains("error: Telegram does not accept the bot token"), "{output}");
        assert_eq!(telegram.calls("getUpdates"), 1);
    }
}

/// Telegram has been seen to refuse a good token for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_good_is_tried_again() {
    let (telegram, database) = (Simulator::start().await.unwrap(), ThrowAwayDatabase::sqlite());
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    // Before a getUpdates has been answered well, the bot would end at once.
    telegram.wait_until_confirmed(telegram.write(&ada(), "/start")).await.unwrap();
    telegram.wait_for_message(ada().id).await.unwrap();
    for fault in [Fault::unauthorized(), Fault::not_found(), Fault::unauthorized()] {
        telegram.fail_next("getUpdates", fault);
    }
    let update = telegram.write(&ada(), "/start");
    telegram.wait_until_confirmed(update).await.unwrap();
    telegram.wait_for_message(ada().id).await.unwrap();
    let trouble = "Telegram does not accept the bot token any more";
    bot.said(&format!("recovered: {trouble}")).await;
    let log = bot.terminate().await;
    assert_eq!(
        log.matches(&format!("{trouble}; trying again for five minutes")).count(),
        1,
        "{log}"
    );
}

fn ada() -> Person {
    Person::new(1815, "Ada")
}

/// Sets a webhook behind the bot's back, at an address where nobody is.
async fn set_webhook(telegram: &Simulator) {
    let address = telegram.url().trim_start_matches("http://").to_owned();
    let body = r#"{"url":"http://127.0.0.1:1/"}"#;
    let request = format!(
        "POST /bot{}/setWebhook HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        telegram.token(),
        body.len(),
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#""ok":true"#), "{answer}");
}

/// How many users a database holds.
async fn stored(database: &ThrowAwayDatabase) -> u64 {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let page = users.users(&UserFilter::new(), UserSort::default(), None, 1).await.unwrap();
    page.count.number()
}
