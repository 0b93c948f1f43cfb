//! `manage stats`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_printed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let printed = manage(&database, &["stats"], "");
        // In the first hour of a day, there is nothing to compare it with.
        let printed_today = ["0 today (±0),", "0 today,"].iter().any(|today| {
            printed.contains(&format!("Users        3, 0 reachable\nActive       {today}"))
        });
        assert!(printed_today, "{printed}");
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
        insta::assert_snapshot!("statistics_only", only(&database, &of_days));
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

/// Each table alone, as text and as JSON.
fn only(database: &ThrowAwayDatabase, of_days: &[&str]) -> String {
    let mut story = Vec::new();
    for name in ["days", "lifecycle", "months", "kinds", "commands", "languages", "sources"] {
        story.push(manage(database, &[of_days, &["--only", name]].concat(), ""));
    }
    story.push(manage(database, &[of_days, &["--only", "lifecycle", "--json"]].concat(), ""));
    story.push(manage(database, &[of_days, &["--only", "commands", "--json"]].concat(), ""));
    let before = ["stats", "--since", "2019-11", "--until", "2019-11", "--only", "kinds"];
    story.push(manage(database, &before, ""));
    story.push(manage(database, &["stats", "--only", "days", "--csv"], ""));
    story.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_have_short_names() {
    for database in ThrowAwayDatabase::of_each_kind() {
        come_and_go(&database).await;
        let range = |arguments: &[&str]| {
            let all = [&["stats", "--json"], arguments].concat();
            let (code, json, error) = run(&database, &all, "", &[]);
            assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}");
            let json: Value = serde_json::from_str(&json).unwrap();
            let day =
                |name: &str| -> chrono::NaiveDate { json[name].as_str().unwrap().parse().unwrap() };
            (day("since"), day("until"))
        };
        let (yesterday, today) = range(&["--since", "yesterday"]);
        assert_eq!((today - yesterday).num_days(), 1);
        let (since, until) = range(&["--since", "7d"]);
        assert_eq!((until - since).num_days(), 6);
        let (since, until) = range(&["--since", "yesterday", "--until", "yesterday"]);
        assert_eq!(since, until);
        let month = range(&["--since", "2020-02", "--until", "2020-02"]);
        assert_eq!(month.0.to_string() + ".." + &month.1.to_string(), "2020-02-01..2020-02-29");
        let (since, _) = range(&["--since", "2020-01"]);
        assert_eq!(since.to_string(), "2020-01-01");
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
