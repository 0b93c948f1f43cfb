//! Users ask about their data, get a copy, and delete it: in their chat, with every answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use rollcall_domain::{PrivacyRequest, RequestKind, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::PrivacyRequestService;
use rollcall_simulator::{Chat, Fault, Person, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::stored,
};
use serde_json::Value;

stories!(
    the_notice_names_the_owner_and_what_users_can_do,
    a_user_gets_a_copy_of_everything_once_an_hour,
    a_copy_that_could_not_be_sent_stays_an_open_request,
    a_user_is_deleted_after_two_questions_and_can_return,
    an_owner_is_not_deleted,
    a_group_gets_no_copy_and_no_question,
);

const SETTINGS: [(&str, &str); 4] = [
    ("SCHEDULE", "off"),
    ("ADMIN_TELEGRAM_IDS", "99"),
    ("PRIVACY_CONTACT", "Ada Lovelace, ada@example.org"),
    ("PRIVACY_URL", "https://example.org/privacy"),
];

fn grete() -> Person {
    Person::new(7, "Grete").last_name("Hermann").language_code("en")
}

fn owner() -> Person {
    Person::new(99, "Olga").language_code("en")
}

fn labels(message: &SentMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.text).collect()
}

async fn requests(database: &ThrowAwayDatabase) -> (Vec<PrivacyRequest>, Vec<PrivacyRequest>) {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let service = PrivacyRequestService::new(DieselUserRepository::new(database), SystemClock);
    (service.open(10).await.unwrap(), service.done(10).await.unwrap())
}

/// The file in a message, as a client would download it.
async fn document(telegram: &Simulator, message: &SentMessage) -> Value {
    let id = message.json["document"]["file_id"].as_str().expect("a document");
    let (url, token) = (telegram.url(), telegram.token());
    let described = reqwest::get(format!("{url}/bot{token}/getFile?file_id={id}")).await.unwrap();
    let described: Value = serde_json::from_str(&described.text().await.unwrap()).unwrap();
    let path = described["result"]["file_path"].as_str().unwrap();
    let file = reqwest::get(format!("{url}/file/bot{token}/{path}")).await.unwrap();
    serde_json::from_str(&file.text().await.unwrap()).unwrap()
}

async fn the_notice_names_the_owner_and_what_users_can_do(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let notice = ask(&telegram, &grete(), "/privacy").await.text;
    for part in [
        "Privacy\n",
        "• your Telegram id, name, username and language",
        "without their texts, for 14 days",
        "/mydata – get a copy of your data\n/deletemydata – delete your data",
        "Questions: Ada Lovelace, ada@example.org\nMore: https://example.org/privacy",
    ] {
        assert!(notice.contains(part), "{part}: {notice}");
    }
    assert!(!notice.contains("because you are an admin"), "{notice}");
    let for_owner = ask(&telegram, &owner(), "/privacy").await.text;
    assert!(for_owner.contains("• because you are an admin"), "{for_owner}");
    let developer = ask(&telegram, &grete(), "/developer_info").await.text;
    assert!(developer.starts_with("This bot is run by: Ada Lovelace"), "{developer}");
    let german = Person::new(8, "Käthe").language_code("de");
    let notice = ask(&telegram, &german, "/privacy").await.text;
    assert!(notice.starts_with("Datenschutz\n"), "{notice}");
    bot.terminate().await;

    // Without a contact, the owner is reminded of it.
    let bot = RunningBot::start(&telegram, &database, &SETTINGS[..2]).await;
    let notice = ask(&telegram, &grete(), "/privacy").await.text;
    assert!(notice.ends_with("The owner has not named a contact for questions."), "{notice}");
    let for_owner = ask(&telegram, &owner(), "/developer_info").await.text;
    assert!(for_owner.contains("set PRIVACY_CONTACT"), "{for_owner}");
    bot.terminate().await;
}

