//! A bot behind that polls.

use std::time::Duration;

use rollcall_simulator::{Fault, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};

use super::{
    api::{Api, Poller},
    behind::free_address,
    running::database::{counted, stored},
};

stories!(
    each_update_is_acknowledged_once_the_bot_behind_has_it,
    while_the_bot_behind_is_away_no_update_is_lost,
    offsets_mean_what_they_mean_at_telegram,
    an_offset_from_before_a_restart_counts,
    of_two_that_poll_the_first_is_ended,
    kinds_that_it_does_not_want_are_left_out,
    pending_updates_can_be_dropped,
    a_request_that_cannot_be_read_changes_nothing,
    own_commands_are_answered_and_not_given,
    rollcall_may_get_them_by_webhook,
);

async fn each_update_is_acknowledged_once_the_bot_behind_has_it(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let odd = r#"{"update_id":77000, "message":{"message_id":1,"date":1700000000,
        "chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false,"first_name":"Ann"},
        "text":"\u00e4 \ud83d\ude00","unknown":[1.50,null]}, "later":{}}"#;
    telegram.push_raw(odd);
    let request = api.http.get(format!("{}?timeout=20", api.url("GETUPDATES"))).send();
    let answer = request.await.unwrap().text().await.unwrap();
    assert_eq!(answer, format!(r#"{{"ok":true,"result":[{odd}]}}"#));
    assert_eq!(stored(&database).await.len(), 1);
    assert!(!telegram.is_confirmed(77_000));
    // The next one asks for more, and so confirms it.
    let next = {
        let api = api.clone();
        tokio::spawn(async move { api.updates(json!({"offset": 77_001, "timeout": 30})).await })
    };
    telegram.wait_until_confirmed(77_000).await.unwrap();
    let second = telegram.write(&Person::new(6, "Bob"), "/start ad_1");
    assert_eq!(next.await.unwrap(), [second]);
    assert!(!telegram.is_confirmed(second));
    assert_eq!(api.updates(json!({"offset": second + 1})).await, [0; 0]);
    telegram.wait_until_confirmed(second).await.unwrap();
    // Our own bot is silent.
    assert_eq!((telegram.calls("sendMessage"), telegram.calls("setMyCommands")), (0, 0));
    assert_eq!(counted(&database).await, 2);
    bot.terminate().await;
}

async fn while_the_bot_behind_is_away_no_update_is_lost(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let people: Vec<Person> = (1..=40).map(|id| Person::new(id, "Ann")).collect();
    let ids: Vec<i64> =
        (0..240).map(|n| telegram.write(&people[n % people.len()], "hello")).collect();
    while stored(&database).await.len() < 40 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!telegram.is_confirmed(ids[0]));
    let poller = Poller::start(&api);
    poller.has_got(240).await;
    telegram.wait_until_confirmed(ids[239]).await.unwrap();
    assert_eq!(poller.counts(), ids.iter().map(|id| (*id, 1)).collect());
    assert_eq!(counted(&database).await, 240);
    bot.terminate().await;
}

async fn offsets_mean_what_they_mean_at_telegram(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let ann = Person::new(1, "Ann");
    let ids: Vec<i64> = (0..5).map(|_| telegram.write(&ann, "hello")).collect();
    let bot = api.serve(&telegram, &database, &[]).await;
    let first = api.updates(json!({"limit": 1, "timeout": 10})).await;
    assert_eq!(first, [ids[0]]);
    assert_eq!(api.updates(json!({"timeout": 10})).await, ids);
    // A part is confirmed. An old offset brings back nothing, and gets what is left.
    assert_eq!(api.updates(json!({"offset": ids[2], "limit": 2})).await, ids[2..4]);
    assert_eq!(api.updates(json!({"offset": ids[0]})).await, ids[2..]);
    // An offset far ahead confirms nothing, because Telegram may start ids again from a smaller number.
    assert_eq!(api.updates(json!({"offset": ids[4] + 5000})).await, ids[2..]);
    assert!(!telegram.is_confirmed(ids[2]));
    // The last one is wanted, of all that Telegram has.
    let many: Vec<i64> = (0..250).map(|_| telegram.write(&ann, "again")).collect();
    assert_eq!(api.updates(json!({"offset": -1})).await, [many[249]]);
    assert_eq!(api.updates(json!({"offset": many[249] + 1})).await, [0; 0]);
    telegram.wait_until_confirmed(many[249]).await.unwrap();
    assert_eq!(counted(&database).await, 255, "also what the bot behind did not want");
    bot.terminate().await;
}

