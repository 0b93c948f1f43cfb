//! A bot behind Rollcall: a web server that takes updates, as its own framework would.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// An update that came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) id: i64,
    pub(crate) json: String,
    pub(crate) secret: Option<String>,
}

/// What a server answers to an update.
pub(crate) struct Answer {
    /// As it is sent.
    response: String,
    /// Whether the update counts as taken.
    is_accepted: bool,
    delay: Duration,
    /// Whether the connection ends after it.
    closes: bool,
}

/// A status, and the headers and the body.
impl From<(u16, String)> for Answer {
    fn from((code, rest): (u16, String)) -> Self {
        let is_accepted = (200..300).contains(&code);
        let response = format!("HTTP/1.1 {code} X\r\n{rest}");
        Self { response, is_accepted, delay: Duration::ZERO, closes: false }
    }
}

impl Answer {
    /// These bytes, after which the connection ends. The update does not count as taken.
    pub(crate) fn broken(response: &str) -> Self {
        let response = response.to_owned();
        Self { response, is_accepted: false, delay: Duration::ZERO, closes: true }
    }

    /// The same after a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same, and then the connection ends.
    pub(crate) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }
}

/// How a server answers.
type Answers = Arc<dyn Fn(&Value) -> Answer + Send + Sync>;

/// A running server, which ends when it is dropped.
pub(crate) struct BotBehind {
    pub(crate) address: SocketAddr,
    taken: watch::Sender<Vec<Taken>>,
    answers: Arc<Mutex<Answers>>,
    server: JoinSet<()>,
}

/// Accepts an update, without a word.
pub(crate) fn accepted(_update: &Value) -> Answer {
    status(200)
}

/// Another status, without a body.
pub(crate) fn status(code: u16) -> Answer {
    (code, "Content-Length: 0\r\n\r\n".to_owned()).into()
}

impl BotBehind {
    /// A server that accepts everything.
    pub(crate) async fn start() -> Self {
        Self::at(free_address().await).await
    }

    /// The same at an address.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let mut bot = Self {
            address,
            taken: watch::Sender::new(Vec::new()),
            answers: Arc::new(Mutex::new(Arc::new(accepted))),
            server: JoinSet::new(),
        };
        bot.resume().await;
        bot
    }

    /// Where it takes updates.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers like this from now on.
    pub(crate) fn answer<A: Into<Answer>>(
        &self,
        answers: impl Fn(&Value) -> A + Send + Sync + 'static,
    ) {
        *self.answers.lock().unwrap() = Arc::new(move |update| answers(update).into());
    }

    /// Ends as a killed process does: its connections break.
    pub(crate) async fn kill(&mut self) {
        self.server.shutdown().await;
    }

    /// Runs again.
    pub(crate) async fn resume(&mut self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let (taken, answers) = (self.taken.clone(), self.answers.clone());
        self.server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, taken.clone(), answers.clone()));
            }
        });
    }

    /// All that it took, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.borrow().clone()
    }

    /// How often it took each update.
    pub(crate) fn counts(&self) -> BTreeMap<i64, u64> {
        let mut counts = BTreeMap::new();
        for taken in self.taken.borrow().iter() {
            *counts.entry(taken.id).or_default() += 1;
        }
        counts
    }

    /// Waits until it has taken what is asked for.
    pub(crate) async fn wait_until(&self, is_so: impl Fn(&[Taken]) -> bool) {
        let mut taken = self.taken.subscribe();
        let waited = timeout(PATIENCE, taken.wait_for(|taken| is_so(taken))).await;
        assert!(matches!(waited, Ok(Ok(_))), "taken: {:?}", self.counts());
    }
}

pub(crate) async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn serve(
    mut stream: TcpStream,
    taken: watch::Sender<Vec<Taken>>,
    answers: Arc<Mutex<Answers>>,
) -> Option<()> {
    let mut held = Vec::new();
    loop {
        let (head, body, rest) = loop {
            if let Some(request) = split(&held) {
                break request;
            }
            let mut buffer = vec![0; 1 << 16];
            let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
            held.extend_from_slice(&buffer[..read]);
        };
        held = rest;
        let update: Value = serde_json::from_str(&body).unwrap();
        let answers = answers.lock().unwrap().clone();
        let answer = answers(&update);
        if answer.is_accepted {
            let secret = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("x-telegram-bot-api-secret-token")
                    .then(|| value.to_owned())
            });
            assert!(head.starts_with("POST /hook HTTP/1.1\r\n"), "{head}");
            let id = update["update_id"].as_i64().unwrap();
            taken.send_modify(|all| all.push(Taken { id, json: body, secret }));
        }
        tokio::time::sleep(answer.delay).await;
        stream.write_all(answer.response.as_bytes()).await.ok()?;
        if answer.closes {
            return None;
        }
    }
}

/// The head, the body and the rest of what came, once a request is there.
fn split(held: &[u8]) -> Option<(String, String, Vec<u8>)> {
    let end = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(held[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    let body = held.get(end..end + length.unwrap_or(0))?;
    Some((head, String::from_utf8(body.to_vec()).unwrap(), held[end + body.len()..].to_vec()))
}
