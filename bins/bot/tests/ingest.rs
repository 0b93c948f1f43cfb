//! A bot that runs elsewhere and sends its updates to the real program, on each database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use reqwest::{RequestBuilder, Response};
use rollcall_domain::{Clock, SystemClock};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselBotRepository};
use rollcall_service::AdminService;
use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::{HeldDatabase, counted, quarantined, stored, tamper},
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::sleep,
};

stories!(
    updates_are_registered_once_in_each_form,
    only_keys_with_the_scope_and_the_bot_are_let_in,
    what_is_no_update_is_refused_with_its_place,
    a_held_database_loses_nothing,
    a_busy_server_asks_to_wait,
    a_bot_that_only_sent_updates_is_not_taken_over,
);

/// A bot, and what a program needs to send it updates.
struct Beside {
    telegram: Simulator,
    bot: RunningBot,
    url: String,
    admins: AdminService,
    key: String,
    http: reqwest::Client,
}

impl Beside {
    async fn start(database: &ThrowAwayDatabase) -> Self {
        Self::start_under(database, "").await
    }

    /// Behind a reverse proxy that passes on the paths below `prefix`.
    async fn start_under(database: &ThrowAwayDatabase, prefix: &str) -> Self {
        let telegram = Simulator::start().await.unwrap();
        let free =
            TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let public = format!("http://example.org{prefix}");
        let settings = [("LISTEN_ADDR", free.as_str()), ("PUBLIC_URL", &public)];
        let bot = RunningBot::start(&telegram, database, &settings).await;
        bot.said("the web admin is at ").await;
        let admins = admins(database).await;
        let key = create_key(&admins, "shop", "ingest").await;
        let (url, http) = (format!("http://{free}{prefix}"), reqwest::Client::new());
        Self { telegram, bot, url, admins, key, http }
    }

    fn request(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request_with("", body)
    }

    fn request_with(&self, query: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = format!("{}/ingest{query}", self.url);
        self.http.post(url).bearer_auth(&self.key).body(body)
    }

    /// Sends updates; answers the status and the response.
    async fn send(&self, updates: &Value) -> (u16, Value) {
        read(self.request(updates.to_string()).send().await.unwrap()).await
    }
}

async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    AdminService::new(DieselAdminRepository::new(database), SystemClock, [].into())
}

async fn create_key(admins: &AdminService, name: &str, scopes: &str) -> String {
    let (name, scopes) = (name.parse().unwrap(), scopes.parse().unwrap());
    admins.create_api_key(&name, scopes, None).await.unwrap().0.as_str().to_owned()
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"));
    (status, json)
}

