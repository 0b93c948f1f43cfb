//! The bot's HTTP server, as a client on this machine reaches it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rollcall_simulator::Simulator;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

use crate::running::RunningBot;

pub(crate) const SECRET: &str = "a-secret-of-this-test";
pub(crate) const PATH: &str = "/webhook";

/// A bot that takes updates by webhook, and its address.
pub(crate) struct Server {
    pub(crate) bot: RunningBot,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn start(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let address = free_address().await;
        let (listen, api) = (address.to_string(), telegram.url());
        let url = format!("http://{listen}{PATH}");
        let own = [
            ("TELEGRAM_API_URL", api.as_str()),
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("WEBHOOK_URL", &url),
            ("WEBHOOK_SECRET", SECRET),
            ("LISTEN_ADDR", &listen),
        ];
        let settings = [&own, settings].concat();
        let bot = RunningBot::start_until(database, &settings, "receives updates by webhook").await;
        Self { bot, address }
    }

    /// A bot that asks for updates, and serves all but them.
    pub(crate) async fn start_polling(
        telegram: &Simulator,
        database: &ThrowAwayDatabase,
        settings: &[(&str, &str)],
    ) -> Self {
        let address = free_address().await;
        let listen = address.to_string();
        let settings = [&[("LISTEN_ADDR", listen.as_str())], settings].concat();
        let bot = RunningBot::start(telegram, database, &settings).await;
        Self { bot, address }
    }

    /// A connection from this machine's address 127.0.0.`host`.
    pub(crate) async fn connect_from(&self, host: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, host], 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Delivers an update as Telegram does; returns the status of the answer.
    pub(crate) async fn deliver(&self, update_id: i64, secret: &str) -> u16 {
        self.post(&message(update_id), secret).await
    }

    /// Delivers an update of any form as Telegram does; returns the status of the answer.
    pub(crate) async fn post(&self, body: &str, secret: &str) -> u16 {
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             x-telegram-bot-api-secret-token: {secret}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let answer = exchange(self.connect_from(1).await, &(head + body)).await;
        status(&answer).unwrap_or_else(|| panic!("no answer to {body}: {answer:?}"))
    }

    /// The value of a counter, given with its labels; 0 if there is none yet.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let metrics = self.get("/metrics").await;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until a counter has this value.
    pub(crate) async fn wait_for_metric(&self, name: &str, value: u64) {
        let reached = async { while self.metric(name).await < value {} };
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        assert!(reached.is_ok(), "{name} is {}, not {value}", self.metric(name).await);
    }

    /// Gets a path; returns the whole answer.
    pub(crate) async fn get(&self, path: &str) -> String {
        self.get_as("localhost", path).await
    }

    /// Gets a path of what the client takes for the host `name`.
    pub(crate) async fn get_as(&self, name: &str, path: &str) -> String {
        exchange(self.connect_from(1).await, &get(name, path)).await
    }

    /// Posts a form of the web admin as a browser on the same site does; returns the whole answer.
    pub(crate) async fn send_form(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        form: &str,
    ) -> String {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             sec-fetch-site: same-origin\r\n{headers}\
             content-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len()
        );
        exchange(self.connect_from(1).await, &request).await
    }
}

/// A request that gets a path of a host.
pub(crate) fn get(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Whether a line stands in the log of a bot that has run since `begun`, at most once a minute.
#[track_caller]
pub(crate) fn check_paced(log: &str, line: &str, begun: Instant) {
    let most = 1 + begun.elapsed().as_secs() / 60;
    let lines = u64::try_from(log.matches(line).count()).unwrap();
    assert!((1..=most).contains(&lines), "{line:?} {lines} times in:\n{log}");
}

/// Sends a request, and reads until the connection ends.
pub(crate) async fn exchange(mut connection: TcpStream, request: impl AsRef<[u8]>) -> String {
    // The server may answer, and close, before it has read all.
    let _sent = connection.write_all(request.as_ref()).await;
    let mut answer = Vec::new();
    let _end = connection.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The cookie of this name that an answer sets, as a request brings it.
pub(crate) fn cookie(answer: &str, name: &str) -> String {
    let begin = format!("set-cookie: {name}=");
    let line = answer.lines().find(|line| line.starts_with(&begin)).unwrap();
    line.trim_start_matches("set-cookie: ").split(';').next().unwrap().to_owned()
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

/// A message of the person with the id of the update.
pub(crate) fn message(update_id: i64) -> String {
    let person = json!({"id": update_id, "is_bot": false, "first_name": "Ada"});
    let chat = json!({"id": update_id, "type": "private", "first_name": "Ada"});
    let message = json!({
        "message_id": update_id, "date": 1_700_000_000, "from": person, "chat": chat, "text": "Hi"
    });
    json!({"update_id": update_id, "message": message}).to_string()
}
