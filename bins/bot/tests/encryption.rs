//! A bot whose database is encrypted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::{fs, path::Path};

use rollcall_domain::{UserFilter, UserSort};
use rollcall_repository::DirectoryRepository;
use rollcall_repository_diesel::{
    Database, DatabaseKey, DatabaseKeys, DieselUserRepository, FileRekey, RekeyError,
};
use rollcall_simulator::{Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;
use running::{RunningBot, chat::ask};

/// In every text of the user.
const MARKER: &str = "Xyzzyplugh";

fn person(id: i64) -> Person {
    Person::new(id, format!("{MARKER}{id}")).username(format!("{MARKER}_{id}"))
}

/// A file with a new key, and its path.
fn key_file(folder: &Path, name: &str) -> (DatabaseKeys, String) {
    let key = DatabaseKey::random().unwrap();
    let file = folder.join(name);
    fs::write(&file, key.to_hex()).unwrap();
    (key.into(), file.to_str().unwrap().to_owned())
}

/// Whether the marker is in the database's file, its log, or another file beside it.
fn shows_users(database: &ThrowAwayDatabase) -> bool {
    let file = database.file().unwrap();
    let files = fs::read_dir(file.parent().unwrap()).unwrap();
    let mut contents = files.map(|it| fs::read(it.unwrap().path()).unwrap());
    contents.any(|it| it.windows(MARKER.len()).any(|it| it.eq_ignore_ascii_case(MARKER.as_bytes())))
}

async fn names(database: &ThrowAwayDatabase, keys: Option<&DatabaseKeys>) -> Vec<String> {
    let url = database.url().parse().unwrap();
    let database = Database::open_existing_with_keys(url, keys.cloned()).await.unwrap();
    let users = DieselUserRepository::new(database);
    let page = users.users(&UserFilter::new(), UserSort::default(), None, 100).await.unwrap();
    let mut names: Vec<String> = page.rows.into_iter().map(|row| row.user.first_name).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_running_bot_show_no_user_and_open_with_the_key_only() {
    let database = ThrowAwayDatabase::sqlite();
    let file = database.file().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (keys, path) = key_file(folder.path(), "a.key");
    let (_, other) = key_file(folder.path(), "b.key");
    let setting: &[(&str, &str)] = &[("DATABASE_KEY_FILE", &path), ("SCHEDULE", "off")];
    let telegram = Simulator::start().await.unwrap();

    let bot = RunningBot::start(&telegram, &database, setting).await;
    ask(&telegram, &person(1), "/start").await;
    assert_eq!(names(&database, Some(&keys)).await, [format!("{MARKER}1")]);
    assert!(fs::metadata(file.with_extension("db-wal")).unwrap().len() > 0, "in the log");
    assert!(!shows_users(&database));
    bot.terminate().await;
    assert!(!shows_users(&database));

    let before = fs::read(&file).unwrap();
    for (key, said) in [
        ("", "is encrypted, or is not an SQLite database; expected its key in the file that"),
        (&*other, "no key in the file that DATABASE_KEY_FILE names opens the database"),
        ("/nowhere", "DATABASE_KEY_FILE: the file that DATABASE_KEY_FILE names cannot be read"),
    ] {
        let (code, log) =
            RunningBot::fails(&telegram, &database, &[("DATABASE_KEY_FILE", key)]).await;
        assert!(code == 1 && log.contains(said), "{code}: {log}");
        assert!(!log.contains(&keys.first().to_hex()), "{log}");
    }
    assert!(fs::read(&file).unwrap() == before);

    let bot = RunningBot::start(&telegram, &database, setting).await;
    ask(&telegram, &person(2), "/start").await;
    let both = [1, 2].map(|id| format!("{MARKER}{id}"));
    assert_eq!(names(&database, Some(&keys)).await, both);
    bot.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_bot_keeps_its_database_from_being_rekeyed() {
    let database = ThrowAwayDatabase::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let (keys, path) = key_file(folder.path(), "a.key");
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "off")]).await;
    ask(&telegram, &person(1), "/start").await;
    assert!(shows_users(&database), "the marker is where the other test looks for it");

    let rekey = async || {
        let (url, keys) = (database.url().parse().unwrap(), keys.clone());
        let rekey = tokio::task::spawn_blocking(move || {
            FileRekey::new(url, &keys, false).unwrap().start().recv().unwrap()
        });
        rekey.await.unwrap()
    };
    assert!(matches!(rekey().await, Err(RekeyError::InUse)));
    ask(&telegram, &person(2), "/start").await;
    bot.terminate().await;

    rekey().await.unwrap();
    assert!(!shows_users(&database));
    let setting: &[(&str, &str)] = &[("DATABASE_KEY_FILE", &path), ("SCHEDULE", "off")];
    let bot = RunningBot::start(&telegram, &database, setting).await;
    ask(&telegram, &person(3), "/start").await;
    let all = [1, 2, 3].map(|id| format!("{MARKER}{id}"));
    assert_eq!(names(&database, Some(&keys)).await, all);
    bot.terminate().await;
}
