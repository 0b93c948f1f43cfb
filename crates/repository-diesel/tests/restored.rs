//! A database that was restored from a backup is recognised, and its broadcasts are paused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use rollcall_domain::{
    BROADCAST_LASTS, BroadcastContent, BroadcastPlan, BroadcastState, Chat, ChatKind,
    DeliveryTimes, Experiment, Interaction, InteractionKind, OnUnknown, PauseReason, Profile,
    TelegramId,
};
use rollcall_repository::{BroadcastChange, BroadcastRepository, UserRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::{PooledDatabase, ThrowAwayDatabase};

/// The states of the broadcasts of a [`story`], by name and reason.
const GOING_ON: [&str; 5] = ["draft", "scheduled", "preparing", "sending", "paused owner"];
const RESTORED: [&str; 5] =
    ["draft", "paused restored", "paused restored", "paused restored", "paused owner"];
/// The broadcast that is being sent.
const SENDING: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_backup_that_is_put_back_is_recognised() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let (url, file) = (throw_away.url(), throw_away.file().unwrap());
    let store = story(url).await;
    // Backups before the first claim, after it, and after the last one.
    let mut copies = vec![backup(&file)];
    claim(&store, "first").await;
    copies.push(backup(&file));
    claim(&store, "first").await;
    let latest = backup(&file);
    drop(store);

    let store = open(url).await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON, "nothing was restored");
    drop(store);
    for (n, copy) in copies.iter().enumerate() {
        // The second time, the same backup is put back again.
        for time in 0..2 {
            put_back(copy, &file);
            let store = open(url).await;
            take(&store, "again").await;
            assert_eq!(states(&store).await, RESTORED, "{n} {time}");
            // It goes on when the owner wants that.
            resume_all(&store).await;
            take(&store, "third").await;
            claim(&store, "third").await;
            take(&store, "fourth").await;
            assert_eq!(states(&store).await, GOING_ON, "{n} {time}");
        }
    }
    put_back(&latest, &file);
    take(&open(url).await, "fifth").await;
    assert_eq!(states(&open(url).await).await, RESTORED, "others have claimed since");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_backup_elsewhere_is_recognised() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let store = story(throw_away.url()).await;
    claim(&store, "first").await;
    let copy = backup(&throw_away.file().unwrap());
    let elsewhere = ThrowAwayDatabase::sqlite();
    fs::copy(&copy, elsewhere.file().unwrap()).unwrap();
    let store = open(elsewhere.url()).await;
    take(&store, "other").await;
    assert_eq!(states(&store).await, RESTORED);
    resume_all(&store).await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON, "it is noted here, too");
}

