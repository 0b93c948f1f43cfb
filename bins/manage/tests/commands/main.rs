//! The management commands from outside: what an owner types and reads, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod accounts;
mod broadcast;
mod check;
mod erase;
mod filters;
#[path = "../program/mod.rs"]
mod program;
mod statistics;
mod test_users;
mod transfer;
mod users;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Clock, Event, EventRefusal, Interaction, InteractionKind,
    Language, Profile, QuarantinedUpdate, Role, SearchTerm, SystemClock, TelegramId,
    UserEventKinds, UserFilter, UserSort, grouped,
};
use rollcall_repository::{AuditLogRepository, BotRepository, UserEventRepository};
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselBotRepository, DieselPreferencesRepository,
    DieselScheduleRepository, DieselUserRepository,
};
use rollcall_service::{
    AdminService, AudienceService, AuditFilter, DirectoryService, PreferencesService,
    ScheduleService, SegmentService, Standing, UserService,
};
use rollcall_simulator::{NhlApi, NhlGame, Simulator};
use rollcall_testkit::{Authenticator, TestClock, ThrowAwayDatabase};
use serde_json::Value;

/// How long a program may take for what it does soon.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_applied_listed_and_taken_back() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let story = [
            manage(&database, &["migrate"], ""),
            manage(&database, &["showmigrations"], ""),
            manage(&database, &["migrate"], ""),
            manage(&database, &["migrate", "--revert"], "n\n"),
            manage(&database, &["migrate", "--revert"], ""),
            manage(&database, &["migrate", "--revert"], "y\n"),
            manage(&database, &["showmigrations"], ""),
            manage(&database, &["stats"], ""),
            manage(&database, &["migrate", "--revert", "--yes"], ""),
            manage(&database, &["migrate", "--revert", "--yes"], ""),
        ];
        insta::assert_snapshot!("migrations", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_one_line() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let story = [
            manage(&database, &["users", "show", "404"], ""),
            manage(&database, &["users", "show", "@nobody"], ""),
            manage(&database, &["users", "show", "0"], ""),
            manage(&database, &["users", "show", "two words"], ""),
            manage(&database, &["users", "list", "--limit", "0"], ""),
            manage(&database, &["users", "list", "--limit", "1001"], ""),
            manage(&database, &["users", "list", "--limit", "abc"], ""),
            manage(&database, &["users", "list", "--after", "2"], ""),
            manage(&database, &["users", "list", "--after", "fb1577876400000000.2"], ""),
            manage(&database, &["users", "list", "--after", "in1.1"], ""),
            manage(&database, &["stats", "--database-url", "mysql://root:hunter2@host/x"], ""),
            manage(&database, &["stats", "--database-url", "sqlite://missing.db"], ""),
            manage(&database, &["migrate", "--yes"], ""),
            manage(&database, &["stats", "--since", "2020-02-30"], ""),
            manage(&database, &["stats", "--since", "2020-1-3"], ""),
            manage(&database, &["stats", "--since", "2020-01-02", "--until", "2020-01-01"], ""),
            manage(&database, &["stats", "--since", "2000-01-01", "--until", "2020-01-01"], ""),
            manage(&database, &["stats", "--json", "--csv"], ""),
            manage(&database, &["stats", "--csv", "rebuild"], ""),
        ];
        insta::assert_snapshot!("wrong", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantined_updates_are_listed_shown_replayed_and_dropped() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = fill(&database).await;
        let quarantined = |update_id, registered, payload: &str| QuarantinedUpdate {
            update_id,
            received_at: "2020-01-01T13:00:00Z".parse().unwrap(),
            reason: "not what is expected at line 1 column 5".to_owned(),
            registered,
            telegram_id: None,
            payload: payload.to_owned(),
            undelivered: false,
        };
        // As an older version might have left them: the first two can be read by now.
        let updates = [
            quarantined(
                71,
                false,
                r#"{"update_id":71,"message":{"date":1577880000,"from":{"id":71,"first_name":"Late"}}}"#,
            ),
            quarantined(
                72,
                true,
                r#"{"update_id":72,"message":{"date":1577880000,"from":{"id":7,"first_name":"Seven"}}}"#,
            ),
            quarantined(73, false, r#"{"update_id":73,"message":"garbage"}"#),
            quarantined(
                74,
                false,
                r#"{"update_id":74,"message":{"from":{"id":74,"first_name":["x"]}}}"#,
            ),
        ];
        users.register_with(Vec::new(), updates.to_vec()).await.unwrap();
        let before = interactions(&database);
        let story = [
            manage(&database, &["quarantine", "list"], ""),
            manage(&database, &["quarantine", "show", "73"], ""),
            manage(&database, &["quarantine", "show", "73"], "y\n"),
            manage(&database, &["quarantine", "show", "75", "--yes"], ""),
            manage(&database, &["quarantine", "replay"], ""),
            manage(&database, &["quarantine", "replay"], ""),
            manage(&database, &["quarantine", "list"], ""),
            manage(&database, &["users", "show", "71"], ""),
            manage(&database, &["users", "show", "74"], ""),
            manage(&database, &["quarantine", "drop"], ""),
            manage(&database, &["quarantine", "drop", "75"], ""),
            manage(&database, &["quarantine", "drop", "73"], ""),
            manage(&database, &["quarantine", "drop", "--all"], "y\n"),
            manage(&database, &["quarantine", "list"], ""),
        ];
        insta::assert_snapshot!("quarantine", story.join("\n"));
        let after = interactions(&database);
        assert_eq!(after, before + 2, "each who was not registered counts once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_data_fills_a_database_and_takes_its_own_place() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let make_up = |users: &str| {
            let arguments = ["demo-data", "--users", users, "--days", "40", "--seed", "7"];
            let (code, printed, error) = run(&database, &arguments, "", &[]);
            assert_eq!((code, error.as_str()), (0, ""), "{printed}");
            printed
        };
        let report = make_up("1200");
        let applied = migrations(&database).await.len();
        let expected = format!(" is up to date: {applied} applied.\nCreated 1,200 users with ");
        assert!(report.contains(&expected), "{report}");
        assert!(report.ends_with("To look at them, run `manage stats` or `manage users list`.\n"));
        let (code, printed, error) = run(&database, &["stats", "rebuild", "--check"], "", &[]);
        assert_eq!((code, error.as_str()), (0, ""), "{printed}");

        let report = make_up("1000");
        assert!(report.starts_with("Nothing to apply: "), "{report}");
        let stats = manage(&database, &["stats"], "");
        assert!(stats.contains("Users        1,000, "), "{stats}");
        let (code, printed, error) = run(&database, &["stats", "rebuild", "--check"], "", &[]);
        assert_eq!((code, error.as_str()), (0, ""), "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_data_comes_to_nobody_real() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = fill(&database).await;
        let (code, _, error) = run(&database, &["demo-data", "--users", "5"], "", &[]);
        assert_eq!(code, 1);
        assert!(error.ends_with(
            " contains real users; demo data can only be added to an empty database, \
             or to one with demo data\n"
        ));
        assert_eq!(users.get_user_stats().await.unwrap().total_users, 3);

        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let bot = TelegramId::try_from(77).unwrap();
        let at = "2020-01-02T03:04:05Z".parse().unwrap();
        DieselBotRepository::new(storage).claim(bot, at).await.unwrap();
        users.delete_users(&[1815, 2, 7].map(|id| id.try_into().unwrap())).await.unwrap();
        let (code, _, error) = run(&database, &["demo-data", "--users", "5"], "", &[]);
        assert_eq!(code, 1);
        assert!(
            error.contains(" belongs to the bot 77; demo data can only be added to "),
            "{error}"
        );

        for (flag, value) in [("--users", "0"), ("--users", "50000001"), ("--days", "3661")] {
            let (code, _, error) = run(&database, &["demo-data", flag, value], "", &[]);
            assert_eq!(code, 2);
            assert!(error.contains("expected a whole number from 1 to "), "{error}");
        }
    }
}

/// What was printed, with the times that nobody can foresee left out.
fn without_times(printed: &str) -> String {
    let is_year = |word: &str| word.trim_start_matches('"').starts_with("20");
    let is_time = |word: &str| word.len() == 8 && word.matches(':').count() == 2;
    let words = printed.split_inclusive([' ', '\n']).map(|word| match word.trim() {
        // First, for a time of the evening begins like a year.
        bare if is_time(bare) => word.replace(bare, "TIME"),
        bare if is_year(bare) => word.replace(bare.trim_matches(['"', ',']), "DAY"),
        _ => word.to_owned(),
    });
    words.collect()
}

/// Waits until a search finds somebody.
async fn assert_is_found_soon(database: &ThrowAwayDatabase, name: &str) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let directory = DirectoryService::new(DieselUserRepository::new(storage), SystemClock);
    let filter = UserFilter::new().matching(SearchTerm::new(name).unwrap());
    let end = Instant::now() + PATIENCE;
    while directory.users(&filter, UserSort::default(), None, 1).await.unwrap().rows.is_empty() {
        assert!(Instant::now() < end, "{name} is never found");
        tokio::task::yield_now().await;
    }
}

/// A name that would control a terminal, and a user with hardly any data.
async fn fill(database: &ThrowAwayDatabase) -> UserService {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let clock = TestClock::at("2020-01-02T03:04:05Z");
    let users = UserService::new(DieselUserRepository::new(storage), clock);
    let at = |time: &str| time.parse().unwrap();
    let id = |n: i64| TelegramId::try_from(n).unwrap();
    let ada = Profile::new(id(1815), "Ada").last_name("Lovelace").username("ada");
    let interactions = [
        Interaction::new(
            at("2020-01-01T10:00:00Z"),
            ada.language_code("en"),
            InteractionKind::Text,
        ),
        Interaction::new(
            at("2020-01-01T11:00:00Z"),
            Profile::new(id(2), "\u{1b}[31mRed\n").language_code("zh-hant").is_bot(true),
            InteractionKind::Text,
        ),
        Interaction::new(
            at("2020-01-01T12:00:00.25Z"),
            Profile::of_id(id(7)),
            InteractionKind::Text,
        ),
    ];
    users.register(&interactions).await.unwrap();
    users
}

async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    let storage = DieselAdminRepository::new(database);
    AdminService::new(storage, SystemClock, Default::default())
}

