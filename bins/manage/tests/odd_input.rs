//! Arguments and names that nobody would choose, on each database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use rollcall_domain::{Interaction, InteractionKind, Profile};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::{TestClock, ThrowAwayDatabase};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn what_no_user_can_have_is_refused_by_name() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let long = "x".repeat(10_000);
        for (option, values) in [
            ("--first-seen-since", &["-262143-01-01", "+262142-12-31", "0000-01-01"][..]),
            ("--first-seen-until", &["10000-01-01", "2026-02-30", "", "2026-1-1"]),
            ("--last-seen-since", &["-0001-01-01", "yesterday"]),
            ("--last-seen-until", &["+10000-01-01", "2026-11-23T00:00:00Z"]),
            ("--min-active-days", &["-1", "4294967296", "1e3"]),
            ("--max-active-days", &["99999999999999999999", "x"]),
            ("--source", &["a b", "\u{fffd}", &long]),
            ("--language", &["\u{fffd}", &long]),
            ("--search", &["@", " ", "\u{fffd}", &long]),
            ("--bot", &["maybe"]),
            ("--reach", &["away"]),
        ] {
            for value in values {
                let argument = format!("{option}={value}");
                let (code, printed, error) = manage(&database, &["export", &argument]);
                let short: String = argument.chars().take(60).collect();
                assert_eq!((code, printed.as_str()), (2, ""), "{short}: {error}");
                assert!(error.contains(option), "{short}: {error}");
            }
        }
        for option in ["--since", "--until"] {
            for value in ["-262143-01-01", "+262142-12-31", "0000-01-01", "10000-01-01"] {
                let (code, printed, error) =
                    manage(&database, &["stats", &format!("{option}={value}")]);
                assert_eq!((code, printed.as_str()), (2, ""), "{option} {value}: {error}");
                assert!(error.contains("expected a day such as 2026-11-23"), "{error}");
            }
        }
        let (code, _, error) = manage(&database, &["fetch-games", "--date=-262143-01-01"]);
        assert!(code == 2 && error.contains("expected a day"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ends_of_the_calendar_are_days_like_others() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        for (arguments, users) in [
            (&["--first-seen-since=0001-01-01", "--first-seen-until=9999-12-31"][..], 4),
            (&["--last-seen-since=0001-01-01", "--last-seen-until=9999-12-31"], 4),
            (&["--first-seen-since=9999-12-31"], 0),
            (&["--last-seen-until=0001-01-01"], 0),
            (&["--min-active-days=4294967295"], 0),
            (&["--max-active-days=4294967295"], 4),
            (&["--source="], 4),
            (&["--language="], 3),
        ] {
            let all = [&["export", "--format", "jsonl"], arguments].concat();
            let (code, printed, error) = manage(&database, &all);
            assert_eq!((code, printed.lines().count()), (0, users), "{arguments:?}: {error}");
        }
        let (code, _, error) = manage(&database, &["stats", "--until=0001-01-01"]);
        assert_eq!(code, 0, "{error}");
        let (code, _, error) = manage(&database, &["stats", "--since=9999-12-31"]);
        assert!(code == 1 && error.contains("9999-12-31 is in the future"), "{error}");
    }
}

/// Nothing that people are called leaves a line empty, or acts on the terminal.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_can_be_seen_and_does_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let (_, list, _) = manage(&database, &["users", "list"]);
        let names: Vec<&str> = list.lines().skip(1).take(4).map(|line| line[68..].trim()).collect();
        assert_eq!(names, ["\u{fffd}[2Jx\u{fffd}y", "User 3", "User 2", "Ada"]);
        let (_, shown, _) = manage(&database, &["users", "show", "2"]);
        assert!(shown.starts_with("User 2\nTelegram id  2\nName         User 2\n"), "{shown}");
        // For programs the names are as Telegram sent them.
        let (_, json, _) = manage(&database, &["users", "show", "2", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json.get("first_name").unwrap(), "\u{200b}\u{3164}");
        let (_, json, _) = manage(&database, &["users", "show", "4", "--json"]);
        assert!(!json.contains(['\u{1b}', '\u{202e}']), "{json}");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json.get("first_name").unwrap(), "\u{1b}[2Jx\u{202e}y");
    }
}

async fn fill(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let clock = TestClock::at("2026-11-23T12:00:00Z");
    let users = UserService::new(DieselUserRepository::new(storage), clock);
    let names = ["Ada", "\u{200b}\u{3164}", "", "\u{1b}[2Jx\u{202e}y"];
    let interactions: Vec<_> = (1..)
        .zip(names)
        .map(|(n, name)| {
            let at = format!("2026-11-2{n}T11:00:00Z").parse().unwrap();
            let mut profile = Profile::new(n.try_into().unwrap(), name);
            if n == 1 {
                profile = profile.language_code("en");
            }
            Interaction::new(at, profile, InteractionKind::Text)
        })
        .collect();
    users.register(&interactions).await.unwrap();
}

/// Runs a command; answers its exit code, standard output and standard error.
fn manage(database: &ThrowAwayDatabase, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_manage"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
