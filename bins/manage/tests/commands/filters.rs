//! `manage count` and `segments`, and `--filter` of other commands.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_means_the_same_in_each_command() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        for (filter, ids) in [
            ("", vec![7, 1815]),
            ("bot", vec![2]),
            ("-bot", vec![7, 1815]),
            ("lang:EN", vec![1815]),
            ("-lang:en", vec![7]),
            ("-lang:en (bot or -bot)", vec![2, 7]),
            ("@ada", vec![1815]),
            ("@ad", vec![]),
            ("love or id:7", vec![7, 1815]),
            ("joined:2020-01-01 days:1 -blocked", vec![7, 1815]),
            ("seen<14d", vec![]),
            ("random:100%:x", vec![7, 1815]),
        ] {
            let by = ["--filter", filter];
            let count = run(&database, &["count", by[0], by[1]], "", &[]);
            assert_eq!(count, (0, format!("{}\n", ids.len()), String::new()), "{filter:?}");
            let list =
                run(&database, &["users", "list", "--json", "--sort", "id", by[0], by[1]], "", &[]);
            let list: Value = serde_json::from_str(&list.1).unwrap();
            let listed = list["users"].as_array().unwrap().iter();
            let listed: Vec<i64> =
                listed.map(|user| user["telegram_id"].as_i64().unwrap()).collect();
            assert_eq!(listed, ids, "{filter:?}");
            let export = run(&database, &["export", "--format", "jsonl", by[0], by[1]], "", &[]);
            let exported = export.1.lines().map(|line| {
                let user: Value = serde_json::from_str(line).unwrap();
                user["telegram_id"].as_i64().unwrap()
            });
            assert_eq!(exported.collect::<Vec<_>>(), ids, "{filter:?}");
        }
        let zone = ["export", "--zone", "Asia/Tokyo"];
        assert_eq!(run(&database, &zone, "", &[]).0, 2, "--zone needs --filter");
        let days = ["--filter", "", "--first-seen-since", "2020-01-01"];
        let (code, _, error) = run(&database, &[&zone[..], &days].concat(), "", &[]);
        assert!(code == 1 && error.contains("are days of UTC"), "{error}");
        let (_, json, _) = run(&database, &["count", "--json", "--filter", "lang:en"], "", &[]);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::json!({"count": 1}));
    }
}

/// Each option of `export` means what its term means, and options and a filter are combined.
#[tokio::test(flavor = "multi_thread")]
async fn options_of_export_are_terms_that_are_combined_with_the_filter() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let ids = |command: &[&str], arguments: &[&str]| -> Vec<i64> {
            let all = [command, &["--format", "jsonl"], arguments].concat();
            let (code, export, error) = run(&database, &all, "", &[]);
            assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
            let id = |line: &str| {
                let user: Value = serde_json::from_str(line).unwrap();
                user["telegram_id"].as_i64().unwrap()
            };
            export.lines().map(id).collect()
        };
        for (options, terms) in [
            (&["--language", "en"][..], "lang:en"),
            (&["--language", "EN"], "lang:en"),
            (&["--language", ""], "-lang:*"),
            (&["--source", ""], "-source:*"),
            (&["--source", "ad"], "source:ad"),
            (&["--reach", "reachable"], "reachable"),
            (&["--reach", "unreachable"], "-reachable"),
            (&["--reach", "blocked"], "blocked"),
            (&["--first-seen-since", "2020-01-02"], "joined>=2020-01-02"),
            (&["--first-seen-until", "2020-01-01"], "joined<=2020-01-01"),
            (&["--last-seen-since", "2020-01-01"], "seen>=2020-01-01"),
            (&["--last-seen-until", "2019-12-31"], "seen<=2019-12-31"),
            (&["--min-active-days", "1"], "days>=1"),
            (&["--max-active-days", "0"], "days<=0"),
            (&["--bot", "true"], "bot"),
            (&["--bot", "false"], "-bot"),
            (&["--search", "love"], "love"),
        ] {
            // Options alone leave out no bots.
            let by_options = ids(&["export"], options);
            let all = format!("{terms} (bot or -bot)");
            assert_eq!(by_options, ids(&["export"], &["--filter", &all]), "{options:?}");
            assert_eq!(by_options, ids(&["users", "export"], options), "{options:?}");
            for further in ["id:7,1815", "-id:7", "lang:en or bot", "bot or -bot"] {
                let both = ids(&["export"], &[options, &["--filter", further]].concat());
                let one = format!("{terms} ({further})");
                assert_eq!(both, ids(&["export"], &["--filter", &one]), "{options:?} {further}");
                assert!(both.iter().all(|id| by_options.contains(id)), "{options:?} {further}");
            }
        }
        let both = ["--language", "en", "--min-active-days", "1", "--filter", "love -blocked"];
        assert_eq!(ids(&["users", "export"], &both), [1815]);
        assert_eq!(ids(&["users", "export"], &["--language", "en", "--filter", "id:7"]), [0; 0]);
        let log = admins(&database).await;
        let filter = AuditFilter::all().action(AuditAction::ExportedUsers);
        let newest = log.audit_log(&filter, None, 3).await.unwrap();
        let what = newest.last().unwrap().new.as_deref();
        assert_eq!(what, Some("jsonl: lang:en days>=1 name:\"…\" -blocked; 1 users"));
    }
}

