//! The library from outside, on both databases.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use rollcall::{Error, Options, Outcome, Profile, Rollcall, UnreachableReason};
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{Database, DieselUserRepository, SuppressionKey};
use rollcall_service::UserService;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};

/// Runs a story on each database.
macro_rules! both {
    ($($story:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story(&rollcall_testkit::ThrowAwayDatabase::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                if let Some(database) = rollcall_testkit::ThrowAwayDatabase::postgres() {
                    super::$story(&database).await;
                }
            })*
        }
    };
}

both! {
    updates_and_profiles_become_users
    what_is_no_update_changes_nothing
    what_was_acknowledged_is_there_after_a_drop_and_a_close
    many_calls_at_once_are_all_registered
    a_filter_selects_users_page_by_page
    pending_migrations_can_be_refused
    a_message_that_failed_marks_its_user
    erased_users_are_recognised_by_the_key_of_a_file
    customers_of_a_business_account_are_registered_on_demand
}

fn update(id: i64, user: i64, name: &str, text: &str) -> String {
    let from = json!({"id": user, "is_bot": false, "first_name": name, "language_code": "de"});
    let chat = json!({"id": user, "type": "private", "first_name": name});
    let message =
        json!({"message_id": id, "date": 1_790_000_000, "chat": chat, "from": from, "text": text});
    let update: Value = json!({"update_id": id, "message": message});
    update.to_string()
}

async fn updates_and_profiles_become_users(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let taken = rollcall.register_json(&update(7, 1815, "Ada", "/start ad")).await.unwrap();
    assert_eq!((taken.update_id, taken.outcome), (7, Outcome::Registered));
    let ada = taken.registration.unwrap();
    assert!(ada.created);
    assert_eq!(ada.user.first_name, "Ada");
    assert_eq!(ada.user.source.as_ref().map(|it| it.as_str()), Some("ad"));

    let again = rollcall.register_json(&update(7, 1815, "Ada", "/start ad")).await.unwrap();
    assert_eq!(again.outcome, Outcome::Repeated);
    assert_eq!(again.registration.unwrap().user, ada.user);

    let grace = Profile::new(1906.try_into().unwrap(), "Grace").username("grace");
    assert!(rollcall.register(grace.clone()).await.unwrap().created);
    assert!(!rollcall.register(grace).await.unwrap().created);

    assert_eq!(rollcall.user(1815).await.unwrap(), Some(ada.user));
    for unknown in [1, 0, -1815, i64::MIN] {
        assert_eq!(rollcall.user(unknown).await.unwrap(), None);
    }
    assert_eq!(rollcall.stats().await.unwrap().total_users, 2);
}

async fn what_is_no_update_changes_nothing(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let valid = update(7, 1815, "Ada", "Hello");
    let several = format!("[{valid}, {valid}]");
    for (text, reason) in [
        ("", "the body is cut off at line 1 column 0"),
        ("{}", "not an update of the Bot API: it has no update_id"),
        (several.as_str(), "several updates; expected one"),
    ] {
        let error = rollcall.register_json(text).await.unwrap_err();
        assert!(matches!(error, Error::InvalidUpdate(_)), "{text}: {error:?}");
        assert_eq!(error.to_string(), reason);
    }
    for filter in ["lang:", "colour:red", "seen<("] {
        let error = rollcall.users(filter).err().expect(filter);
        assert!(matches!(error, Error::InvalidFilter(_)), "{filter}: {error:?}");
    }
    let error = rollcall.users("segment:missing").unwrap().next_page().await.unwrap_err();
    assert!(matches!(error, Error::InvalidFilter(_)), "{error:?}");
    assert_eq!(rollcall.stats().await.unwrap().total_users, 0);
}

async fn what_was_acknowledged_is_there_after_a_drop_and_a_close(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    rollcall.register_json(&update(1, 1, "Ann", "Hello")).await.unwrap();
    drop(rollcall);

    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let clone = rollcall.clone();
    let call =
        tokio::spawn(async move { clone.register_json(&update(2, 2, "Ben", "Hello")).await });
    let taken = call.await.unwrap();
    rollcall.close().await;
    taken.unwrap();
    let error = rollcall.register_json(&update(3, 3, "Cem", "Hello")).await.unwrap_err();
    assert!(matches!(error, Error::Closed), "{error:?}");

    let rollcall = Rollcall::open(database.url()).await.unwrap();
    assert_eq!(rollcall.stats().await.unwrap().total_users, 2);
}

async fn many_calls_at_once_are_all_registered(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    let calls = (1..=500).map(|id| {
        let (rollcall, update) = (rollcall.clone(), update(id, id % 100 + 1, "Ann", "Hello"));
        async move { rollcall.register_json(&update).await }
    });
    let taken = futures_util::future::join_all(calls).await;
    assert!(taken.iter().all(|it| it.as_ref().unwrap().outcome == Outcome::Registered));
    assert_eq!(rollcall.stats().await.unwrap().total_users, 100);
}

