//! `manage retention` and `manage suppression-key`, on each database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use program::run;
use rollcall_domain::{Interaction, InteractionKind, Profile, SystemClock};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;

/// Runs a command on a database; answers its exit code, standard output and standard error.
fn manage(
    database: &ThrowAwayDatabase,
    arguments: &[&str],
    input: &str,
    settings: &[(&str, &str)],
) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let settings = [settings, &[("DATABASE_URL", database.url())]].concat();
    run(folder.path(), arguments, input.as_bytes(), &settings)
}

/// Users 1 and 2 were last active long ago, user 3 now.
async fn users(database: &ThrowAwayDatabase) -> UserService {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let profile = |n: i64| Profile::new(n.try_into().unwrap(), "Ada");
    let long_ago = "2020-01-02T03:04:05Z".parse().unwrap();
    let seen = |n| Interaction::new(long_ago, profile(n), InteractionKind::Text);
    users.register(&[seen(1), seen(2)]).await.unwrap();
    users.get_or_create_user(&profile(3)).await.unwrap();
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn inactive_users_are_shown_deleted_and_may_return() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = users(&database).await;
        let retention = |flags: &[&str], settings: &[(&str, &str)]| {
            manage(&database, &[&["retention"], flags].concat(), "", settings)
        };
        let (code, output, error) = retention(&["--dry-run"], &[]);
        assert_eq!((code, output.lines().count()), (1, 1), "{output}");
        assert!(error.starts_with("error: nothing has a limit; set RETENTION_INACTIVE"), "{error}");
        let (code, _, error) = retention(&[], &[("RETENTION_INACTIVE", "2w")]);
        assert_eq!(code, 1);
        assert!(error.contains("RETENTION_INACTIVE: \"2w\" is not a period"), "{error}");

        let limit = [("RETENTION_INACTIVE", "24mo"), ("RETENTION_AUDIT", "1y")];
        let shown = "0 users are known only from messages to a business account\n\
                     2 users would be deleted: inactive for 24mo\n\
                     0 audit entries would be deleted: older than 1y\n";
        for _ in 0..2 {
            assert_eq!(retention(&["--dry-run"], &limit).1, shown);
        }
        let deleted =
            "2 users deleted: inactive for 24mo\n0 audit entries deleted: older than 1y\n";
        assert_eq!(retention(&[], &limit).1, deleted);
        assert_eq!(retention(&[], &limit).1, deleted.replacen('2', "0", 1));
        assert_eq!(users.get_user_stats().await.unwrap().total_users, 1);
        let returned = Profile::new(1.try_into().unwrap(), "Ada");
        assert!(users.get_or_create_user(&returned).await.unwrap().created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_database_is_written_to_a_new_file() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let users = users(&database).await;
        users.delete_users(&[1.try_into().unwrap()]).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let path = path.to_str().unwrap();
        let (code, output, error) = manage(&database, &["suppression-key", path], "", &[]);
        assert_eq!(code, 0, "{error}");
        assert!(output.starts_with(&format!("Wrote the key to {path}.")), "{output}");
        assert_eq!(std::fs::read_to_string(path).unwrap().trim().len(), 64);
        let (code, _, error) = manage(&database, &["suppression-key", path], "", &[]);
        assert_eq!(code, 1);
        assert!(error.contains(&format!("cannot create {path}")), "{error}");
        // Everything works with the file, and with the key in the database.
        for settings in [&[][..], &[("SUPPRESSION_KEY_FILE", path)]] {
            let deleted =
                manage(&database, &["users", "delete", "--ids", "-", "--yes"], "2\n", settings);
            assert_eq!(deleted.0, 0, "{}", deleted.2);
        }
        let again = Profile::new(1.try_into().unwrap(), "Ada");
        assert!(users.get_or_create_user(&again).await.unwrap().suppressed);
    }
}
