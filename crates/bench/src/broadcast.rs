//! Broadcasts: storing the recipients of a large one compared with one statement of the database,
//! sending a thousand messages a second, and the pages about them.

use std::{
    net::IpAddr,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use rollcall_domain::{RecipientState, Role, SystemClock, TelegramId};
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselPreferencesRepository, DieselUserRepository,
};
use rollcall_service::{
    AdminService, BroadcastChange, BroadcastService, Delivery, Lane, LeaseTimes, Messenger,
    OutgoingMessage, PreferencesService, UserService,
};
use rollcall_simulator::{Crowd, Person, Simulator};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    sync::watch,
    time::sleep,
};

use crate::{
    database::Databases,
    end_to_end::{Mode, RunningBot, bot},
    latency::{measure_calls, percentile},
    limit::{BatchContent, Limit},
    people,
    report::Pairs,
    statistics::{fill, peak_mib},
    write::{PEOPLE, register_all},
};

/// The days over which the users join.
const DAYS: &str = "60";
/// How many users get the messages whose sending is measured.
const AUDIENCE: &str = "200000";
/// How many messages a second are sent.
const RATE: &str = "1000";
/// How many interactions a second are registered and answered meanwhile.
const INTERACTIONS: u32 = 200;
/// How many broadcasts are in the list, and how often each page is read.
const LISTED: usize = 200;
const READS: usize = 200;

/// Measures in databases that it fills, or in an existing one that it filled before.
pub(crate) async fn run(
    databases: &Databases,
    users: i64,
    existing: Option<&str>,
    runs: usize,
    seconds: f64,
) -> Result<()> {
    if let Some(url) = existing {
        println!("Broadcasts in {url}");
        prepare(url, users, runs).await?;
        return pages(url).await;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: a broadcast to {AUDIENCE} users");
        fill(database.url(), AUDIENCE, DAYS).await?;
        send(database.url(), seconds).await?;
    }
    for (name, database) in databases.of_each_kind() {
        println!("{name}: a broadcast to {users} users");
        fill(database.url(), &users.to_string(), DAYS).await?;
        prepare(database.url(), users, runs).await?;
        pages(database.url()).await?;
    }
    Ok(())
}

/// Stores the recipients, alternately with one statement that stores the same rows. Then once more,
/// while users are registered.
async fn prepare(url: &str, users: i64, runs: usize) -> Result<()> {
    let limit = Limit::open(url, 1, BatchContent::Users)?;
    let mut pairs = Pairs::new("storing the recipients".to_owned(), "ms");
    for _ in 0..runs {
        let alone = one_statement(&limit)?;
        let database = Database::open(url.parse()?).await?;
        let (took, recipients) = Preparation::start(url, database).await?.end().await?;
        let note = format!("{recipients} recipients, at most {:.0} MiB", peak_mib()?);
        pairs.add(alone.as_secs_f64() * 1e3, took.as_secs_f64() * 1e3, note);
        limit.execute("DELETE FROM broadcast_recipients")?;
        limit.execute("DELETE FROM broadcast_sums")?;
    }
    pairs.print();

    // Both use the same connections, as they do in a bot.
    let database = Database::open(url.parse()?).await?;
    let service = UserService::new(DieselUserRepository::new(database.clone()), SystemClock);
    let people: Arc<[people::Person]> = people::spread(PEOPLE, users).into();
    register_all(&service, &people).await?;
    let mut before = Vec::new();
    for _ in 0..20 {
        before.extend(measure_calls(&service, &people).await?);
    }
    let preparation = Preparation::start(url, database).await?;
    let mut meanwhile = Vec::new();
    while !preparation.is_over().await? {
        meanwhile.extend(measure_calls(&service, &people).await?);
    }
    let (took, _) = preparation.end().await?;
    println!(
        "  p99 of a thousand registrations a second: {:.1} ms before, {:.1} ms meanwhile (maximum \
         {:.1} ms), which took {:.1} s",
        percentile(&mut before, 99) / 1e3,
        percentile(&mut meanwhile, 99) / 1e3,
        percentile(&mut meanwhile, 100) / 1e3,
        took.as_secs_f64()
    );
    Ok(())
}

