//! `manage users`.

use std::sync::atomic::{AtomicU64, Ordering};

use rollcall_domain::Selection;
use rollcall_service::{Deletion, DeletionService, PrivacyRequestService};

use super::*;

/// Users 1 to `last`. Every tenth is a bot, and every second has a German app.
async fn crowd(database: &ThrowAwayDatabase, last: i64) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let at = "2026-01-01T10:00:00Z".parse().unwrap();
    let user = |n: i64| {
        let profile = Profile::new(n.try_into().unwrap(), &format!("User {n}"));
        let language = if n % 2 == 0 { "de" } else { "en" };
        let profile = profile.language_code(language).is_bot(n % 10 == 0);
        Interaction::new(at, profile, InteractionKind::Text)
    };
    for some in (1..=last).collect::<Vec<_>>().chunks(1_000) {
        let interactions: Vec<_> = some.iter().copied().map(user).collect();
        users.register(&interactions).await.unwrap();
    }
}

fn count(database: &ThrowAwayDatabase, filter: &str) -> u64 {
    let (code, count, error) = run(database, &["count", "--filter", filter], "", &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    count.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_deleted_by_a_filter_or_by_ids() {
    for database in ThrowAwayDatabase::of_each_kind() {
        crowd(&database, 100).await;
        let mut story = Vec::new();
        let mut delete = |arguments: &[&str], input: &str, left: u64| {
            let all = [&["users", "delete"], arguments].concat();
            story.push(manage(&database, &all, input));
            assert_eq!(count(&database, "bot or -bot"), left, "{arguments:?}");
        };
        // Without --yes, and without a terminal to ask on, nothing is deleted.
        delete(&["--filter", "lang:de"], "y\n", 100);
        delete(&["--filter", "lang:de"], "", 100);
        delete(&["--filter", ""], "", 100);
        delete(&["--filter", "", "--yes"], "", 100);
        delete(&["--filter", "lang:de", "--all", "--yes"], "", 100);
        delete(&["--yes"], "", 100);
        delete(&["--ids", "-", "--all", "--yes"], "1\n", 100);
        delete(&["--ids", "-", "--zone", "UTC", "--yes"], "1\n", 100);
        delete(&["--filter", "langg:de", "--yes"], "", 100);
        delete(&["--filter", "-tag:typo", "--yes"], "", 100);
        delete(&["--filter", "lang:fr", "--yes"], "", 100);
        delete(&["--ids", "-", "--yes"], "1\nx\n", 100);
        delete(&["--ids", "-", "--yes"], "101\n", 100);
        delete(&["--ids", "-"], "1\n3\n3\n101\n", 100);
        delete(&["--ids", "-", "--yes"], "3\n1\n3\n101\n", 98);
        delete(&["--filter", "name:\"User 5\" id:5,7", "--yes"], "", 97);
        // Bots stay unless they are named.
        delete(&["--filter", "lang:de", "--yes"], "", 57);
        delete(&["--filter", "lang:de", "--yes"], "", 57);
        delete(&["--filter", "lang:de bot", "--yes"], "", 47);
        delete(&["--all"], "", 47);
        delete(&["--filter", "", "--all", "--yes"], "", 0);
        insta::assert_snapshot!("deleted", story.join("\n"));

        let log = admins(&database).await;
        let entries = async |action| {
            let filter = AuditFilter::all().action(action);
            log.audit_log(&filter, None, 1_000).await.unwrap()
        };
        let each = entries(AuditAction::DeletedUser).await;
        assert_eq!(each.len(), 100);
        assert!(each.iter().all(|it| it.about.is_some() && it.admin.is_none()));
        let deletions = entries(AuditAction::DeletedUsers).await;
        let deletions: Vec<_> = deletions.iter().rev().filter_map(|it| it.new.as_deref()).collect();
        let expected = [
            "2 users: given ids",
            "1 user: name:\"…\" id:5,7",
            "40 users: lang:de",
            "10 users: lang:de bot",
            "47 users: all users",
        ];
        assert_eq!(deletions, expected);
        let check = manage(&database, &["stats", "rebuild", "--check"], "");
        assert!(check.contains("All figures match the recount."), "{check}");
        let verified = manage(&database, &["audit", "verify"], "");
        assert!(verified.contains("[exit code 0]"), "{verified}");
    }
}

/// A deletion that is stopped leaves the rest for the next one, and says so in the audit log.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_deletion_is_completed_by_the_same_command() {
    for database in ThrowAwayDatabase::of_each_kind() {
        crowd(&database, 2_500).await;
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselUserRepository::new(storage);
        let requests = PrivacyRequestService::new(storage.clone(), SystemClock);
        let deletion =
            DeletionService::new(storage, admins(&database).await, requests, SystemClock);
        let english = UserFilter { language: Some("en".to_owned()), ..UserFilter::new() };
        let selection = Selection::from(&english);
        let seen = AtomicU64::new(0);
        let until_200 = |deleted| {
            seen.store(deleted, Ordering::Relaxed);
            deleted < 200
        };
        let stopped = deletion.delete_matching(&selection, "lang:en", &until_200).await;
        let Deletion { users, is_complete, .. } = stopped.unwrap();
        assert!(!is_complete && (200..1_250).contains(&users), "{users}");
        assert_eq!(users, seen.load(Ordering::Relaxed));
        assert_eq!(count(&database, "lang:en"), 1_250 - users);
        let by_command = ["users", "delete", "--filter", "lang:en", "--yes"];
        assert_eq!(run(&database, &by_command, "", &[]).0, 0);
        assert_eq!((count(&database, "lang:en"), count(&database, "bot or -bot")), (0, 1_250));

        let ids: Vec<TelegramId> = (1..=2_500).map(|n: i64| n.try_into().unwrap()).collect();
        assert_eq!(deletion.count_existing(&ids).await.unwrap(), 1_250);
        let rest = deletion.delete_ids(&ids, &|_| true).await.unwrap();
        assert_eq!(rest, Deletion { users: 1_250, owners: 0, is_complete: true });

        // What is asked to stop when nothing is left is complete.
        crowd(&database, 2_501).await;
        let new = [2_501.try_into().unwrap()];
        let last = deletion.delete_ids(&new, &|_| false).await.unwrap();
        assert_eq!(last, Deletion { users: 1, owners: 0, is_complete: true });

        let filter = AuditFilter::all().action(AuditAction::DeletedUsers);
        let log = admins(&database).await.audit_log(&filter, None, 10).await.unwrap();
        let log: Vec<_> = log.iter().rev().filter_map(|it| it.new.as_deref()).collect();
        let first = format!("{users} users: lang:en; stopped before its end");
        let grouped = |users| rollcall_domain::grouped(users);
        let second = format!("{} users: lang:en", grouped(1_250 - users));
        let [third, fourth] = ["1,250 users: given ids", "1 user: given ids"];
        assert_eq!(log, [first.as_str(), second.as_str(), third, fourth]);
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
            manage(&database, &["users", "list", "--search", "LOVE"], ""),
            manage(&database, &["users", "list", "--search", "nobody's"], ""),
            manage(&database, &["users", "list", "--sort", "id", "--limit", "1"], ""),
            manage(&database, &["users", "list", "--sort=-id", "--after", "fn1.1"], ""),
            manage(&database, &["users", "show", "--help"], ""),
            manage(&database, &["users", "show", "1815"], ""),
            manage(&database, &["users", "show", "@ADA"], ""),
            manage(&database, &["users", "show", "--json", "2"], ""),
        ];
        insta::assert_snapshot!("users", story.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_stored_about_a_user_is_shown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        come_back(&database).await;
        let show = |more: &[&str], settings: &[(&str, &str)]| {
            let arguments = [&["users", "show", "1815", "--full"], more].concat();
            let (code, printed, error) = run(&database, &arguments, "", settings);
            assert_eq!((code, error.as_str()), (0, ""));
            printed
        };
        insta::assert_snapshot!("full", [show(&[], &[]), show(&["--json"], &[])].join("\n"));

        // A feature that is off shows nothing.
        let off = [("SCHEDULE", "off")];
        assert!(show(&[], &[]).contains("Favourite teams  Boston Bruins, Montréal Canadiens\n"));
        assert!(!show(&[], &off).contains("teams"));
        assert!(!show(&["--json"], &off).contains("teams"));
        let arguments = ["users", "show", "404", "--full"];
        let (code, _, error) = run(&database, &arguments, "", &[]);
        assert_eq!((code, error.as_str()), (1, "error: there is no user with the id 404\n"));
    }
}

/// A user with a new name, a deep link, a block, two favourite teams and a note.
async fn come_back(database: &ThrowAwayDatabase) {
    let users = fill(database).await;
    let id = TelegramId::try_from(1815).unwrap();
    let chat = Some(Chat { id: 1815, kind: ChatKind::Private });
    let ada = Profile::new(id, "Augusta\u{1b}[2J").last_name("Lovelace").username("ada");
    let act = |at: &str, event| Interaction {
        chat,
        event,
        ..Interaction::new(at.parse().unwrap(), ada.clone(), InteractionKind::Text)
    };
    let start = Event::Start("spring".parse().unwrap());
    let acts = [
        act("2020-01-02T01:00:00Z", Some(start)),
        act("2020-01-02T02:00:00Z", Some(Event::Blocked)),
        act("2020-01-02T03:00:00Z", None),
    ];
    users.register(&acts).await.unwrap();
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let preferences = PreferencesService::new(DieselPreferencesRepository::new(storage.clone()));
    preferences.set_language(id, Some(Language::German)).await.unwrap();
    fetch_teams(database).await;
    let schedule =
        ScheduleService::new(DieselScheduleRepository::new(storage.clone()), SystemClock);
    for team in schedule.teams().await.unwrap() {
        assert!(preferences.set_favourite(id, team.id, true).await.unwrap());
    }
    let clock = TestClock::at("2020-01-02T03:04:05Z");
    let directory = DirectoryService::new(DieselUserRepository::new(storage), clock);
    directory.set_note(id, "Wrote the first program.\nCall back.", "ada").await.unwrap();
}

/// Fetches a game at each of two teams.
async fn fetch_teams(database: &ThrowAwayDatabase) {
    let nhl = NhlApi::start().await.unwrap();
    nhl.put(NhlGame::new(1, "BOS", "MTL", "2026-10-01T23:00:00Z"));
    nhl.put(NhlGame::new(2, "MTL", "BOS", "2026-10-02T23:00:00Z"));
    let arguments = ["fetch-games", "--date", "2026-10-01"];
    let url = nhl.url();
    let (code, printed, _) = run(database, &arguments, "", &[("NHL_API_URL", &url)]);
    assert_eq!(code, 0, "{printed}");
}

/// The printed command shows the next page, and so does `next`, until all users are listed once.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_users_follow_each_other() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        for (arguments, expected) in [
            ("users list --limit 1", [7, 2, 1815]),
            ("users list --limit 1 --sort id", [2, 7, 1815]),
            ("users list --limit 1 --sort -last_seen", [1815, 7, 2]),
            ("users list --limit 1 --sort active_days", [2, 7, 1815]),
        ] {
            assert_eq!(listed(&database, arguments), expected, "{arguments}");
        }
    }
}

