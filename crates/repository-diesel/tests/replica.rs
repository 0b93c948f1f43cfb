//! Lists, figures and exports on a streaming replica of PostgreSQL, and on the primary while that is
//! away, behind or another database.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use rollcall_domain::{
    Clock, Counted, Figure, Filter, Interaction, InteractionKind, Profile, Selection, UserFilter,
    UserSort,
};
use rollcall_repository::{
    ActivityRepository, AudienceRepository, BotRepository, DirectoryRepository, TransferRepository,
    UserRepository,
};
use rollcall_repository_diesel::{Database, DieselBotRepository, DieselUserRepository};
use rollcall_testkit::{PooledDatabase, TestClock, ThrowAwayDatabase, ThrowAwayServer};

/// More than any wait of the tests takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// A primary with a database, and a standby.
struct Pair {
    primary: ThrowAwayServer,
    standby: ThrowAwayServer,
    throw_away: ThrowAwayDatabase,
    /// Without the replica.
    database: Database,
}

impl Pair {
    async fn start() -> Option<Self> {
        let primary = ThrowAwayServer::start()?;
        let throw_away = primary.database();
        let standby = primary.standby();
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        Some(Self { primary, standby, throw_away, database })
    }

    /// The same with tables and user 1, which the standby has.
    async fn filled() -> Option<Self> {
        let pair = Self::start().await?;
        pair.database.migrate().await.unwrap();
        let bots = DieselBotRepository::new(pair.database.clone());
        bots.claim(777.try_into().unwrap(), clock().now()).await.unwrap();
        pair.register(1);
        pair.primary.await_replay(&pair.standby);
        Some(pair)
    }

    async fn with_replica(&self) -> Database {
        let url = self.standby.url_of(&self.throw_away);
        self.database.clone().with_replica(url.parse().unwrap()).await.unwrap()
    }

    fn register(&self, id: i64) {
        let (profile, now) = (Profile::new(id.try_into().unwrap(), "Ada"), clock().now());
        let interaction = Interaction::new(now, profile, InteractionKind::Text);
        let users = DieselUserRepository::new(self.database.clone());
        users.register(&vec![interaction].into(), now).unwrap();
    }

    fn pause(&self) {
        self.standby.query(&self.throw_away, "SELECT pg_wal_replay_pause()");
        let state = "SELECT pg_get_wal_replay_pause_state()";
        until("replay is paused", || self.standby.query(&self.throw_away, state) == "paused");
    }

    fn resume(&self) {
        self.standby.query(&self.throw_away, "SELECT pg_wal_replay_resume()");
    }
}

