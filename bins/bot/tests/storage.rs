//! The database is away, locked or full, and comes back: the bot waits, says so once, goes on, and
//! has lost nothing.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{Figure, InteractionKind};
use rollcall_repository::{ActivityRepository, QuarantineRepository};
use rollcall_repository_diesel::{Database, DieselQuarantineRepository, DieselUserRepository};
use rollcall_simulator::{Person, Simulator, Update};
use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase, ThrowAwayServer};
use running::{
    RunningBot,
    database::{counted, quarantined, stored, tamper},
};

stories!(a_row_that_cannot_be_read_holds_nobody_up,);

/// The update that meets it is set aside; everybody else is registered, by polling and by webhook.
async fn a_row_that_cannot_be_read_holds_nobody_up(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let port = free_port().await;
    let (url, address) = (format!("http://127.0.0.1:{port}/hook"), format!("127.0.0.1:{port}"));
    let webhook: &[(&str, &str)] =
        &[("WEBHOOK_URL", &url), ("WEBHOOK_SECRET", "between-us-alone"), ("LISTEN_ADDR", &address)];
    let mut met = Vec::new();
    for (round, settings) in [&[], webhook].into_iter().enumerate() {
        let first = 10 * i64::try_from(round).unwrap();
        let bot = RunningBot::launch(&telegram, &database, settings);
        bot.said("ready: @").await;
        write(&telegram, first, 3);
        telegram.wait_until_drained().await.unwrap();
        let spoilt = first + 2;
        tamper(
            &database,
            &format!("UPDATE telegram_users SET obstacle = 'gone' WHERE telegram_id = {spoilt}"),
        );
        met.push((telegram.next_update_id() + 1, false));
        write(&telegram, first, 3);
        telegram.wait_until_drained().await.unwrap();
        let log = bot.terminate().await;
        let message = "an update could not be registered, and is set aside";
        assert_eq!(log.matches(message).count(), 1, "{log}");
        assert_eq!(counted(&database).await, 5 * (u64::try_from(round).unwrap() + 1));
    }

    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let quarantined = DieselQuarantineRepository::new(storage).list(0, 10).await.unwrap();
    let kept: Vec<_> = quarantined.iter().map(|it| (it.update_id, it.registered)).collect();
    assert_eq!(kept, met);
    let reason = "it could not be registered: telegram_users.obstacle: no obstacle has this name";
    assert!(quarantined.iter().all(|update| update.reason == reason), "{quarantined:?}");
}

async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stops_and_starts_under_load() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let database = server.database();
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let mut sent = write(&telegram, 0, 300);
    server.stop();
    sent = write(&telegram, sent, 300);
    bot.said("users cannot be registered; trying again until it works").await;
    server.restart();
    sent = write(&telegram, sent, 300);
    ends_well(&telegram, bot, &database, sent).await;
}

/// Its connections stay, so that nothing fails: the wait has to have an end of its own. What it was doing
/// then goes on as well, and counts nobody twice.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_falls_silent_and_speaks_again() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let database = server.database();
    let patience = Duration::from_secs(120);
    let telegram = Simulator::builder().wait_timeout(patience).start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let mut sent = write(&telegram, 0, 300);
    telegram.wait_until_drained().await.unwrap();
    server.freeze();
    sent = write(&telegram, sent, 300);
    bot.said("a registration is under way for long: the database does not answer").await;
    bot.said("the database has not answered a registration, which is tried on another").await;
    bot.said("users cannot be registered; trying again until it works").await;
    server.thaw();
    sent = write(&telegram, sent, 300);
    ends_well(&telegram, bot, &database, sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_waits_for_a_server_that_is_not_there_at_its_start() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let database = server.database();
    let telegram = Simulator::start().await.unwrap();
    server.stop();
    let bot = RunningBot::launch(&telegram, &database, &[]);
    bot.said("the database cannot be opened; trying again until it works").await;
    let sent = write(&telegram, 0, 300);
    server.restart();
    bot.said("recovered: the database cannot be opened").await;
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    are_stored(&database, sent).await;
}

/// The pooler goes on meanwhile: it lets some wait, and answers others for the server.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_stops_and_starts_behind_a_pooler() {
    let Some(server) = ThrowAwayServer::start() else { return };
    let Some(pooled) = PooledDatabase::on(&server) else { return };
    let telegram =
        Simulator::builder().wait_timeout(Duration::from_secs(60)).start().await.unwrap();
    let bot = RunningBot::start(&telegram, pooled.database(), &[]).await;
    let mut sent = write(&telegram, 0, 300);
    server.stop();
    sent = write(&telegram, sent, 300);
    bot.said("users cannot be registered; trying again until it works").await;
    assert!(telegram.pending() > 0 && telegram.confirmed() < telegram.next_update_id());
    server.restart();
    sent = write(&telegram, sent, 300);
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    are_stored(pooled.database(), sent).await;
}

