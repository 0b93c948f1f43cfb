//! The calls of the bot behind, which pass to Telegram.

use std::time::Duration;

use rollcall_domain::UnreachableReason;
use rollcall_simulator::{Fault, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};

use super::{
    api::Api,
    running::{RunningBot, database::stored},
};

stories!(
    every_encoding_and_answer_passes_as_it_is,
    another_token_is_refused_without_asking_telegram,
    large_files_stream_through_in_both_directions,
    a_user_who_blocked_the_bot_becomes_unreachable,
    what_telegram_does_wrong_passes_too,
    a_method_that_ends_the_bot_passes_with_a_warning,
);

/// Rollcall in front of a Telegram, without limits on sending.
async fn start(database: &ThrowAwayDatabase) -> (Simulator, Api, RunningBot) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, database, &[]).await;
    (telegram, api, bot)
}

async fn every_encoding_and_answer_passes_as_it_is(database: ThrowAwayDatabase) {
    let (telegram, api, bot) = start(&database).await;
    telegram.introduce(&Person::new(5, "Ann"));
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n\
                     --x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nparts\r\n--x--\r\n";
    let post = |method: &str, kind: &str, body: &str| {
        let request = api.http.post(api.url(method)).header("Content-Type", kind);
        request.body(body.to_owned()).send()
    };
    for (request, text) in [
        (post("sendMessage", "application/json", r#"{"chat_id":5,"text":"json"}"#), "json"),
        (
            post("SENDMESSAGE", "application/x-www-form-urlencoded", "chat_id=5&text=form+ä"),
            "form ä",
        ),
        (post("sendMessage", "multipart/form-data; boundary=x", multipart), "parts"),
    ] {
        let response = request.await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(response.headers().contains_key("date"));
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["result"]["text"], text, "{answer}");
    }
    let query = format!("{}?chat_id=5&text=query%20%26", api.url("sendMessage"));
    let answer: Value = api.http.get(query).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["text"], "query &");
    assert_eq!(telegram.texts_to(5).len(), 4);
    // Answers are those of Telegram itself, byte for byte.
    for (method, body) in [
        ("getMe", "{}"),
        ("sendMessage", r#"{"chat_id":5,"text":""}"#),
        ("sendMessage", "garbage"),
        ("getChat", r#"{"chat_id":777}"#),
        ("noSuchMethod", "{}"),
    ] {
        let direct = format!("{}/bot{}/{method}", telegram.url(), telegram.token());
        let mut answers = Vec::new();
        for url in [direct, api.url(method)] {
            let request = api.http.post(url).header("Content-Type", "application/json");
            let response = request.body(body).send().await.unwrap();
            answers.push((response.status(), response.text().await.unwrap()));
        }
        assert_eq!(answers[0], answers[1], "{method} {body}");
    }
    bot.terminate().await;
}

async fn another_token_is_refused_without_asking_telegram(database: ThrowAwayDatabase) {
    let (telegram, api, bot) = start(&database).await;
    let other = Api { token: "123456:hunter2".to_owned(), ..api.clone() };
    for method in ["getMe", "getUpdates", "sendMessage", "setWebhook"] {
        let answer = other.call(method, json!({"url": "http://127.0.0.1:1/"})).await;
        let expected = json!({"ok": false, "error_code": 401, "description": "Unauthorized"});
        assert_eq!(answer, expected, "{method}");
    }
    let file = format!("http://{}/file/bot{}/documents/1.bin", api.address, other.token);
    assert_eq!(api.http.get(file).send().await.unwrap().status(), 401);
    for path in ["", "metrics", "bot", "botx", "file/bot"] {
        let url = format!("http://{}/{path}", api.address);
        assert_eq!(api.http.get(url).send().await.unwrap().status(), 404, "{path}");
    }
    let calls = ["sendMessage", "setWebhook"].map(|method| telegram.calls(method));
    assert_eq!(calls, [0, 0]);
    let log = bot.terminate().await;
    assert!(log.contains("refused requests at API_PROXY_ADDR with another token"), "{log}");
    assert!(!log.contains("hunter2") && !log.contains(telegram.token()), "{log}");
}

async fn large_files_stream_through_in_both_directions(database: ThrowAwayDatabase) {
    const MIB: u64 = 1 << 20;
    let (telegram, api, bot) = start(&database).await;
    telegram.introduce(&Person::new(5, "Ann"));
    let before = bot.peak_memory_bytes();
    let content: Vec<u8> = (0..=250).cycle().take(50 << 20).collect();
    let head = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n--x\r\n\
                Content-Disposition: form-data; name=\"document\"; filename=\"a.bin\"\r\n\r\n";
    let body = [head.as_bytes(), &content, b"\r\n--x--\r\n"].concat();
    let request = api.http.post(api.url("sendDocument"));
    let request = request.header("Content-Type", "multipart/form-data; boundary=x").body(body);
    let sent: Value = request.send().await.unwrap().json().await.unwrap();
    let file_id = sent["result"]["document"]["file_id"].clone();
    let file = api.call("getFile", json!({"file_id": file_id})).await;
    assert_eq!(file["result"]["file_size"], 50 * MIB, "{file}");
    let path = file["result"]["file_path"].as_str().unwrap();
    let url = format!("http://{}/file/bot{}/{path}", api.address, api.token);
    let response = api.http.get(url).send().await.unwrap();
    assert_eq!(response.content_length(), Some(50 * MIB));
    assert!(response.bytes().await.unwrap() == content);
    let grown = bot.peak_memory_bytes() - before;
    assert!(grown < 15 * MIB, "{} MiB", grown / MIB);
    bot.terminate().await;
}

async fn a_user_who_blocked_the_bot_becomes_unreachable(database: ThrowAwayDatabase) {
    let (telegram, api, bot) = start(&database).await;
    let (ann, bob) = (Person::new(1, "Ann"), Person::new(2, "Bob"));
    let last = [&ann, &bob].map(|person| telegram.write(person, "hello"))[1];
    while !api.updates(json!({"timeout": 20})).await.contains(&last) {}
    telegram.deactivate(&bob);
    let refused = api.call("sendMessage", json!({"chat_id": 2, "text": "Hello"})).await;
    assert_eq!(refused["error_code"], 403, "{refused}");
    let sent = api.call("sendMessage", json!({"chat_id": 1, "text": "Hello"})).await;
    assert_eq!(sent["ok"], true);
    let obstacles = loop {
        let users = stored(&database).await;
        let obstacles: Vec<_> =
            users.iter().map(|it| (it.telegram_id.get(), it.reachability.obstacle)).collect();
        if obstacles.iter().any(|(_, obstacle)| obstacle.is_some()) {
            break obstacles;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(obstacles.contains(&(2, Some(UnreachableReason::Deactivated))), "{obstacles:?}");
    assert!(obstacles.contains(&(1, None)), "{obstacles:?}");
    bot.terminate().await;
}

async fn what_telegram_does_wrong_passes_too(database: ThrowAwayDatabase) {
    let (telegram, api, bot) = start(&database).await;
    telegram.introduce(&Person::new(5, "Ann"));
    let send = async || {
        let request = api.http.post(api.url("sendMessage"));
        request.json(&json!({"chat_id": 5, "text": "Hello"})).send().await
    };
    telegram.fail_next("sendMessage", Fault::internal());
    assert_eq!(send().await.unwrap().status(), 500);
    telegram.fail_next("sendMessage", Fault::not_json());
    let garbage = send().await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&garbage).is_err(), "{garbage}");
    telegram.fail_next("sendMessage", Fault::too_many_requests(7));
    let wait: Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(wait["parameters"]["retry_after"], 7, "{wait}");
    telegram.fail_next("sendMessage", Fault::Slow(Duration::from_millis(500)));
    assert_eq!(send().await.unwrap().status(), 200);
    // Half a response is one to the bot behind, too.
    telegram.fail_next("sendMessage", Fault::CutOff);
    assert!(send().await.unwrap().bytes().await.is_err());
    for fault in [
        Fault::Closed,
        Fault::Body {
            status: 302,
            content_type: "text/html".to_owned(),
            body: "elsewhere".to_owned(),
        },
    ] {
        telegram.fail_next("sendMessage", fault);
        let response = send().await.unwrap();
        assert_eq!(response.status(), 502);
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["ok"], &answer["error_code"]), (&json!(false), &json!(502)));
    }
    assert_eq!(send().await.unwrap().status(), 200);
    telegram.shutdown().await;
    let answer: Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["description"], "Bad Gateway: the Bot API server cannot be reached");
    bot.terminate().await;
}

async fn a_method_that_ends_the_bot_passes_with_a_warning(database: ThrowAwayDatabase) {
    let (telegram, api, bot) = start(&database).await;
    for method in ["logOut", "close"] {
        assert_eq!(api.call(method, json!({})).await, json!({"ok": true, "result": true}));
        assert_eq!(telegram.calls(method), 1);
        let warning = format!("method={}", method.to_lowercase());
        bot.said(&warning).await;
    }
    assert!(bot.has_said("the bot behind calls a method that ends the bot"));
    bot.terminate().await;
}
