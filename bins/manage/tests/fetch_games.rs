//! `manage fetch-games` from outside: what an owner types and reads, against a simulated NHL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use rollcall_simulator::{Fault, NhlApi, NhlGame};
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::json;

/// Runs a command; answers what it printed, and its exit code.
async fn manage(database: &ThrowAwayDatabase, nhl: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_manage"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .env("NHL_API_URL", nhl)
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (printed, report) = (text(output.stdout), text(output.stderr));
    let code = output.status.code().expect("an exit code");
    let shown: Vec<&str> =
        arguments.iter().map(|it| it.rsplit('/').next().unwrap_or_default()).collect();
    let result = format!("$ manage {}\n{printed}{report}[exit code {code}]\n", shown.join(" "));
    let result = if nhl.starts_with("http") { result.replace(nhl, "NHL") } else { result };
    result.replace(folder.path().to_str().unwrap(), "FOLDER")
}

fn game(id: i64, starts_at: &str) -> NhlGame {
    NhlGame::new(id, "BOS", "MTL", starts_at)
}

#[tokio::test(flavor = "multi_thread")]
async fn games_are_fetched_and_a_second_time_only_what_has_changed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let nhl = NhlApi::start().await.unwrap();
        let url = nhl.url();
        for day in 1..=20 {
            nhl.put(game(day, &format!("2026-10-{day:02}T23:00:00Z")));
        }
        nhl.put(game(21, "2026-10-05T23:00:00Z").with("awayTeam", json!(null)));
        manage(&database, &url, &["migrate"]).await;
        let fortnight = ["fetch-games", "--date", "2026-10-01", "--days", "14"];
        let mut story = vec![
            manage(&database, &url, &fortnight).await,
            manage(&database, &url, &fortnight).await,
        ];
        nhl.put(game(3, "2026-10-03T23:00:00Z").state("OFF").score(1, 2));
        nhl.remove(21);
        nhl.put(game(22, "2026-10-05T23:00:00Z"));
        story.push(manage(&database, &url, &fortnight).await);
        story.push(manage(&database, &url, &["fetch-games", "--date", "2026-10-15"]).await);
        insta::assert_snapshot!("fetched", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn games_that_are_missing_are_withdrawn() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let nhl = NhlApi::start().await.unwrap();
        let url = nhl.url();
        for day in 1..=9 {
            nhl.put(game(day, &format!("2026-10-{day:02}T23:00:00Z")));
        }
        manage(&database, &url, &["migrate"]).await;
        let week = ["fetch-games", "--date", "2026-10-01"];
        let mut story = vec![
            manage(&database, &url, &["fetch-games", "--date", "2026-10-01", "--days", "14"]).await,
        ];
        // The last one is of another week.
        for id in [2, 3, 9] {
            nhl.remove(id);
        }
        story.push(manage(&database, &url, &week).await);
        story.push(manage(&database, &url, &week).await);
        // Of a week in which one cannot be read, nobody knows what is missing.
        nhl.remove(4);
        nhl.put(game(5, "2026-10-05T23:00:00Z").with("homeTeam", json!(null)));
        story.push(manage(&database, &url, &week).await);
        nhl.put(game(3, "2026-10-03T23:00:00Z"));
        nhl.put(game(5, "2026-10-05T23:00:00Z"));
        story.push(manage(&database, &url, &week).await);

        // A file is known for the days that it lists, and a list of games for none.
        let folder = tempfile::tempdir().unwrap();
        let file = async |name: &str, text: serde_json::Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, text.to_string()).unwrap();
            manage(&database, "off", &["fetch-games", "--from-file", path.to_str().unwrap()]).await
        };
        let first = game(1, "2026-10-01T23:00:00Z");
        story.push(file("list.json", json!({ "games": [first.json()] })).await);
        let days = json!([
            { "date": "2026-10-01", "games": [first.json()] },
            { "date": "2026-10-03", "games": [] },
        ]);
        story.push(file("days.json", json!({ "gameWeek": days })).await);
        insta::assert_snapshot!("withdrawn", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_one_line() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let nhl = NhlApi::start().await.unwrap();
        let url = nhl.url();
        nhl.put(game(1, "2026-10-01T23:00:00Z"));
        manage(&database, &url, &["migrate"]).await;
        let week = ["fetch-games", "--date", "2026-10-01"];
        let mut story = Vec::new();
        for fault in [
            Fault::not_found(),
            Fault::json("<html>maintenance</html>"),
            Fault::Huge { bytes: 1 << 40 },
        ] {
            nhl.fail_always(fault);
            story.push(manage(&database, &url, &week).await);
        }
        nhl.clear_faults();
        story.push(manage(&database, "off", &week).await);
        story.push(manage(&database, "nhle.com", &week).await);
        story.push(manage(&database, &url, &["fetch-games", "--date", "2026-02-30"]).await);
        story.push(manage(&database, &url, &["fetch-games", "--days", "0"]).await);
        story.push(manage(&database, &url, &["fetch-games", "--days", "401"]).await);
        story.push(manage(&database, &url, &["fetch-games", "--from-file", "missing.json"]).await);
        insta::assert_snapshot!("wrong", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn games_are_read_from_a_file() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, "off", &["migrate"]).await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let read = async |file: &str| {
            let report = manage(&database, "off", &["fetch-games", "--from-file", file]).await;
            report.replace(folder.path().to_str().unwrap(), "FOLDER")
        };
        let game = game(1, "2026-10-01T23:00:00Z");
        let week = json!({ "gameWeek": [{ "games": [game.json(), { "id": 2 }, 7] }] });
        let nothing = json!({ "games": [{ "id": 2 }] });
        let story = [
            read(&file("week.json", week.to_string())).await,
            read(&file("list.json", json!({ "games": [game.json()] }).to_string())).await,
            read(&file("nothing.json", nothing.to_string())).await,
            read(&file("page.html", "<html>".to_owned())).await,
            read(&file("other.json", "{}".to_owned())).await,
        ];
        insta::assert_snapshot!("from_file", story.join("\n"));
        // As editors and shells of Windows save it.
        let list = format!("\u{feff}{}\r\n", json!({ "games": [game.json()] }));
        let units: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [list.as_bytes(), &units] {
            let path = file("windows.json", String::new());
            std::fs::write(&path, bytes).unwrap();
            let report = read(&path).await;
            assert!(
                report.contains("\n0 new, 0 changed, 1 unchanged, 0 withdrawn, 0 skipped\n"),
                "{report}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_help_teaches() {
    let database = ThrowAwayDatabase::sqlite();
    insta::assert_snapshot!("help", manage(&database, "off", &["fetch-games", "--help"]).await);
}
