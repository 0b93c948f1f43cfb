//! `manage` on a database with a replica.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::time::{Duration, Instant};

use rollcall_testkit::{ThrowAwayDatabase, ThrowAwayServer};

struct Pair {
    primary: ThrowAwayServer,
    standby: ThrowAwayServer,
    database: ThrowAwayDatabase,
}

impl Pair {
    /// With 100 users.
    fn start() -> Option<Self> {
        let primary = ThrowAwayServer::start()?;
        let database = primary.database();
        let pair = Self { standby: primary.standby(), primary, database };
        assert_eq!(pair.run(&["migrate"], "").0, 0);
        let filled = pair.run(&["demo-data", "--users", "100", "--days", "30"], "");
        assert_eq!(filled.0, 0, "{}", filled.2);
        pair.primary.await_replay(&pair.standby);
        Some(pair)
    }

    fn run(&self, arguments: &[&str], read_url: &str) -> (i32, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("DATABASE_URL", self.database.url()), ("DATABASE_READ_URL", read_url)];
        program::run(folder.path(), arguments, &[], &settings)
    }

    fn run_on_replica(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run(arguments, &self.standby.url_of(&self.database))
    }

    /// How often the users were read on the standby.
    fn reads(&self) -> u64 {
        let sql = "SELECT COALESCE(seq_scan, 0) + COALESCE(idx_scan, 0) FROM pg_stat_user_tables \
                   WHERE relname = 'telegram_users'";
        self.standby.query(&self.database, sql).parse().unwrap_or_default()
    }
}

#[test]
fn lists_counts_and_exports_are_read_on_the_replica() {
    let Some(pair) = Pair::start() else { return };
    for arguments in [&["count"][..], &["users", "list"], &["export", "--format", "csv"]] {
        let before = pair.reads();
        let (code, printed, error) = pair.run_on_replica(arguments);
        assert_eq!((code, error.contains("WARN")), (0, false), "{arguments:?}: {error}");
        assert_eq!(printed, pair.run(arguments, "").1, "{arguments:?}");
        // A server process reports what it read when it ends.
        let begun = Instant::now();
        while pair.reads() == before {
            assert!(begun.elapsed() < Duration::from_secs(30), "{arguments:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A script that changes something and then reads sees the change.
#[test]
fn a_command_sees_what_was_changed_before_it() {
    let Some(pair) = Pair::start() else { return };
    pair.standby.set("recovery_min_apply_delay", "300ms");
    for n in 1..=3 {
        let id = 10_000_000_000_i64 + n;
        pair.primary.query(
            &pair.database,
            &format!(
                "INSERT INTO telegram_users SELECT (u).* FROM (SELECT \
                 jsonb_populate_record(t, '{{\"telegram_id\": {id}, \"username\": null}}') AS u \
                 FROM telegram_users AS t ORDER BY telegram_id LIMIT 1) AS one"
            ),
        );
        let (code, printed, error) = pair.run_on_replica(&["export", "--format", "csv"]);
        assert_eq!(code, 0, "{error}");
        assert!(printed.contains(&id.to_string()), "{n}");
    }
    // One that does not catch up is not waited for long.
    pair.standby.query(&pair.database, "SELECT pg_wal_replay_pause()");
    pair.primary
        .query(&pair.database, "DELETE FROM telegram_users WHERE telegram_id > 10000000000");
    let (code, printed, error) = pair.run_on_replica(&["export", "--format", "csv"]);
    assert!(code == 0 && !printed.contains("1000000000"), "{error}");
    let expected = "the replica did not catch up within 5 seconds: reading the primary";
    assert!(error.contains(expected), "{error}");
    let check = pair.run_on_replica(&["check"]).1;
    assert!(check.contains("! Replica: postgres:///") && check.contains(" behind\n"), "{check}");
}

#[test]
fn check_shows_how_the_replica_is() {
    let Some(pair) = Pair::start() else { return };
    let (code, check, _) = pair.run_on_replica(&["check"]);
    let name = pair.standby.url_of(&pair.database);
    let name = name.split('?').next().unwrap();
    assert!(check.contains(&format!("✓ Replica: {name}, up to date\n")), "{check}");
    assert_eq!(code, 0, "{check}");

    pair.standby.kill();
    let (code, check, _) = pair.run_on_replica(&["check"]);
    let expected = format!("! Replica: {name}, the primary is read instead: ");
    assert!(code == 0 && check.contains(&expected), "{check}");
    let (code, printed, error) = pair.run_on_replica(&["count"]);
    assert_eq!((code, printed), (0, pair.run(&["count"], "").1), "{error}");
    assert!(error.contains("cannot be read, so the primary is read instead"), "{error}");

    let other = pair.primary.database();
    let (code, check, _) = pair.run(&["check"], other.url());
    assert!(code == 1 && check.contains("✗ Replica: DATABASE_READ_URL names another"), "{check}");
    let (code, _, error) = pair.run(&["count"], other.url());
    assert!(code == 1 && error.contains("DATABASE_READ_URL names another database"), "{error}");
}
