//! Rollcall in front of another bot: each update is stored, and then delivered to that bot as Telegram
//! would.
//!
//! `ROLLCALL_KILLS=50 cargo test -p bot --test forward -- --nocapture` kills either side as often as you
//! like, and prints what it counted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;
mod behind;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant},
};

use behind::{BotBehind, accepted, free_address, status};
use rollcall_repository::QuarantineRepository;
use rollcall_repository_diesel::{Database, DieselQuarantineRepository};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::{commands, counted, quarantined, stored},
};
use serde_json::{Value, json};
use tokio::time::sleep;

stories!(
    the_bot_behind_gets_each_update_byte_for_byte,
    by_webhook_too,
    while_the_bot_behind_is_away_no_update_is_lost,
    by_webhook_telegram_is_asked_to_redeliver_while_the_bot_behind_is_away,
    an_update_that_alone_is_refused_is_set_aside,
    while_every_update_is_refused_none_is_given_up,
    a_method_in_the_response_is_executed,
    own_commands_are_answered_and_not_forwarded,
    an_own_command_is_answered_once_while_another_update_waits,
    a_chat_waits_for_its_first_update_and_others_do_not,
    either_side_is_killed,
    either_side_is_killed_by_webhook,
);

const SECRET: &str = "between_us";

async fn the_bot_behind_gets_each_update_byte_for_byte(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    let url = behind.url();
    let settings = [("FORWARD_URL", url.as_str()), ("FORWARD_SECRET", SECRET)];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    check_delivery(&telegram, &behind, &database).await;
    bot.terminate().await;
}

async fn by_webhook_too(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    let url = behind.url();
    let hook = Hook::new().await;
    let settings = [&hook.settings()[..], &[("FORWARD_URL", &url), ("FORWARD_SECRET", SECRET)]];
    let bot = RunningBot::launch(&telegram, &database, &settings.concat());
    bot.said("ready: @").await;
    check_delivery(&telegram, &behind, &database).await;
    bot.terminate().await;
}

async fn check_delivery(telegram: &Simulator, behind: &BotBehind, database: &ThrowAwayDatabase) {
    let odd = r#"{"update_id":77000, "message":{"message_id":1,"date":1700000000,
        "chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false,"first_name":"Ann"},
        "text":"\u00e4 \ud83d\ude00","unknown":[1.50,null]}, "later":{}}"#;
    telegram.push_raw(odd);
    telegram.write(&Person::new(6, "Bob"), "/start ad_1");
    telegram.write(&Person::new(6, "Bob"), "/settings");
    // A webhook may get those of the other chat later.
    telegram.wait_until_drained().await.unwrap();
    let taken = behind.taken();
    assert_eq!(taken.len(), 3);
    let first = taken.iter().find(|it| it.id == 77_000).unwrap();
    assert_eq!(first.json, odd);
    assert!(taken.iter().all(|it| it.secret.as_deref() == Some(SECRET)));
    // Our own bot is silent.
    assert_eq!(telegram.calls("sendMessage"), 0);
    assert_eq!(telegram.calls("setMyCommands"), 0);
    let users = stored(database).await;
    assert_eq!(users.len(), 2);
    assert_eq!(counted(database).await, 3);
}

async fn while_the_bot_behind_is_away_no_update_is_lost(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let address = free_address().await;
    let url = format!("http://{address}/hook");
    let bot = RunningBot::start(&telegram, &database, &[("FORWARD_URL", &url)]).await;
    let people: Vec<Person> = (1..=40).map(|id| Person::new(id, "Ann")).collect();
    let ids: Vec<i64> =
        (0..240).map(|n| telegram.write(&people[n % people.len()], "hello")).collect();
    bot.said("the bot behind does not accept updates").await;
    // They are stored, but Telegram keeps them.
    while stored(&database).await.len() < 40 {
        sleep(Duration::from_millis(20)).await;
    }
    assert!(!telegram.is_confirmed(ids[0]));
    let behind = BotBehind::at(address).await;
    telegram.wait_until_confirmed(*ids.last().unwrap()).await.unwrap();
    assert_eq!(behind.counts(), ids.iter().map(|id| (*id, 1)).collect());
    in_order_per_chat(&behind);
    assert_eq!(counted(&database).await, 240);
    bot.terminate().await;
}

