//! `manage tag` and `manage group` from outside: what an owner types and reads, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use chrono::{DateTime, Utc};
use program::run;
use rollcall_domain::{
    AuditAction, Clock, Interaction, InteractionKind, LabelKind, Profile, SystemClock,
};
use rollcall_repository::{LabelChoice, LabelRepository, LabelStep, NewLabelChange};
use rollcall_repository_diesel::{Database, DieselAdminRepository, DieselUserRepository};
use rollcall_service::{AdminService, AuditFilter, LabelService, UserService};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_groups_are_added_listed_undone_and_deleted() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=5).await;
        let story = [
            manage(&database, "tag list", ""),
            manage(&database, "tag add vip --ids -", "1\n\n 3\r\n9\n3\n"),
            manage(&database, "tag add vip --ids -", "1\n2\n"),
            manage(&database, "tag add early_bird --ids - --description Early-birds", "5\n"),
            manage(&database, "tag list", ""),
            manage(&database, "users show 1", ""),
            manage(&database, "tag remove vip --ids -", "1\n4\n"),
            manage(&database, "tag undo", ""),
            manage(&database, "tag undo", ""),
            manage(&database, "tag list", ""),
            manage(&database, "group list", ""),
            manage(&database, "group add beta --ids - --description Testers", "1\n2\n3\n"),
            manage(&database, "group describe beta New-testers", ""),
            manage(&database, "group remove beta --ids -", "2\n"),
            manage(&database, "group list", ""),
            manage(&database, "users show 3", ""),
            manage(&database, "tag delete vip", ""),
            manage(&database, "group delete beta", ""),
            manage(&database, "group list", ""),
            manage(&database, "group undo", ""),
            manage(&database, "tag add early_bird --ids -", "5"),
        ];
        insta::assert_snapshot!("story", story.join("\n"));

        let (_, json, _) = answer(&database, "tag list --json", "");
        let mut json: Value = serde_json::from_str(&json).unwrap();
        let tag = json["tags"][0].as_object_mut().unwrap();
        let created_at = tag.remove("created_at").unwrap();
        assert!(created_at.as_str().unwrap().ends_with('Z'), "{created_at}");
        let expected = r#"{"tags":[{"description":"Early-birds","name":"early_bird","users":1}]}"#;
        assert_eq!(json.to_string(), expected);
        let (_, json, _) = answer(&database, "users show 5 --json", "");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["tags"], &json["groups"]),
            (&vec!["early_bird"].into(), &Value::from(Vec::<Value>::new()))
        );

        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let admins = AdminService::new(DieselAdminRepository::new(storage), SystemClock, [].into());
        let filter = AuditFilter::all().action(AuditAction::AddedLabel);
        let log = admins.audit_log(&filter, None, 9).await.unwrap();
        let log: Vec<_> = log.iter().rev().map(|it| it.new.as_deref().unwrap()).collect();
        let expected = [
            "2 users: tag vip: given ids",
            "1 user: tag vip: given ids",
            "1 user: tag early_bird: given ids",
            "3 users: group beta: given ids",
            "1 user: tag early_bird: given ids",
        ];
        assert_eq!(log, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_users_of_a_filter_are_changed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=9).await;
        let story = [
            manage(&database, "tag add odd --ids -", "1\n3\n5\n7\n9"),
            manage(&database, "tag add few --filter -tag:odd", ""),
            manage(&database, "tag list", ""),
            manage(&database, "tag add odd --filter days>=1 --zone Europe/Berlin", ""),
            manage(&database, "tag undo", ""),
            manage(&database, "tag remove odd --filter id:1,2,3", ""),
            manage(&database, "group add beta --filter tag:few", ""),
            manage(&database, "tag list", ""),
            manage(&database, "tag add x --filter langg:de", ""),
            manage(&database, "tag add x --filter tag:odd --ids -", ""),
            manage(&database, "tag add x --filter tag:odd --zone Berlin", ""),
            manage(&database, "tag add x --filter segment:none", ""),
            manage(&database, "tag add x --filter -tag:unknown", ""),
            manage(&database, "tag list", ""),
            manage(&database, "tag resume", ""),
            manage(&database, "segments save loyal --filter tag:odd", ""),
            manage(&database, "tag add loyal --filter segment:loyal", ""),
            manage(&database, "tag delete odd", ""),
        ];
        insta::assert_snapshot!("filter", story.join("\n"));
    }
}