/// Each kind of bad input is answered in one line that points at its place, and a picture of it.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_filters_are_explained() {
    let database = ThrowAwayDatabase::sqlite();
    fill(&database).await;
    let story = [
        "reachable<5",
        "lang:de reachable:yes",
        "blocked<7d",
        "bot=true",
        "langg:de",
        "lang<de",
        "lang:",
        "lang:de,",
        "lang::de",
        "days=>5",
        "days>=five",
        "days:5..2",
        "days>=5..7",
        "days<0",
        "days >= 5",
        "seen:14d",
        "seen<14",
        "seen<99999w",
        "joined:yesterday",
        "joined:2026-02-30",
        "joined:2026-02-01..2026-01-01",
        "joined:2026-01-01..",
        "used:/schedule>=",
        "used:/schedule>often",
        "used:/a,/b>=3",
        "used:",
        "zone:Berlin",
        "botlang:fr",
        "team:Toronto Maple Leafs or team:?",
        "has:notes",
        "tag:VIP",
        "segment:",
        "segment:gone",
        "group:gone",
        "-tag:gone",
        "id:ada",
        "@a.b",
        "random:10%",
        "random:200%:x",
        "name:",
        "name:\"Ada",
        "\"\"",
        "(lang:de or",
        "lang:de)",
        "()",
        "or bot",
        "lang:de or",
        "not",
        "not:bot",
        "- bot",
        "http://example.org",
        "wholly:unknown",
    ];
    let story = story.map(|filter| {
        let (code, printed, error) = run(&database, &["count", "--filter", filter], "", &[]);
        assert_eq!(printed, "");
        assert!(code == 2 || error.starts_with("error: there is no "), "{code} {error}");
        let usage = error.split("\n\nFor more information").next().unwrap();
        usage.trim_end().to_owned()
    });
    insta::assert_snapshot!("wrong_filters", story.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_saved_shown_and_deleted() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let save = |name: &str, filter: &str| {
            manage(&database, &["segments", "save", name, "--filter", filter], "")
        };
        let story = [
            manage(&database, &["segments", "list"], ""),
            manage(
                &database,
                &["segments", "save", "en", "--filter", "lang:en", "--description", "readers"],
                "",
            ),
            save("all", "segment:en or bot"),
            save("en", "lang:en -blocked"),
            manage(&database, &["segments", "list"], ""),
            without_times(&manage(&database, &["segments", "show", "all"], "")),
            without_times(&manage(&database, &["segments", "show", "all", "--json"], "")),
            manage(&database, &["count", "--filter", "-segment:en"], ""),
            save("en", "segment:all"),
            save("x", "segment:gone"),
            save("Big", "bot"),
            manage(&database, &["segments", "delete", "en"], ""),
            manage(&database, &["segments", "delete", "all"], ""),
            manage(&database, &["segments", "delete", "all"], ""),
            manage(&database, &["segments", "show", "all"], ""),
            manage(&database, &["count", "--filter", "segment:all"], ""),
            manage(&database, &["count", "--filter", "reachable langg:de"], ""),
            manage(&database, &["count", "--filter", "-tag:typo"], ""),
            manage(&database, &["users", "list", "--filter", "group:gone"], ""),
            save("x", "lang:en or -group:gone"),
        ];
        insta::assert_snapshot!("segments", story.join("\n"));
        let log = admins(&database).await;
        let filter = AuditFilter::all().action(AuditAction::SavedSegment);
        let entries = log.audit_log(&filter, None, 10).await.unwrap();
        assert_eq!(entries.len(), 3, "{entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_201st_segment_is_refused() {
    let database = ThrowAwayDatabase::sqlite();
    fill(&database).await;
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let audience = AudienceService::new(DieselUserRepository::new(storage), SystemClock);
    for n in 0..200 {
        let name = format!("s{n}").parse().unwrap();
        audience.save_segment(name, "bot".parse().unwrap(), Tz::UTC, "").await.unwrap();
    }
    let refused = manage(&database, &["segments", "save", "more", "--filter", "bot"], "");
    assert!(refused.contains("there are 200 segments already, which is the most"), "{refused}");
    let replaced = manage(&database, &["segments", "save", "s7", "--filter", "-bot"], "");
    assert!(replaced.contains("Replaced segment s7: -bot"), "{replaced}");
}

/// The day before is counted by another clock; the commands count today.
#[tokio::test(flavor = "multi_thread")]
async fn segments_are_counted_day_by_day() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let repository = DieselUserRepository::new(storage);
        let audience = AudienceService::new(repository.clone(), SystemClock);
        for (name, filter) in [("all", ""), ("bots", "bot"), ("ids", "id:1815")] {
            let filter = filter.parse().unwrap();
            audience.save_segment(name.parse().unwrap(), filter, Tz::UTC, "").await.unwrap();
        }
        let refresh = || manage(&database, &["segments", "refresh"], "");
        let list = || without_times(&manage(&database, &["segments", "list"], ""));
        let uncounted = list();
        let now = SystemClock.now();
        for days in [7, 1] {
            let counts = SegmentService::new(repository.clone(), SystemClock);
            counts.count_as_of(now - TimeDelta::days(days)).await.unwrap();
            let born = 100 * days + 1;
            let new = Profile::new(TelegramId::try_from(born).unwrap(), "Bea");
            let users = UserService::new(repository.clone(), SystemClock);
            let interaction = Interaction::new(now, new, InteractionKind::Text);
            users.register(&[interaction]).await.unwrap();
        }
        let zone = ["--zone", "Europe/Berlin"];
        let save = ["segments", "save", "ids", "--filter", "id:7"];
        let story = [
            uncounted,
            refresh(),
            refresh(),
            list(),
            without_times(&manage(&database, &["segments", "list", "--json"], "")),
            without_times(&manage(&database, &["segments", "show", "all"], "")),
            without_times(&manage(&database, &["segments", "show", "all", "--days", "1"], "")),
            without_times(&manage(&database, &["segments", "show", "all", "--json"], "")),
            manage(&database, &[&save[..], &zone].concat(), ""),
            without_times(&manage(&database, &["segments", "refresh", "--json"], "")),
            without_times(&manage(&database, &["segments", "show", "ids"], "")),
            manage(&database, &["segments", "show", "all", "--days", "0"], ""),
            manage(&database, &["segments", "show", "all", "--zone", "Mars"], ""),
            manage(&database, &["segments", "delete", "bots"], ""),
            list(),
        ];
        insta::assert_snapshot!("segments_counted", story.join("\n"));
        for name in ["all", "ids"] {
            manage(&database, &["segments", "delete", name], "");
        }
        let none = refresh();
        assert!(none.contains("no segment was counted: there is none"), "{none}");
    }
}
