//! The bot by webhook: the real program, to which a simulated Telegram, or a test by hand, brings
//! updates over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::{Duration, Instant};

use rollcall_simulator::{Fault, Person, Simulator, Update};
use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase};
use running::{
    RunningBot, WATCHED,
    database::{HeldDatabase, counted, quarantined, stored},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SECRET: &str = "Right-Secret_123";
const PATH: &str = "/under/a/path";

stories!(
    everybody_is_registered_and_answered,
    a_renamed_bot_is_noticed,
    presses_are_dated_by_telegrams_clock,
    what_is_not_stored_comes_again,
    processes_share_a_database_and_an_address,
    a_signal_lets_requests_and_answers_out,
    a_signal_ends_it_while_the_database_is_held,
    polling_and_webhook_take_turns,
);

async fn everybody_is_registered_and_answered(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let early = telegram.write(&Person::new(1000, "Early"), "/start");
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;

    let set = telegram.requests_to("setWebhook").pop().unwrap().params;
    assert_eq!(set["url"], hook.url);
    assert_eq!(set["secret_token"], SECRET);
    assert_eq!(set["max_connections"], 40);
    let kinds = set["allowed_updates"].as_array().unwrap();
    assert!(kinds.contains(&json!("message_reaction")), "every kind is asked for: {kinds:?}");
    assert_eq!(set.get("drop_pending_updates"), None);
    assert_eq!(telegram.calls("deleteWebhook") + telegram.calls("getUpdates"), 0);
    let menu = |telegram: &Simulator| (telegram.commands().len() == 5).then_some(());
    telegram.wait_for("the menu", menu).await.unwrap();

    telegram.wait_until_confirmed(early).await.unwrap();
    assert!(telegram.wait_for_message(1000).await.unwrap().text.contains("Early"));
    for id in 1..=100 {
        let person = Person::new(id, format!("Person {id}"));
        telegram.write(&person, "/start");
        telegram.write(&person, "/help");
    }
    telegram.wait_until_drained().await.unwrap();
    for id in 1..=100 {
        let first = telegram.wait_for_message(id).await.unwrap().text;
        assert!(first.contains(&format!("Person {id}\u{2069}")), "in order: {first}");
        assert!(telegram.wait_for_message(id).await.unwrap().text.starts_with("/start"));
    }
    let log = bot.terminate().await;
    let ready = "ready: @rollcall_bot receives updates by webhook bot_id=123456789 address=";
    assert!(log.contains(&format!("{ready}{}\n", hook.listen)), "{log}");
    assert_eq!(stored(&database).await.len(), 101);
}

async fn a_renamed_bot_is_noticed(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    telegram.rename_bot("new_bot");
    // At once, each in a request of its own.
    for id in 1..=20 {
        telegram.write(&Person::new(id, "Somebody"), "/start@new_bot ad_1");
    }
    for id in 1..=20 {
        telegram.wait_for_message(id).await.unwrap();
    }
    bot.terminate().await;
    assert_eq!(telegram.calls("getMe"), 2, "asked once for all");
    let users = stored(&database).await;
    assert_eq!(users.iter().filter(|user| user.source.is_some()).count(), 20);
}

/// Where this machine's clock is an hour ahead, what answers of the Bot API show counts.
async fn presses_are_dated_by_telegrams_clock(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    telegram.set_clock(-3600);
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    for (name, update) in [
        ("Ada", Update::callback_query(&Person::new(1815, "Ada"), "data")),
        ("Augusta", Update::text(&Person::new(1815, "Augusta"), "hello")),
    ] {
        let update = telegram.push(update);
        telegram.wait_until_confirmed(update).await.unwrap();
        assert_eq!(stored(&database).await[0].first_name, name);
    }
    assert!(bot.terminate().await.contains(" seconds ahead of Telegram's"));
}

/// While the database cannot be written, updates are refused; once it can, they come again, and
/// nothing is missing. The outage is logged once.
async fn what_is_not_stored_comes_again(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    let held = HeldDatabase::hold(&database);
    let updates: Vec<i64> =
        (1..=20).map(|id| telegram.write(&Person::new(id, "Ada"), "/start")).collect();
    let (one, two) = (message(21, 21, "/start"), message(22, 22, "/start"));
    assert_eq!(tokio::join!(hook.bring(&one), hook.bring(&two)), (503, 503));
    assert!(updates.iter().all(|update| !telegram.is_confirmed(*update)));
    assert_eq!(telegram.calls("sendMessage"), 0);

    drop(held);
    for (id, update) in (1..=20).zip(updates) {
        telegram.wait_until_confirmed(update).await.unwrap();
        telegram.wait_for_message(id).await.unwrap();
    }
    let log = bot.terminate().await;
    // SQLite reports a lock; PostgreSQL waits for it silently.
    for message in ["updates are not stored in time; ", "users cannot be registered; "] {
        assert!(log.matches(message).count() <= 1, "{log}");
    }
    assert!(log.contains("updates are not stored in time; trying again until it works"), "{log}");
    let mut users = stored(&database).await;
    users.retain(|user| user.telegram_id.get() <= 20);
    assert_eq!(users.len(), 20);
}

async fn processes_share_a_database_and_an_address(database: ThrowAwayDatabase) {
    share_an_address(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_a_pooler_with_another_program() {
    let Some(pooled) = PooledDatabase::start() else { return };
    share_an_address(pooled.database()).await;
    pooled.check_sessions();
}

async fn share_an_address(database: &ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let (one, two) = (Hook::new(PATH).await, Hook::new(PATH).await);
    // One address for both, behind which a proxy would choose one.
    let address = [("WEBHOOK_URL", one.url.as_str())];
    let (first, second) = tokio::join!(
        one.start(&telegram, database, &address),
        two.start(&telegram, database, &address)
    );
    let urls = telegram.requests_to("setWebhook").into_iter().map(|it| it.params["url"].clone());
    assert_eq!(urls.collect::<Vec<_>>(), [one.url.as_str(), one.url.as_str()]);

    // Every update comes to both at once, and half of the people write twice.
    let mut brought = tokio::task::JoinSet::new();
    for update_id in 0..150 {
        for hook in [&one, &two] {
            let (hook, update) = (hook.clone(), message(update_id, 1 + update_id % 100, "hello"));
            brought.spawn(async move { hook.bring(&update).await });
        }
    }
    assert!(brought.join_all().await.into_iter().all(|status| status == 200));
    let mut ids: Vec<_> = stored(database).await.iter().map(|it| it.telegram_id.get()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=100).collect::<Vec<_>>());

    // One goes, the other goes on.
    first.terminate().await;
    assert_eq!(two.bring(&message(200, 200, "hello")).await, 200);
    second.terminate().await;
    assert_eq!(telegram.calls("deleteWebhook"), 0);
    assert_eq!(stored(database).await.len(), 101);
    assert_eq!(counted(database).await, 151, "each update once, whichever process took it");
    assert_eq!(quarantined(database).await, 0);
}

async fn a_signal_lets_requests_and_answers_out(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    telegram.introduce(&Person::new(1815, "Ada"));
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    // Half of a request is there, and the bot reads it.
    let update = message(1, 1815, "/start");
    let (half, rest) = update.split_at(20);
    let mut request = hook.connect().await;
    let head = format!("expect: 100-continue\r\ncontent-length: {}\r\n", update.len());
    request.write_all(hook.head("POST", PATH, Some(SECRET), &head).as_bytes()).await.unwrap();
    let mut goes_on = [0; 25];
    request.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    request.write_all(half.as_bytes()).await.unwrap();

    let asked = Instant::now();
    bot.send("TERM").await;
    bot.said("stopping: no more requests are accepted").await;
    assert!(TcpStream::connect(("127.0.0.1", hook.port)).await.is_err());
    telegram.fail_next("sendMessage", Fault::Slow(Duration::from_millis(300)));
    request.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(status(request).await, 200);
    let (code, log) = bot.ended().await;
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("stopped"), "{log}");
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(telegram.messages_to(1815).len(), 1, "what was under way was finished");
    assert_eq!(stored(&database).await.len(), 1);
}

async fn a_signal_ends_it_while_the_database_is_held(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, WATCHED).await;
    let held = HeldDatabase::hold(&database);
    let update = telegram.write(&Person::new(1815, "Ada"), "/start");
    bot.registers().await;
    let asked = Instant::now();
    bot.terminate().await;
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert!(!telegram.is_confirmed(update));

    drop(held);
    let bot = hook.start(&telegram, &database, &[]).await;
    telegram.wait_until_confirmed(update).await.unwrap();
    telegram.wait_for_message(1815).await.unwrap();
    bot.terminate().await;
}

