//! The management commands through a pooler whose sessions another program shares.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase};

#[test]
fn every_command_works_and_leaves_nothing_behind() {
    let Some(pooled) = PooledDatabase::start() else { return };
    let Some(direct) = ThrowAwayDatabase::postgres() else { return };
    // Several processes that start at once.
    std::thread::scope(|scope| {
        let migrate = || manage(pooled.database(), &["migrate"], "");
        let all: Vec<_> = (0..3).map(|_| scope.spawn(migrate)).collect();
        assert!(all.into_iter().all(|it| it.join().unwrap().contains("is up to date")));
    });
    manage(&direct, &["migrate"], "");

    for database in [pooled.database(), &direct] {
        manage(database, &["demo-data", "--users", "2000", "--days", "30"], "");
        let check = manage(database, &["stats", "rebuild", "--check"], "");
        assert!(check.contains("All figures match the recount."), "{check}");
    }
    // What one has comes into the other and out again as it was, created and then updated.
    let file = manage(&direct, &["export", "--format", "jsonl"], "");
    let Some(other) = PooledDatabase::start() else { return };
    manage(other.database(), &["migrate"], "");
    for expected in ["2,000 created, 0 updated", "0 created, 0 updated, 2,000 unchanged"] {
        let printed = manage(other.database(), &["import", "-", "--format", "jsonl"], &file);
        assert!(printed.contains(expected), "{printed}");
    }
    assert_eq!(manage(other.database(), &["export", "--format", "jsonl"], ""), file);
    other.check_sessions();

    for arguments in [
        &["showmigrations"][..],
        &["users", "list"],
        &["users", "list", "--after", "fn1700000000000000.1"],
        &["stats"],
        &["stats", "rebuild"],
        &["quarantine", "list"],
        &["admins", "list"],
        &["test-users"],
        &["migrate", "--revert", "--yes"],
        &["migrate"],
    ] {
        manage(pooled.database(), arguments, "");
    }
    pooled.check_sessions();
}

#[test]
fn check_says_whether_there_is_a_pooler_and_how_it_is_met() {
    let Some(pooled) = PooledDatabase::start() else { return };
    let Some(direct) = ThrowAwayDatabase::postgres() else { return };
    const SHARED: &str = "sessions are shared, so statements are not prepared ahead and settings \
                          end with their transaction";
    const OWN: &str = "each connection keeps its session";
    for (database, pool_mode, expected) in [
        (pooled.database(), "", format!("found; {SHARED}")),
        (pooled.database(), "transaction", format!("DATABASE_POOL_MODE=transaction; {SHARED}")),
        (&direct, "", format!("none found; {OWN}")),
        (&direct, "auto", format!("none found; {OWN}")),
        (&direct, "session", format!("DATABASE_POOL_MODE=session; {OWN}")),
    ] {
        manage(database, &["migrate"], "");
        let check = manage(database, &["check", "--database-pool-mode", pool_mode], "");
        assert!(check.contains(&format!("✓ Pooler: {expected}\n")), "{check}");
    }
    let sqlite = ThrowAwayDatabase::sqlite();
    manage(&sqlite, &["migrate"], "");
    assert!(!manage(&sqlite, &["check"], "").contains("Pooler"));
    pooled.check_sessions();
}

/// Runs a command that succeeds; answers its standard output.
fn manage(database: &ThrowAwayDatabase, arguments: &[&str], input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    drop(process.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = process.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "manage {arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}