async fn by_webhook_telegram_is_asked_to_redeliver_while_the_bot_behind_is_away(
    database: ThrowAwayDatabase,
) {
    let telegram = Simulator::builder()
        .wait_timeout(Duration::from_secs(120))
        .webhook_retry(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let address = free_address().await;
    let url = format!("http://{address}/hook");
    let hook = Hook::new().await;
    let settings = [&hook.settings()[..], &[("FORWARD_URL", &url)]].concat();
    let bot = RunningBot::launch(&telegram, &database, &settings);
    bot.said("ready: @").await;
    let first = telegram.write(&Person::new(1, "Ann"), "hello");
    let second = telegram.write(&Person::new(2, "Bob"), "hello");
    bot.said("the bot behind does not accept updates").await;
    // A request that waits too long gets 503, and Telegram delivers it again.
    let body = json!({"update_id": 9_000_000, "message": {"message_id": 1, "date": 1_700_000_000,
        "chat": {"id": 3, "type": "private"}, "from": {"id": 3, "first_name": "Eve"}}});
    let request = reqwest::Client::new()
        .post(&hook.url)
        .header("X-Telegram-Bot-Api-Secret-Token", Hook::SECRET)
        .json(&body);
    assert_eq!(request.send().await.unwrap().status(), 503);
    assert!(!telegram.is_confirmed(first) && !telegram.is_confirmed(second));
    let behind = BotBehind::at(address).await;
    telegram.wait_until_confirmed(second).await.unwrap();
    telegram.wait_until_confirmed(first).await.unwrap();
    behind.wait_until(|taken| taken.len() == 3).await;
    assert_eq!(behind.counts(), [(first, 1), (second, 1), (9_000_000, 1)].into());
    assert_eq!(counted(&database).await, 3);
    bot.terminate().await;
}

async fn an_update_that_alone_is_refused_is_set_aside(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    behind.answer(|update| match update["message"]["text"].as_str() {
        Some("poison") => status(500),
        _ => accepted(update),
    });
    let url = behind.url();
    let settings = [("FORWARD_URL", url.as_str()), ("FORWARD_GIVE_UP_AFTER", "2s")];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let ann = Person::new(1, "Ann");
    let poison = telegram.write(&ann, "poison");
    let after = telegram.write(&ann, "hello");
    let begun = Instant::now();
    // Others are accepted meanwhile.
    let mut last = telegram.write(&Person::new(2, "Bob"), "hello");
    while !telegram.is_confirmed(poison) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", bot.log());
        sleep(Duration::from_millis(100)).await;
        last = telegram.write(&Person::new(2, "Bob"), "hello");
    }
    assert!(begun.elapsed() > Duration::from_secs(2));
    telegram.wait_until_confirmed(last).await.unwrap();
    assert!(behind.counts().contains_key(&after), "its chat goes on");
    assert!(!behind.counts().contains_key(&poison));
    assert_eq!(quarantined(&database).await, 1);
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let kept = DieselQuarantineRepository::new(storage).find(poison).await.unwrap().unwrap();
    let reason = "the bot behind does not accept it: it responded with the HTTP status 500";
    assert_eq!(kept.reason, reason);
    assert!(kept.undelivered && kept.registered && kept.payload.contains("poison"));
    bot.terminate().await;
}

async fn while_every_update_is_refused_none_is_given_up(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    let url = behind.url();
    let settings = [("FORWARD_URL", url.as_str()), ("FORWARD_GIVE_UP_AFTER", "1s")];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let before = telegram.write(&Person::new(1, "Ann"), "hello");
    telegram.wait_until_confirmed(before).await.unwrap();
    // A wrong secret, for example.
    behind.answer(|_| status(401));
    let ids: Vec<i64> =
        (2..=9).map(|id| telegram.write(&Person::new(id, "Bob"), "hello")).collect();
    sleep(Duration::from_secs(7)).await;
    assert!(ids.iter().all(|id| !telegram.is_confirmed(*id)), "{}", bot.log());
    assert_eq!(quarantined(&database).await, 0);
    behind.answer(accepted);
    telegram.wait_until_confirmed(*ids.last().unwrap()).await.unwrap();
    assert_eq!(behind.counts().len(), 9);
    assert_eq!(quarantined(&database).await, 0);
    bot.terminate().await;
}