async fn a_filter_selects_users_page_by_page(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    for id in 1..=25 {
        let language = if id % 5 == 0 { "en" } else { "de" };
        let profile = Profile::new(id.try_into().unwrap(), "Ann").language_code(language);
        rollcall.register(profile).await.unwrap();
    }
    let ids = async |filter: &str, size| {
        let mut users = rollcall.users(filter).unwrap().page_size(size);
        let mut pages: Vec<Vec<i64>> = Vec::new();
        while let Some(page) = users.next_page().await.unwrap() {
            pages.push(page.iter().map(|user| user.telegram_id.get()).collect());
        }
        assert_eq!(users.next_page().await.unwrap(), None);
        pages
    };
    assert_eq!(ids("lang:en seen<14d", 2).await, [vec![5, 10], vec![15, 20], vec![25]]);
    assert!(ids("lang:en seen>14d", 2).await.is_empty());
    let all = ids("", 10).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(all.concat(), (1..=25).collect::<Vec<_>>());
    assert_eq!(ids("", u32::MAX).await.len(), 1);
}

async fn erased_users_are_recognised_by_the_key_of_a_file(database: &ThrowAwayDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let hex = "0123456789abcdef".repeat(4);
    let right = file("right", &format!("{hex}\n"));
    let with = |path: &std::path::Path| {
        let options = Options::new().suppression_key_file(path);
        async move { options.open(database.url()).await }
    };
    let rollcall = with(&right).await.unwrap();
    rollcall.register_json(&update(1, 1815, "Ada", "Hello")).await.unwrap();
    rollcall.close().await;

    // As `manage users erase` does it.
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let storage = storage.suppressing(SuppressionKey::from_content(hex.as_bytes()).unwrap());
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    users.delete_users(&[1815.try_into().unwrap()]).await.unwrap();

    let rollcall = with(&right).await.unwrap();
    let taken = rollcall.register_json(&update(2, 1815, "Ada", "Hello")).await.unwrap();
    assert!(taken.registration.is_none_or(|it| it.suppressed));
    assert_eq!(rollcall.user(1815).await.unwrap(), None);
    rollcall.close().await;

    let short = file("short", "0123");
    let other = file("other", &"0".repeat(64));
    let missing = folder.path().join("missing");
    for (opened, reason) in [
        (Rollcall::open(database.url()).await, "SUPPRESSION_KEY_FILE is not set, but users"),
        (with(&other).await, "is not the one with which users of this database were erased"),
        (with(&short).await, "short: 4 bytes are not a key; expected 32 bytes, or 64 hexadecimal"),
        (with(&missing).await, "missing cannot be read: No such file"),
    ] {
        let error = opened.err().expect(reason);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(matches!(error, Error::Open(_)) && cause.contains(reason), "{cause}");
    }
}

async fn customers_of_a_business_account_are_registered_on_demand(database: &ThrowAwayDatabase) {
    let message = |id: i64| {
        let update =
            update(id, 1815, "Ada", "Hello").replace("\"message\":", "\"business_message\":");
        update.replace("\"message_id\"", "\"business_connection_id\":\"b\",\"message_id\"")
    };
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    rollcall.register_json(&message(1)).await.unwrap();
    assert_eq!(rollcall.user(1815).await.unwrap(), None);
    rollcall.close().await;
    let options = Options::new().register_business_customers();
    let rollcall = options.open(database.url()).await.unwrap();
    rollcall.register_json(&message(2)).await.unwrap();
    assert!(rollcall.user(1815).await.unwrap().is_some());
}

async fn pending_migrations_can_be_refused(database: &ThrowAwayDatabase) {
    let open = || Options::new().refuse_migrations().open(database.url());
    let error = open().await.err().expect("an empty database lacks migrations");
    assert!(matches!(error, Error::PendingMigrations(1..)), "{error:?}");
    Rollcall::open(database.url()).await.unwrap();
    open().await.unwrap();
}

async fn a_message_that_failed_marks_its_user(database: &ThrowAwayDatabase) {
    let rollcall = Rollcall::open(database.url()).await.unwrap();
    rollcall.register(Profile::new(5.try_into().unwrap(), "Ann")).await.unwrap();
    let mark = async |id| rollcall.mark_unreachable(id, UnreachableReason::Blocked).await.unwrap();
    assert!(mark(5).await);
    assert!(!mark(6).await && !mark(-5).await);
    assert_eq!(rollcall.stats().await.unwrap().reachable_users, 0);
    assert!(!rollcall.user(5).await.unwrap().unwrap().reachability.is_reachable());
}

#[tokio::test]
async fn a_path_names_an_sqlite_file_and_other_urls_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.db");
    Rollcall::open(file.to_str().unwrap()).await.unwrap();
    assert!(file.exists());
    for url in ["", "mysql://root:hunter2@h/d", "sqlite://:memory:"] {
        let error = Rollcall::open(url).await.err().expect(url);
        assert!(matches!(error, Error::Url(_)), "{url}: {error:?}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
