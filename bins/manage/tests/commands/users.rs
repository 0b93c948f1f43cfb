//! `manage users`.

use super::*;

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