async fn a_method_in_the_response_is_executed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    behind.answer(|update| {
        let chat = update["message"]["chat"]["id"].as_i64().unwrap();
        let (kind, body) = match update["message"]["text"].as_str().unwrap() {
            "json" => (
                "application/json; charset=utf-8",
                json!({"method": "sendMessage", "chat_id": chat, "text": "by JSON"}).to_string(),
            ),
            "form" => (
                "application/x-www-form-urlencoded",
                format!("method=sendMessage&chat_id={chat}&text=by+form"),
            ),
            "logout" => ("application/json", r#"{"method":"logOut"}"#.to_owned()),
            _ => ("text/html", "<h1>garbage</h1>".to_owned()),
        };
        (200, format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    });
    let url = behind.url();
    let bot = RunningBot::start(&telegram, &database, &[("FORWARD_URL", &url)]).await;
    telegram.write(&Person::new(1, "Ann"), "json");
    telegram.write(&Person::new(2, "Bob"), "form");
    telegram.write(&Person::new(3, "Eve"), "logout");
    let last = telegram.write(&Person::new(4, "Dan"), "html");
    assert_eq!(telegram.wait_for_message(1).await.unwrap().text, "by JSON");
    assert_eq!(telegram.wait_for_message(2).await.unwrap().text, "by form");
    telegram.wait_until_confirmed(last).await.unwrap();
    bot.said("ignored a method of the bot behind that would end Rollcall").await;
    assert_eq!(telegram.calls("logOut"), 0);
    bot.terminate().await;
}

async fn own_commands_are_answered_and_not_forwarded(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    call(
        &telegram,
        "setMyCommands",
        json!({"commands": [{"command": "buy", "description": "Buy"}]}),
    )
    .await;
    let behind = BotBehind::start().await;
    // The webhook that the bot behind has set itself is no foreign one.
    let url = behind.url();
    let settings =
        [("FORWARD_URL", url.as_str()), ("OWN_COMMANDS", "/id,/settings"), ("RUST_LOG", "debug")];
    let bot = RunningBot::cautious(&telegram, &database, &settings);
    bot.said("ready: @").await;
    bot.said("the commands of the bot behind are known").await;
    let ann = Person::new(1, "Ann");
    let own = telegram.write(&ann, "/id");
    assert!(telegram.wait_for_message(1).await.unwrap().text.contains('1'));
    let bought = telegram.write(&ann, "/buy now");
    let help = telegram.write(&ann, "/help");
    telegram.write(&ann, "/settings");
    let menu = telegram.wait_for_message(1).await.unwrap();
    let pressed = telegram.press(&ann, &menu, &menu.buttons()[0].data.clone().unwrap());
    telegram.wait_for_edit(&menu).await.unwrap();
    let foreign = telegram.press(&ann, &menu, "buy:7");
    telegram.wait_until_confirmed(foreign).await.unwrap();
    behind.wait_until(|taken| taken.len() == 3).await;
    let got: Vec<i64> = behind.counts().into_keys().collect();
    assert_eq!(got, [bought, help, foreign]);
    assert!(!got.contains(&own) && !got.contains(&pressed));
    // Known are the own commands, and those in the menus of the bot behind.
    let used: BTreeMap<String, i64> = commands(&database).await.into_iter().collect();
    assert_eq!(used.get("buy"), Some(&1), "{used:?}");
    assert_eq!(used.get("id"), Some(&1), "{used:?}");
    assert_eq!(used.get("help"), None, "{used:?}");
    bot.terminate().await;
}

async fn an_own_command_is_answered_once_while_another_update_waits(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    behind.answer(|_| status(500));
    let url = behind.url();
    let settings = [("FORWARD_URL", url.as_str()), ("OWN_COMMANDS", "/id")];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let waits = telegram.write(&Person::new(1, "Ann"), "hello");
    let own = telegram.write(&Person::new(2, "Bob"), "/id");
    telegram.wait_for_message(2).await.unwrap();
    // Telegram delivers both again every second.
    let fetched = telegram.fetched();
    while telegram.fetched() < fetched + 6 {
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(telegram.messages_to(2).len(), 1);
    assert!(!telegram.is_confirmed(waits));
    behind.answer(accepted);
    telegram.wait_until_confirmed(own).await.unwrap();
    assert_eq!(behind.counts(), [(waits, 1)].into());
    bot.terminate().await;
}

async fn a_chat_waits_for_its_first_update_and_others_do_not(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let behind = BotBehind::start().await;
    behind.answer(|update| match update["message"]["text"].as_str() {
        Some("slow") => status(500),
        _ => accepted(update),
    });
    let url = behind.url();
    let bot = RunningBot::start(&telegram, &database, &[("FORWARD_URL", &url)]).await;
    let (ann, bob) = (Person::new(1, "Ann"), Person::new(2, "Bob"));
    let slow = telegram.write(&ann, "slow");
    let waits = telegram.write(&ann, "second");
    let first = telegram.write(&bob, "hello");
    behind.wait_until(|taken| taken.iter().any(|it| it.id == first)).await;
    let second = telegram.write(&bob, "and again");
    behind.wait_until(|taken| taken.iter().any(|it| it.id == second)).await;
    assert!(!behind.counts().contains_key(&waits));
    assert!(!telegram.is_confirmed(slow));
    behind.answer(accepted);
    telegram.wait_until_confirmed(second).await.unwrap();
    let order: Vec<i64> = behind.taken().iter().map(|it| it.id).collect();
    let place = |id| order.iter().position(|it| *it == id).unwrap();
    assert!(place(slow) < place(waits), "{order:?}");
    assert_eq!(behind.counts(), [slow, waits, first, second].map(|id| (id, 1)).into());
    bot.terminate().await;
}

async fn either_side_is_killed(database: ThrowAwayDatabase) {
    survives(&database, &[]).await;
}

async fn either_side_is_killed_by_webhook(database: ThrowAwayDatabase) {
    let hook = Hook::new().await;
    survives(&database, &hook.settings()).await;
}

/// Both sides are killed by turns while people write. Every update reaches both: Rollcall counts it once,
/// and the bot behind gets it again only if it was on its way.
async fn survives(database: &ThrowAwayDatabase, settings: &[(&str, &str)]) {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(3, |kills| kills.parse().unwrap());
    let telegram = Simulator::builder()
        .wait_timeout(Duration::from_secs(120))
        .webhook_retry(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    let mut behind = BotBehind::start().await;
    let url = behind.url();
    let settings = [settings, &[("FORWARD_URL", url.as_str())]].concat();
    let people: Vec<Person> = (1..=101).map(|id| Person::new(id, "Ann")).collect();
    let mut ids = Vec::new();
    let mut write = |number: usize| {
        for _ in 0..number {
            ids.push(telegram.write(&people[ids.len() % people.len()], "hello"));
        }
    };
    for kill in 0..2 * kills {
        let mut bot = RunningBot::launch(&telegram, database, &settings);
        let before = behind.taken().len();
        write(60);
        behind.wait_until(|taken| taken.len() > before).await;
        write(60);
        sleep(Duration::from_millis(random() % 60)).await;
        if kill % 2 == 0 {
            bot.kill().await;
        } else {
            behind.kill().await;
            write(20);
            sleep(Duration::from_millis(random() % 300)).await;
            behind.resume().await;
            sleep(Duration::from_millis(random() % 300)).await;
            bot.kill().await;
        }
    }
    let bot = RunningBot::launch(&telegram, database, &settings);
    bot.said("ready: @").await;
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    let counts = behind.counts();
    let twice = counts.values().map(|number| number - 1).sum::<u64>();
    println!("{} updates, {} kills: {twice} got to the bot behind again", ids.len(), 3 * kills);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ids, "none is lost");
    assert_eq!(counted(database).await, u64::try_from(ids.len()).unwrap(), "each is counted once");
    assert_eq!(stored(database).await.len(), 101);
    // At most a batch of a hundred is on its way when a bot is killed.
    assert!(twice <= 100 * 3 * kills, "{twice}");
    assert_eq!(quarantined(database).await, 0);
}

/// The first deliveries of each chat are in order.
fn in_order_per_chat(behind: &BotBehind) {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for taken in behind.taken() {
        let update: Value = serde_json::from_str(&taken.json).unwrap();
        let chat = update["message"]["chat"]["id"].as_i64().unwrap();
        let before = last.insert(chat, taken.id);
        assert!(before.is_none_or(|before| before < taken.id), "{chat}");
    }
}

/// Where a bot by webhook listens.
struct Hook {
    url: String,
    listen: String,
}

impl Hook {
    const SECRET: &str = "Right-Secret_123";

    async fn new() -> Self {
        let listen = free_address().await.to_string();
        Self { url: format!("http://{listen}/in"), listen }
    }

    fn settings(&self) -> [(&str, &str); 3] {
        [
            ("WEBHOOK_URL", &self.url),
            ("WEBHOOK_SECRET", Self::SECRET),
            ("LISTEN_ADDR", &self.listen),
        ]
    }
}

/// What the bot behind sets up at Telegram.
async fn call(telegram: &Simulator, method: &str, parameters: Value) {
    let url = format!("{}/bot{}/{method}", telegram.url(), telegram.token());
    let response = reqwest::Client::new().post(url).json(&parameters).send().await.unwrap();
    assert!(response.status().is_success());
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
