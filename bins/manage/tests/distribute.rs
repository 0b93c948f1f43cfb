//! `manage distribute`, and bots at different servers of the database afterwards.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use program::run;
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, SystemClock};
use rollcall_repository::UserRepository as _;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;

fn manage(database: &ThrowAwayDatabase, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), arguments, b"", &[("DATABASE_URL", database.url())])
}

#[test]
fn what_cannot_be_distributed_says_why_and_stays_as_it_is() {
    for database in ThrowAwayDatabase::of_each_kind() {
        assert_eq!(manage(&database, &["migrate"]).0, 0);
        let (code, _, error) = manage(&database, &["distribute"]);
        assert_eq!(code, 1, "{error}");
        let expected = match database.file() {
            Some(_) => "only a PostgreSQL database can be distributed",
            None => "the database does not have the extension citus",
        };
        assert!(error.contains(expected), "{error}");
        for shards in ["0", "65"] {
            let (code, _, error) = manage(&database, &["distribute", "--shards", shards]);
            assert_eq!(code, 1, "{error}");
            let expected = format!("{shards} shards cannot be had; expected 1 to 64");
            assert!(error.contains(&expected), "{error}");
        }
        assert_eq!(manage(&database, &["check"]).0, 0);
    }
}

fn citus() -> Option<ThrowAwayDatabase> {
    let database = ThrowAwayDatabase::citus();
    if database.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Not eprintln!, which the test runner would capture.
        let line = format!("SKIPPED {test}: ROLLCALL_CITUS_URL is not set\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    database
}

#[test]
fn a_database_is_distributed_once_and_by_itself() {
    let Some(database) = citus() else { return };
    let (code, _, error) = manage(&database, &["distribute"]);
    assert_eq!(code, 1);
    assert!(error.contains("the database lacks migrations; run `manage migrate` first"), "{error}");
    assert_eq!(manage(&database, &["migrate"]).0, 0);
    assert_eq!(manage(&database, &["demo-data", "--users", "300", "--days", "40"]).0, 0);

    let mut other = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", database.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asked = other.stdin.take().unwrap();
    asked.write_all(b"SELECT 1;\n").unwrap();
    let mut answer = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    let (code, _, error) = manage(&database, &["distribute"]);
    assert_eq!(code, 1);
    assert!(error.contains("1 other connections use the database; stop all bots"), "{error}");
    drop(asked);
    other.wait().unwrap();

    let (code, printed, error) = manage(&database, &["distribute", "--dry-run"]);
    assert_eq!(code, 0, "{error}");
    assert!(printed.starts_with("Would distribute "), "{printed}");
    assert!(printed.contains(": telegram_users, active_days, "), "{printed}");
    let (code, printed, error) = manage(&database, &["distribute", "--shards", "4"]);
    assert_eq!(code, 0, "{error}");
    assert!(printed.starts_with("Distributed "), "{printed}");
    let (code, printed, error) = manage(&database, &["distribute"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(printed.ends_with(" is distributed already.\n"), "{printed}");

    // What was there is there, and the server takes what Rollcall asks of it.
    let (code, printed, error) = manage(&database, &["stats", "rebuild", "--check"]);
    assert_eq!(code, 0, "{printed}{error}");
    let (code, printed, error) = manage(&database, &["check"]);
    assert_eq!(code, 0, "{printed}{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_at_different_servers_count_each_update_once_and_share_no_username() {
    let Some(database) = citus() else { return };
    assert_eq!(manage(&database, &["migrate"]).0, 0);
    let (code, _, error) = manage(&database, &["distribute", "--shards", "4"]);
    assert_eq!(code, 0, "{error}");
    let mut bots = Vec::new();
    for url in database.nodes() {
        let storage = Database::open(url.parse().unwrap()).await.unwrap();
        bots.push(UserService::new(DieselUserRepository::new(storage), SystemClock));
    }
    assert!(bots.len() > 2, "a coordinator and two workers");
    let now = SystemClock.now();
    // Every update reaches every bot. Names go from user to user.
    let interaction = |n: i64| {
        let (user, name) = (1 + n % 50, (n * 7 + n / 50) % 60);
        let profile = Profile::new(user.try_into().unwrap(), "Ada");
        let profile = profile.username(&format!("name_{name}"));
        let at = now - chrono::TimeDelta::seconds(1000 - n);
        Interaction {
            update_id: Some(n),
            ..Interaction::new(at, profile, InteractionKind::Message)
        }
    };
    let tasks: Vec<_> = bots
        .iter()
        .cloned()
        .map(|bot| {
            let parts: Vec<Vec<Interaction>> = (0..20)
                .map(|part| (part * 50..(part + 1) * 50).map(interaction).collect())
                .collect();
            tokio::spawn(async move {
                let mut counted = 0;
                for part in parts {
                    let registered = bot.register(&part).await.unwrap();
                    counted += registered.iter().filter(|it| !it.repeated).count();
                }
                counted
            })
        })
        .collect();
    let mut counted = 0;
    for task in tasks {
        counted += task.await.unwrap();
    }
    assert_eq!(counted, 1000);
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let users = DieselUserRepository::new(storage);
    let mut names = BTreeSet::new();
    for id in 1..=50_i64 {
        let user = users.find(id.try_into().unwrap()).await.unwrap().unwrap();
        if let Some(name) = user.username {
            assert!(names.insert(name.key()), "two users hold {}", name.as_str());
        }
    }
    assert!(names.len() > 25, "{names:?}");
    drop((bots, users));
    let (code, printed, error) = manage(&database, &["stats", "rebuild", "--check"]);
    assert_eq!(code, 0, "{printed}{error}");
}
