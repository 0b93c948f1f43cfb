//! Updates with text and times that no database could hold as they are.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use rollcall_domain::Username;
use rollcall_repository::QuarantineRepository;
use rollcall_repository_diesel::{Database, DieselQuarantineRepository};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, database::stored};

stories!(odd_text_and_times_cost_no_registration,);

async fn odd_text_and_times_cost_no_registration(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let first = telegram.next_update_id();
    let surrogate = r"\ud83d";
    let text = |n: i64, name: &str, date: &str| {
        format!(
            r#"{{"update_id":{},"message":{{"message_id":1,"date":{date},"text":"{surrogate}\u0000",
            "chat":{{"id":{n},"type":"private","first_name":"{name}"}},"from":{{"id":{n},
            "is_bot":false,"first_name":"{name}","last_name":"{name}","username":"u{n}{name}",
            "language_code":"{name}"}}}}}}"#,
            first + n - 1
        )
    };
    let updates = [
        (r"Ada \ud83d", "1577880000"),
        (r"\ude80\u0000Bob", "1577880000"),
        (r"\u0000", "1577880000"),
        (r"\u3164\u200b", "0"),
        ("E", "-1"),
        ("F", "-9223372036854775808"),
        ("G", "4294967296"),
        ("H", "9223372036854775807"),
        ("I", "253402300800"),
    ];
    for (n, (name, date)) in (1..).zip(updates) {
        telegram.push_raw(text(n, name, date));
    }
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let last = telegram.push(Update::text(&Person::new(100, "After"), "hello"));
    telegram.wait_until_confirmed(last).await.unwrap();
    let log = bot.terminate().await;
    assert!(!log.contains("set aside"), "{log}");

    let mut users = stored(&database).await;
    users.sort_by_key(|user| user.telegram_id);
    let names: Vec<_> = users.iter().map(|user| user.first_name.as_str()).collect();
    let expected = ["Ada \u{fffd}", "\u{fffd}Bob", "", "\u{3164}\u{200b}", "E", "F", "G", "H", "I"];
    assert_eq!(names, [&expected[..], &["After"]].concat());
    let ada = users.first().unwrap();
    assert_eq!(ada.username, Username::from_telegram("u1Ada \u{fffd}"));
    assert_eq!(ada.language_code.as_deref(), Some("Ada \u{fffd}"));
    assert_eq!(ada.created_at.timestamp(), 1_577_880_000);
    // What has no possible time is dated by its batch, or by when it came.
    let earliest = users.iter().map(|user| user.created_at).min();
    assert_eq!(earliest, Some(ada.created_at));
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    assert_eq!(DieselQuarantineRepository::new(storage).list(0, 10).await.unwrap(), []);
}
