//! Messages of broadcasts, sent to the simulated Telegram.

use std::{future::pending, net::TcpListener};

use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions},
};
use rollcall_domain::{PictureFile, SystemClock, UnreachableReason};
use rollcall_simulator::{Fault, Person, Simulator, Update};
use rollcall_testkit::png;

use tokio::time::timeout;

use super::*;
use crate::client::TelegramClock;

fn ann() -> Person {
    Person::new(42, "Ann")
}

async fn start() -> (Simulator, Outbox) {
    let telegram = Simulator::start().await.unwrap();
    telegram.introduce(&ann());
    let outbox = outbox_to(&telegram.url(), telegram.token(), 0);
    (telegram, outbox)
}

fn outbox_to(url: &str, token: &str, rate: u32) -> Outbox {
    let clock = TelegramClock::new(Arc::new(SystemClock));
    let client = Client::new(url.parse().unwrap(), None, token.parse().unwrap(), clock).unwrap();
    Outbox::new(client, rate)
}

fn content(text: &str) -> Content<'_> {
    Content {
        text,
        parse_mode: ParseMode::Html,
        link_preview_options: LinkPreviewOptions::builder().build(),
        reply_markup: None,
    }
}

async fn send(outbox: &Outbox, chat_id: i64, text: &str) -> Result<i64, BulkError> {
    let content = content(text);
    let message = BulkMessage::Text(&content);
    let pace = BulkPace::new(0);
    let options = BulkOptions::default();
    Ok(outbox.send_bulk(chat_id, message, options, &pace, pending()).await?.message_id)
}

#[tokio::test]
async fn a_text_is_sent_and_its_number_returned() {
    let (telegram, outbox) = start().await;
    let message_id = send(&outbox, 42, "Hi <b>Ann</b>").await.unwrap();
    let message = telegram.wait_for_message(42).await.unwrap();
    assert_eq!((message.message_id, message.text.as_str()), (message_id, "Hi Ann"));
}

#[tokio::test]
async fn a_broadcast_goes_out_within_the_limits_by_the_real_clock() {
    let telegram = Simulator::builder().every_chat_open().start().await.unwrap();
    for (rate, pace) in [(0, 0), (0, 1000), (30, 0), (1000, 1000)] {
        let outbox = outbox_to(&telegram.url(), telegram.token(), rate);
        let pace = BulkPace::new(pace);
        let before = telegram.message_count();
        for chat_id in 1..=10 {
            let (content, options) = (content("Hi"), BulkOptions::default());
            let message = BulkMessage::Text(&content);
            let sent = outbox.send_bulk(chat_id, message, options, &pace, pending());
            timeout(Duration::from_secs(60), sent).await.unwrap().unwrap();
        }
        assert_eq!(telegram.message_count() - before, 10, "{rate}");
    }
}

#[tokio::test]
async fn a_message_of_a_person_is_copied_with_its_buttons() {
    let (telegram, outbox) = start().await;
    let owner = Person::new(7, "Owner");
    telegram.push(Update::photo(&owner).with_caption("The goal").with("message_id", 700));
    let read = InlineKeyboardButton::builder().text("Read").url("https://example.com/").build();
    let reply_markup = InlineKeyboardMarkup::builder().inline_keyboard(vec![vec![read]]).build();
    let mut original = Original { chat_id: 7, message_id: 700, reply_markup: Some(reply_markup) };
    let copy = async |original: &Original| {
        let (message, pace) = (BulkMessage::Copy(original), BulkPace::new(0));
        let options = BulkOptions { allow_paid_broadcast: true, ..BulkOptions::default() };
        outbox.send_bulk(42, message, options, &pace, pending()).await
    };
    let message_id = copy(&original).await.unwrap().message_id;
    let sent = telegram.wait_for_message(42).await.unwrap();
    assert_eq!((sent.message_id, sent.text.as_str()), (message_id, "The goal"));
    assert!(sent.json["photo"].is_array() && sent.buttons()[0].text == "Read", "{}", sent.json);
    assert_eq!(telegram.paid_message_count(), 1);
    original.message_id = 1;
    let error = copy(&original).await.unwrap_err();
    assert!(matches!(error, BulkError::Content(_)), "{error}");
}