/// The ids of a list, page by page.
fn listed(database: &ThrowAwayDatabase, first: &str) -> Vec<i64> {
    let (mut listed, mut arguments) = (Vec::new(), first.to_owned());
    loop {
        let words: Vec<&str> = arguments.split(' ').collect();
        let (_, printed, _) = run(database, &words, "", &[]);
        let (_, json, _) = run(database, &[words, vec!["--json"]].concat(), "", &[]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json.get("total"), Some(&3.into()));
        assert_eq!(json.pointer("/users/1"), None);
        listed.push(json.pointer("/users/0/telegram_id").unwrap().as_i64().unwrap());
        assert!(printed.contains("\nUsers: 1 of 3\n"), "{printed}");
        let next = printed.lines().find_map(|it| it.strip_prefix("Next page: manage "));
        let cursor = next.map(|next| next.rsplit_once(' ').unwrap().1);
        assert_eq!(json.get("next").unwrap().as_str(), cursor);
        match next {
            Some(next) => arguments = next.to_owned(),
            None => return listed,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_and_buttons_of_a_user_are_shown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = fill(&database).await;
        let did = |time: &str, kind| {
            let profile = Profile::new(TelegramId::try_from(1815).unwrap(), "Ada");
            Interaction::new(time.parse().unwrap(), profile, kind)
        };
        let schedule =
            |time| Interaction { command: Some("schedule"), ..did(time, InteractionKind::Command) };
        let settings = |time| Interaction {
            button: Some("settings"),
            ..did(time, InteractionKind::CallbackQuery)
        };
        let times = ["2019-12-30T10:00:00Z", "2020-01-01T10:00:00Z", "2020-01-02T02:00:00Z"];
        users.register(&times.map(schedule)).await.unwrap();
        users.register(&[settings("2020-01-01T10:00:00Z")]).await.unwrap();

        let (_, shown, _) = run(&database, &["users", "show", "1815"], "", &[]);
        let (_, uses) = shown.split_once("\nUsed ").unwrap();
        assert_eq!(
            uses,
            "        /schedule: 3 days, first 2019-12-30, last 2020-01-02\n             \
             settings (buttons): 1 day, first 2020-01-01, last 2020-01-01\n"
        );
        let (_, shown, _) = run(&database, &["users", "show", "1815", "--json"], "", &[]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            shown["uses"],
            serde_json::json!([
                {"command": "/schedule", "first_day": "2019-12-30", "last_day": "2020-01-02", "days": 3},
                {"command": "settings", "first_day": "2020-01-01", "last_day": "2020-01-01", "days": 1},
            ])
        );
        let (_, shown, _) = run(&database, &["users", "show", "2"], "", &[]);
        assert!(!shown.contains("Used"), "{shown}");
    }
}

/// A copy of everything, for a user who asks the owner for it.
#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_user_is_written_as_json() {
    for database in ThrowAwayDatabase::of_each_kind() {
        crowd(&database, 3).await;
        let (code, copy, error) = run(&database, &["users", "export-data", "2"], "", &[]);
        assert_eq!((code, error.as_str()), (0, ""));
        let copy: Value = serde_json::from_str(&copy).unwrap();
        assert_eq!(copy["telegram_id"], 2);
        assert_eq!(copy["tables"]["telegram_users"][0]["first_name"], "User 2");
        assert_eq!(copy["tables"]["audit_log"][0]["action"], "copied_user_data");
        assert!(!copy.to_string().contains("User 3"));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy.json");
        let to_file = ["users", "export-data", "2", "--output", file.to_str().unwrap()];
        let (code, printed, error) = run(&database, &to_file, "", &[]);
        assert_eq!((code, printed.as_str()), (0, ""), "{error}");
        assert!(error.starts_with("Wrote everything that is stored about 2 to "), "{error}");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        let (code, _, error) = run(&database, &to_file, "", &[]);
        assert!(code == 1 && error.contains("already exists; pass --force"), "{error}");

        let (code, printed, error) = run(&database, &["users", "export-data", "9"], "", &[]);
        assert_eq!((code, printed.as_str()), (1, ""));
        assert!(error.contains("nothing is stored about the id 9"), "{error}");
        let (code, _, error) = run(&database, &["users", "export-data", "@ada"], "", &[]);
        assert!(code == 2 && error.contains("not a Telegram id"), "{error}");
    }
}