async fn an_offset_from_before_a_restart_counts(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let ann = Person::new(1, "Ann");
    let ids = [1, 2, 3].map(|_| telegram.write(&ann, "hello"));
    while api.updates(json!({"timeout": 20})).await != ids {}
    bot.terminate().await;
    // The bot behind goes on. Its request comes before Rollcall has fetched anything.
    telegram.fail_next("getUpdates", Fault::Slow(Duration::from_secs(2)));
    let bot = api.launch(&telegram, &database, &[]);
    let next = {
        let api = api.clone();
        let offset = json!({"offset": ids[2] + 1, "timeout": 50});
        tokio::spawn(async move {
            loop {
                match api.try_call("getUpdates", &offset).await {
                    Ok(answer) => return answer["result"][0]["update_id"].clone(),
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        })
    };
    telegram.wait_until_confirmed(ids[2]).await.unwrap();
    let fourth = telegram.write(&ann, "hello");
    assert_eq!(next.await.unwrap(), fourth, "it has got the others before");
    assert_eq!(counted(&database).await, 4);
    bot.terminate().await;
}

async fn of_two_that_poll_the_first_is_ended(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let poll = || {
        let api = api.clone();
        tokio::spawn(async move { api.call("getUpdates", json!({"timeout": 50})).await })
    };
    let (first, second) = (poll(), poll());
    // Either may come first; the one before is ended, and the other one goes on.
    let ended = tokio::select! {
        ended = first => ended,
        ended = second => ended,
    };
    let ended = ended.unwrap();
    assert_eq!(ended["error_code"], 409, "{ended}");
    let description = "Conflict: terminated by other getUpdates request; make sure that only one \
                       bot instance is running";
    assert_eq!(ended["description"], description);
    bot.terminate().await;
}

async fn kinds_that_it_does_not_want_are_left_out(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let ann = Person::new(1, "Ann");
    let wanted = json!({"allowed_updates": ["message"], "timeout": 20});
    telegram.push(rollcall_simulator::Update::edited_text(&ann, "x"));
    let message = telegram.write(&ann, "hello");
    // By default an edited message is among them. The list is as of now, for updates from now on.
    let first = api.updates(wanted.clone()).await;
    let last = first.last().copied().unwrap();
    assert!(last <= message);
    let rest = api.updates(json!({"offset": message + 1})).await;
    assert_eq!(rest, [0; 0]);
    let edited = telegram.push(rollcall_simulator::Update::edited_text(&ann, "y"));
    let second = telegram.write(&ann, "hello");
    assert_eq!(api.updates(wanted).await, [second]);
    bot.terminate().await;
    assert!(telegram.is_confirmed(edited) && !telegram.is_confirmed(second));
    // It is stored, for the next start.
    let bot = api.serve(&telegram, &database, &[]).await;
    telegram.push(rollcall_simulator::Update::edited_text(&ann, "z"));
    assert_eq!(api.updates(json!({"timeout": 20})).await, [second]);
    let third = telegram.write(&ann, "hello");
    assert_eq!(api.updates(json!({"offset": second + 1, "timeout": 20})).await, [third]);
    assert_eq!(counted(&database).await, 6, "all are counted");
    bot.terminate().await;
}

async fn pending_updates_can_be_dropped(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let ann = Person::new(1, "Ann");
    let written: Vec<_> = (0..150).map(|_| telegram.write(&ann, "hello")).collect();
    let last = *written.last().unwrap();
    assert!(!api.updates(json!({"timeout": 20})).await.is_empty());
    let dropped = api.call("deleteWebhook", json!({"drop_pending_updates": true})).await;
    assert_eq!(dropped["result"], true, "{dropped}");
    assert_eq!(api.updates(json!({})).await, [0; 0]);
    telegram.wait_until_confirmed(last).await.unwrap();
    let next = telegram.write(&ann, "new");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [next]);
    assert_eq!(counted(&database).await, 151);
    bot.terminate().await;
}

async fn a_request_that_cannot_be_read_changes_nothing(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[]).await;
    let update = telegram.write(&Person::new(1, "Ann"), "hello");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [update]);
    let (garbage, large) = ("{\"offset\": ".to_owned(), " ".repeat(2 << 20));
    for (body, code) in [(garbage, 400), (large, 413)] {
        for method in ["getUpdates", "setWebhook", "deleteWebhook"] {
            let request = api.http.post(api.url(method)).header("Content-Type", "application/json");
            let response = request.body(body.clone()).send().await.unwrap();
            assert_eq!(response.status(), code, "{method}");
            // The rest of the body is not read, so the connection cannot be used again.
            let closes = response.headers().get("Connection").is_some_and(|it| it == "close");
            assert_eq!(closes, code == 413, "{method}");
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["error_code"], code, "{method}: {answer}");
        }
    }
    assert!(!telegram.is_confirmed(update));
    assert_eq!(api.updates(json!({})).await, [update]);
    bot.terminate().await;
}

