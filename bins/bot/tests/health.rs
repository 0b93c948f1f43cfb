//! What watches the bot: the real program, asked over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use rollcall_simulator::{Fault, Person, Simulator, Update};
use rollcall_testkit::{ThrowAwayDatabase, ThrowAwayServer};
use running::{RunningBot, database::tamper};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

stories!(it_counts_what_it_did, it_is_ready_when_it_works,);

async fn it_counts_what_it_did(database: ThrowAwayDatabase) {
    let (telegram, address) = (Simulator::start().await.unwrap(), free_address().await);
    let bot = RunningBot::start(&telegram, &database, &[("LISTEN_ADDR", &address)]).await;
    let (ada, bob) = (Person::new(1815, "Hiddenname"), Person::new(7, "Bob"));
    telegram.write(&ada, "/start");
    telegram.push(Update::inline_query(&bob, "x"));
    telegram.push(Update::photo(&bob).with("chat", "nowhere"));
    telegram.wait_until_drained().await.unwrap();
    telegram.wait_for_message(1815).await.unwrap();
    telegram.block(&bob);
    telegram.fail_next("sendMessage", Fault::too_many_requests(1));
    telegram.write(&ada, "/help");
    telegram.wait_until_drained().await.unwrap();
    telegram.wait_for_message(1815).await.unwrap();

    let metrics = until(&address, "/metrics", |answer| {
        answer.contains("rollcall_sends_total{outcome=\"sent\"} 2")
    })
    .await;
    for line in [
        "rollcall_updates_total{kind=\"command\",outcome=\"registered\"} 2",
        "rollcall_updates_total{kind=\"inline_query\",outcome=\"registered\"} 1",
        "rollcall_updates_total{kind=\"message\",outcome=\"set_aside\"} 1",
        "rollcall_updates_total{kind=\"my_chat_member\",outcome=\"registered\"} 1",
        "rollcall_registrations_total{result=\"created\"} 2",
        "rollcall_registrations_total{result=\"updated\"} 3",
        "rollcall_set_aside_total 1",
        "rollcall_send_waits_total 1",
        "rollcall_errors_total{class=\"telegram_429\"} 1",
        "rollcall_queued_interactions 0",
        "# TYPE rollcall_commit_seconds histogram",
        "# TYPE rollcall_batch_interactions histogram",
        "rollcall_handler_seconds_count 2",
        "rollcall_update_lag_seconds ",
        "rollcall_database_connections{state=\"idle\"} ",
        concat!("rollcall_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
    for hidden in ["1815", "Hiddenname", telegram.token()] {
        assert!(!metrics.contains(hidden), "{hidden}");
    }
    bot.terminate().await;
}

async fn it_is_ready_when_it_works(database: ThrowAwayDatabase) {
    let (telegram, address) = (Simulator::start().await.unwrap(), free_address().await);
    telegram.fail_always("getMe", Fault::bad_gateway());
    let bot = RunningBot::launch(&telegram, &database, &[("LISTEN_ADDR", &address)]);
    let starting = until(&address, "/readyz", |answer| answer.contains("503")).await;
    assert!(starting.contains("not ready: starting: Telegram or the database"), "{starting}");
    assert!(ask(&address, "/healthz").await.unwrap().contains("200 OK"));

    telegram.clear_faults();
    let ready = until(&address, "/readyz", |answer| answer.contains("200 OK")).await;
    assert!(ready.ends_with("ready\n"), "{ready}");

    for _ in 0..3 {
        telegram.fail_next("getUpdates", Fault::internal());
    }
    telegram.write(&Person::new(1, "Ada"), "hello");
    let away = until(&address, "/readyz", |answer| answer.contains("503")).await;
    let message = "not ready: updates cannot be fetched: Telegram refused getUpdates: 500 Internal";
    assert!(away.contains(message), "{away}");
    until(&address, "/readyz", |answer| answer.contains("200 OK")).await;

    let migrations = "__diesel_schema_migrations";
    tamper(&database, &format!("DELETE FROM {migrations} WHERE version > '20261123000002'"));
    let behind = until(&address, "/readyz", |answer| answer.contains("503")).await;
    assert!(behind.contains("not ready: the database lacks migrations"), "{behind}");
    assert!(ask(&address, "/healthz").await.unwrap().contains("200 OK"));
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reports_that_the_database_is_away() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let (telegram, address) = (Simulator::start().await.unwrap(), free_address().await);
    let database = server.database();
    let bot = RunningBot::start(&telegram, &database, &[("LISTEN_ADDR", &address)]).await;
    until(&address, "/readyz", |answer| answer.contains("200 OK")).await;
    server.stop();
    let away = until(&address, "/readyz", |answer| answer.contains("503")).await;
    assert!(away.contains("database"), "{away}");
    server.restart();
    until(&address, "/readyz", |answer| answer.contains("200 OK")).await;
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reports_that_the_database_does_not_answer() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let (telegram, address) = (Simulator::start().await.unwrap(), free_address().await);
    let database = server.database();
    let bot = RunningBot::start(&telegram, &database, &[("LISTEN_ADDR", &address)]).await;
    until(&address, "/readyz", |answer| answer.contains("200 OK")).await;
    server.freeze();
    telegram.write(&Person::new(1, "Ann"), "hello");
    let silent = |answer: &str| answer.contains("has not answered a registration for");
    let answer = until(&address, "/readyz", silent).await;
    assert!(answer.contains("503"), "{answer}");
    server.thaw();
    until(&address, "/readyz", |answer| answer.contains("200 OK")).await;
    bot.terminate().await;
}

async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// Asks until the answer is as it should be; answers that.
async fn until(address: &str, path: &str, is_right: impl Fn(&str) -> bool) -> String {
    let mut last = String::new();
    for _ in 0..600 {
        if let Some(answer) = ask(address, path).await {
            if is_right(&answer) {
                return answer;
            }
            last = answer;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} goes on answering {last}");
}

/// The whole answer, if there is one.
async fn ask(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}