async fn polling_and_webhook_take_turns(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    for round in [1, 2] {
        let polled = telegram.write(&Person::new(round * 10, "Polled"), "/start");
        let bot = RunningBot::start(&telegram, &database, &[]).await;
        telegram.wait_until_confirmed(polled).await.unwrap();
        bot.terminate().await;

        // At the root of an address of its own.
        let brought = telegram.write(&Person::new(round * 10 + 1, "Brought"), "/start");
        let bot = Hook::new("").await.start(&telegram, &database, &[]).await;
        telegram.wait_until_confirmed(brought).await.unwrap();
        bot.terminate().await;
    }
    let mut ids: Vec<_> = stored(&database).await.iter().map(|it| it.telegram_id.get()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [10, 11, 20, 21]);
    assert_eq!(telegram.delivered().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_telegram_is_let_in_and_only_where_it_is_asked_to() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    let update = message(1, 1815, "hello");

    let longer = format!("{SECRET}x");
    for wrong in [None, Some(""), Some("Right-Secret_"), Some(&longer), Some("right-secret_1")] {
        assert_eq!(hook.request("POST", PATH, wrong, &update).await, 401, "{wrong:?}");
    }
    for path in ["/", "/under/a", "/under/a/path/", "/Under/a/path", "/under/a/path/more", "//"] {
        assert_eq!(hook.request("POST", path, Some(SECRET), &update).await, 404, "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "NONSENSE"] {
        assert_eq!(hook.request(method, PATH, Some(SECRET), &update).await, 405, "{method}");
    }
    let too_long = " ".repeat((1 << 20) - update.len() + 1) + &update;
    assert_eq!(hook.bring(&too_long).await, 413);
    // What is not read does not keep the answer from its client.
    let huge = " ".repeat(20 << 20);
    assert_eq!(hook.bring(&huge).await, 413);
    assert_eq!(hook.request("POST", PATH, None, &huge).await, 401);
    assert!(stored(&database).await.is_empty());

    // An update that Telegram would redeliver forever is acknowledged and logged.
    for garbage in ["", "garbage", "\u{0}", r#"{"update_id":"#, "[]", "7", "null", "{}"] {
        assert_eq!(hook.bring(garbage).await, 200, "{garbage:?}");
    }
    assert_eq!(hook.bring(r#"{"update_id":2,"message":"garbage"}"#).await, 200);
    assert!(stored(&database).await.is_empty());

    let long = &too_long[1..];
    assert_eq!(hook.bring(long).await, 200);
    let with_query = format!("{PATH}?a=b");
    assert_eq!(hook.request("POST", &with_query, Some(SECRET), &message(3, 7, "x")).await, 200);
    let log = bot.terminate().await;
    assert_eq!(stored(&database).await.len(), 2);
    assert_eq!(
        log.matches("refused webhook requests without the right WEBHOOK_SECRET").count(),
        1,
        "{log}"
    );
    assert!(log.contains("ignored a webhook request whose body is not an update"), "{log}");
    assert!(log.contains("could not be read in full, and is set aside update_id=2 "), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_come_to_its_end_is_given_up() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    let mut request = hook.connect().await;
    let head = hook.head("POST", PATH, Some(SECRET), "content-length: 100\r\n");
    request.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(request).await, 408);
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let bot = Hook::new(PATH).await.start(&telegram, &database, &[]).await;
    telegram.fail_next("sendMessage", Fault::Slow(Duration::from_secs(60)));
    telegram.write(&Person::new(1815, "Ada"), "/start");
    telegram.wait_for_requests("sendMessage", 1).await.unwrap();
    bot.send("TERM").await;
    bot.said("stopping: no more requests are accepted").await;
    bot.send("TERM").await;
    let (code, _) = bot.ended().await;
    assert_eq!(code, 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_telegram_that_sets_no_webhook_yet() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    telegram.fail_next("setWebhook", Fault::internal());
    telegram.fail_next("setWebhook", Fault::bad_gateway());
    for cause in
        ["Failed to resolve host: Temporary failure in name resolution", "Connection refused"]
    {
        let refused = Fault::api(400, format!("Bad Request: bad webhook: {cause}"));
        telegram.fail_next("setWebhook", refused);
    }
    let hook = Hook::new(PATH).await;
    let bot = hook.start(&telegram, &database, &[]).await;
    let log = bot.terminate().await;
    assert_eq!(log.matches("the webhook cannot be set; trying again").count(), 1, "{log}");

    // A signal ends the wait too.
    telegram.fail_always("setWebhook", Fault::internal());
    let bot = hook.start_until("the webhook cannot be set", &telegram, &database, &[]).await;
    assert!(!bot.terminate().await.contains("ready: @"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_telegram_refuses_ends_it() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new(PATH).await;
    for (fault, expected) in [
        (
            Fault::api(
                400,
                "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
            ),
            "error: the webhook cannot be set: Telegram refused setWebhook: 400 Bad Request: bad webhook: ",
        ),
        (Fault::unauthorized(), "error: Telegram does not accept the bot token: it is wrong, "),
    ] {
        telegram.fail_next("setWebhook", fault);
        let (code, output) = hook.fails(&telegram, &database, &[]).await;
        assert_eq!(code, 1);
        assert!(output.starts_with(expected), "{output}");
        assert_eq!(output.lines().count(), 1, "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_reported_in_one_line() {
    let telegram = Simulator::start().await.unwrap();
    let database = ThrowAwayDatabase::sqlite();
    let hook = Hook::new("/private").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    for (name, value, expected) in [
        (
            "WEBHOOK_SECRET",
            "",
            "error: WEBHOOK_SECRET is not set, but WEBHOOK_URL requires it; expected 16",
        ),
        (
            "WEBHOOK_SECRET",
            "hunter2!",
            "error: WEBHOOK_SECRET: it is not a safe webhook secret; expected",
        ),
        ("WEBHOOK_URL", "/private", "error: WEBHOOK_URL: it is not an address for updates; "),
        ("LISTEN_ADDR", "off", "error: LISTEN_ADDR is off, but WEBHOOK_URL requires it; expected "),
        ("LISTEN_ADDR", "8080", "error: LISTEN_ADDR: it is not an address to listen on; expected "),
        ("LISTEN_ADDR", &taken, &format!("error: LISTEN_ADDR: cannot listen on {taken}: Address ")),
        (
            "TELEGRAM_API_URL",
            "https://api.telegram.org",
            "error: WEBHOOK_URL: Telegram delivers updates only over https; expected",
        ),
    ] {
        let (code, output) = hook.fails(&telegram, &database, &[(name, value)]).await;
        assert_eq!(code, 1, "{output}");
        assert!(output.starts_with(expected), "{output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(!output.contains("hunter2") && !output.contains("/private"), "{output}");
    }
    assert!(!database.file().unwrap().exists(), "a wrong setting changes nothing");

    // Where nobody asked for a webhook, a port that is taken and the secret do not matter.
    let idle =
        [("LISTEN_ADDR", taken.as_str()), ("WEBHOOK_SECRET", "hunter2!"), ("WEBHOOK_URL", "")];
    let log = RunningBot::start(&telegram, &database, &idle).await.terminate().await;
    let message = format!("LISTEN_ADDR: cannot listen on {taken}: Address already in use");
    assert!(log.contains(&message), "{log}");
    assert!(log.contains("runs without the web admin, /metrics, /healthz, /readyz"), "{log}");
    drop(listener);
}

/// A day at trace level.
#[tokio::test(flavor = "multi_thread")]
async fn neither_secrets_nor_what_people_write_is_logged() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    let hook = Hook::new("/hiddenpath?hiddenquery=1").await;
    let bot = hook.start(&telegram, &database, &[("RUST_LOG", "trace")]).await;
    let person = Person::new(1815, "Hiddenfirst").username("hiddenname");
    let last = telegram.write(&person, "/start Hiddentext");
    telegram.wait_until_confirmed(last).await.unwrap();
    telegram.wait_for_message(1815).await.unwrap();
    let post = async |path: &str, secret: &str, body: &str| {
        hook.request("POST", path, Some(secret), body).await
    };
    assert_eq!(post("/hiddenpath?hiddenquery=2", "Hiddensecret", "hiddenbody").await, 401);
    assert_eq!(post("/hiddenother", SECRET, "hiddenbody").await, 404);
    assert_eq!(post("/hiddenpath", SECRET, "hiddenbody").await, 200);
    assert_eq!(post("/hiddenpath", SECRET, r#"{"update_id":9,"message":"hiddenbody"}"#).await, 200);
    let log = bot.terminate().await;
    assert!(log.contains("registered telegram_id=1815"), "{log}");
    let lower = log.to_lowercase();
    assert!(!lower.contains("hidden") && !log.contains(SECRET), "{log}");
}

/// Where updates are brought to.
#[derive(Clone)]
struct Hook {
    port: u16,
    url: String,
    listen: String,
}

impl Hook {
    /// At a port of its own that is free.
    async fn new(path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (url, listen) = (format!("http://{address}{path}"), address.to_string());
        Self { port: address.port(), url, listen }
    }

    /// Starts a bot here, and waits until it takes updates.
    async fn start(
        &self,
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> RunningBot {
        self.start_until("receives updates by webhook", telegram, database, settings).await
    }

    async fn start_until(
        &self,
        said: &str,
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> RunningBot {
        let url = telegram.url();
        let own = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        let settings = [&own, self.settings().as_slice(), settings].concat();
        RunningBot::start_until(database, &settings, said).await
    }

    /// Runs a bot here that is to fail by itself.
    async fn fails(
        &self,
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> (i32, String) {
        let settings = [self.settings().as_slice(), settings].concat();
        RunningBot::fails(telegram, database, &settings).await
    }

    fn settings(&self) -> [(&str, &str); 3] {
        [("WEBHOOK_URL", &self.url), ("WEBHOOK_SECRET", SECRET), ("LISTEN_ADDR", &self.listen)]
    }

    /// Brings an update as Telegram would; answers the status.
    async fn bring(&self, update: &str) -> u16 {
        self.request("POST", PATH, Some(SECRET), update).await
    }

    /// Makes a request and answers the status.
    async fn request(&self, method: &str, path: &str, secret: Option<&str>, body: &str) -> u16 {
        let mut connection = self.connect().await;
        let length = format!("content-length: {}\r\n", body.len());
        let request = self.head(method, path, secret, &length) + body;
        connection.write_all(request.as_bytes()).await.unwrap();
        status(connection).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// The head of a request; `headers` are whole lines.
    fn head(&self, method: &str, path: &str, secret: Option<&str>, headers: &str) -> String {
        let secret = secret.map(|it| format!("X-Telegram-Bot-Api-Secret-Token: {it}\r\n"));
        let secret = secret.unwrap_or_default();
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{secret}{headers}\r\n")
    }
}

/// The status of the answer, which has no body where it is good.
async fn status(mut connection: TcpStream) -> u16 {
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(status != 200 || body.is_empty(), "{answer}");
    status
}

/// A message in a private chat, as Telegram words it.
fn message(update_id: i64, from: i64, text: &str) -> String {
    let update: Value = json!({
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "date": 1_700_000_000,
            "from": {"id": from, "is_bot": false, "first_name": "Ada"},
            "chat": {"id": from, "type": "private", "first_name": "Ada"},
            "text": text,
        },
    });
    update.to_string()
}
