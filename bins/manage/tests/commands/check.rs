//! `manage check`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_what_the_bot_would_meet() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let telegram = Simulator::start().await.unwrap();
        let url = telegram.url();
        let good = [
            ("TELEGRAM_API_URL", url.as_str()),
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("PRIVACY_CONTACT", "Ada Lovelace, ada@example.org"),
        ];
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
        let statements =
            printed.lines().find(|it| it.starts_with("✓ Statements: the server takes all "));
        assert_eq!(statements.is_some(), database.file().is_none(), "{printed}");
        let statements = statements.map(|it| format!("{it}\n")).unwrap_or_default();
        let expected = format!(
            "✓ Migrations: all {} applied\n\
             {statements}\
             ✓ Telegram: @rollcall_bot (123456789)\n\
             ✓ Clock: this machine's clock agrees with Telegram's\n\
             ✓ Owner: no bot has used this database yet\n",
            migrations.len()
        );
        assert!(printed.ends_with(&expected), "{printed}");
        let (code, printed) = check(&good[..2]);
        assert_eq!(code, 0, "{printed}");
        let warning = "! Privacy: PRIVACY_CONTACT is not set, so /privacy names no contact";
        assert!(printed.contains(warning), "{printed}");

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

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_events_that_wait() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let (_, printed, _) = run(&database, &["check"], "", &[]);
        assert!(!printed.contains("Events"), "{printed}");
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let repository = DieselUserRepository::new(storage.recording(UserEventKinds::all()));
        for (age, mark, waiting) in [(5, "✓", "1 wait"), (7205, "!", "2 wait")] {
            let now = SystemClock.now() - TimeDelta::seconds(age);
            let users = UserService::new(repository.clone(), TestClock::at(&now.to_rfc3339()));
            let profile = Profile::new(TelegramId::try_from(age).unwrap(), "Ann");
            users.register(&[Interaction::new(now, profile, InteractionKind::Text)]).await.unwrap();
            let (code, printed, _) = run(&database, &["check"], "", &[]);
            assert_eq!(code, 0, "{printed}");
            let expected = format!("{mark} Events: {waiting} for their delivery to EVENTS_URL");
            assert!(printed.contains(&expected), "{printed}");
            let advice = "the oldest for 2 h; none was refused, so no process with EVENTS_URL";
            assert_eq!(printed.contains(advice), mark == "!", "{printed}");
        }
        let now = SystemClock.now();
        let events = repository.claim_events(now, now, 1).await.unwrap();
        let refused = [(events[0], EventRefusal::Status(503))];
        repository.postpone_events(&refused, now - TimeDelta::seconds(7205), now).await.unwrap();
        let (code, printed, _) = run(&database, &["check"], "", &[]);
        assert_eq!(code, 0, "{printed}");
        let expected = "the oldest for 2 h; the last one was refused 2 h ago: it responded with the \
                        HTTP status 503\n";
        assert!(printed.contains(expected), "{printed}");
    }
}
