//! Nothing of an erased user stays in the files of an SQLite database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Chat, ChatKind, Interaction, InteractionKind, Profile, QuarantinedUpdate, TelegramId,
};
use rollcall_repository::{Batch, DirectoryRepository, UserRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;

/// In every text of the user who is erased, and in no other.
const MARKER: &str = "Xyzzyplugh";
const ERASED: i64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_in_every_text_of_a_user_is_gone_from_the_files() {
    let throw_away = ThrowAwayDatabase::sqlite();
    let file = throw_away.file().unwrap();
    let store = open(throw_away.url()).await;
    // A second process has the database open, so closing one does not empty the log.
    let other = open(throw_away.url()).await;
    let others = (1..=1_000).filter(|n| *n != ERASED);
    register(&store, others.map(|n| interaction(n, "Ada", 1)).collect(), vec![]).await;
    for time in 2..=4 {
        let name = format!("{MARKER}{time}");
        let quarantined = QuarantinedUpdate {
            update_id: time,
            received_at: at(time),
            reason: format!("a reason with {MARKER}"),
            registered: true,
            telegram_id: Some(id(ERASED)),
            payload: format!("{{\"text\": \"{MARKER}\"}}"),
            undelivered: false,
        };
        register(&store, vec![interaction(ERASED, &name, time)], vec![quarantined]).await;
        let note = format!("{MARKER} wrote {time} times. {}", "Long. ".repeat(800));
        assert!(store.set_note(id(ERASED), &note, "ada", at(time)).await.unwrap().is_some());
        store.index_names(10_000).await.unwrap();
    }
    assert!(other.find(id(ERASED)).await.unwrap().is_some());
    assert!(has_marker(&file), "the files have what they should lose");

    assert_eq!(store.delete(&[id(ERASED)]).await.unwrap(), 1);
    store.empty_log().await;
    assert!(!has_marker(&file));
    assert_eq!(other.find(id(ERASED)).await.unwrap(), None);
    assert!(other.find(id(ERASED + 1)).await.unwrap().is_some());
}

/// Whether the marker is in the database's file or beside it.
fn has_marker(file: &Path) -> bool {
    let folder = fs::read_dir(file.parent().unwrap()).unwrap();
    folder.map(|it| fs::read(it.unwrap().path()).unwrap()).any(|content| {
        content.windows(MARKER.len()).any(|it| it.eq_ignore_ascii_case(MARKER.as_bytes()))
    })
}

async fn open(url: &str) -> DieselUserRepository {
    let database = Database::open(url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    DieselUserRepository::new(database)
}

async fn register(
    store: &DieselUserRepository,
    interactions: Vec<Interaction>,
    quarantined: Vec<QuarantinedUpdate>,
) {
    let store = store.clone();
    let batch = Batch { interactions, quarantined };
    let registering = move || store.register(&batch, at(9)).unwrap();
    tokio::task::spawn_blocking(registering).await.unwrap();
}

fn interaction(n: i64, name: &str, time: i64) -> Interaction {
    let profile = Profile::new(id(n), name).last_name(name).username(&format!("{name}_{n}"));
    let chat = Some(Chat { id: n, kind: ChatKind::Private });
    Interaction { chat, ..Interaction::new(at(time), profile, InteractionKind::Text) }
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}
