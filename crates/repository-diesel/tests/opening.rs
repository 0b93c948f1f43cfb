//! Opening databases and staying connected, with the messages when that fails; and which transactions
//! wait.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::Permissions,
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use chrono::TimeDelta;
use diesel::{
    Connection, PgConnection, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
};
use rollcall_domain::{Clock, Interaction, InteractionKind, Profile, TelegramId};
use rollcall_repository::{DirectoryRepository, RepositoryError, UserRepository};
use rollcall_repository_diesel::{
    Database, DatabaseUrl, DieselUserRepository, OpenToOthers, open_to_others,
};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

#[tokio::test(flavor = "multi_thread")]
async fn reading_does_not_create_a_missing_file() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let error = Database::open_existing(throw_away.url().parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no database at sqlite://"), "{error}");
    assert!(!throw_away.file().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_decides_whether_a_file_is_created_and_written() {
    for (mode, creates, writes) in [("ro", false, false), ("rw", false, true), ("rwc", true, true)]
    {
        // A file that exists.
        let throw_away = ThrowAwayDatabase::sqlite();
        Database::open(throw_away.url().parse().unwrap()).await.unwrap().migrate().await.unwrap();
        let url = format!("{}?mode={mode}", throw_away.url());
        let users = DieselUserRepository::new(Database::open(url.parse().unwrap()).await.unwrap());
        assert_eq!(users.find(id(1)).await.unwrap(), None);
        match users.delete(&[id(1)]).await {
            Ok(_) => assert!(writes, "{mode}"),
            Err(RepositoryError::ReadOnly(_)) => assert!(!writes, "{mode}"),
            Err(error) => panic!("{mode}: {error:?}"),
        }

        // One that does not, and is not taken for a file with the mode in its name either.
        let throw_away = ThrowAwayDatabase::sqlite();
        let url = format!("{}?mode={mode}", throw_away.url());
        let opened = Database::open(url.parse().unwrap()).await;
        let file = throw_away.file().unwrap();
        let others = file.parent().unwrap().read_dir().unwrap().map(|it| it.unwrap().path());
        let others: Vec<_> = others.filter(|path| *path != file).collect();
        assert_eq!((file.exists(), others), (creates, vec![]), "{mode}");
        if !creates {
            let expected = format!("and mode={mode} creates none; expected mode=rwc for that");
            assert!(opened.unwrap_err().to_string().ends_with(&expected));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_a_new_file_and_its_companions() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let url: DatabaseUrl = throw_away.url().parse().unwrap();
    let database = Database::open(url.clone()).await.unwrap();
    database.migrate().await.unwrap();
    let file = throw_away.file().unwrap();
    let files: Vec<_> = file.parent().unwrap().read_dir().unwrap().map(|it| it.unwrap()).collect();
    assert_eq!(files.len(), 3, "the file, -wal and -shm: {files:?}");
    for file in &files {
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{file:?}");
    }
    assert_eq!(open_to_others(&url), []);

    // A mode that was set by hand stays, and is reported.
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    drop(database);
    Database::open(url.clone()).await.unwrap();
    assert_eq!(open_to_others(&url)[0], OpenToOthers { path: file, mode: 0o640 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["why?.db", "a#b.db", "100%.db", "%41.db", "a b&c=d;e.db", "Ада.db", "file:x.db"]
    {
        let path = folder.path().join(name);
        for url in [DatabaseUrl::sqlite(&path), DatabaseUrl::sqlite(format!("/{}", path.display()))]
        {
            // As it is shown, and as an operator may write it.
            let url = url.to_string().parse().unwrap();
            Database::open(url).await.unwrap().migrate().await.unwrap();
            assert!(path.exists(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_database_is_reported_without_secrets() {
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
async fn a_read_only_database_is_reported_as_such() {
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

/// A server that restarts, or an administrator, may cut every connection of the pool.
#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_are_opened_again() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DieselUserRepository::new(database);
    for _ in 0..3 {
        let finds = (0..32).map(|_| {
            let users = users.clone();
            tokio::spawn(async move { users.find(id(1)).await.unwrap() })
        });
        for find in finds.collect::<Vec<_>>() {
            find.await.unwrap();
        }
        diesel::sql_query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(&mut PgConnection::establish(throw_away.url()).unwrap())
        .unwrap();
        assert_eq!(users.find(id(1)).await.unwrap(), None);
        let ada = Profile::new(id(1815), "Ada");
        let now = TestClock::at("2026-11-23T12:00:00Z").now();
        let ada = Interaction::new(now, ada, InteractionKind::Text);
        assert_eq!(users.register(&vec![ada].into(), now).unwrap().len(), 1);
    }
}

/// With a server that may not notice deadlocks, plain batches in opposite orders get through.
#[tokio::test(flavor = "multi_thread")]
async fn batches_in_opposite_order_do_not_deadlock() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let url = format!("{}&options=-c%20deadlock_timeout%3D10min", throw_away.url());
    let now = TestClock::at("2026-11-23T12:00:00Z").now();
    let writers = [false, true].map(|reversed| {
        let url = url.clone();
        tokio::spawn(async move {
            let database = Database::open(url.parse().unwrap()).await.unwrap();
            database.migrate().await.unwrap();
            let users = DieselUserRepository::new(database);
            for second in 0..50 {
                let at = now + TimeDelta::seconds(second);
                let mut batch: Vec<_> = (1..=100)
                    .map(|n| Interaction::new(at, Profile::new(id(n), "x"), InteractionKind::Text))
                    .collect();
                if reversed {
                    batch.reverse();
                }
                users.register(&batch.into(), now).unwrap();
            }
        })
    });
    for writer in writers {
        let done = tokio::time::timeout(Duration::from_secs(60), writer).await;
        done.expect("no deadlock").unwrap();
    }
}

/// Usually there are no new names, and finding that out does not wait for a writer.
#[tokio::test(flavor = "multi_thread")]
async fn looking_for_new_names_does_not_wait_for_a_writer() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DieselUserRepository::new(database);
    let file = throw_away.file().unwrap();
    let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let ids = [id(1)];
    let mut writer = std::pin::pin!(users.delete(&ids));
    // In this order: the writer has begun to wait before names are looked for.
    tokio::select! {
        biased;
        result = &mut writer => panic!("it did not wait: {result:?}"),
        found = users.index_names(100) => assert_eq!(found.unwrap(), 0),
    }
    other.batch_execute("ROLLBACK").unwrap();
    writer.await.unwrap();
}

/// Indexing skips a user whose name another transaction is changing: the new name is not visible yet,
/// and the old one must no longer be found.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_being_changed_is_not_indexed() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DieselUserRepository::new(database);
    let now = TestClock::at("2026-11-23T12:00:00Z").now();
    let shows =
        |name: &str, at| Interaction::new(at, Profile::new(id(1), name), InteractionKind::Text);
    users.register(&vec![shows("Ada", now)].into(), now).unwrap();

    // Holds the registration up once it has noted whose name is another.
    let mut other = PgConnection::establish(throw_away.url()).unwrap();
    other
        .batch_execute(
            "BEGIN; INSERT INTO profile_changes (telegram_id, at, field) \
             VALUES (1, '2026-11-23 12:00:01', 'first_name')",
        )
        .unwrap();
    let (writer, change) = (users.clone(), shows("Grace", now + TimeDelta::seconds(1)));
    let changing = tokio::task::spawn_blocking(move || writer.register(&vec![change].into(), now));
    let waits = "SELECT FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut looking = PgConnection::establish(throw_away.url()).unwrap();
    while diesel::sql_query(waits).execute(&mut looking).unwrap() == 0 {
        assert!(!changing.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(users.index_names(100).await.unwrap(), 0);
    other.batch_execute("ROLLBACK").unwrap();
    changing.await.unwrap().unwrap();
    assert_eq!(users.index_names(100).await.unwrap(), 1);
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