fn update(id: i64, user: i64) -> Value {
    json!({
        "update_id": id,
        "message": {
            "message_id": id,
            "date": 1_700_000_000,
            "from": { "id": user, "is_bot": false, "first_name": "Ann" },
            "chat": { "id": user, "type": "private", "first_name": "Ann" },
            "text": "hello",
        },
    })
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn counts(registered: u32, repeated: u32, set_aside: u32, no_actor: u32) -> Value {
    json!({
        "registered": registered,
        "repeated": repeated,
        "set_aside": set_aside,
        "no_actor": no_actor,
        "not_stored": 0,
        "suppressed": 0,
    })
}

async fn updates_are_registered_once_in_each_form(database: ThrowAwayDatabase) {
    let beside = Beside::start(&database).await;
    assert_eq!(beside.send(&update(1, 11)).await, (200, counts(1, 0, 0, 0)));
    let batch = json!([update(1, 11), update(2, 11), update(3, 12), update(3, 12)]);
    assert_eq!(beside.send(&batch).await, (200, counts(2, 2, 0, 0)));
    let response = json!({ "ok": true, "result": [update(3, 12), update(4, 13)] });
    assert_eq!(beside.send(&response).await, (200, counts(1, 1, 0, 0)));
    assert_eq!(beside.send(&json!([])).await, (200, counts(0, 0, 0, 0)));

    let text = json!([update(5, 14), { "update_id": 6, "poll": { "id": "7" } }]).to_string();
    let request = beside.request(packed(&text)).header("Content-Encoding", "gzip");
    assert_eq!(read(request.send().await.unwrap()).await, (200, counts(1, 0, 0, 1)));

    let odd = json!({ "update_id": 7, "message": "garbage" });
    let unknown =
        json!({ "update_id": 8, "new_in_2030": { "from": { "id": 15, "first_name": "N" } } });
    let body = json!([odd, unknown, update(5, 14)]).to_string();
    let each = beside.request_with("?each=1", body).send().await.unwrap();
    let mut expected = counts(1, 1, 1, 0);
    expected["updates"] = json!([
        { "update_id": 7, "outcome": "set_aside", "telegram_id": null, "created": false },
        { "update_id": 8, "outcome": "registered", "telegram_id": 15, "created": true },
        { "update_id": 5, "outcome": "repeated", "telegram_id": 14, "created": false },
    ]);
    assert_eq!(read(each).await, (200, expected));

    let mut users: Vec<i64> =
        stored(&database).await.iter().map(|user| user.telegram_id.get()).collect();
    users.sort_unstable();
    assert_eq!(users, [11, 12, 13, 14, 15]);
    assert_eq!((counted(&database).await, quarantined(&database).await), (6, 1));
}

async fn only_keys_with_the_scope_and_the_bot_are_let_in(database: ThrowAwayDatabase) {
    let beside = Beside::start_under(&database, "/behind/a/proxy").await;
    let url = format!("{}/ingest", beside.url);
    let bare = || reqwest::Client::new().post(&url).body(update(1, 11).to_string());
    let response = bare().send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(read(response).await.0, 401);
    for wrong in ["", "rollcall_", "rollcall_AAAA", &"A".repeat(5000), &beside.key[1..]] {
        let response = bare().bearer_auth(wrong).send().await.unwrap();
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let (status, body) = read(response).await;
        assert_eq!(status, 401, "{body}");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }

    let reader = create_key(&beside.admins, "reader", "read,write").await;
    let response = bare().bearer_auth(reader).send().await.unwrap();
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!(challenge, r#"Bearer error="insufficient_scope", scope="ingest""#);
    let (status, body) = read(response).await;
    assert_eq!((status, &body["scope"]), (403, &json!("ingest")));

    let bot = beside.telegram.token().split(':').next().unwrap().parse::<i64>().unwrap();
    let named = |bot: i64| beside.request(update(1, 11).to_string()).header("Rollcall-Bot-Id", bot);
    let (status, body) = read(named(bot + 1).send().await.unwrap()).await;
    assert_eq!(status, 403, "{body}");
    let other = beside.request_with(&format!("?bot_id={}", bot + 1), "[]");
    assert_eq!(read(other.send().await.unwrap()).await.0, 403);
    let wrong = beside.request_with("?bot_id=123:token", "[]");
    assert_eq!(read(wrong.send().await.unwrap()).await.0, 400);
    assert!(stored(&database).await.is_empty());
    assert_eq!(read(named(bot).send().await.unwrap()).await, (200, counts(1, 0, 0, 0)));

    beside.admins.revoke_api_key("shop", None).await.unwrap();
    let (status, body) = beside.send(&update(2, 12)).await;
    assert_eq!((status, &body["error"]), (401, &json!("unknown or revoked key")));
    assert_eq!(stored(&database).await.len(), 1);
    assert!(beside.bot.has_said("refused API requests with unknown or revoked keys"));
    assert!(!beside.bot.log().contains(&beside.key), "keys are not logged");

    for (path, method) in [("/ingest", "GET"), ("/ingest/", "POST"), ("/api/nothing", "GET")] {
        let url = format!("{}{path}", beside.url);
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        let (status, body) = read(request.send().await.unwrap()).await;
        assert!([404, 405].contains(&status) && body["error"].is_string(), "{status} {body}");
    }
}

async fn what_is_no_update_is_refused_with_its_place(database: ThrowAwayDatabase) {
    let beside = Beside::start(&database).await;
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    for (body, element) in [
        ("", None),
        ("{", None),
        ("update_id=1", None),
        ("5", None),
        ("{}", None),
        (r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, None),
        (r#"{"update_id":"1"}"#, None),
        (r#"{"update_id":99999999999999999999}"#, None),
        (r#"[{"update_id":1},{"message":{}}]"#, Some(1)),
        (r#"[{"update_id":1},[],5]"#, Some(1)),
        (r#"{"ok":true,"result":[null]}"#, Some(0)),
        (deep.as_str(), Some(0)),
    ] {
        let (status, answer) = read(beside.request(body.to_owned()).send().await.unwrap()).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!((status, answer["element"].as_u64()), (400, element), "{shown}: {answer}");
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    let many = Value::Array((0..1001).map(|id| update(id, 11)).collect());
    let (status, answer) = beside.send(&many).await;
    let expected = "1001 updates; expected at most 1000 in one request";
    assert_eq!((status, &answer["error"]), (400, &json!(expected)));

    let large = format!("[{}]", " ".repeat(8 << 20));
    let gzip = |body: Vec<u8>| beside.request(body).header("Content-Encoding", "gzip");
    let bomb = packed(&" ".repeat(64 << 20)).repeat(20);
    assert!(bomb.len() < 2 << 20, "1.3 GB in {} bytes", bomb.len());
    for request in [
        beside.request(large.clone()),
        beside.request(reqwest::Body::from(large.clone())).header("Transfer-Encoding", "chunked"),
        gzip(packed(&large)),
        gzip(bomb),
    ] {
        let (status, answer) = read(request.send().await.unwrap()).await;
        assert_eq!((status, &answer["max_bytes"]), (413, &json!(8 << 20)), "{answer}");
    }
    assert_eq!(read(gzip(b"{}".to_vec()).send().await.unwrap()).await.0, 400);
    let packed = packed(&update(1, 11).to_string());
    assert_eq!(read(gzip(packed[..20].to_vec()).send().await.unwrap()).await.0, 400);
    for (header, value) in [("Content-Encoding", "br"), ("Content-Type", "text/html")] {
        let request = beside.request(update(1, 11).to_string()).header(header, value);
        assert_eq!(read(request.send().await.unwrap()).await.0, 415, "{value}");
    }
    assert!(stored(&database).await.is_empty());
    assert_eq!(quarantined(&database).await, 0);
    let memory = beside.bot.peak_memory_bytes();
    assert!(memory < 200 << 20, "{memory} bytes");
}

async fn a_held_database_loses_nothing(database: ThrowAwayDatabase) {
    let beside = Beside::start(&database).await;
    let held = HeldDatabase::hold(&database);
    let (status, answer) = beside.send(&json!([update(1, 11), update(2, 12)])).await;
    assert_eq!(status, 503, "{answer}");
    drop(held);
    let (status, answer) = beside.send(&json!([update(1, 11), update(2, 12)])).await;
    let sum = |name: &str| answer[name].as_u64().unwrap();
    assert_eq!((status, sum("registered") + sum("repeated")), (200, 2), "{answer}");
    assert_eq!(counted(&database).await, 2);

    tamper(&database, "ALTER TABLE telegram_users RENAME TO moved");
    let response = beside.request(update(3, 13).to_string()).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(read(response).await.0, 503);
    tamper(&database, "ALTER TABLE moved RENAME TO telegram_users");
    assert_eq!(beside.send(&update(3, 13)).await, (200, counts(1, 0, 0, 0)));
}

async fn a_busy_server_asks_to_wait(database: ThrowAwayDatabase) {
    let beside = Beside::start(&database).await;
    // Eight clients stop shortly before the end of a body of the largest size. That is all the memory
    // for bodies.
    let address = beside.url.strip_prefix("http://").unwrap();
    let largest = 8 << 20;
    let head = format!(
        "POST /ingest HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {largest}\r\n\r\n",
        beside.key
    );
    let mut stopped = Vec::new();
    for _ in 0..8 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b' '; largest - 1]).await.unwrap();
        stopped.push(client);
    }
    // What the system has taken from a client, the server may not have read yet. A request meanwhile would
    // take memory from the last of them.
    while unread(address) > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    let send = async || beside.request(update(1, 11).to_string()).send().await.unwrap();
    let busy = send().await;
    assert_eq!(busy.headers()["retry-after"], "1");
    let (status, answer) = read(busy).await;
    assert_eq!((status, answer["error"].is_string()), (429, true), "{answer}");
    // Reading needs no body.
    let reader = create_key(&beside.admins, "reader", "read").await;
    let stats = reqwest::Client::new().get(format!("{}/api/v1/stats", beside.url));
    assert_eq!(stats.bearer_auth(reader).send().await.unwrap().status(), 200);

    drop(stopped);
    let again = loop {
        let response = send().await;
        if response.status() != 429 {
            break response;
        }
    };
    assert_eq!(read(again).await, (200, counts(1, 0, 0, 0)));
    assert_eq!(counted(&database).await, 1);
}

/// How many bytes the system holds that the server at this address has not read.
fn unread(address: &str) -> u64 {
    let (_, port) = address.rsplit_once(':').unwrap();
    let end = format!(":{:04X}", port.parse::<u16>().unwrap());
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let bytes = connections.lines().skip(1).map(|line| {
        // Of proc(5): the places of both ends, the state, and what waits to be sent and to be read.
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (is_server, is_client) = (fields[1].ends_with(&end), fields[2].ends_with(&end));
        let (to_send, to_read) = fields[4].split_once(':').unwrap();
        match (is_server, is_client, fields[3]) {
            (true, _, state) if state != LISTENING => u64::from_str_radix(to_read, 16).unwrap(),
            (_, true, _) => u64::from_str_radix(to_send, 16).unwrap(),
            _ => 0,
        }
    });
    bytes.sum()
}

/// The state of a socket that listens, in the system's table.
const LISTENING: &str = "0A";

async fn a_bot_that_only_sent_updates_is_not_taken_over(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let client = reqwest::Client::new();
    let hook = format!("{}/bot{}/setWebhook", telegram.url(), telegram.token());
    let hook = client.post(hook).json(&json!({ "url": "http://127.0.0.1:9/hook" }));
    assert!(hook.send().await.unwrap().status().is_success());
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let bot = telegram.token().split(':').next().unwrap().parse::<i64>().unwrap();
    let bots = DieselBotRepository::new(storage);
    let now = SystemClock.now();
    bots.reserve(bot.try_into().unwrap(), now).await.unwrap();

    let (code, output) = RunningBot::cautious(&telegram, &database, &[]).ended().await;
    assert!(code == 1 && output.contains("is already in use (webhook http"), "{output}");
    assert_eq!(telegram.calls("deleteWebhook"), 0);
    assert!(!bots.has_run().await.unwrap());

    let running = RunningBot::start(&telegram, &database, &[]).await;
    running.terminate().await;
    assert!(bots.has_run().await.unwrap());
    let running = RunningBot::cautious(&telegram, &database, &[]);
    running.said("ready: @").await;
}