/// One user by id, not twice, and not an owner. The requests that it answers are done.
#[tokio::test(flavor = "multi_thread")]
async fn one_user_is_erased_and_the_request_for_it_is_done() {
    for database in ThrowAwayDatabase::of_each_kind() {
        crowd(&database, 3).await;
        let mut story = Vec::new();
        for arguments in [
            &["privacy", "requests", "list"][..],
            &["privacy", "requests", "add", "2", "--kind", "telegram"],
            &["privacy", "requests", "add", "2", "--kind", "copy"],
            &["privacy", "requests", "add", "3", "--kind", "erasure"],
            &["privacy", "requests", "add", "3", "--kind", "deletion"],
            &["privacy", "requests", "add", "x", "--kind", "copy"],
            &["users", "erase", "2"],
            &["users", "erase", "2", "--yes"],
            &["users", "erase", "2", "--yes"],
            &["users", "erase", "2", "--filter", "lang:de", "--yes"],
            &["privacy", "requests", "done", "1"],
            &["privacy", "requests", "done", "2"],
            &["privacy", "requests", "done", "2"],
        ] {
            story.push(manage(&database, arguments, ""));
        }
        insta::assert_snapshot!("erased", story.join("\n"));
        assert_eq!(count(&database, "bot or -bot"), 2);

        let owner = [("ADMIN_TELEGRAM_IDS", "3")];
        let (code, _, error) = run(&database, &["users", "erase", "3", "--yes"], "", &owner);
        assert!(code == 1 && error.contains("owners of the bot are not deleted"), "{error}");
        let all = ["users", "erase", "--all", "--yes"];
        let (code, printed, error) = run(&database, &all, "", &owner);
        assert_eq!((code, error.as_str()), (0, ""));
        assert!(printed.starts_with("Deleted 1 user.\n1 user was left"), "{printed}");
        assert_eq!(count(&database, "bot or -bot"), 1);

        let list = ["privacy", "requests", "list", "--all", "--json"];
        let (_, listed, _) = run(&database, &list, "", &[]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let kinds: Vec<_> = listed.as_array().unwrap().iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds.len(), 3);
        assert!(listed[0]["done_at"].is_null() && listed[0]["kind"] == "erasure", "{listed}");
        assert!(!listed.to_string().contains("\"2\""), "{listed}");
    }
}