/// One statement that stores the same rows in a table with the same indexes.
fn one_statement(limit: &Limit) -> Result<Duration> {
    limit.execute("DROP TABLE IF EXISTS same_recipients")?;
    let (create, not) = match limit {
        Limit::Sqlite(_) => (
            "CREATE TABLE same_recipients (telegram_id BIGINT NOT NULL, broadcast BIGINT NOT NULL, \
             state TEXT NOT NULL DEFAULT 'queued', reason TEXT, message_id BIGINT, at TIMESTAMP, \
             PRIMARY KEY (telegram_id, broadcast)) WITHOUT ROWID",
            "is_bot = 0",
        ),
        Limit::Postgres(_) => {
            ("CREATE TABLE same_recipients (LIKE broadcast_recipients INCLUDING ALL)", "NOT is_bot")
        }
    };
    limit.execute(create)?;
    if matches!(limit, Limit::Sqlite(_)) {
        limit.execute("CREATE INDEX same_broadcast ON same_recipients (broadcast, telegram_id)")?;
    }
    let begun = Instant::now();
    limit.execute(&format!(
        "INSERT INTO same_recipients (telegram_id, broadcast) \
         SELECT telegram_id, 1 FROM telegram_users WHERE {not}"
    ))?;
    let took = begun.elapsed();
    limit.execute("DROP TABLE same_recipients")?;
    Ok(took)
}

/// A broadcast whose recipients are being stored by this process.
struct Preparation {
    service: BroadcastService,
    id: i64,
    begun: Instant,
    stop: watch::Sender<bool>,
    sender: tokio::task::JoinHandle<()>,
}

impl Preparation {
    async fn start(url: &str, database: Database) -> Result<Self> {
        let id = create(url, RATE).await?;
        let storage = DieselUserRepository::new(database.clone());
        let service = BroadcastService::new(storage.clone(), SystemClock);
        service.change(id, BroadcastChange::Start, None).await?;
        // From here on, the highest memory is that of storing the recipients.
        std::fs::write("/proc/self/clear_refs", "5")?;
        let stop = watch::Sender::new(false);
        let sender = service.sender(
            UserService::new(storage, SystemClock),
            PreferencesService::new(DieselPreferencesRepository::new(database)),
            Arc::new(Nowhere),
            LeaseTimes::lasting(Duration::from_secs(1)),
            stop.subscribe(),
        );
        let begun = Instant::now();
        Ok(Self { service, id, begun, stop, sender: tokio::spawn(sender.run()) })
    }

    async fn is_over(&self) -> Result<bool> {
        Ok(self.service.find(self.id).await?.prepared_at.is_some())
    }

    /// Waits until all recipients are stored. Returns how long that took, and how many there are.
    async fn end(self) -> Result<(Duration, u64)> {
        while !self.is_over().await? {
            sleep(Duration::from_millis(20)).await;
        }
        let took = self.begun.elapsed();
        self.service.change(self.id, BroadcastChange::Cancel, None).await?;
        self.stop.send_replace(true);
        self.sender.await?;
        Ok((took, self.service.sums(self.id).await?.all()))
    }
}

/// Sends no message: all of them wait.
struct Nowhere;