/// Changes sums as no Rollcall does.
fn spoil(database: &ThrowAwayDatabase) {
    let sql = "UPDATE activity_sums SET value = value + 5 WHERE figure = 'new';
               UPDATE source_sums SET starts = 0;";
    execute(database, sql);
}

fn execute(database: &ThrowAwayDatabase, sql: &str) {
    match database.file() {
        Some(file) => {
            let file = file.to_str().unwrap();
            SqliteConnection::establish(file).unwrap().batch_execute(sql).unwrap();
        }
        None => PgConnection::establish(database.url()).unwrap().batch_execute(sql).unwrap(),
    }
}

/// The names of all migrations, oldest first.
async fn migrations(database: &ThrowAwayDatabase) -> Vec<String> {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    let migrations = database.migrations().await.unwrap();
    migrations.into_iter().map(|(migration, _)| migration.to_string()).collect()
}

/// How many interactions are counted in the first days of 2020.
fn interactions(database: &ThrowAwayDatabase) -> u64 {
    let of_days = ["stats", "--since", "2020-01-01", "--until", "2020-01-02", "--json"];
    let (_, json, _) = run(database, &of_days, "", &[]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let days = json.get("days").unwrap().as_array().unwrap().iter();
    days.map(|it| it.get("interactions").unwrap().as_u64().unwrap()).sum()
}

/// Runs a command; answers it as a terminal would show it, with the database's own name left out.
fn manage(database: &ThrowAwayDatabase, arguments: &[&str], input: &str) -> String {
    let (code, printed, error) = run(database, arguments, input, &[]);
    let command = arguments.join(" ");
    let shown = database.url().split('?').next().unwrap();
    format!("$ manage {command}\n{printed}{error}[exit code {code}]\n").replace(shown, "DATABASE")
}

/// Runs a command; answers its exit code, standard output and standard error.
fn run(
    database: &ThrowAwayDatabase,
    arguments: &[&str],
    input: &str,
    settings: &[(&str, &str)],
) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let settings = [&[("DATABASE_URL", database.url())], settings].concat();
    program::run(folder.path(), arguments, input.as_bytes(), &settings)
}