async fn a_user_gets_a_copy_of_everything_once_an_hour(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &Person::new(8, "Somebody Else"), "/start").await;
    ask(&telegram, &grete(), "/start friends").await;
    let message = ask(&telegram, &grete(), "/mydata").await;
    let (caption, copy) = (&message.text, document(&telegram, &message).await);
    assert!(caption.starts_with("This is everything that the bot stores about you."), "{caption}");
    assert_eq!(copy["telegram_id"], 7);
    let tables = &copy["tables"];
    assert_eq!(tables["telegram_users"][0]["first_name"], "Grete");
    assert_eq!(tables["telegram_users"][0]["last_name"], "Hermann");
    assert_eq!(tables["starts"][0]["payload"], "friends");
    let uses: Vec<_> = tables["command_uses"].as_array().unwrap().iter().collect();
    assert!(uses.iter().any(|it| it["command"] == "/mydata"), "{uses:?}");
    assert_eq!(tables["notes"], serde_json::json!([]));
    assert!(!copy.to_string().contains("Somebody"), "{copy}");

    // One after the other, a clear answer and no file.
    for _ in 0..3 {
        let again = ask(&telegram, &grete(), "/mydata").await.text;
        assert!(
            again.starts_with("You already got a copy. You can get the next one in "),
            "{again}"
        );
    }
    assert_eq!(telegram.calls("sendDocument"), 1);
    let (open, done) = requests(&database).await;
    assert_eq!((open.len(), done.len()), (0, 1));
    assert_eq!(done[0].kind, RequestKind::Copy);
    // Another user has a limit of their own.
    telegram.write(&Person::new(8, "Somebody Else"), "/mydata");
    telegram.wait_for_requests("sendDocument", 2).await.unwrap();
    bot.terminate().await;
}

async fn a_copy_that_could_not_be_sent_stays_an_open_request(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &grete(), "/start").await;
    telegram.fail_next("sendDocument", Fault::api(400, "Bad Request: file is odd"));
    telegram.write(&grete(), "/mydata");
    bot.said("an answer was not sent").await;
    bot.terminate().await;
    let (open, done) = requests(&database).await;
    assert_eq!((open.len(), done.len()), (1, 0));
    assert!(open[0].due_at > open[0].asked_at, "{open:?}");
}

async fn a_user_is_deleted_after_two_questions_and_can_return(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    ask(&telegram, &Person::new(8, "Somebody Else"), "/start").await;
    let question = ask(&telegram, &grete(), "/deletemydata").await;
    assert!(question.text.contains("Kept: totals without names"), "{}", question.text);
    assert_eq!(labels(&question), ["Delete my data…", "Keep my data"]);
    let kept = press(&telegram, &grete(), &question, "Keep my data").await;
    assert_eq!((kept.text.as_str(), labels(&kept).len()), ("Nothing was deleted.", 0));
    assert_eq!(stored(&database).await.len(), 2);

    let question = ask(&telegram, &grete(), "/deletemydata").await;
    let sure = press(&telegram, &grete(), &question, "Delete my data…").await;
    assert!(sure.text.ends_with("This cannot be undone."), "{}", sure.text);
    assert_eq!(stored(&database).await.len(), 2);
    let done = press(&telegram, &grete(), &sure, "Yes, delete it now").await;
    assert_eq!(done.text, "Your data is deleted. To use the bot again, send /start.");
    assert_eq!(labels(&done), Vec::<String>::new());
    // The press is acknowledged once the user is erased. Twice is a clear answer.
    telegram.wait_for_requests("answerCallbackQuery", 3).await.unwrap();
    for command in ["/deletemydata", "/mydata"] {
        let again = ask(&telegram, &grete(), command).await.text;
        assert_eq!(again, "Nothing is stored about you.", "{command}");
    }
    // The notice asks whether the user may be stored again.
    let notice = ask(&telegram, &grete(), "/privacy").await;
    assert!(notice.text.starts_with("Privacy\n"), "{}", notice.text);
    assert_eq!(labels(&notice), ["Yes, it may", "No"]);
    bot.terminate().await;
    let left: Vec<i64> = stored(&database).await.iter().map(|it| it.telegram_id.get()).collect();
    assert_eq!(left, [8]);
    let (open, finished) = requests(&database).await;
    assert_eq!((open.len(), finished.len()), (0, 1));
    assert_eq!(finished[0].kind, RequestKind::Erasure);
}

async fn an_owner_is_not_deleted(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let refused = ask(&telegram, &owner(), "/deletemydata").await;
    assert!(refused.text.starts_with("You are an owner of this bot"), "{}", refused.text);
    assert_eq!(labels(&refused), Vec::<String>::new());
    assert_eq!(stored(&database).await.len(), 1);
    bot.terminate().await;
}

async fn a_group_gets_no_copy_and_no_question(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &SETTINGS).await;
    let group = Chat::supergroup(-1_001_234, "Friends");
    for (command, answer) in [
        ("/mydata", "Your data is sent only in our private chat: send me /mydata there."),
        (
            "/deletemydata",
            "Your data can be deleted only in our private chat: send me /deletemydata there.",
        ),
    ] {
        telegram.push(Update::text(&grete(), command).in_chat(&group));
        assert_eq!(telegram.wait_for_message(-1_001_234).await.unwrap().text, answer);
    }
    assert_eq!(telegram.calls("sendDocument"), 0);
    bot.terminate().await;
}
