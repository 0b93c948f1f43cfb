//! Calls of a bot behind that pass through Rollcall, compared with the same calls through nginx and without
//! either. The simulated Telegram answers, and the bot behind calls, in this process.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use rollcall_simulator::Simulator;
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, time::sleep};

use crate::{
    cpu::cpu_seconds,
    database::Databases,
    end_to_end::{Mode, RunningBot, bot},
    latency::{measure, percentile},
    report::Pairs,
};

const CALLS_PER_SECOND: f64 = 500.0;
/// The length of a turn. Turns alternate, so that other work of the machine affects all.
const TURN_SECONDS: f64 = 1.0;
/// How many chats get the messages, so that none gets more than one a second.
const CHATS: i64 = 10_000;
/// Rollcall's limit of messages, beyond the rate of the calls, so that the calls need turns and get them.
const SEND_RATE: &str = "1000";

/// Measures sendMessage without a proxy, through nginx and through Rollcall, in turns.
pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    let bot = bot()?;
    let (_, database) = databases.of_each_kind().into_iter().next().context("a database")?;
    let telegram = Simulator::builder().record_limit(0).every_chat_open().start().await?;
    let nginx = Nginx::start(&telegram.url()).await?;
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string();
    let settings = [("API_PROXY_ADDR", address.as_str()), ("SEND_RATE", SEND_RATE)];
    let rollcall =
        RunningBot::start_with(&bot, &telegram, database.url(), Mode::Polling, &settings).await?;
    let next_chat = Arc::new(AtomicI64::new(0));
    let ways = [telegram.url(), nginx.url.clone(), format!("http://{address}")]
        .map(|root| Caller::new(&root, telegram.token(), next_chat.clone()));
    for way in &ways {
        way.wait_until_served().await?;
        way.turn().await?;
    }

    let mut cpu = Pairs::new("CPU of nginx (limit) and of Rollcall".to_owned(), "µs per call");
    let mut latency =
        Pairs::new("p99 without a proxy (limit) and through Rollcall".to_owned(), "µs");
    let mut added = Vec::new();
    for _ in 0..runs {
        let mut took = [const { Vec::new() }; 3];
        let before = [nginx.cpu_seconds()?, rollcall.cpu_seconds()?];
        for _ in 0..(seconds / TURN_SECONDS).ceil() as u32 {
            for (way, took) in ways.iter().zip(&mut took) {
                took.extend(way.turn().await?);
            }
        }
        let used = [nginx.cpu_seconds()? - before[0], rollcall.cpu_seconds()? - before[1]];
        let [nginx_us, rollcall_us] = used.map(|seconds| seconds / took[0].len() as f64 * 1e6);
        cpu.add(nginx_us, rollcall_us, format!("{:.1} µs and {:.1} µs", nginx_us, rollcall_us));
        let medians = took.each_mut().map(|took| percentile(took, 50));
        let [none, by_nginx, by_rollcall] = took.each_mut().map(|took| percentile(took, 99));
        added.push((by_rollcall - none) / 1000.0);
        let note = format!(
            "nginx {by_nginx:.0}; medians {:.0}, {:.0}, nginx {:.0}",
            medians[0], medians[2], medians[1]
        );
        latency.add(none, by_rollcall, note);
    }
    cpu.print();
    latency.print();
    added.sort_by(f64::total_cmp);
    let [min, median, max] = [added[0], added[added.len() / 2], added[added.len() - 1]];
    println!(
        "Rollcall adds {min:.2}, {median:.2}, {max:.2} ms at the 99th percentile (min, median, max)"
    );
    rollcall.end().await
}

/// Calls sendMessage at a steady rate.
struct Caller {
    http: Client,
    url: String,
    next_chat: Arc<AtomicI64>,
}

impl Caller {
    fn new(root: &str, token: &str, next_chat: Arc<AtomicI64>) -> Self {
        Self { http: Client::new(), url: format!("{root}/bot{token}/sendMessage"), next_chat }
    }

    async fn wait_until_served(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let served = async {
            while call(&self.http, &self.url, &self.next_chat).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, served).await.context("nothing is served there")
    }

    /// The latencies of a turn.
    async fn turn(&self) -> Result<Vec<Duration>> {
        let (http, url, next) = (self.http.clone(), self.url.clone(), self.next_chat.clone());
        measure(CALLS_PER_SECOND, TURN_SECONDS, move || {
            let (http, url, next) = (http.clone(), url.clone(), next.clone());
            async move { call(&http, &url, &next).await }
        })
        .await
    }
}

async fn call(http: &Client, url: &str, next_chat: &AtomicI64) -> Result<()> {
    let chat = 1 + next_chat.fetch_add(1, Relaxed) % CHATS;
    let text = "Your order has left our house, and will be with you tomorrow between 9 and 12.";
    let request = http.post(url).json(&json!({"chat_id": chat, "text": text}));
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}

/// A running nginx that passes all requests on, as its documentation recommends, without an access log.
/// It ends when it is dropped.
struct Nginx {
    url: String,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    async fn start(upstream: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let upstream = upstream.trim_start_matches("http://");
        let config = format!(
            "daemon off; worker_processes auto; pid nginx.pid; error_log error.log;
            events {{}}
            http {{
                access_log off; client_body_temp_path body; proxy_temp_path proxy;
                fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                upstream telegram {{ server {upstream}; keepalive 64; }}
                server {{
                    listen {address};
                    location / {{
                        proxy_pass http://telegram; proxy_http_version 1.1;
                        proxy_set_header Connection \"\";
                    }}
                }}
            }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config)?;
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .context("could not start nginx, which `bench proxy` needs")?;
        Ok(Self { url: format!("http://{address}"), process, _folder: folder })
    }

    /// The CPU time of all its processes so far.
    fn cpu_seconds(&self) -> Result<f64> {
        let id = self.process.id();
        let workers = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let workers = workers.split_whitespace().map(|id| cpu_seconds(id.parse()?));
        let of_workers: f64 = workers.sum::<Result<f64>>()?;
        Ok(of_workers + cpu_seconds(id)?)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It ends its workers, too.
        let _ended = Command::new("kill").arg(self.process.id().to_string()).status();
        let _status = self.process.wait();
    }
}