async fn own_commands_are_answered_and_not_given(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let api = Api::new(&telegram).await;
    let bot = api.serve(&telegram, &database, &[("OWN_COMMANDS", "/id")]).await;
    let ann = Person::new(1, "Ann");
    let own = telegram.write(&ann, "/id");
    assert!(telegram.wait_for_message(1).await.unwrap().text.contains('1'));
    let help = telegram.write(&ann, "/help");
    assert_eq!(api.updates(json!({"timeout": 20})).await, [help]);
    assert_eq!(api.updates(json!({"offset": help + 1})).await, [0; 0]);
    telegram.wait_until_confirmed(help).await.unwrap();
    assert!(telegram.is_confirmed(own));
    assert_eq!(telegram.messages_to(1).len(), 1);
    bot.terminate().await;
}

async fn rollcall_may_get_them_by_webhook(database: ThrowAwayDatabase) {
    let telegram = Simulator::builder()
        .wait_timeout(Duration::from_secs(120))
        .webhook_retry(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    let api = Api::new(&telegram).await;
    let listen = free_address().await.to_string();
    let url = format!("http://{listen}/in");
    let settings = [
        ("WEBHOOK_URL", url.as_str()),
        ("WEBHOOK_SECRET", "Right-Secret_123"),
        ("LISTEN_ADDR", listen.as_str()),
    ];
    let bot = api.serve(&telegram, &database, &settings).await;
    let people: Vec<Person> = (1..=30).map(|id| Person::new(id, "Ann")).collect();
    let ids: Vec<i64> =
        (0..200).map(|n| telegram.write(&people[n % people.len()], "hello")).collect();
    let got = api.updates(json!({"timeout": 20, "limit": 1})).await;
    assert!(!telegram.is_confirmed(got[0]));
    let poller = Poller::start(&api);
    poller.has_got(200).await;
    telegram.wait_until_drained().await.unwrap();
    assert_eq!(poller.counts().into_keys().collect::<Vec<_>>(), ids);
    assert_eq!(counted(&database).await, 200);
    // The webhook at Telegram is ours, and that of the bot behind is none.
    let info = api.call("getWebhookInfo", json!({})).await;
    assert_eq!(info["result"]["url"], "", "{info}");
    bot.terminate().await;
}