/// Also if all files are copied, because the file beside the database is another one then, or because a
/// pattern does not copy it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copied_sqlite_folder_is_recognised() {
    for pattern in ["", "rollcall.db"] {
        let throw_away = ThrowAwayDatabase::sqlite();
        let (url, file) = (throw_away.url(), throw_away.file().unwrap());
        let folder = file.parent().unwrap();
        let store = story(url).await;
        claim(&store, "first").await;
        drop(store);
        let copy = tempfile::tempdir().unwrap();
        copy_files(folder, copy.path(), pattern);
        let store = open(url).await;
        take(&store, "second").await;
        claim(&store, "second").await;
        assert_eq!(states(&store).await, GOING_ON);
        drop(store);

        // Elsewhere, and put back.
        let elsewhere = ThrowAwayDatabase::sqlite();
        let there = elsewhere.file().unwrap();
        copy_files(copy.path(), there.parent().unwrap(), pattern);
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_name().to_str().unwrap().starts_with(pattern) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        copy_files(copy.path(), folder, pattern);
        for url in [elsewhere.url(), url] {
            let store = open(url).await;
            take(&store, "third").await;
            assert_eq!(states(&store).await, RESTORED, "{pattern:?} {url}");
            resume_all(&store).await;
            take(&store, "fourth").await;
            assert_eq!(states(&store).await, GOING_ON, "{pattern:?} {url}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_sqlite_database_is_not_taken_for_a_restored_one() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let file = throw_away.file().unwrap();
    let store = story(throw_away.url()).await;
    claim(&store, "first").await;
    drop(store);
    remove(&file);
    // The file beside the old one is still there.
    assert!(beside(&file).exists());
    let store = story(throw_away.url()).await;
    claim(&store, "first").await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON);
}

/// A crash may happen while the file beside the database is created, and between a claim and its note;
/// but the text of the file is never half written.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_not_taken_for_a_restored_backup() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let note = beside(&throw_away.file().unwrap());
    fs::write(&note, "").unwrap();
    let store = story(throw_away.url()).await;
    let before = fs::read(&note).unwrap();
    claim(&store, "first").await;
    fs::write(&note, &before).unwrap();
    take(&store, "other").await;
    assert_eq!(states(&store).await, GOING_ON, "a crash after the first claim");
    take(&store, "first").await;
    for _ in 0..12 {
        claim(&store, "first").await;
        let now = fs::read(&note).unwrap();
        assert_ne!(now, before);
        assert_eq!(now.len(), before.len());
    }
    for text in ["", "This is longer than the numbers, and no number."] {
        fs::write(&note, text).unwrap();
        take(&store, "second").await;
        assert_eq!(states(&store).await, RESTORED, "{text}");
        resume_all(&store).await;
        take(&store, "third").await;
        assert_eq!(states(&store).await, GOING_ON);
    }
    fs::remove_file(&note).unwrap();
    take(&store, "fourth").await;
    assert_eq!(states(&store).await, RESTORED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_is_restored_is_recognised() {
    let (Some(throw_away), Some(elsewhere)) =
        (ThrowAwayDatabase::postgres(), ThrowAwayDatabase::postgres())
    else {
        return;
    };
    let store = story(throw_away.url()).await;
    claim(&store, "first").await;
    let dump = throw_away.dump();
    claim(&store, "first").await;
    elsewhere.restore(&dump);
    let other = open(elsewhere.url()).await;
    take(&other, "first").await;
    assert_eq!(states(&other).await, RESTORED);
    resume_all(&other).await;
    take(&other, "second").await;
    assert_eq!(states(&other).await, GOING_ON, "it is noted there, too");

    take(&open(throw_away.url()).await, "third").await;
    assert_eq!(states(&store).await, GOING_ON, "nothing was restored here");
    // In its place, while the process runs that the dump names as the holder of the lease.
    take(&store, "first").await;
    let dump = throw_away.dump();
    claim(&store, "first").await;
    throw_away.restore(&dump);
    take(&store, "first").await;
    assert_eq!(states(&store).await, RESTORED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_postgres_database_is_recognised() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let store = story(throw_away.url()).await;
    drop(store);
    let copy = throw_away.cloned();
    let store = open(copy.url()).await;
    take(&store, "first").await;
    assert_eq!(states(&store).await, RESTORED);
    let store = open(throw_away.url()).await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_dump_is_recognised_through_a_pooler() {
    let (Some(pooled), Some(other)) =
        (PooledDatabase::with_settings(""), PooledDatabase::with_settings(""))
    else {
        return;
    };
    let store = story(pooled.database().url()).await;
    claim(&store, "first").await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON);
    other.database().restore(&pooled.database().dump());
    let store = open(other.database().url()).await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, RESTORED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_role_recognises_a_restored_dump() {
    let (Some(throw_away), Some(elsewhere)) =
        (ThrowAwayDatabase::postgres(), ThrowAwayDatabase::postgres())
    else {
        return;
    };
    let mut urls = Vec::new();
    for database in [&throw_away, &elsewhere] {
        let mut postgres = PgConnection::establish(database.url()).unwrap();
        if urls.is_empty() {
            postgres.batch_execute("CREATE ROLE ordinary LOGIN").unwrap();
        }
        let name = database.url().split(['/', '?']).find(|it| it.starts_with("test_")).unwrap();
        postgres.batch_execute(&format!("ALTER DATABASE {name} OWNER TO ordinary")).unwrap();
        urls.push(database.url().replace("user=postgres", "user=ordinary"));
    }
    let store = story(&urls[0]).await;
    claim(&store, "first").await;
    take(&store, "second").await;
    assert_eq!(states(&store).await, GOING_ON);
    elsewhere.restore(&throw_away.dump());
    let store = open(&urls[1]).await;
    take(&store, "first").await;
    assert_eq!(states(&store).await, RESTORED);
}

/// Broadcasts in each state that can change; `first` has the lease, and has claimed nothing.
async fn story(url: &str) -> DieselUserRepository {
    let store = open(url).await;
    let user = |n| {
        let chat = Some(Chat { id: n, kind: ChatKind::Private });
        let profile = Profile::new(id(n), "x");
        Interaction { chat, ..Interaction::new(at(0), profile, InteractionKind::Text) }
    };
    let all: Vec<Interaction> = (1..=40).map(user).collect();
    let registering = store.clone();
    tokio::task::spawn_blocking(move || registering.register(&all.into(), at(1)).unwrap())
        .await
        .unwrap();
    take(&store, "first").await;
    let plan = BroadcastPlan {
        name: "Hello".to_owned(),
        category: "news".parse().unwrap(),
        filter: "".parse().unwrap(),
        zone: Tz::UTC,
        content: BroadcastContent::Text {
            texts: BTreeMap::new(),
            buttons: String::new(),
            picture: None,
        },
        rate: None,
        is_paid: false,
        on_unknown: OnUnknown::Skip,
        starts_at: Some(at(9_000)),
        lasts: BROADCAST_LASTS,
        times: DeliveryTimes::default(),
        has_opt_out_button: false,
        experiment: Experiment::default(),
    };
    for (n, state) in (1..).zip(GOING_ON) {
        assert_eq!(store.create_broadcast(&plan, None, at(1)).await.unwrap().unwrap().id, n);
        if state == "scheduled" {
            change(&store, n, BroadcastChange::Schedule).await;
        } else if state != "draft" {
            change(&store, n, BroadcastChange::Start).await;
        }
    }
    let ids: Vec<_> = (1..=40).map(id).collect();
    store.add_recipients("first", SENDING, &ids, None, at(2)).await.unwrap().unwrap();
    change(&store, 5, BroadcastChange::Pause).await;
    assert_eq!(states(&store).await, GOING_ON);
    store
}

async fn change(store: &DieselUserRepository, id: i64, change: BroadcastChange) {
    store.change_broadcast(id, change, None, at(2)).await.unwrap();
}

async fn resume_all(store: &DieselUserRepository) {
    for id in 2..=4 {
        change(store, id, BroadcastChange::Resume).await;
    }
    assert_eq!(states(store).await, GOING_ON);
}

async fn take(store: &DieselUserRepository, holder: &str) {
    let seen = store.sender_lease().await.unwrap();
    assert!(store.take_sender_lease(holder, &seen, at(3)).await.unwrap());
}

/// Claims one recipient.
async fn claim(store: &DieselUserRepository, holder: &str) {
    let claim = store.claim_recipients(holder, SENDING, None, 1, at(3)).await.unwrap().unwrap();
    assert_eq!(claim.users.len(), 1);
}

async fn states(store: &DieselUserRepository) -> Vec<String> {
    let all = store.broadcasts(None, 10).await.unwrap();
    let named = |state: BroadcastState| match state.reason().map(PauseReason::name) {
        Some(reason) => format!("{} {reason}", state.name()),
        None => state.name().to_owned(),
    };
    all.iter().rev().map(|it| named(it.state)).collect()
}

/// As with `sqlite3 rollcall.db ".backup copy.db"`, while the bot runs.
fn backup(file: &Path) -> tempfile::TempPath {
    let copy = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    fs::remove_file(&copy).unwrap();
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection.batch_execute(&format!("VACUUM INTO '{}'", copy.display())).unwrap();
    copy
}

/// Puts a backup in the place of a database that no process uses.
fn put_back(copy: &Path, file: &Path) {
    remove(file);
    fs::copy(copy, file).unwrap();
}

/// Removes a database, but not the file beside it.
fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.to_owned().into_os_string();
        name.push(suffix);
        drop(fs::remove_file(name));
    }
}

/// The file beside a database.
fn beside(file: &Path) -> PathBuf {
    file.with_file_name(".rollcall.db-sender")
}

/// Copies the files whose names begin with a pattern.
fn copy_files(from: &Path, to: &Path, pattern: &str) {
    for entry in fs::read_dir(from).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(pattern) {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn open(url: &str) -> DieselUserRepository {
    let database = Database::open(url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    DieselUserRepository::new(database)
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