fn clock() -> TestClock {
    TestClock::at("2026-11-23T12:00:00Z")
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until the replica is read, or is not.
async fn until_read(database: &Database, is_read: bool) {
    let begun = Instant::now();
    while database.replica().unwrap().lag.is_ok() != is_read {
        assert!(begun.elapsed() < LONG, "{:?}", database.replica());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The number of users by a list, by counts, in an export and by the figures.
async fn seen(database: &Database) -> [u64; 5] {
    let users = DieselUserRepository::new(database.clone());
    let all = Filter::from(&UserFilter::new());
    let all = Selection::new(&all, &BTreeMap::new(), chrono_tz::UTC, clock().now()).unwrap();
    let listed = users.select(&all, UserSort::default(), None, 10).await.unwrap().rows.len();
    let counted = users.count_up_to(&all, 10).await.unwrap();
    let exactly = users.count(&all, Arc::new(|_, _| true)).await.unwrap().unwrap();
    let exported = users.users_after(None, 10).await.unwrap().len();
    let figures = users.totals(&[Figure::Users], NaiveDate::MAX).await.unwrap();
    let number = |length: usize| u64::try_from(length).unwrap();
    let counted = match counted {
        Counted::Exactly(users) => users,
        other => panic!("{other:?}"),
    };
    [
        number(listed),
        counted,
        exactly,
        number(exported),
        figures.first().copied().unwrap().try_into().unwrap(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_old_is_read_on_the_replica() {
    let Some(pair) = Pair::filled().await else { return };
    let database = pair.with_replica().await;
    pair.pause();
    pair.register(2);
    let changed = pair.database.position().await.unwrap().unwrap();
    assert_eq!(seen(&database).await, [1; 5]);
    assert_eq!(seen(&pair.database).await, [2; 5], "the primary");
    assert!(
        DieselUserRepository::new(database.clone())
            .find(2.try_into().unwrap())
            .await
            .unwrap()
            .is_some()
    );
    assert!(!database.replica_has(changed, Duration::ZERO).await);
    assert!(!database.replica_has(changed, Duration::from_millis(50)).await);
    assert!(!database.replica_has_all(Duration::ZERO).await);

    pair.resume();
    assert!(database.replica_has(changed, LONG).await);
    assert_eq!(seen(&database).await, [2; 5]);
    assert!(database.replica_has_all(LONG).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_grows_while_the_primary_goes_on_and_not_while_it_is_idle() {
    let Some(pair) = Pair::filled().await else { return };
    let database = pair.with_replica().await;
    let lag = || database.replica().unwrap().lag.unwrap();
    for _ in 0..3 {
        database.look_at_replica().await;
    }
    assert_eq!(lag(), Duration::ZERO, "idle");
    pair.pause();
    pair.register(2);
    let begun = Instant::now();
    while lag() < Duration::from_secs(2) {
        assert!(begun.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1));
    pair.resume();
    pair.primary.await_replay(&pair.standby);
    database.look_at_replica().await;
    assert_eq!(lag(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_away_delays_no_reader() {
    let Some(pair) = Pair::filled().await else { return };
    let database = pair.with_replica().await;
    assert_eq!(seen(&database).await, [1; 5]);
    pair.standby.kill();
    pair.register(2);
    for _ in 0..2 {
        let begun = Instant::now();
        assert_eq!(seen(&database).await, [2; 5]);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
    until_read(&database, false).await;
    pair.standby.restart();
    until_read(&database, true).await;
    pair.primary.await_replay(&pair.standby);
    pair.pause();
    pair.register(3);
    assert_eq!(seen(&database).await, [2; 5], "it is read again");
    pair.resume();

    // Silent: a reader notices it with the next look.
    pair.standby.freeze();
    let begun = Instant::now();
    assert_eq!(seen(&database).await, [3; 5]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(seen(&database).await, [3; 5]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    pair.standby.thaw();
    until_read(&database, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_starts_without_its_replica_and_reads_it_later() {
    let Some(pair) = Pair::filled().await else { return };
    pair.standby.stop();
    let database = pair.with_replica().await;
    assert_eq!(seen(&database).await, [1; 5]);
    assert!(database.replica().unwrap().lag.is_err());
    pair.standby.restart();
    until_read(&database, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_is_refused() {
    let Some(pair) = Pair::filled().await else { return };
    let other = ThrowAwayServer::start().unwrap();
    let namesake = other.database();
    let neighbour = pair.primary.database();
    for (url, reason) in [
        (namesake.url(), "its server has another system identifier"),
        (neighbour.url(), "its database is test_1, not test_0"),
    ] {
        let error = pair.database.clone().with_replica(url.parse().unwrap()).await.unwrap_err();
        let expected = "DATABASE_READ_URL names another database than DATABASE_URL: ";
        assert!(error.to_string().starts_with(&format!("{expected}{reason}")), "{error}");
        assert!(!error.may_pass());
    }
}

/// A standby that was promoted by mistake goes its own way; the primary itself is as good as a replica.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_writes_of_its_own_is_not_read() {
    let Some(pair) = Pair::filled().await else { return };
    pair.standby.promote();
    let database = pair.with_replica().await;
    let reason = database.replica().unwrap().lag.unwrap_err();
    assert_eq!(reason, "it accepts writes of its own, but is not the server of DATABASE_URL");
    assert_eq!(seen(&database).await, [1; 5]);
    let url = pair.throw_away.url().parse().unwrap();
    let database = pair.database.clone().with_replica(url).await.unwrap();
    assert_eq!(database.replica().unwrap().lag, Ok(Duration::ZERO));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_not_read() {
    let Some(pair) = Pair::start().await else { return };
    pair.primary.await_replay(&pair.standby);
    pair.pause();
    pair.database.migrate().await.unwrap();
    let database = pair.with_replica().await;
    let reason = database.replica().unwrap().lag.unwrap_err();
    assert!(reason.starts_with("its schema is older: it lacks "), "{reason}");
    assert_eq!(seen(&database).await, [0; 5]);
    pair.resume();
    until_read(&database, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_may_be_behind_a_pooler() {
    let Some(pair) = Pair::filled().await else { return };
    let Some(pooled) = PooledDatabase::in_front_of(&pair.standby, &pair.throw_away) else { return };
    let url = pooled.database().url().parse().unwrap();
    let database = pair.database.clone().with_replica(url).await.unwrap();
    until_read(&database, true).await;
    pair.pause();
    pair.register(2);
    assert_eq!(seen(&database).await, [1; 5]);
}
