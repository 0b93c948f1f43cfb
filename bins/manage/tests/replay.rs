//! `manage quarantine replay` where the database refuses: one user's spoilt row keeps no other
//! update from being replayed, and trouble of the database itself ends it, with nothing lost.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread::{self, JoinHandle},
};

use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{QuarantinedUpdate, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_replayed_as_far_as_the_database_takes_them() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
        opened.migrate().await.unwrap();
        let users = UserService::new(DieselUserRepository::new(opened), SystemClock);
        users.register_with(Vec::new(), (1..=4).map(quarantined).collect()).await.unwrap();
        let on_postgres = database.file().is_none();

        execute(&database, "ALTER TABLE telegram_users RENAME COLUMN last_name TO surname");
        let (code, printed) = replay(&database);
        let missing = if on_postgres { "SQLSTATE 42703: " } else { "last_name" };
        assert!(code == 1 && printed.contains(missing), "{printed}");

        execute(&database, "ALTER TABLE telegram_users RENAME COLUMN surname TO last_name");
        let (refuse, allow) = match on_postgres {
            true => (
                "ALTER TABLE telegram_users ADD CONSTRAINT no CHECK (telegram_id <> 2)",
                "ALTER TABLE telegram_users DROP CONSTRAINT no",
            ),
            false => (
                "CREATE TRIGGER no BEFORE INSERT ON telegram_users WHEN NEW.telegram_id = 2 \
                 BEGIN SELECT RAISE(ABORT, 'no'); END",
                "DROP TRIGGER no",
            ),
        };
        execute(&database, refuse);
        let (code, printed) = replay(&database);
        assert_eq!(code, 1, "{printed}");
        for line in [
            "Readable and removed: 3; still unreadable: 0; users registered: 3.",
            "Still refused by the database, and kept: 1.",
            "the database refused a row: ",
        ] {
            assert!(printed.contains(line), "{line} is not in {printed}");
        }
        assert!(!printed.contains("Ada"), "{printed}");

        execute(&database, allow);
        let (code, printed) = replay(&database);
        assert!(code == 0 && printed.contains("Readable and removed: 1;"), "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_that_the_own_bot_refused_are_delivered_again() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
        opened.migrate().await.unwrap();
        let users = UserService::new(DieselUserRepository::new(opened), SystemClock);
        let refused =
            |id| QuarantinedUpdate { undelivered: true, registered: true, ..quarantined(id) };
        users.register_with(Vec::new(), vec![refused(1), refused(2)]).await.unwrap();
        let (code, printed) = replay(&database);
        assert_eq!(code, 1, "{printed}");
        for line in ["FORWARD_URL is not set", "your own bot: 0; not accepted, and kept: 2."] {
            assert!(printed.contains(line), "{line} is not in {printed}");
        }
        let (url, bot) = bot_behind(&["500 No", "200 OK"]);
        let (code, printed) = replay_with(&database, &[("FORWARD_URL", &url)]);
        assert_eq!(code, 1, "{printed}");
        for line in [
            "it responded with the HTTP status 500",
            "Readable and removed: 1; still unreadable: 0; users registered: 0.",
            "Delivered to your own bot: 1; not accepted, and kept: 1.",
        ] {
            assert!(printed.contains(line), "{line} is not in {printed}");
        }
        assert_eq!(bot.join().unwrap(), [refused(1).payload, refused(2).payload]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_update_is_delivered_once() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let opened = Database::open(database.url().parse().unwrap()).await.unwrap();
        opened.migrate().await.unwrap();
        let users = UserService::new(DieselUserRepository::new(opened), SystemClock);
        let payload = r#"{"update_id":1,"message":{"from":{"id":{}}}}"#.to_owned();
        let unreadable = QuarantinedUpdate { undelivered: true, payload, ..quarantined(1) };
        users.register_with(Vec::new(), vec![unreadable.clone()]).await.unwrap();
        let (url, bot) = bot_behind(&["200 OK"]);
        let (code, printed) = replay_with(&database, &[("FORWARD_URL", &url)]);
        for line in ["still unreadable: 1", "Delivered to your own bot: 1;"] {
            assert!(code == 0 && printed.contains(line), "{line} is not in {printed}");
        }
        assert_eq!(bot.join().unwrap(), [unreadable.payload]);
        let (code, printed) = replay_with(&database, &[("FORWARD_URL", &url)]);
        assert!(code == 0 && printed.contains("still unreadable: 1"), "{printed}");
        assert!(!printed.contains("Delivered"), "{printed}");
    }
}

/// A bot that gives these HTTP responses, one after another. Returns its address, and the bodies it got.
fn bot_behind(responses: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let bot = thread::spawn(move || {
        let mut bodies = Vec::new();
        for status in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut buffer) = (String::new(), [0; 4096]);
            while !request.ends_with("}}}") {
                let read = stream.read(&mut buffer).unwrap();
                request.push_str(std::str::from_utf8(buffer.get(..read).unwrap()).unwrap());
            }
            let response =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(response.as_bytes()).unwrap();
            bodies.push(request.split("\r\n\r\n").nth(1).unwrap().to_owned());
        }
        bodies
    });
    (url, bot)
}

fn quarantined(id: i64) -> QuarantinedUpdate {
    let from = format!(r#"{{"id":{id},"first_name":"Ada"}}"#);
    QuarantinedUpdate {
        update_id: id,
        received_at: "2020-01-01T13:00:00Z".parse().unwrap(),
        reason: "it could not be registered".to_owned(),
        registered: false,
        telegram_id: None,
        payload: format!(r#"{{"update_id":{id},"message":{{"date":1577880000,"from":{from}}}}}"#),
        undelivered: false,
    }
}

/// Replays everything; answers the exit code, and what was printed.
fn replay(database: &ThrowAwayDatabase) -> (i32, String) {
    replay_with(database, &[])
}

/// The same with settings.
fn replay_with(database: &ThrowAwayDatabase, settings: &[(&str, &str)]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(["quarantine", "replay"])
        .env_clear()
        .env("DATABASE_URL", database.url())
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(printed).unwrap())
}

fn execute(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            let file = file.to_str().unwrap();
            SqliteConnection::establish(file).unwrap().batch_execute(sql).unwrap();
        }
        None => PgConnection::establish(database.url()).unwrap().batch_execute(sql).unwrap(),
    }
}