/// Another program has its own statements and settings in the sessions that the pooler shares out:
/// neither suffers from the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_shared_with_another_program() {
    let Some(pooled) = PooledDatabase::start() else { return };
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, pooled.database(), &[]).await;
    bot.said("is behind a pooler").await;
    // Everybody three times: created, then known with another name, then known as they are.
    for (round, name) in ["Ada", "Grace", "Grace"].into_iter().enumerate() {
        for n in 0..300 {
            let person = Person::new(1 + n, name).username(format!("user_{n}"));
            let at = 1_790_000_000 + i64::try_from(round).unwrap() * 1000 + n;
            telegram.push(Update::text(&person, "hello").at(at));
        }
        telegram.wait_until_drained().await.unwrap();
    }
    let log = bot.terminate().await;
    assert!(!log.contains("users cannot be registered"), "{log}");
    let stored = stored(pooled.database()).await;
    assert!(stored.len() == 300 && stored.iter().all(|user| user.first_name == "Grace"));
    assert_eq!(counted(pooled.database()).await, 900);
    assert_eq!(quarantined(pooled.database()).await, 0);
    pooled.check_sessions();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_stops_and_starts_under_load() {
    let Some(mut pooled) = PooledDatabase::start() else { return };
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, pooled.database(), &[]).await;
    let mut sent = write(&telegram, 0, 300);
    pooled.stop();
    sent = write(&telegram, sent, 300);
    bot.said("users cannot be registered; trying again until it works").await;
    pooled.restart();
    sent = write(&telegram, sent, 300);
    ends_well(&telegram, bot, pooled.database(), sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_locked_longer_than_its_busy_timeout() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram =
        Simulator::builder().wait_timeout(Duration::from_secs(40)).start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let mut sent = write(&telegram, 0, 300);
    let file = database.file().unwrap();
    let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    // The bot may be writing just now: waiting for it is what locks are for.
    other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
    sent = write(&telegram, sent, 300);
    bot.said("users cannot be registered; trying again until it works").await;
    let confirmed = telegram.confirmed();
    assert!(telegram.pending() > 0 && confirmed < telegram.next_update_id());
    other.batch_execute("ROLLBACK").unwrap();
    ends_well(&telegram, bot, &database, sent).await;
}

/// The disk is full for the bot: its files may grow no further. Then there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_has_no_room_for_a_while() {
    let database = ThrowAwayDatabase::sqlite();
    let telegram = Simulator::start().await.unwrap();
    RunningBot::start(&telegram, &database, &[]).await.terminate().await;
    let bot = RunningBot::start_with_little_room(&telegram, &database, 200 << 10).await;
    let mut sent = write(&telegram, 0, 1500);
    bot.said("users cannot be registered; trying again until it works").await;
    bot.give_room();
    sent = write(&telegram, sent, 100);
    ends_well(&telegram, bot, &database, sent).await;
}

/// Sends `count` texts of as many people as were not heard of before; answers how many there are.
fn write(telegram: &Simulator, before: i64, count: i64) -> i64 {
    for n in before..before + count {
        let person = Person::new(1 + n, "Ada").username(format!("user_{n}"));
        telegram.push(Update::text(&person, "hello").at(1_790_000_000 + n));
    }
    before + count
}

/// Everybody is stored once, everything is confirmed, and the outage was logged once.
async fn ends_well(telegram: &Simulator, bot: RunningBot, database: &ThrowAwayDatabase, sent: i64) {
    telegram.wait_until_drained().await.unwrap();
    let log = bot.terminate().await;
    assert_eq!(log.matches("users cannot be registered; trying").count(), 1, "{log}");
    assert_eq!(log.matches("recovered: users cannot be registered").count(), 1, "{log}");
    let lines = log.lines().filter(|line| !line.contains("applied the migration"));
    assert!(lines.count() < 22, "{log}");
    are_stored(database, sent).await;
}

/// So many people are stored, each with a text, and no update was set aside.
async fn are_stored(database: &ThrowAwayDatabase, sent: i64) {
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(storage);
    let (first, last) = ("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap());
    let total = users.totals(&[Figure::Users], last).await.unwrap();
    let kinds = users.sums_by_label(&[Figure::Kind], first, last).await.unwrap();
    let texts = kinds.iter().find(|it| it.label == InteractionKind::Text.name());
    assert_eq!((total, texts.map(|it| it.value)), (vec![sent], Some(sent)), "{kinds:?}");
    assert_eq!(quarantined(database).await, 0);
}
