//! `manage runserver` takes the updates of a bot that runs elsewhere, without a token.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::{process::Stdio, time::Duration};

use futures_util::future::join_all;
use program::run;
use rollcall_domain::Figure;
use rollcall_repository::ActivityRepository;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::watch,
    time::{Instant, timeout},
};

const PATIENCE: Duration = Duration::from_secs(60);
/// How many updates are sent while the server is killed again and again.
const UPDATES: i64 = 10_000;
const USERS: i64 = 500;
const BATCH: i64 = 50;
const SENDERS: i64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_takes_updates_without_a_token() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let key = create_key(&database, "api-keys create shop --scope ingest --bot-id 123456789");
        let address = free_address().await;
        let server = Server::start(&database, &address).await;
        let (status, taken) = send(&address, &key, &json!([update(1), update(2)])).await.unwrap();
        assert_eq!((status, &taken["registered"]), (200, &json!(2)));
        let (status, taken) = send(&address, &key, &update(2)).await.unwrap();
        assert_eq!((status, &taken["repeated"]), (200, &json!(1)));
        assert_eq!(send(&address, "rollcall_wrong", &update(3)).await.unwrap().0, 401);
        assert_eq!(counted(&database).await, 2);

        let reader = create_key(&database, "api-keys create report --scope read");
        let ask = async |path: &str| {
            let request = reqwest::Client::new().get(format!("http://{address}/api/v1/{path}"));
            request.bearer_auth(&reader).send().await.unwrap().json::<Value>().await.unwrap()
        };
        assert_eq!(ask("stats").await["total_users"], 2);
        assert_eq!(ask("users?filter=reachable").await["total"], 2);
        assert_eq!(ask("openapi.json").await["openapi"], "3.1.0");

        // Noted in the background, at most once a minute.
        let used = || {
            let (_, list, _) = manage(&database, "api-keys list --json");
            let list: Value = serde_json::from_str(&list).unwrap();
            let keys = list["keys"].as_array().unwrap().iter();
            keys.filter(|key| key["last_used_at"].is_string()).count() == 2
        };
        let end = Instant::now() + PATIENCE;
        while !used() {
            assert!(Instant::now() < end, "the use was not noted");
        }
        assert_eq!(manage(&database, "api-keys revoke shop").0, 0);
        assert_eq!(send(&address, &key, &update(3)).await.unwrap().0, 401);
        drop(server);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_counted_once_although_the_server_is_killed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let key = create_key(&database, "api-keys create shop --scope ingest --bot-id 123456789");
        let address = free_address().await;
        let (acknowledged, batches) = watch::channel(0);
        let senders = (0..SENDERS).map(|sender| {
            let (address, key, acknowledged) = (address.clone(), key.clone(), acknowledged.clone());
            tokio::spawn(async move {
                let batches = (0..UPDATES / BATCH).filter(|batch| batch % SENDERS == sender);
                for batch in batches {
                    let updates = (0..BATCH).map(|n| update(batch * BATCH + n)).collect();
                    until_acknowledged(&address, &key, &Value::Array(updates)).await;
                    acknowledged.send_modify(|batches| *batches += 1);
                }
            })
        });
        let sending = join_all(senders.collect::<Vec<_>>());
        let killed = async {
            for kill in 1..=5 {
                let mut server = Server::start(&database, &address).await;
                let mut batches = batches.clone();
                let reached = batches.wait_for(|batches| *batches >= kill * 30);
                timeout(PATIENCE, reached).await.expect("batches are stored").unwrap();
                server.process.kill().await.unwrap();
            }
            Server::start(&database, &address).await
        };
        let (sent, _server) = tokio::join!(sending, killed);
        sent.into_iter().for_each(|sender| sender.unwrap());
        assert_eq!(counted(&database).await, UPDATES.unsigned_abs());
        let (code, output, _) = manage(&database, "stats rebuild --check");
        assert_eq!(code, 0, "{output}");
    }
}

/// Sends updates until they are stored.
async fn until_acknowledged(address: &str, key: &str, updates: &Value) {
    let end = Instant::now() + PATIENCE;
    loop {
        match send(address, key, updates).await {
            Ok((200, _)) => return,
            Ok((status, body)) => assert!(matches!(status, 429 | 503), "{status}: {body}"),
            Err(error) => {
                assert!(error.is_request() || error.is_body() || error.is_decode(), "{error}")
            }
        }
        assert!(Instant::now() < end, "not acknowledged");
        // As a client waits before it tries again.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn send(address: &str, key: &str, updates: &Value) -> reqwest::Result<(u16, Value)> {
    let request = reqwest::Client::new().post(format!("http://{address}/ingest")).bearer_auth(key);
    let response = request.json(updates).send().await?;
    Ok((response.status().as_u16(), response.json().await?))
}

fn update(id: i64) -> Value {
    let user = id % USERS + 1;
    json!({
        "update_id": 700_000 + id,
        "message": {
            "message_id": id,
            "date": 1_700_000_000 + id,
            "from": { "id": user, "is_bot": false, "first_name": "Ann" },
            "chat": { "id": user, "type": "private", "first_name": "Ann" },
            "text": "hello",
        },
    })
}

/// How many interactions a database has counted in all.
async fn counted(database: &ThrowAwayDatabase) -> u64 {
    let database = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let (first, last) = ("1970-01-01".parse().unwrap(), "2100-01-01".parse().unwrap());
    let counts = users.sums_by_label(&[Figure::Kind], first, last).await.unwrap();
    counts.iter().map(|it| it.value.unsigned_abs()).sum()
}

fn create_key(database: &ThrowAwayDatabase, command: &str) -> String {
    let (code, key, error) = manage(database, command);
    assert_eq!(code, 0, "{error}");
    key.trim().to_owned()
}

fn manage(database: &ThrowAwayDatabase, command: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<&str> = command.split(' ').collect();
    run(folder.path(), &arguments, b"", &[("DATABASE_URL", database.url())])
}

async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// A running `manage runserver`, killed when it is dropped.
struct Server {
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts it, and waits until it listens.
    async fn start(database: &ThrowAwayDatabase, address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["runserver", "--listen", address])
            .env_clear()
            .env("DATABASE_URL", database.url())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a line").unwrap().unwrap();
        assert!(line.starts_with("The web admin is at "), "{line}");
        // Further lines do not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, _folder: folder }
    }
}
