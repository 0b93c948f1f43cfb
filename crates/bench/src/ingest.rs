//! Updates that come to `POST /ingest`, compared with those that the bot polls. The client shares the
//! machine, as the simulated Telegram does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use reqwest::Client;
use rollcall_domain::{Clock, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::AdminService;
use rollcall_simulator::Simulator;
use tokio::time::sleep;

use crate::{
    database::Databases,
    end_to_end::{Mode, RunningBot, UPDATES_PER_RUN, bot, drain_by_bot},
    report::Pairs,
};

/// How many updates a request to `/ingest` has, and how many requests are sent at once.
const UPDATES_PER_BATCH: i64 = 100;
const SENDERS: usize = 8;
/// How many users send the updates.
const INGEST_USERS: i64 = 10_000;

/// Measures the bot by polling, and alternately another bot whose updates come to `POST /ingest`.
pub(crate) async fn run(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    let bot = bot()?;
    for (name, database) in databases.of_each_kind() {
        let title = format!("{name}: the bot by polling (limit), and POST /ingest");
        let mut pairs = Pairs::new(title, "updates/s");
        for run in 0..runs {
            let first = 1 + 2 * run as i64 * UPDATES_PER_RUN;
            let telegram = Simulator::builder().record_limit(0).first_update_id(first);
            let telegram = telegram.start().await?;
            let polled =
                drain_by_bot(&bot, telegram, database.url(), Mode::Polling, seconds).await?;
            let telegram = Simulator::builder().record_limit(0).start().await?;
            let process = RunningBot::start(&bot, &telegram, database.url(), Mode::Polling).await?;
            let key = ingest_key(database.url(), &format!("bench{run}")).await?;
            let target = Target { url: format!("{}/ingest", process.url), key };
            let cpu = process.cpu_seconds()?;
            let begun = Instant::now();
            let batches = send_batches(&target, first + UPDATES_PER_RUN, seconds).await?;
            let updates = batches * UPDATES_PER_BATCH as f64;
            let note = format!(
                "{batches:.0} requests/s of {UPDATES_PER_BATCH} updates, {:.1} and {:.1} µs CPU per update",
                polled.cpu_us,
                (process.cpu_seconds()? - cpu) / (updates * begun.elapsed().as_secs_f64()) * 1e6,
            );
            process.end().await?;
            pairs.add(polled.rate, updates, note);
        }
        pairs.print();
    }
    Ok(())
}

struct Target {
    url: String,
    key: String,
}

/// Creates a key once the bot has entered its id, which it does before it serves the API.
async fn ingest_key(database: &str, name: &str) -> Result<String> {
    let database = Database::open(database.parse()?).await?;
    let admins = AdminService::new(DieselAdminRepository::new(database), SystemClock, [].into());
    let (name, scopes) = (name.parse()?, "ingest".parse()?);
    let (key, _) = admins.create_api_key(&name, scopes, None).await?;
    Ok(key.as_str().to_owned())
}

/// Sends batches for a while; returns how many were registered a second.
async fn send_batches(target: &Target, first: i64, seconds: f64) -> Result<f64> {
    let next = Arc::new(AtomicI64::new(first));
    let client = Client::new();
    while client.post(&target.url).bearer_auth(&target.key).body("[]").send().await?.status() != 200
    {
        sleep(Duration::from_millis(20)).await;
    }
    crate::rate::rate(SENDERS, seconds, |calls| {
        let (client, next) = (client.clone(), Arc::clone(&next));
        let (url, key) = (target.url.clone(), target.key.clone());
        async move {
            while calls.go_on() {
                let ids = next.fetch_add(UPDATES_PER_BATCH, Ordering::Relaxed);
                let request = client.post(&url).bearer_auth(&key).body(batch(ids));
                let response = request.send().await?;
                ensure!(response.status() == 200, "{}", response.text().await?);
                response.bytes().await?;
                calls.count();
            }
            Ok(())
        }
    })
    .await
}

/// Messages of different users, as JSON.
fn batch(first: i64) -> String {
    let messages: Vec<String> = (first..first + UPDATES_PER_BATCH).map(message).collect();
    format!("[{}]", messages.join(","))
}

/// An update as JSON: a message of one of the users.
pub(crate) fn message(id: i64) -> String {
    let user = id * 7919 % INGEST_USERS + 1;
    format!(
        r#"{{"update_id":{id},"message":{{"message_id":{id},"date":{},"chat":{{"id":{user},"first_name":"Ann","type":"private"}},"from":{{"id":{user},"is_bot":false,"first_name":"Ann","language_code":"en"}},"text":"hello"}}}}"#,
        SystemClock.now().timestamp()
    )
}
