//! Opening databases: what an owner reads when it fails, and whose a database is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{os::unix::fs::FileExt, path::Path};

use rollcall_domain::{Clock, TelegramId};
use rollcall_repository::{BotRepository, RepositoryError, UserRepository};
use rollcall_repository_diesel::{Database, DieselBotRepository, DieselUserRepository};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_belongs_to_the_first_bot_that_claims_it() {
    let now = TestClock::at("2026-11-23T12:00:00Z").now();
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let claims = (1..=10).map(|bot| {
            let bots = DieselBotRepository::new(database.clone());
            tokio::spawn(async move { bots.claim(id(bot), now).await.unwrap() })
        });
        let mut owners = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            owners.push(claim.await.unwrap());
        }
        owners.dedup();
        assert_eq!(owners.len(), 1, "{owners:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_not_created_by_a_look() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let error = Database::open_existing(throw_away.url().parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no database at sqlite://"), "{error}");
    assert!(!throw_away.file().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_says_why_without_secrets() {
    for (url, why) in [
        ("sqlite:///nowhere/at/all.db", "cannot open the database sqlite:///nowhere/at/all.db: "),
        (
            "postgres://bob:hunter2@127.0.0.1:1/app",
            "cannot open the database postgres://127.0.0.1:1/app: ",
        ),
        (
            "postgres://bob:hun@ter2@127.0.0.1:1/app",
            "cannot open the database postgres://127.0.0.1:1/app: ",
        ),
    ] {
        let error = Database::open(url.parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

/// A libpq that was built without TLS refuses the parameter, also for a socket, where it is moot.
#[tokio::test(flavor = "multi_thread")]
async fn tls_to_the_server_is_built_in() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let url = format!("{}&sslmode=require", throw_away.url());
    Database::open(url.parse().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_database_says_so() {
    for throw_away in ThrowAwayDatabase::of_each_kind() {
        Database::open(throw_away.url().parse().unwrap()).await.unwrap().migrate().await.unwrap();
        let url = match throw_away.file() {
            Some(file) => {
                make_read_only(&file);
                throw_away.url().to_owned()
            }
            None => {
                format!("{}&options=-c%20default_transaction_read_only%3Don", throw_away.url())
            }
        };
        let users = DieselUserRepository::new(Database::open(url.parse().unwrap()).await.unwrap());
        let error = users.delete(&[id(1)]).await.unwrap_err();
        assert!(matches!(error, RepositoryError::ReadOnly(_)), "{error:?}");
        assert_eq!(users.find(id(1)).await.unwrap(), None);
    }
}

/// Marks an SQLite file as written by a future version, which SQLite then only reads. File
/// permissions would not do: they do not bind root.
fn make_read_only(file: &Path) {
    const WRITE_VERSION: u64 = 18;
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[3], WRITE_VERSION).unwrap();
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