#[tokio::test]
async fn a_picture_is_uploaded_with_its_caption_and_then_named_by_its_largest_file() {
    let (telegram, outbox) = start().await;
    let content = content("The <b>goal</b>");
    let send = async |message: BulkMessage<'_>| {
        let (pace, options) = (BulkPace::new(0), BulkOptions::default());
        outbox.send_bulk(42, message, options, &pace, pending()).await
    };
    // More than the server's usual limit of a body.
    let picture = PictureFile::new(png(3_000, 1_000, [200, 0, 0])).unwrap();
    let sent = send(BulkMessage::Upload(&picture, &content)).await.unwrap();
    let message = telegram.wait_for_message(42).await.unwrap();
    assert_eq!((message.message_id, message.text.as_str()), (sent.message_id, "The goal"));
    let largest = message.json["photo"].as_array().unwrap().last().unwrap();
    assert_eq!((&largest["width"], &largest["height"]), (&json!(3_000), &json!(1_000)));
    let file_id = sent.file_id.unwrap();
    assert_eq!(largest["file_id"], json!(file_id));
    let upload = telegram.requests_to("sendPhoto").pop().unwrap().params;
    assert_eq!(upload["photo"]["bytes"], json!(picture.content().len()));
    assert_eq!((&upload["chat_id"], &upload["parse_mode"]), (&json!("42"), &json!("HTML")));

    let again = send(BulkMessage::Photo(&file_id, &content)).await.unwrap();
    assert_eq!(again.file_id.as_ref(), Some(&file_id));
    telegram.lose_file(&file_id);
    let error = send(BulkMessage::Photo(&file_id, &content)).await.unwrap_err();
    let BulkError::Content(error) = error else { panic!("{error}") };
    assert!(is_of_lost_file(&error), "{error}");
    // What it refuses to make a picture of is no lost file.
    telegram.fail_next("sendPhoto", Fault::api(400, "Bad Request: IMAGE_PROCESS_FAILED"));
    let error = send(BulkMessage::Upload(&picture, &content)).await.unwrap_err();
    let BulkError::Content(error) = error else { panic!("{error}") };
    assert!(!is_of_lost_file(&error), "{error}");
}

#[tokio::test]
async fn after_a_lost_response_a_message_may_have_been_sent() {
    let (telegram, outbox) = start().await;
    for fault in [
        Fault::LostAnswer,
        Fault::Closed,
        Fault::CutOff,
        Fault::bad_gateway(),
        Fault::not_json(),
        Fault::no_result(),
        Fault::json("{\"message\":\"rate limited by the gateway\"}"),
        Fault::api(500, "Internal Server Error: restart"),
    ] {
        let calls = telegram.calls("sendMessage");
        telegram.fail_next("sendMessage", fault.clone());
        let error = send(&outbox, 42, "Hi").await.unwrap_err();
        assert!(error.may_have_been_sent(), "{fault:?}: {error}");
        assert_eq!(telegram.calls("sendMessage"), calls + 1, "sent once: {fault:?}");
        // The next one follows once getMe has been answered.
        send(&outbox, 42, "Hello").await.unwrap();
    }
    assert_eq!(telegram.calls("getMe"), 8);
    let texts = telegram.texts_to(42);
    assert_eq!(texts.iter().filter(|text| *text == "Hi").count(), 1, "that of the lost answer");
    assert_eq!(texts.iter().filter(|text| *text == "Hello").count(), 8);
}

#[tokio::test]
async fn a_message_that_telegram_refused_for_now_is_sent_once() {
    let (telegram, outbox) = start().await;
    telegram.fail_next("sendMessage", Fault::internal());
    telegram.fail_next("sendMessage", Fault::too_many_requests(1));
    telegram.fail_next("sendMessage", Fault::api(502, "Bad Gateway"));
    send(&outbox, 42, "Hi").await.unwrap();
    assert_eq!(telegram.calls("sendMessage"), 4);
    assert_eq!(telegram.texts_to(42), ["Hi"]);
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outbox = outbox_to(&url, "1:x", 0);
    for (url, token) in [(url.as_str(), "1:x"), ("http://name.invalid", "1:x")] {
        let client = outbox_to(url, token, 0).client;
        let error = client.call::<IgnoredAny>("sendMessage", &json!({})).await.unwrap_err();
        assert!(error.is_transient() && !error.may_have_taken_effect(), "{error:?}");
    }
    // It is tried again until it is stopped.
    let content = content("Hi");
    let (pace, stop) = (BulkPace::new(0), sleep(Duration::from_millis(300)));
    let message = BulkMessage::Text(&content);
    let sent = outbox.send_bulk(42, message, BulkOptions::default(), &pace, stop).await;
    assert!(matches!(sent, Err(BulkError::Stopped)), "{sent:?}");
}

#[tokio::test]
async fn refusals_have_their_class() {
    let (telegram, outbox) = start().await;
    let error = send(&outbox, 42, "Hi <blink>").await.unwrap_err();
    assert!(matches!(error, BulkError::Content(_)), "{error}");
    telegram.block(&ann());
    let error = send(&outbox, 42, "Hi").await.unwrap_err();
    let is_blocked =
        matches!(error, BulkError::Unreachable { cause: UnreachableReason::Blocked, .. });
    assert!(is_blocked, "{error}");
    telegram.introduce(&Person::new(7, "Bot").bot());
    let error = send(&outbox, 7, "Hi").await.unwrap_err();
    assert!(matches!(error, BulkError::Refused(_)), "{error}");
    telegram.revoke_token();
    let error = send(&outbox, 42, "Hi").await.unwrap_err();
    assert!(matches!(error, BulkError::Bot(_)), "{error}");
}
