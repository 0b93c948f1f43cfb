//! The database refuses what the bot would register: what lies in one row is set aside, and for
//! everything else the bot waits, and loses nothing.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::time::Duration;

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use rollcall_domain::QuarantinedUpdate;
use rollcall_repository::QuarantineRepository;
use rollcall_repository_diesel::{Database, DieselQuarantineRepository};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    database::{counted, stored, tamper},
};

stories!(
    updates_of_three_users_in_a_row_wait,
    three_spoilt_rows_in_a_row_wait,
    a_fault_of_the_database_is_waited_for_however_few_write,
    an_update_is_quarantined_when_it_comes_alone,
    an_update_among_others_is_quarantined,
    a_table_that_is_missing_is_waited_for,
);

const WAITS: &str = "users cannot be registered; trying again until it works error=";
const TOO_MANY: &str = "updates of 3 users in a row were refused: the database is at fault";
const SET_ASIDE: &str = "an update could not be registered, and is set aside";

/// By polling and by webhook.
async fn updates_of_three_users_in_a_row_wait(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    for (by_webhook, counts) in [(false, 4), (true, 8)] {
        let bot = running(&telegram, &database, by_webhook).await;
        refuse(&database, "TRUE");
        for id in 1..=3 {
            telegram.write(&Person::new(id, "Ada"), "hello");
            bot.said(WAITS).await;
        }
        bot.said(TOO_MANY).await;
        telegram.write(&Person::new(4, "Ada"), "hello");
        assert_eq!(telegram.pending(), 4);
        accept(&database);
        telegram.wait_until_drained().await.unwrap();
        assert_eq!(quarantined(&database).await, []);
        assert_eq!(counted(&database).await, counts);
        let log = bot.terminate().await;
        assert!(!log.contains(SET_ASIDE) && log.matches(TOO_MANY).count() == 1, "{log}");
    }
}

/// Three rows are spoilt, one by one; their users write before others do.
async fn three_spoilt_rows_in_a_row_wait(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let write = || {
        for id in 1..=4 {
            telegram.write(&Person::new(id, "Ada"), "hello");
        }
    };
    write();
    telegram.wait_until_drained().await.unwrap();
    tamper(&database, "UPDATE telegram_users SET obstacle = 'gone' WHERE telegram_id < 4");
    write();
    bot.said(TOO_MANY).await;
    assert_eq!(telegram.pending(), 4);
    tamper(&database, "UPDATE telegram_users SET obstacle = NULL");
    telegram.wait_until_drained().await.unwrap();
    assert_eq!(quarantined(&database).await, []);
    assert_eq!(counted(&database).await, 8);
    bot.terminate().await;
}

async fn a_fault_of_the_database_is_waited_for_however_few_write(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    refuse(&database, "TRUE");
    telegram.write(&Person::new(1, "Ada"), "hello");
    bot.said(WAITS).await;
    // As often as it is tried again within some seconds: each time it is fetched again.
    telegram.wait_for_requests("getUpdates", telegram.calls("getUpdates") + 5).await.unwrap();
    assert_eq!((telegram.pending(), quarantined(&database).await.len()), (1, 0));
    accept(&database);
    telegram.wait_until_drained().await.unwrap();
    assert_eq!((quarantined(&database).await, counted(&database).await), (vec![], 1));
    bot.terminate().await;
}

async fn an_update_is_quarantined_when_it_comes_alone(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    for by_webhook in [false, true] {
        let bot = running(&telegram, &database, by_webhook).await;
        refuse(&database, "NEW.telegram_id = 2");
        let update = telegram.write(&Person::new(2, "Bob"), "hello");
        telegram.wait_until_confirmed(update).await.unwrap();
        let kept = quarantined(&database).await;
        let code = if database.file().is_some() { "SQLITE_CONSTRAINT" } else { "SQLSTATE XX001" };
        let reason = format!("it could not be registered: the database refused a row: {code}");
        let last = kept.last().unwrap();
        assert_eq!((last.update_id, last.registered, &last.reason), (update, false, &reason));
        accept(&database);
        telegram.write(&Person::new(2, "Bob"), "hello");
        telegram.wait_until_drained().await.unwrap();
        assert_eq!(bot.terminate().await.matches(SET_ASIDE).count(), 1);
        assert_eq!(stored(&database).await.len(), 1);
        tamper(&database, "DELETE FROM quarantine");
    }
}

