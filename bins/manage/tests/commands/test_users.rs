//! `manage test-users`.

use super::*;

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
