//! Line 2: the release `bot` on the simulated Telegram, compared with a bare client that only drains
//! the same stream. Simulator, bot and database share the machine.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use rollcall_simulator::{Crowd, Simulator};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::sleep,
};

use crate::{
    cpu::{cpu_seconds, server_cpu_seconds},
    database::Databases,
    report::Pairs,
};

/// The most updates that are pending for the bot; the crowd sends as many as the bot reads.
const BACKLOG: usize = 2000;
/// More updates than a run has.
pub(crate) const UPDATES_PER_RUN: i64 = 1_000_000_000;

/// With which Telegram shows a bot that a request comes from it.
pub(crate) const WEBHOOK_SECRET: &str = "bench-secret-of-the-webhook";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Polling,
    Webhook,
}

/// Measures the bot and the bare client alternately, each for `seconds`.
pub(crate) async fn run(
    databases: &Databases,
    mode: Mode,
    runs: usize,
    seconds: f64,
) -> Result<()> {
    let bot = bot()?;
    for (name, database) in databases.of_each_kind() {
        let how = if mode == Mode::Polling { "polling" } else { "webhook" };
        let mut pairs = Pairs::new(format!("{name}: the bot by {how}"), "updates/s");
        for run in 0..runs {
            // Update ids that the database has not seen: repeated updates would be skipped.
            let telegram = Simulator::builder().record_limit(0);
            let telegram =
                telegram.first_update_id(1 + run as i64 * UPDATES_PER_RUN).start().await?;
            let ours = drain_by_bot(&bot, telegram, database.url(), mode, seconds).await?;
            let bare = drain_by_bare_client(mode, seconds).await?;
            pairs.add(bare, ours.rate, ours.to_string());
        }
        pairs.print();
    }
    Ok(())
}

/// Measures the bot alternately through PgBouncer and without it.
pub(crate) async fn pooler(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    let bot = bot()?;
    let Some((direct, pooled)) = databases.without_and_with_pooler()? else { return Ok(()) };
    for (how, mode) in [("polling", Mode::Polling), ("webhook", Mode::Webhook)] {
        let title = format!("PostgreSQL: the bot by {how}, directly and through PgBouncer");
        let mut pairs = Pairs::new(title, "updates/s");
        for run in 0..runs {
            let mut rates = Vec::new();
            for database in [&direct, pooled.database()] {
                let first =
                    1 + (2 * run as i64 + i64::from(mode == Mode::Webhook)) * UPDATES_PER_RUN;
                let telegram = Simulator::builder().record_limit(0).first_update_id(first);
                let telegram = telegram.start().await?;
                rates.push(drain_by_bot(&bot, telegram, database.url(), mode, seconds).await?);
            }
            pairs.add(rates[0].rate, rates[1].rate, rates[1].to_string());
        }
        pairs.print();
    }
    Ok(())
}

/// Measures the bot by polling alternately without and with forwarding to a bot that answers at once.
pub(crate) async fn forward(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    let bot = bot()?;
    let sink = Sink::start().await?;
    println!("the bot behind alone takes {:.0} updates/s", sink.rate(seconds).await?);
    for (name, database) in databases.of_each_kind() {
        let title = format!("{name}: the bot by polling, without (limit) and with forwarding");
        let mut pairs = Pairs::new(title, "updates/s");
        for run in 0..runs {
            let mut drained = Vec::new();
            for (place, url) in [None, Some(sink.url.as_str())].into_iter().enumerate() {
                let first = 1 + (2 * run as i64 + place as i64) * UPDATES_PER_RUN;
                let telegram = Simulator::builder().record_limit(0).first_update_id(first);
                let telegram = telegram.start().await?;
                let crowd = Crowd::load(1).backlog(BACKLOG).start(&telegram);
                let settings: Vec<_> = url.map(|url| ("FORWARD_URL", url)).into_iter().collect();
                let (url, mode) = (database.url(), Mode::Polling);
                let process = RunningBot::start_with(&bot, &telegram, url, mode, &settings).await?;
                wait_for(&telegram, &crowd, 10_000).await;
                let (begun, cpu) = (Instant::now(), process.cpu_seconds()?);
                let before = processed(&telegram, &crowd);
                sleep(Duration::from_secs_f64(seconds)).await;
                let updates = processed(&telegram, &crowd) - before;
                let cpu_us = (process.cpu_seconds()? - cpu) / updates * 1e6;
                drained.push((updates / begun.elapsed().as_secs_f64(), cpu_us));
                crowd.stop().await;
                process.end().await?;
            }
            let [without, with] = [drained[0], drained[1]];
            let note = format!("{:.1} and {:.1} µs CPU per update", without.1, with.1);
            pairs.add(without.0, with.0, note);
        }
        pairs.print();
    }
    Ok(())
}