/// A process that was killed leaves a change as if it had stopped between two steps.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_change_is_completed() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=9).await;
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselUserRepository::new(storage);
        let labels = LabelService::new(storage.clone(), SystemClock);
        let (vip, _) =
            labels.create(LabelKind::Tag, &"vip".parse().unwrap(), "", None).await.unwrap();
        for command in ["tag resume", "tag add vip --filter -id:2"] {
            let new = NewLabelChange {
                label: vip.clone(),
                is_added: true,
                choice: LabelChoice::Filter { text: "-id:2".to_owned(), zone: "UTC".to_owned() },
                by: None,
            };
            let change = storage.begin_label_change(&new, SystemClock.now()).await.unwrap();
            let id = |id: i64| id.try_into().unwrap();
            let ids = vec![id(1), id(3)];
            let step = LabelStep {
                change: change.id,
                after: None,
                ids,
                last: Some(id(3)),
                is_last: false,
            };
            storage.continue_label_change(&step, SystemClock.now()).await.unwrap();
            let completed = answer(&database, command, "");
            let printed = "Added tag vip to 8 users.\n".to_owned();
            assert_eq!(completed, (0, printed, String::new()), "{command}");
            assert_eq!(labels.count(LabelKind::Tag).await.unwrap()[0].1, 8);
            // It is one change, so it is undone as a whole.
            assert_eq!(answer(&database, "tag undo", "").0, 0);
            assert_eq!(labels.count(LabelKind::Tag).await.unwrap()[0].1, 0);
        }
    }
}

/// Without the tag, the filter of the stopped change would select everyone.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_a_stopped_change_names_stays() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=3).await;
        assert_eq!(answer(&database, "tag add optout --ids -", "3\n").0, 0);
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselUserRepository::new(storage);
        let labels = LabelService::new(storage.clone(), SystemClock);
        let (promo, _) =
            labels.create(LabelKind::Group, &"promo".parse().unwrap(), "", None).await.unwrap();
        let choice = LabelChoice::Filter { text: "-tag:optout".to_owned(), zone: "UTC".to_owned() };
        let new = NewLabelChange { label: promo, is_added: true, choice, by: None };
        storage.begin_label_change(&new, SystemClock.now()).await.unwrap();
        let (code, _, error) = answer(&database, "tag delete optout", "");
        let reason = "tag 'optout' is named by the filter of a change that is not complete";
        assert!(code == 1 && error.contains(reason), "{error}");
        assert_eq!(answer(&database, "group resume", "").0, 0);
        assert_eq!(labels.count(LabelKind::Group).await.unwrap()[0].1, 2);
        assert_eq!(answer(&database, "tag delete optout", "").0, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_changes_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=3).await;
        let story = [
            manage(&database, "tag add vip --ids -", "1\nada\n2\n-5\n"),
            manage(&database, "tag list", ""),
            manage(&database, "tag add vip --ids missing.txt", ""),
            manage(&database, "tag add VIP --ids -", ""),
            manage(&database, "tag add a-name-that-is-longer-than-32-chars --ids -", ""),
            manage(&database, "tag add vip", ""),
            manage(&database, "tag remove vip --ids -", "1\n"),
            manage(&database, "tag delete vip", ""),
            manage(&database, "group describe vip text", ""),
            manage(&database, "tag undo", ""),
            manage(
                &database,
                &format!("group add beta --ids - --description {}", "x".repeat(1001)),
                "1",
            ),
            manage(&database, "group list", ""),
        ];
        insta::assert_snapshot!("wrong", story.join("\n").replace(&"x".repeat(1001), "xxx…"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_201st_tag_is_refused() {
    for database in ThrowAwayDatabase::of_each_kind() {
        register(&database, 1..=1).await;
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let labels = LabelService::new(DieselUserRepository::new(storage), SystemClock);
        for n in 0..200 {
            let name = format!("tag-{n}").parse().unwrap();
            labels.create(LabelKind::Tag, &name, "", None).await.unwrap();
        }
        let refused = answer(&database, "tag add one-more --ids -", "1");
        let error = "error: there are 200 tags already, which is the limit; delete one first\n";
        assert_eq!(refused, (1, String::new(), error.to_owned()));
        assert_eq!(answer(&database, "tag add tag-7 --ids -", "1").0, 0);
    }
}

async fn register(database: &ThrowAwayDatabase, ids: std::ops::RangeInclusive<i64>) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let now = "2020-01-01T12:00:00Z";
    let at: DateTime<Utc> = now.parse().unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), TestClock::at(now));
    let interaction = |id: i64| {
        let profile = Profile::new(id.try_into().unwrap(), "Ada");
        Interaction::new(at, profile, InteractionKind::Text)
    };
    users.register(&ids.map(interaction).collect::<Vec<_>>()).await.unwrap();
}

fn answer(database: &ThrowAwayDatabase, command: &str, input: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<&str> = command.split(' ').collect();
    run(folder.path(), &arguments, input.as_bytes(), &[("DATABASE_URL", database.url())])
}

/// A command, and what it prints.
fn manage(database: &ThrowAwayDatabase, command: &str, input: &str) -> String {
    let (code, printed, error) = answer(database, command, input);
    let code = if code == 0 { String::new() } else { format!("exit code {code}\n") };
    format!("$ manage {command}\n{printed}{error}{code}")
}
