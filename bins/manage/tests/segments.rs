//! `manage segments refresh` is killed while it counts, and goes on afterwards, on each database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::process::{Command, Stdio};

use chrono_tz::Tz;
use program::run;
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{AudienceService, SegmentPass, SegmentService};
use rollcall_testkit::ThrowAwayDatabase;

/// More than two parts.
const USERS: &str = "45000";
/// How often a count may be faster than the look at it.
const ATTEMPTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_killed_goes_on_where_it_was() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let filled = manage(&database, &["demo-data", "--users", USERS, "--days", "3"]);
        assert_eq!(filled.0, 0, "{}", filled.2);
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let repository = DieselUserRepository::new(storage);
        let audience = AudienceService::new(repository.clone(), SystemClock);
        let filters = ["", "lang:de or days>=2", "-reachable", "name:a -used:/schedule"];
        for (number, filter) in filters.into_iter().enumerate() {
            let (name, filter) = (format!("s{number}").parse().unwrap(), filter.parse().unwrap());
            audience.save_segment(name, filter, Tz::UTC, "").await.unwrap();
        }
        let segments = SegmentService::new(repository, SystemClock);
        let killed = kill_halfway(&database, &segments).await;
        let (code, output, error) = manage(&database, &["segments", "refresh"]);
        assert_eq!(code, 0, "{error}");
        assert!(output.ends_with("segments among 45,000 users.\n"), "{output}");
        let complete = segments.counts().await.unwrap().complete.unwrap();
        assert_eq!(complete.number, killed.number, "the killed count went on");
        for counted in segments.list().await.unwrap() {
            // The demo's own segments have ages, which are of the beginning of the count.
            let Some(number) = counted.segment.name.as_str().strip_prefix('s') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            let (_, exact, _) = manage(&database, &["count", "--filter", filters[number]]);
            let size = counted.size.unwrap().users;
            assert_eq!(format!("{size}\n"), exact, "{}", filters[number]);
        }
    }
}

/// Kills a count after its first part, and returns it.
async fn kill_halfway(database: &ThrowAwayDatabase, segments: &SegmentService) -> SegmentPass {
    for _ in 0..ATTEMPTS {
        let mut process = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["segments", "refresh"])
            .env_clear()
            .env("DATABASE_URL", database.url())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let has_begun = |pass: Option<SegmentPass>| pass.is_some_and(|pass| pass.users > 0);
        while process.try_wait().unwrap().is_none()
            && !has_begun(segments.counts().await.unwrap().running)
        {}
        // On Unix, this is SIGKILL.
        process.kill().unwrap();
        process.wait().unwrap();
        if let Some(pass) = segments.counts().await.unwrap().running.filter(|it| it.users > 0) {
            return pass;
        }
    }
    panic!("each count was complete before it could be killed");
}

fn manage(database: &ThrowAwayDatabase, arguments: &[&str]) -> (i32, String, String) {
    run(&std::env::temp_dir(), arguments, b"", &[("DATABASE_URL", database.url())])
}
