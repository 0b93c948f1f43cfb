//! `manage sources` from outside: what an owner types and reads, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use chrono::{DateTime, Utc};
use program::run;
use rollcall_domain::{
    AuditAction, Chat, ChatKind, Event, Interaction, InteractionKind, Profile, SystemClock,
};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{AdminService, AuditFilter, UserService};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_listed_allowed_and_dropped() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, &[]).await;
        let mut story =
            vec![manage(&database, &["list"]), manage(&database, &["drop", "--without-users"])];
        // Odd ids: PostgreSQL may take users with even ones before them.
        let starts = [(1, "ad"), (3, "ad"), (5, "friend"), (1, "junk"), (5, "ad"), (7, "-odd_")];
        register(&database, &starts).await;
        story.extend([
            manage(&database, &["list"]),
            manage(&database, &["list", "--page-size", "2", "--page", "2"]),
            manage(&database, &["list", "--page", "9"]),
            manage(&database, &["drop", "friend", "nothing", "--", "-odd_"]),
            manage(&database, &["drop", "friend"]),
            manage(&database, &["drop", "--without-users"]),
        ]);
        // Dated by the clock of this machine.
        let (code, allowed, _) = answer(&database, &["allow", "winter", "ad", "winter"]);
        assert_eq!((code, allowed.as_str()), (0, "Allowed ad\nAllowed winter\n"));
        let (_, json, _) = answer(&database, &["list", "--json"]);
        let mut json: Value = serde_json::from_str(&json).unwrap();
        let winter = &mut json["sources"][1];
        let since: DateTime<Utc> = winter["since"].take().as_str().unwrap().parse().unwrap();
        assert!(since > "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
        story.push(format!("{json:#}"));
        insta::assert_snapshot!("story", story.join("\n"));

        register(&database, &[(1, "winter"), (1, "junk")]).await;
        let (_, listed, _) = answer(&database, &["list"]);
        assert!(listed.contains("          0          1  winter\n"), "{listed}");
        let settings = [("DATABASE_URL", database.url())];
        let folder = tempfile::tempdir().unwrap();
        let check = run(folder.path(), &["stats", "rebuild", "--check"], b"", &settings);
        assert_eq!(check.0, 0, "{check:?}");
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let admins = AdminService::new(DieselAdminRepository::new(storage), SystemClock, [].into());
        for (action, count) in [(AuditAction::AllowedSource, 2), (AuditAction::DroppedSource, 2)] {
            let filter = AuditFilter::all().action(action);
            assert_eq!(admins.audit_log(&filter, None, 9).await.unwrap().len(), count);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_adds_its_tag_to_users_who_open_it() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, &[(1, "ad"), (3, "ad")]).await;
        let mut story = vec![manage(&database, &["allow", "ad", "fair", "--tag", "from-ads"])];
        register(&database, &[(3, "ad"), (5, "fair"), (7, "other")]).await;
        let settings = [("DATABASE_URL", database.url())];
        let folder = tempfile::tempdir().unwrap();
        let tagged = || {
            let filter = ["users", "list", "--filter", "tag:from-ads", "--sort", "id", "--json"];
            let list: Value =
                serde_json::from_str(&run(folder.path(), &filter, b"", &settings).1).unwrap();
            let ids = list["users"].as_array().unwrap().iter().map(|it| it["telegram_id"].as_i64());
            ids.collect::<Option<Vec<_>>>().unwrap()
        };
        assert_eq!(tagged(), [3, 5]);
        let listed = |json: bool| {
            let (_, list, _) = answer(&database, &["list", "--json"][..if json { 2 } else { 1 }]);
            list
        };
        let json: Value = serde_json::from_str(&listed(true)).unwrap();
        let tags = json["sources"].as_array().unwrap().iter();
        let tags: Vec<_> = tags.map(|it| (it["payload"].as_str(), it["tag"].as_str())).collect();
        let tag = Some("from-ads");
        assert_eq!(tags, [(Some("ad"), tag), (Some("fair"), tag), (Some("other"), None)]);
        let lines = listed(false);
        let shown: Vec<Vec<&str>> =
            lines.lines().map(|line| line.split_whitespace().rev().take(2).collect()).collect();
        assert_eq!(
            shown[..4],
            [["PAYLOAD", "TAG"], ["ad", "from-ads"], ["fair", "from-ads"], ["other", "-"]]
        );

        story.extend([
            manage(&database, &["allow", "ad"]),
            manage(&database, &["allow", "ad", "--no-tag"]),
            manage(&database, &["allow", "ad", "--tag", "VIP"]),
            manage(&database, &["allow", "ad", "--tag", "vip", "--no-tag"]),
        ]);
        register(&database, &[(9, "ad"), (11, "fair")]).await;
        assert_eq!(tagged(), [3, 5, 11]);
        // Users lose a deleted tag, and its links add none.
        assert_eq!(run(folder.path(), &["tag", "delete", "from-ads"], b"", &settings).0, 0);
        register(&database, &[(13, "fair")]).await;
        assert!(!listed(true).contains("from-ads"));
        for n in 0..200 {
            let create = ["tag", "add", &format!("tag-{n}"), "--ids", "-"];
            assert_eq!(run(folder.path(), &create, b"", &settings).0, 0);
        }
        story.push(manage(&database, &["allow", "new", "--tag", "one-more"]));
        assert!(!listed(true).contains("new"));
        insta::assert_snapshot!("tags", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_nothing_is_changed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, &[]).await;
        let links: Vec<String> = (1..1000).map(|n| format!("link_{n}")).collect();
        let all = |command| {
            let links = links.iter().map(String::as_str);
            std::iter::once(command).chain(links).collect::<Vec<_>>()
        };
        assert_eq!(answer(&database, &all("allow")).0, 0);
        let refused = answer(&database, &["allow", "one", "two", "link_1"]);
        let error = "2 of these links need a label, and 1 of 1,000 are free; nothing was changed. \
                     `manage sources drop` makes room\n";
        assert_eq!(refused, (1, String::new(), format!("error: {error}")));
        assert_eq!(answer(&database, &["allow", "one"]).0, 0);
        let (_, json, _) = answer(&database, &["list", "--page-size", "1", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["total"], &json["pages"]), (&1000.into(), &1000.into()));
        let (code, dropped, _) = answer(&database, &all("drop"));
        assert_eq!((code, dropped.lines().count()), (0, 999));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_cannot_be_are_refused_by_name() {
    let database = ThrowAwayDatabase::sqlite();
    register(&database, &[]).await;
    let long = "x".repeat(65);
    for bad in ["", "a b", "a.b", "ä", "https://t.me/bot?start=ad", &long] {
        for command in ["allow", "drop"] {
            let (code, output, error) = answer(&database, &[command, "good", bad]);
            assert_eq!((code, output.as_str()), (2, ""), "{bad}");
            assert!(error.contains("expected 1 to 64 of A-Z, a-z, 0-9, _ and -"), "{bad}: {error}");
        }
    }
    for wrong in [&["allow"][..], &["drop"], &["drop", "ad", "--without-users"], &["allow", "-ad"]]
    {
        assert_eq!(answer(&database, wrong).0, 2, "{wrong:?}");
    }
    assert_eq!(answer(&database, &["allow", "--", "-ad"]).0, 0);
    assert_eq!(answer(&database, &["allow", &long[1..]]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_are_explained() {
    let database = ThrowAwayDatabase::sqlite();
    let help = |command: &[&str]| manage(&database, &[command, &["--help"]].concat());
    let story = [help(&[]), help(&["list"]), help(&["allow"]), help(&["drop"])];
    insta::assert_snapshot!("help", story.join("\n"));
}

/// What a command of `manage sources` prints, with its exit code where that is not 0.
fn manage(database: &ThrowAwayDatabase, arguments: &[&str]) -> String {
    let (code, output, error) = answer(database, arguments);
    let code = if code == 0 { String::new() } else { format!("(exit code {code})\n") };
    format!("$ manage sources {}\n{output}{error}{code}", arguments.join(" "))
}

fn answer(database: &ThrowAwayDatabase, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", database.url())];
    run(folder.path(), &[&["sources"], arguments].concat(), b"", &settings)
}

/// Registers users who start the bot by links, a second apart, in a database that is made if need be.
async fn register(database: &ThrowAwayDatabase, starts: &[(i64, &str)]) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let at = |second: i64| DateTime::from_timestamp(1_577_880_000 + second, 0).unwrap();
    let interactions: Vec<_> = (0_i64..)
        .zip(starts)
        .map(|(second, &(n, link))| Interaction {
            chat: Some(Chat { id: n, kind: ChatKind::Private }),
            event: Some(Event::Start(link.parse().unwrap())),
            ..Interaction::new(
                at(second),
                Profile::new(n.try_into().unwrap(), "x"),
                InteractionKind::Command,
            )
        })
        .collect();
    let clock = TestClock::at("2020-01-09T20:00:00Z");
    let users = UserService::new(DieselUserRepository::new(storage), clock);
    users.register(&interactions).await.unwrap();
}