/// A bot behind that accepts every update at once, in a process of its own.
struct Sink {
    url: String,
    _process: Child,
}

impl Sink {
    async fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["drain", "--by", "sink"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("standard output")?;
        let url = BufReader::new(output).lines().next_line().await?.context("an address")?;
        Ok(Self { url, _process: process })
    }

    /// How many updates a second it takes from a bare client with as many connections as the bot.
    async fn rate(&self, seconds: f64) -> Result<f64> {
        const CONNECTIONS: usize = 40;
        let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 1_700_000_000,
            "chat": {"id": 5, "type": "private"}, "from": {"id": 5, "first_name": "Ann"},
            "text": "hello"}})
        .to_string();
        let client = Client::new();
        crate::rate::rate(CONNECTIONS, seconds, |calls| {
            let (client, url, update) = (client.clone(), self.url.clone(), update.clone());
            async move {
                while calls.go_on() {
                    client.post(&url).body(update.clone()).send().await?;
                    calls.count();
                }
                Ok(())
            }
        })
        .await
    }
}

/// The path of the `bot` program, in the same folder as this one.
pub(crate) fn bot() -> Result<PathBuf> {
    let bot = std::env::current_exe()?.with_file_name("bot");
    ensure!(bot.exists(), "{} does not exist: run cargo build --release --bin bot", bot.display());
    Ok(bot)
}

/// The measurements of a bot.
pub(crate) struct Drained {
    pub(crate) rate: f64,
    pub(crate) cpu_us: f64,
    /// That of the PostgreSQL server.
    server_cpu_us: Option<f64>,
    answered: f64,
    resident_mib: [f64; 2],
}

impl std::fmt::Display for Drained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [begin, end] = self.resident_mib;
        write!(
            f,
            "{:.1} µs CPU per update, {}{:.1}% of the commands answered, \
             resident {begin:.1} MiB after 10,000 updates and {end:.1} MiB at the end",
            self.cpu_us,
            self.server_cpu_us.map(|us| format!("{us:.1} of the server, ")).unwrap_or_default(),
            100.0 * self.answered
        )
    }
}

pub(crate) async fn drain_by_bot(
    bot: &Path,
    telegram: Simulator,
    database: &str,
    mode: Mode,
    seconds: f64,
) -> Result<Drained> {
    let crowd = Crowd::load(1).backlog(BACKLOG).start(&telegram);
    let process = RunningBot::start(bot, &telegram, database, mode).await?;
    // Warm-up: all users are registered.
    wait_for(&telegram, &crowd, 10_000).await;
    let begin_resident = process.resident_mib()?;
    let (begun, begun_cpu) = (Instant::now(), process.cpu_seconds()?);
    // SQLite has no server.
    let server_cpu = server_cpu_seconds(database).ok();
    let before = processed(&telegram, &crowd);
    sleep(Duration::from_secs_f64(seconds)).await;
    let updates = processed(&telegram, &crowd) - before;
    let server_cpu =
        server_cpu.and_then(|before| Some(server_cpu_seconds(database).ok()? - before));
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), process.cpu_seconds()? - begun_cpu);
    let resident_mib = [begin_resident, process.resident_mib()?];
    let report = crowd.stop().await;
    while telegram.pending() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    // The bot answers its last commands before it ends.
    process.end().await?;
    let answered = telegram.calls("sendMessage") as f64 / report.commands as f64;
    let us_per_update = |seconds: f64| seconds / updates * 1e6;
    Ok(Drained {
        rate: updates / elapsed,
        cpu_us: us_per_update(cpu),
        server_cpu_us: server_cpu.map(us_per_update),
        answered,
        resident_mib,
    })
}

/// The number of updates that the bot has confirmed.
fn processed(telegram: &Simulator, crowd: &rollcall_simulator::CrowdHandle) -> f64 {
    crowd.pushed() as f64 - telegram.pending() as f64
}