/// One user's updates among those of many, some before and some after.
async fn an_update_among_others_is_quarantined(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    refuse(&database, "NEW.telegram_id = 50");
    let mut spoilt = Vec::new();
    for n in 0..300 {
        let id = 1 + n % 100;
        let update = telegram.write(&Person::new(id, "Grace"), "/help");
        spoilt.extend((id == 50).then_some(update));
    }
    telegram.wait_until_drained().await.unwrap();
    let kept: Vec<i64> = quarantined(&database).await.iter().map(|it| it.update_id).collect();
    assert_eq!(kept, spoilt);
    assert_eq!((counted(&database).await, stored(&database).await.len()), (297, 99));
    telegram.wait_for_message(100).await.unwrap();
    bot.terminate().await;
    assert_eq!(telegram.calls("sendMessage"), 297, "everybody else is answered, once");
}

async fn a_table_that_is_missing_is_waited_for(database: ThrowAwayDatabase) {
    let telegram = patient().await;
    for by_webhook in [false, true] {
        let bot = running(&telegram, &database, by_webhook).await;
        tamper(&database, "ALTER TABLE active_days RENAME TO days");
        tamper(&database, "ALTER TABLE activity_sums RENAME TO sums");
        for id in 1..=5 {
            telegram.write(&Person::new(id, "Ada"), "hello");
        }
        bot.said(WAITS).await;
        let named = match database.file() {
            Some(_) => "the database refused a statement: no such table: ",
            None => "the database refused a statement: SQLSTATE 42P01: ",
        };
        bot.said(named).await;
        assert_eq!(telegram.pending(), 5);
        tamper(&database, "ALTER TABLE days RENAME TO active_days");
        tamper(&database, "ALTER TABLE sums RENAME TO activity_sums");
        telegram.wait_until_drained().await.unwrap();
        assert_eq!(quarantined(&database).await, []);
        bot.terminate().await;
    }
    assert_eq!(counted(&database).await, 10);
}

/// The database lets statements take only so long, and another program locks a table for longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_outlasts_the_timeouts_of_postgres_is_waited_for() {
    for (setting, code) in [("statement_timeout", "57014"), ("lock_timeout", "55P03")] {
        for by_webhook in [false, true] {
            let Some(database) = ThrowAwayDatabase::postgres() else { return };
            tamper(
                &database,
                &format!(
                    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting} = 200', \
                     current_database()); END $$"
                ),
            );
            let telegram = patient().await;
            let bot = running(&telegram, &database, by_webhook).await;
            let mut other = PgConnection::establish(database.url()).unwrap();
            other.batch_execute("SET statement_timeout = 0; BEGIN; LOCK telegram_users").unwrap();
            for id in 1..=5 {
                telegram.write(&Person::new(id, "Ada"), "hello");
            }
            bot.said(&format!("{WAITS}the database refused a statement: SQLSTATE {code}: ")).await;
            assert_eq!(telegram.pending(), 5);
            other.batch_execute("ROLLBACK").unwrap();
            telegram.wait_until_drained().await.unwrap();
            assert_eq!((quarantined(&database).await, counted(&database).await), (vec![], 5));
            let log = bot.terminate().await;
            assert!(!log.contains(SET_ASIDE), "{log}");
        }
    }
}

/// A simulated Telegram whose tests may take as long as the bot's waits.
async fn patient() -> Simulator {
    Simulator::builder().wait_timeout(Duration::from_secs(60)).start().await.unwrap()
}

/// A bot that takes updates.
async fn running(
    telegram: &Simulator,
    database: &ThrowAwayDatabase,
    by_webhook: bool,
) -> RunningBot {
    if !by_webhook {
        return RunningBot::start(telegram, database, &[]).await;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}/hook");
    let settings = [
        ("WEBHOOK_URL", &*url),
        ("WEBHOOK_SECRET", "between-us-alone"),
        ("LISTEN_ADDR", &*address),
    ];
    let bot = RunningBot::launch(telegram, database, &settings);
    bot.said("ready: @").await;
    bot
}

/// Has the database refuse rows of `telegram_users` that meet a condition.
fn refuse(database: &ThrowAwayDatabase, condition: &str) {
    let sql = match database.file() {
        Some(_) => ["INSERT", "UPDATE"]
            .map(|change| {
                format!(
                    "CREATE TRIGGER refuse_{change} BEFORE {change} ON telegram_users \
                     WHEN {condition} BEGIN SELECT RAISE(ABORT, 'refused'); END;"
                )
            })
            .concat(),
        None => format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'refused' USING ERRCODE = 'XX001'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON telegram_users FOR EACH ROW \
             WHEN ({condition}) EXECUTE FUNCTION refuse()"
        ),
    };
    tamper(database, &sql);
}

/// Has it take them again.
fn accept(database: &ThrowAwayDatabase) {
    tamper(
        database,
        match database.file() {
            Some(_) => "DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_UPDATE",
            None => "DROP TRIGGER refuse ON telegram_users",
        },
    );
}

/// What a database holds that was set aside.
async fn quarantined(database: &ThrowAwayDatabase) -> Vec<QuarantinedUpdate> {
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    DieselQuarantineRepository::new(storage).list(0, 100).await.unwrap()
}
