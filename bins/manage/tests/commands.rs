//! The management commands from outside: what an owner types and reads, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::DateTime;
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Clock, Event, Interaction, InteractionKind, Profile,
    QuarantinedUpdate, Role, SearchTerm, SystemClock, TelegramId, UserFilter, UserSort,
};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselBotRepository, DieselUserRepository,
};
use rollcall_service::{AdminService, AuditFilter, DirectoryService, Standing, UserService};
use rollcall_simulator::Simulator;
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
async fn users_are_listed_and_shown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let story = [
            manage(&database, &["users", "list", "--limit", "2"], ""),
            manage(&database, &["users", "list", "--after", "fn1577876400000000.2"], ""),
            manage(&database, &["users", "list", "--after", "fn0.1"], ""),
            manage(&database, &["users", "list", "--limit", "1", "--json"], ""),
            manage(&database, &["users", "list", "--help"], ""),
            manage(&database, &["users", "show", "1815"], ""),
            manage(&database, &["users", "show", "@ADA"], ""),
            manage(&database, &["users", "show", "--json", "2"], ""),
        ];
        insta::assert_snapshot!("users", story.join("\n"));
    }
}

/// The printed command shows the next page, and so does `next`, until all users are listed once.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_users_follow_each_other() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let (mut listed, mut arguments) = (Vec::new(), "users list --limit 1".to_owned());
        loop {
            let words: Vec<&str> = arguments.split(' ').collect();
            let (_, printed, _) = run(&database, &words, "", &[]);
            let (_, json, _) = run(&database, &[words, vec!["--json"]].concat(), "", &[]);
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!((&json["total"], json["users"].as_array().unwrap().len()), (&3.into(), 1));
            listed.push(json["users"][0]["telegram_id"].as_i64().unwrap());
            assert!(printed.contains("\nUsers: 1 of 3\n"), "{printed}");
            let next = printed.lines().find_map(|it| it.strip_prefix("Next page: manage "));
            let cursor = next.map(|next| next.rsplit_once(' ').unwrap().1);
            assert_eq!(json["next"].as_str(), cursor);
            match next {
                Some(next) => arguments = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(listed, [7, 2, 1815]);
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
async fn statistics_are_printed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let printed = manage(&database, &["stats"], "");
        assert!(
            printed.contains("Users        3, 0 reachable\nActive       0 today (±0),"),
            "{printed}"
        );
        assert!(printed.contains("\nDatabase     "), "{printed}");
        assert!(printed.contains("\n30 days, from "), "{printed}");

        let output = run(&database, &["stats", "--json"], "", &[]);
        let json: Value = serde_json::from_str(&output.1).unwrap();
        assert_eq!(json["total_users"], 3);
        assert_eq!(json["week_before"]["interactions"], 0);
        assert!(json["database_bytes"].as_u64().unwrap() > 8192);
        assert!(json["today_so_far"]["full_hours"].as_u64().unwrap() < 24);
        assert_eq!(json.as_object().unwrap().len(), 15);

        let output = run(&database, &["stats", "--csv"], "", &[]);
        assert_eq!(output.1.lines().count(), 31);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_a_range_are_printed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        come_and_go(&database).await;
        let of_days = ["stats", "--since", "2020-01-01", "--until", "2020-01-09"];
        let with = |format| [&of_days[..], &[format]].concat();
        let story = [
            manage(&database, &of_days, ""),
            // Whether the lines end as RFC 4180 has it shows below.
            manage(&database, &with("--csv"), "").replace('\r', ""),
        ];
        insta::assert_snapshot!("statistics", story.join("\n"));
        let until = manage(&database, &["stats", "--until", "2020-01-09"], "");
        assert!(until.contains("\n11 days, from 2019-12-30 to 2020-01-09 (UTC)\n"), "{until}");
        let (_, csv, _) = run(&database, &with("--csv"), "", &[]);
        assert!(csv.split_inclusive('\n').all(|line| line.ends_with("\r\n")), "{csv:?}");

        let (_, json, _) = run(&database, &with("--json"), "", &[]);
        let mut json: Value = serde_json::from_str(&json).unwrap();
        for cohort in json["cohorts"].as_array_mut().unwrap() {
            // One for each week until today.
            let weeks = cohort["active_by_weeks_later"].as_array_mut().unwrap();
            assert!(weeks.len() > 300);
            weeks.truncate(3);
        }
        insta::assert_snapshot!("statistics_json", format!("{json:#}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_counted_again_and_mended() {
    for database in ThrowAwayDatabase::of_each_kind() {
        come_and_go(&database).await;
        let whole = manage(&database, &["stats", "--since", "2020-01-01"], "");
        let mut story = vec![
            manage(&database, &["stats", "rebuild", "--check"], ""),
            manage(&database, &["stats", "rebuild"], ""),
        ];
        spoil(&database);
        story.extend([
            manage(&database, &["stats", "rebuild", "--check"], ""),
            manage(&database, &["stats", "rebuild", "--check"], ""),
            manage(&database, &["stats", "rebuild"], ""),
            manage(&database, &["stats", "rebuild", "--check"], ""),
        ]);
        insta::assert_snapshot!("rebuild", story.join("\n"));
        assert_eq!(manage(&database, &["stats", "--since", "2020-01-01"], ""), whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_explained() {
    let database = ThrowAwayDatabase::sqlite();
    let story = [
        manage(&database, &["stats", "--help"], ""),
        manage(&database, &["stats", "rebuild", "--help"], ""),
    ];
    insta::assert_snapshot!("statistics_help", story.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn test_users_tries_everything_and_cleans_up() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let story = [
            manage(&database, &["test-users"], ""),
            manage(&database, &["test_users", "--cleanup"], ""),
        ];
        insta::assert_snapshot!("test_users", without_hour(&story.join("\n")));
        assert!(manage(&database, &["stats"], "").contains("Users        3, "));
    }
}

/// The lines without what depends on the present hour: the one up to which today is compared, and
/// that nothing has changed since a week ago, which shows after the first hour of a day.
fn without_hour(text: &str) -> String {
    let cut = |line: &str| line.split_once(" a week ago, ").map_or(line, |it| it.0).to_owned();
    text.lines().map(cut).collect::<Vec<_>>().join("\n").replace(" (±0)", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn test_users_touches_nobody_else() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = fill(&database).await;
        let stranger = Profile::new(TelegramId::MAX, "Real").username("real");
        let before = users.get_or_create_user(&stranger).await.unwrap().user;
        for arguments in [&["test-users"][..], &["test-users", "--cleanup"][..]] {
            let (code, _, error) = run(&database, arguments, "", &[]);
            assert_eq!(code, 1);
            assert_eq!(
                error,
                "error: the user 4503599627370495 exists and was not created by this test; \
                 nothing was changed\n"
            );
        }
        let after = users.get_user_by_telegram_id(TelegramId::MAX).await.unwrap();
        assert_eq!(after, Some(before));
        assert_eq!(users.get_user_stats().await.unwrap().total_users, 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn test_users_cleans_up_after_a_failure_too() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
        keep_last_names(&database);

        let (code, printed, _) = run(&database, &["test-users", "--cleanup"], "", &[]);
        assert_eq!(code, 1);
        assert!(printed.contains("✗ read it back: its name differs\n"), "{printed}");
        assert!(printed.contains("✓ remove the 4 test users\n"), "{printed}");
        assert_eq!(users.get_user_stats().await.unwrap().total_users, 0);
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
async fn accounts_of_the_admin_are_made_listed_and_disabled() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let story = [
            manage(&database, &["migrate"], ""),
            manage(&database, &["admins", "list"], ""),
            manage(&database, &["createsuperuser", "--name", "Ada"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "ada"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "bob", "--role", "viewer"], "short"),
            manage(&database, &["createsuperuser", "--name", "bob", "--role", "viewer"], ""),
            manage(
                &database,
                &["createsuperuser", "--name", "bob", "--role", "viewer"],
                "correct horse\r\n",
            ),
            manage(&database, &["createsuperuser"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "two words"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "x", "--role", "admin"], ""),
            manage(&database, &["changepassword", "ADA"], "battery staple\n"),
            manage(&database, &["changepassword", "nobody"], "battery staple\n"),
            manage(&database, &["admins", "disable", "bob"], ""),
            manage(&database, &["admins", "disable", "nobody"], ""),
            manage(&database, &["admins", "disable", "ada"], ""),
            without_times(&manage(&database, &["admins", "list"], "")),
            manage(&database, &["admins", "enable", "bob"], ""),
            without_times(&manage(&database, &["admins", "list", "--json"], "")),
            manage(&database, &["admins", "set-role", "ada", "editor"], ""),
            manage(&database, &["admins", "set-role", "bob", "owner"], ""),
            manage(&database, &["admins", "set-role", "bob", "boss"], ""),
            manage(&database, &["admins", "set-role", "nobody", "owner"], ""),
            manage(&database, &["admins", "remove", "ada"], "n\n"),
            manage(&database, &["admins", "remove", "ada"], "y\n"),
            manage(&database, &["admins", "remove", "ada", "--yes"], ""),
            manage(&database, &["admins", "remove", "bob", "--yes"], ""),
            without_times(&manage(&database, &["admins", "list"], "")),
        ];
        insta::assert_snapshot!("admins", story.join("\n"));

        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselAdminRepository::new(storage);
        let admins = AdminService::new(storage, SystemClock, Default::default());
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(admins.sign_in("ada", "battery staple", home).await.is_err());
        assert!(admins.sign_in("bob", "correct horse", home).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_reset_so_that_its_owner_is_not_locked_out() {
    for database in ThrowAwayDatabase::of_each_kind() {
        run(&database, &["migrate"], "", &[]);
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselAdminRepository::new(storage);
        let owners = [7.try_into().unwrap()].into();
        let admins = AdminService::new(storage, SystemClock, owners);
        let name = "ada".parse().unwrap();
        admins.create_account(&name, "correct horse", Role::Owner, None).await.unwrap();
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        let by_password = async || admins.sign_in("ada", "correct horse", home).await.unwrap();
        let by_link = async || {
            let link = admins.create_link(7.try_into().unwrap()).await.unwrap().unwrap();
            admins.sign_in_by_link(link.as_str(), home).await.unwrap()
        };
        for session in [by_password().await, by_link().await] {
            let token = session.token.as_str();
            let offered = admins.offer_second_factor(token).await.unwrap().unwrap();
            let code = Authenticator::new(&offered.secret()).code(SystemClock.now());
            admins.enable_second_factor(token, &code).await.unwrap();
        }
        assert_eq!(by_password().await.session.standing, Standing::OwesFactor);
        assert_eq!(by_link().await.session.standing, Standing::OwesFactor);
        let story = [
            without_times(&manage(&database, &["admins", "list"], "")),
            manage(&database, &["admins", "reset-second-factor", "Ada"], ""),
            manage(&database, &["admins", "reset-second-factor", "ada"], ""),
            manage(&database, &["admins", "reset-second-factor", "telegram:7"], ""),
            manage(&database, &["admins", "reset-second-factor", "two words"], ""),
        ];
        insta::assert_snapshot!("reset_second_factor", story.join("\n"));
        assert_eq!(by_password().await.session.standing, Standing::Whole);
        assert_eq!(by_link().await.session.standing, Standing::Whole);
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
            assert!(error.contains(&format!("{value} is not in 1..=")), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_what_the_bot_would_meet() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let telegram = Simulator::start().await.unwrap();
        let url = telegram.url();
        let good = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        let check = |settings: &[(&str, &str)]| {
            let (code, printed, error) = run(&database, &["check"], "", settings);
            assert_eq!(error, "");
            (code, printed)
        };
        manage(&database, &["migrate"], "");
        let (code, printed) = check(&good);
        assert_eq!(code, 0, "{printed}");
        assert!(printed.starts_with("✓ Settings: valid\n✓ Database: "), "{printed}");
        let migrations = migrations(&database).await;
        let expected = format!(
            "✓ Migrations: all {} applied\n\
             ✓ Telegram: @rollcall_bot (123456789)\n\
             ✓ Clock: this machine's clock agrees with Telegram's\n\
             ✓ Owner: no bot has used this database yet\n",
            migrations.len()
        );
        assert!(printed.ends_with(&expected), "{printed}");

        telegram.set_clock(-3600);
        let (code, printed, _) = run(&database, &["check"], "", &good);
        assert_eq!(code, 0, "{printed}");
        let clock = printed.lines().find_map(|line| line.strip_prefix("! Clock: ")).unwrap();
        let seconds: u64 = clock
            .strip_prefix("this machine's clock is ")
            .and_then(|rest| {
                rest.strip_suffix(" seconds ahead of Telegram's; correct it, for example with NTP")
            })
            .and_then(|seconds| seconds.parse().ok())
            .unwrap_or_else(|| panic!("{clock}"));
        assert!((3595..=3605).contains(&seconds), "{clock}");
        telegram.set_clock(0);

        manage(&database, &["migrate", "--revert", "--yes"], "");
        let (code, printed) = check(&[good[0], ("TELEGRAM_BOT_TOKEN", "123456789:hunter2")]);
        assert_eq!(code, 1, "{printed}");
        let newest = migrations.last().unwrap();
        let expected = format!("✗ Migrations: pending: {newest}; run `manage migrate`\n");
        assert!(printed.contains(&expected), "{printed}");
        assert!(
            printed.contains("✗ Telegram: Telegram does not accept the bot token"),
            "{printed}"
        );
        assert!(!printed.contains("hunter2"), "{printed}");

        let (code, printed) = check(&[("ADMIN_TELEGRAM_IDS", "x")]);
        assert_eq!(code, 1);
        assert!(printed.starts_with("✗ Settings: ADMIN_TELEGRAM_IDS: "), "{printed}");
        let webhook = ("WEBHOOK_URL", "https://bot.example.org/webhook");
        let (code, printed) = check(&[good[0], good[1], webhook]);
        assert_eq!(code, 1);
        assert!(printed.starts_with("✗ Settings: WEBHOOK_SECRET is not set"), "{printed}");

        let (_, printed) = check(&[("SCHEDULE", "off")]);
        assert!(printed.contains("- Schedule: off (SCHEDULE=off)\n"), "{printed}");
        let (code, printed) = check(&[("SCHEDULE", "khl")]);
        assert_eq!(code, 1);
        assert!(printed.starts_with("✗ Settings: SCHEDULE: \"khl\" is not"), "{printed}");
        let (code, printed) = check(&[("GREETING_FILE", "missing.ftl")]);
        assert_eq!(code, 1);
        assert!(printed.starts_with("✗ Settings: GREETING_FILE: missing.ftl cannot be read"));
        manage(&database, &["migrate"], "");
        for arguments in [&["fetch-games"][..], &["fetch-games", "--from-file", "week.json"]] {
            let (code, _, error) = run(&database, arguments, "", &[("SCHEDULE", "off")]);
            assert_eq!((code, error.as_str()), (1, "error: SCHEDULE is off; expected nhl\n"));
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

/// What is written from one database and taken into another is written there alike, byte for byte,
/// names that are formulas and odd lines included.
#[tokio::test(flavor = "multi_thread")]
async fn users_travel_from_one_database_to_another() {
    let databases = ThrowAwayDatabase::of_each_kind();
    for from in &databases {
        fill_with_odd_names(from).await;
        for format in ["csv", "jsonl"] {
            let export = |database: &ThrowAwayDatabase| {
                let (code, file, error) = run(database, &["export", "--format", format], "", &[]);
                assert_eq!((code, error.as_str()), (0, ""));
                file
            };
            let file = export(from);
            assert!(file.lines().next().unwrap().contains("telegram_id"), "{file}");
            let import = ["import", "-", "--format", format];
            for to in ThrowAwayDatabase::of_each_kind() {
                manage(&to, &["migrate"], "");
                let (code, report, error) = run(&to, &import, &file, &[]);
                assert_eq!((code, error.as_str()), (0, ""), "{report}");
                assert!(
                    report.starts_with("Done: 1,011 created, 0 updated, 0 unchanged, 0 refused")
                );
                assert_eq!(export(&to), file);
                let (_, report, _) = run(&to, &import, &file, &[]);
                assert!(
                    report.starts_with("Done: 0 created, 0 updated, 1,011 unchanged"),
                    "{report}"
                );
                let check = manage(&to, &["stats", "rebuild", "--check"], "");
                assert!(check.contains("All figures match the recount."), "{check}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_written_to_a_file_once_it_is_whole() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_with_odd_names(&database).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        let path = path.to_str().unwrap();
        let in_folder = |text: String| text.replace(folder.path().to_str().unwrap(), "FOLDER");
        let export = |arguments: &[&str]| {
            let (code, printed, error) =
                run(&database, &[&["export"], arguments].concat(), "", &[]);
            (code, printed, in_folder(error))
        };
        let (code, printed, error) = export(&["--output", path]);
        assert_eq!((code, printed.as_str()), (0, ""));
        assert!(error.ends_with("Exported 1,011 users to FOLDER/users.csv\n"), "{error}");
        let (_, all, _) = export(&[]);
        assert_eq!(std::fs::read_to_string(path).unwrap(), all);

        let again = "error: FOLDER/users.csv already exists; pass --force to overwrite it\n";
        assert_eq!(export(&["-o", path]), (1, String::new(), again.to_owned()));
        assert_eq!(export(&["-o", path, "--force", "--search", "odd 3"]).0, 0);
        let found = std::fs::read_to_string(path).unwrap();
        let names: Vec<_> = found.lines().map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(names, ["first_name", "'=odd 3"]);
        assert_eq!(export(&["--language", "tlh"]).1.lines().count(), 2);
        assert_eq!(export(&["--min-active-days", "2"]).1.lines().count(), 1);

        let odd = folder.path().join("users.txt");
        let (code, _, error) = export(&["-o", odd.to_str().unwrap()]);
        assert_eq!(code, 1);
        let expected = "cannot infer the format from the file name FOLDER/users.txt; pass --format";
        assert!(error.contains(expected), "{error}");
        // Nothing is left of what was not finished.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let log =
            admins(&database).await.audit_log(&AuditFilter::default(), None, 10).await.unwrap();
        assert_eq!(log[0].action, AuditAction::ExportedUsers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_lines_are_reported_and_skipped() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let header = "telegram_id,first_name,last_name,username,language_code,is_bot,created_at,\
                      updated_at,last_seen,has_private_chat,obstacle,blocked_at,unblocked_at,source";
        let times = "2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z";
        let file = [
            header.to_owned(),
            format!("1,Ada,,ada,en,false,{times},true,,,,ad"),
            format!("x,Bob,,,,false,{times},true,,,,"),
            format!("2,\"two\nlines\",,,,false,{times},true,,,,"),
            format!("3,Eve,,,,perhaps,{times},true,,,,"),
            format!("0,Eve,,,,false,{times},true,,,,"),
            format!("4,Eve,,,,false,{times},true,tired,,,"),
            format!("5,Eve,,,,false,{times},true,,,,not a payload"),
            format!("6,Eve,,,,false,yesterday,{times},true,,,,"),
            format!("7,{},,,,false,{times},true,,,,", "x".repeat(256)),
            "8,Eve".to_owned(),
            format!("9,Eve,,,,false,2026-11-03T00:00:00Z,{},true,,,,", &times[21..]),
            format!("1,Ada,,ada,en,false,{times},true,,,,ad"),
        ];
        let import = |arguments: &[&str], file: &str| {
            let all = [&["import", "-", "--format"], arguments].concat();
            let report = manage(&database, &all, file);
            let end = report.find(", in ").unwrap_or(report.len());
            format!("{}\n{}", &report[..end], report.lines().last().unwrap())
        };
        let file = file.join("\n");
        let story = [
            import(&["csv", "--dry-run"], &file),
            import(&["csv"], &file),
            import(&["csv"], &file),
            import(&["csv"], "telegram_id,name\n1,Ada\n"),
            import(&["csv"], "telegram_id,first_name\n1,Ada\n"),
            import(&["csv"], "telegram_id,telegram_id\n1,1\n"),
            import(&["csv"], ""),
            import(&["jsonl"], "\n{}\nnot json\n{\"telegram_id\":1,\"color\":\"red\"}\n"),
            manage(&database, &["import", "-"], ""),
            manage(&database, &["import", "nowhere.csv"], ""),
            manage(&database, &["import", "--help"], ""),
            manage(&database, &["export", "--help"], ""),
            manage(&database, &["export", "--format", "xml"], ""),
            manage(
                &database,
                &["export", "--first-seen-since", "2026-02-01", "--first-seen-until", "2026-01-01"],
                "",
            ),
            manage(&database, &["export", "--search", " @ "], ""),
        ];
        insta::assert_snapshot!("import", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_admin_is_served_without_a_bot() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["runserver", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("DATABASE_URL", database.url())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let place = said.next().unwrap();
        let url = place.strip_prefix("The web admin is at http://").unwrap();
        let (address, rest) = url.split_once("/admin").unwrap();
        assert_eq!(rest, "; press Ctrl-C to stop it.");
        assert_eq!(
            said.next().unwrap(),
            "There is no account yet. Create one with `manage createsuperuser`."
        );
        let mut connection = TcpStream::connect(address).unwrap();
        let request =
            format!("GET /admin/sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<h1>Sign in</h1>"));
        // Who comes meanwhile is found soon, though no bot runs.
        fill(&database).await;
        assert_is_found_soon(&database, "lovelace").await;
        let ended = Command::new("kill").arg(server.id().to_string()).status().unwrap();
        assert!(ended.success() && server.wait().unwrap().success());
    }
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

/// Three people over nine days: one comes by an ad and stays, one leaves, and one comes back.
async fn come_and_go(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let clock = TestClock::at("2020-01-09T20:00:00Z");
    let users = UserService::new(DieselUserRepository::new(storage), clock);
    let did = |n: i64, at: &str, kind, event| Interaction {
        chat: Some(Chat { id: n, kind: ChatKind::Private }),
        event,
        ..Interaction::new(
            at.parse().unwrap(),
            Profile::new(n.try_into().unwrap(), "x").language_code(if n == 2 {
                "\u{1b}[2J"
            } else {
                "en"
            }),
            kind,
        )
    };
    use InteractionKind::{Command, MyChatMember, Text};
    let start = |source: &str| Some(Event::Start(source.parse().unwrap()));
    let interactions = [
        Interaction {
            command: Some("start"),
            ..did(1, "2020-01-01T10:00:00Z", Command, start("ad-1"))
        },
        did(1, "2020-01-02T10:00:00Z", Text, None),
        did(1, "2020-01-02T10:01:00Z", Text, None),
        did(1, "2020-01-08T10:00:00Z", Text, None),
        did(2, "2020-01-03T10:00:00Z", Command, start("-ad_2")),
        did(2, "2020-01-04T10:00:00Z", MyChatMember, Some(Event::Blocked)),
        did(3, "2019-12-30T10:00:00Z", Text, None),
        did(3, "2020-01-07T10:00:00Z", Text, None),
        did(3, "2020-01-07T11:00:00Z", Command, start("ad-1")),
    ];
    users.register(&interactions).await.unwrap();
}

/// A thousand people, and some whose names are hard to write.
async fn fill_with_odd_names(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let names = [
        "=odd 3",
        "@SUM(A1:A9)",
        "-1+1",
        "'quoted'",
        "a \"b\", c",
        " two\r\nlines ",
        "\u{202e}\u{1b}[2J Жук 👩‍🚀 \u{feff}",
        "Ada;=1+2\t'@x\n-1",
        "＝1",
        "\t+1",
        "\u{feff}''",
    ];
    let plain = (0..1000).map(|n| format!("User {n}"));
    let all = names.into_iter().map(str::to_owned).chain(plain);
    let interactions: Vec<_> = (1..)
        .zip(all)
        .map(|(n, name)| {
            let mut profile = Profile::new(TelegramId::try_from(n).unwrap(), &name);
            if n % 3 == 0 {
                profile = profile.last_name(&name).username(&format!("user_{n}"));
            }
            if n == 5 {
                profile = profile.language_code("tlh");
            }
            let at = DateTime::from_timestamp(1_790_000_000 + n * 1000, 123_456_000).unwrap();
            let event = match n % 4 {
                0 => Some(Event::Blocked),
                1 => Some(Event::Start("-ad".parse().unwrap())),
                _ => None,
            };
            let chat = Some(Chat { id: n, kind: ChatKind::Private });
            let text = Interaction::new(at, profile, InteractionKind::Text);
            Interaction { chat, event, ..text }
        })
        .collect();
    users.register(&interactions).await.unwrap();
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

/// Has the database undo whatever changes a last name.
fn keep_last_names(database: &ThrowAwayDatabase) {
    let sql = match database.file() {
        Some(_) => {
            "CREATE TRIGGER keep AFTER UPDATE OF last_name ON telegram_users BEGIN
             UPDATE telegram_users SET last_name = old.last_name
             WHERE telegram_id = old.telegram_id; END"
        }
        None => {
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN NEW.last_name := OLD.last_name; RETURN NEW; END';
             CREATE TRIGGER keep BEFORE UPDATE ON telegram_users
             FOR EACH ROW EXECUTE FUNCTION keep()"
        }
    };
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
