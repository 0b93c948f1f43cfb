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