async fn wait_for(telegram: &Simulator, crowd: &rollcall_simulator::CrowdHandle, updates: u64) {
    while processed(telegram, crowd) < updates as f64 {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Drains the stream in a separate process, as the bot does, and ignores the updates.
async fn drain_by_bare_client(mode: Mode, seconds: f64) -> Result<f64> {
    let telegram = Simulator::builder().record_limit(0).start().await?;
    let crowd = Crowd::load(1).backlog(BACKLOG).start(&telegram);
    let root = format!("{}/bot{}", telegram.url(), telegram.token());
    let how = if mode == Mode::Polling { "poll" } else { "receive" };
    let mut process = Command::new(std::env::current_exe()?)
        .args(["drain", "--by", how, "--from", &root])
        .kill_on_drop(true)
        .spawn()?;
    wait_for(&telegram, &crowd, 10_000).await;
    let (begun, before) = (Instant::now(), processed(&telegram, &crowd));
    sleep(Duration::from_secs_f64(seconds)).await;
    let rate = (processed(&telegram, &crowd) - before) / begun.elapsed().as_secs_f64();
    process.kill().await?;
    Ok(rate)
}

/// Runs the bare client.
pub(crate) async fn drain(by: &str, root: &str) -> Result<()> {
    let client = Client::new();
    if by == "sink" {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/hook", listener.local_addr()?);
        return accept_all(listener).await;
    }
    if by == "receive" {
        return receive(&client, root).await;
    }
    let mut offset = None;
    loop {
        let request = client.post(format!("{root}/getUpdates"));
        let parameters = json!({"offset": offset, "limit": 100, "timeout": 50});
        let body = request.json(&parameters).send().await?.bytes().await?;
        // The id of the last update is enough to confirm all of them, without parsing.
        let text = std::str::from_utf8(&body)?;
        if let Some((_, last)) = text.rsplit_once("{\"update_id\":") {
            let id: i64 = last.split(',').next().context("an id")?.trim().parse()?;
            offset = Some(id + 1);
        }
    }
}

/// A webhook that accepts every request and ignores its content.
async fn receive(client: &Client, root: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let parameters = json!({"url": url, "max_connections": 40});
    client.post(format!("{root}/setWebhook")).json(&parameters).send().await?;
    accept_all(listener).await
}

/// Accepts every request, and ignores its content.
async fn accept_all(listener: TcpListener) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut buffer, mut held) = (vec![0; 1 << 16], Vec::new());
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(count) => held.extend_from_slice(&buffer[..count]),
                }
                while let Some(length) = complete_request(&held) {
                    held.drain(..length);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// The length of the first request, once it is complete.
fn complete_request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?.to_ascii_lowercase();
    let length =
        text.split("content-length:").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
    (bytes.len() >= head + length).then_some(head + length)
}

/// A running bot.
pub(crate) struct RunningBot {
    process: Child,
    id: u32,
    /// Where it serves its webhook, the web admin and the API.
    pub(crate) url: String,
}

impl RunningBot {
    pub(crate) async fn start(
        bot: &Path,
        telegram: &Simulator,
        database: &str,
        mode: Mode,
    ) -> Result<Self> {
        Self::start_with(bot, telegram, database, mode, &[]).await
    }

    /// A bot with more settings.
    pub(crate) async fn start_with(
        bot: &Path,
        telegram: &Simulator,
        database: &str,
        mode: Mode,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = Command::new(bot);
        command
            .arg("--take-over")
            .env_clear()
            .env("TELEGRAM_API_URL", telegram.url())
            .env("TELEGRAM_BOT_TOKEN", telegram.token())
            .env("DATABASE_URL", database)
            .env("SEND_RATE", "0")
            .env("NHL_API_URL", "off")
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .current_dir(std::env::temp_dir())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if mode == Mode::Webhook {
            command
                .env("WEBHOOK_URL", format!("http://127.0.0.1:{port}/hook"))
                .env("WEBHOOK_SECRET", WEBHOOK_SECRET);
        }
        command.envs(settings.iter().copied());
        let mut process = command.spawn()?;
        let id = process.id().context("the bot is not running")?;
        let stderr = process.stderr.take().context("the bot has no standard error")?;
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("WARN") || line.contains("ERROR") || line.contains("error:") {
                    println!("  bot: {line}");
                }
            }
        });
        Ok(Self { process, id, url: format!("http://127.0.0.1:{port}") })
    }

    /// The CPU time used so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.id)
    }

    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line.context("VmRSS")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }

    /// Ends the bot and waits for it.
    pub(crate) async fn end(mut self) -> Result<()> {
        let kill = Command::new("kill").arg(self.id.to_string()).status().await?;
        ensure!(kill.success(), "could not end the bot");
        let status = self.process.wait().await?;
        ensure!(status.success(), "the bot failed: {status}");
        Ok(())
    }
}