impl Messenger for Nowhere {
    fn lane(&self, _rate: Option<u32>, _is_paid: bool) -> Arc<dyn Lane> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Lane for Nowhere {
    fn rate(&self) -> Option<u32> {
        None
    }

    async fn send(
        &self,
        _to: TelegramId,
        _message: &OutgoingMessage,
        mut stop: watch::Receiver<bool>,
    ) -> Delivery {
        drop(stop.wait_for(|stop| *stop).await);
        Delivery::NotYet
    }
}

/// The bot sends a thousand messages a second, and answers people meanwhile.
async fn send(url: &str, seconds: f64) -> Result<()> {
    let storage = DieselUserRepository::new(Database::open(url.parse()?).await?);
    let service = BroadcastService::new(storage, SystemClock);
    let telegram = Simulator::builder().every_chat_open().record_limit(1000).start().await?;
    let process = RunningBot::start(&bot()?, &telegram, url, Mode::Webhook).await?;
    let crowd = Crowd::new(1).people(2000).command("/help", 100).per_second(INTERACTIONS);
    let crowd = crowd.start(&telegram);
    let id = create(url, RATE).await?;
    service.change(id, BroadcastChange::Start, None).await?;
    // Warm-up.
    while service.sums(id).await?.settled() < 2000 {
        sleep(Duration::from_millis(50)).await;
    }
    let sent = async || anyhow::Ok(service.sums(id).await?.of(RecipientState::Sent) as f64);
    let (begun, cpu, before) = (Instant::now(), process.cpu_seconds()?, sent().await?);
    let (messages, updates) = (telegram.message_count(), crowd.pushed());
    let mut answers = Vec::new();
    let asker = Person::new(900_000_001, "Ann");
    while begun.elapsed().as_secs_f64() < seconds {
        let asked = Instant::now();
        telegram.write(&asker, "/help");
        telegram.wait_for_message(asker.id).await?;
        answers.push(asked.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let (sent, cpu) = (sent().await? - before, process.cpu_seconds()? - cpu);
    let replies = (telegram.message_count() - messages) as f64 - sent;
    let updates = (crowd.pushed() - updates) as f64;
    println!(
        "  {:.0} messages a second, {:.0} interactions and {:.0} answers a second, {:.2} cores, \
         answers in {:.1} ms in the median and {:.1} ms in the 99th percentile, {:.0} MiB",
        sent / elapsed,
        updates / elapsed,
        replies / elapsed,
        cpu / elapsed,
        percentile(&mut answers, 50) / 1e3,
        percentile(&mut answers, 99) / 1e3,
        process.resident_mib()?
    );
    crowd.stop().await;
    service.change(id, BroadcastChange::Cancel, None).await?;
    process.end().await
}

/// The time to the first byte of the list and of a broadcast's page.
async fn pages(url: &str) -> Result<()> {
    let database = Database::open(url.parse()?).await?;
    let service = BroadcastService::new(DieselUserRepository::new(database.clone()), SystemClock);
    let newest = service.list(None, 1).await?;
    let largest = newest.first().context("there is a broadcast")?.0.id;
    for _ in service.list(None, 200).await?.len()..LISTED {
        create(url, RATE).await?;
    }
    let admins =
        AdminService::new(DieselAdminRepository::new(database), SystemClock, Default::default());
    let name = format!("bench{}", fastrand::u32(..)).parse()?;
    admins.create_account(&name, "correct horse battery", Role::Owner, None).await?;
    let home: IpAddr = "127.0.0.1".parse()?;
    let session = admins.sign_in(name.as_str(), "correct horse battery", home).await?;

    let manage = std::env::current_exe()?.with_file_name("manage");
    let mut server = Command::new(manage)
        .args(["runserver", "--listen", "127.0.0.1:0"])
        .env("DATABASE_URL", url)
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = server.stdout.take().context("standard output")?;
    let first = BufReader::new(output).lines().next_line().await?.context("a line")?;
    let place = first.split_once("http://").and_then(|(_, rest)| rest.split_once("/admin"));
    let (address, _) = place.context("an address")?;
    let client = reqwest::Client::new();
    let cookie = format!("rollcall_session={}", session.token.as_str());
    for (what, path) in [
        (format!("the list of {LISTED}"), "/admin/broadcasts".to_owned()),
        ("the page of the largest".to_owned(), format!("/admin/broadcasts/{largest}")),
    ] {
        let mut took = Vec::new();
        for read in 0..=READS {
            let begun = Instant::now();
            let request = client.get(format!("http://{address}{path}")).header("Cookie", &cookie);
            let response = request.send().await?;
            ensure!(response.status().is_success(), "{path}: {}", response.status());
            ensure!(response.url().path() == path, "not signed in: {}", response.url());
            let elapsed = begun.elapsed();
            let page = response.text().await?;
            ensure!(page.contains("<b>") || page.contains("bench"), "{path} is another page");
            if read > 0 {
                took.push(elapsed);
            }
        }
        println!(
            "  {what}, first byte: {:.1} ms in the median, {:.1} ms in the 99th percentile",
            percentile(&mut took, 50) / 1e3,
            percentile(&mut took, 99) / 1e3
        );
    }
    Ok(server.kill().await?)
}

/// Creates a broadcast to all users, and returns its number.
async fn create(url: &str, rate: &str) -> Result<i64> {
    let manage = std::env::current_exe()?.with_file_name("manage");
    let output = Command::new(manage)
        .args(["broadcast", "create", "--name", "bench", "--filter", "", "--json"])
        .args(["--text", "Hello <b>{first_name|friend}</b>", "--rate", rate])
        .env("DATABASE_URL", url)
        .current_dir(std::env::temp_dir())
        .output()
        .await?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let value: serde_json::Value = serde_json::from_str(&printed)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    value["id"].as_i64().context("an id")
}
