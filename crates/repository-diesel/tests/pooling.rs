//! A pooler in front of PostgreSQL: how it is found, and how it is lived with.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::Text,
};
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, TelegramId};
use rollcall_repository::UserRepository;
use rollcall_repository_diesel::{Database, DatabaseUrl, DieselUserRepository, PoolMode, Sessions};
use rollcall_testkit::{PooledDatabase, TestClock, ThrowAwayDatabase};

/// Whatever its mode: no session can be counted upon behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_detected() {
    for settings in [
        "",
        "ignore_startup_parameters = extra_float_digits,options",
        "pool_mode = session",
        "default_pool_size = 1",
    ] {
        let Some(pooled) = PooledDatabase::with_settings(settings) else { return };
        let database = Database::open(pooled.database().url().parse().unwrap()).await.unwrap();
        assert_eq!(database.sessions(), Sessions::Shared, "{settings}");
        registers(database).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_pooler_is_detected_without_one() {
    let sqlite = ThrowAwayDatabase::sqlite();
    let database = Database::open(sqlite.url().parse().unwrap()).await.unwrap();
    assert_eq!(database.sessions(), Sessions::Own);

    let Some(postgres) = ThrowAwayDatabase::postgres() else { return };
    // Parameters of the URL do not hide that, nor do they suffer from it.
    for more in ["", "&options=-c%20statement_timeout%3D77s", "&application_name=other"] {
        let url = format!("{}{more}", postgres.url());
        let database = Database::open(url.parse().unwrap()).await.unwrap();
        assert_eq!(database.sessions(), Sessions::Own, "{more}");
        registers(database).await;
    }
}

/// What the setting says is taken as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_configured_pool_mode_is_used() {
    let Some(pooled) = PooledDatabase::with_settings("pool_mode = session") else { return };
    let Some(direct) = ThrowAwayDatabase::postgres() else { return };
    for url in [pooled.database().url(), direct.url()] {
        for (pool_mode, sessions) in
            [(PoolMode::Session, Sessions::Own), (PoolMode::Transaction, Sessions::Shared)]
        {
            let url: DatabaseUrl = url.parse().unwrap();
            let database = Database::open(url.with_pool_mode(pool_mode)).await.unwrap();
            assert_eq!(database.sessions(), sessions);
            registers(database).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_without_transactions_is_refused_with_the_reason() {
    let Some(pooled) = PooledDatabase::with_settings("pool_mode = statement") else { return };
    let error = Database::open(pooled.database().url().parse().unwrap()).await.unwrap_err();
    let reason = "a pooler has to be in transaction or session mode";
    assert!(error.to_string().ends_with(reason), "{error}");
}

/// A batch locks many rows, and how they are read decides in which order.
#[tokio::test(flavor = "multi_thread")]
async fn registration_has_the_same_plans_through_a_pooler() {
    let Some(pooled) = PooledDatabase::start() else { return };
    let Some(direct) = ThrowAwayDatabase::postgres() else { return };
    for database in [pooled.database(), &direct] {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let mut other = PgConnection::establish(database.url()).unwrap();
        other.batch_execute(NOTE_SETTINGS).unwrap();
        let users = DieselUserRepository::new(storage);
        users.register(&(1..=50).map(text).collect::<Vec<_>>().into(), now()).unwrap();
        let noted: Vec<Noted> =
            diesel::sql_query("SELECT DISTINCT settings FROM noted").load(&mut other).unwrap();
        let noted: Vec<_> = noted.iter().map(|noted| noted.settings.as_str()).collect();
        assert_eq!(noted, ["off off force_generic_plan"]);
    }
    pooled.check_sessions();
}

/// Notes with which settings users are written.
const NOTE_SETTINGS: &str = "
    CREATE TABLE noted (settings text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO noted VALUES (concat_ws(' ', current_setting('enable_seqscan'),
            current_setting('jit'), current_setting('plan_cache_mode')));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON telegram_users EXECUTE FUNCTION note();
";

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = Text)]
    settings: String,
}

/// The pooler may restart, and so may the server behind it.
#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_by_the_pooler_are_opened_again() {
    let Some(mut pooled) = PooledDatabase::start() else { return };
    let database = Database::open(pooled.database().url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DieselUserRepository::new(database);
    for round in 0..4 {
        let finds = (0..32).map(|_| {
            let users = users.clone();
            tokio::spawn(async move { users.find(id(1)).await.unwrap() })
        });
        for find in finds.collect::<Vec<_>>() {
            find.await.unwrap();
        }
        if round % 2 == 0 {
            pooled.stop();
            pooled.restart();
        } else {
            let mut other = PgConnection::establish(pooled.database().url()).unwrap();
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            diesel::sql_query(cut).execute(&mut other).unwrap();
        }
        assert_eq!(users.register(&vec![text(1)].into(), now()).unwrap().len(), 1);
    }
}

/// Registers users by a batch and a single call, twice, clears up behind them and finds them.
async fn registers(database: Database) {
    database.migrate().await.unwrap();
    let users = DieselUserRepository::new(database.clone());
    for _ in 0..2 {
        users.register(&(1..=50).map(text).collect::<Vec<_>>().into(), now()).unwrap();
        users.register(&vec![text(1)].into(), now()).unwrap();
    }
    database.tidy().await.unwrap();
    assert!(users.find(id(50)).await.unwrap().is_some());
}

fn text(n: i64) -> Interaction {
    Interaction::new(now(), Profile::new(id(n), "Ada"), InteractionKind::Text)
}

fn now() -> DateTime<Utc> {
    TestClock::at("2026-11-23T12:00:00Z").now()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
