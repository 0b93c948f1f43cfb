//! Processes that register users in one PostgreSQL database do not wait for each other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use rollcall_domain::{Figure, Interaction, InteractionKind, Profile, TelegramId};
use rollcall_repository::{ActivityRepository, UserRepository};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_testkit::ThrowAwayDatabase;
use tokio::task::{JoinHandle, spawn_blocking};

/// How long a registration may take that waits for nobody.
const PATIENCE: Duration = Duration::from_secs(20);

/// Registers an update, and waits before the commit until the sender of `go` is dropped.
fn register(
    store: &DieselUserRepository,
    user: i64,
    update_id: i64,
    go: Receiver<()>,
) -> (JoinHandle<bool>, Receiver<()>) {
    let store = store.clone();
    let (is_written, written) = channel();
    let registration = spawn_blocking(move || {
        let profile = Profile::new(TelegramId::try_from(user).unwrap(), "Ada");
        let interaction = Interaction {
            update_id: Some(update_id),
            ..Interaction::new(now(), profile, InteractionKind::Text)
        };
        // Asked before the transaction, and again before its commit.
        let asked = AtomicU32::new(0);
        let channels = Mutex::new((is_written, go));
        let is_wanted = || {
            if asked.fetch_add(1, Ordering::Relaxed) > 0 {
                let (is_written, go) = &*channels.lock().unwrap();
                is_written.send(()).ok();
                go.recv().ok();
            }
            true
        };
        let answers = store.register_while(&vec![interaction].into(), now(), &is_wanted);
        answers.unwrap().iter().all(|it| it.repeated)
    });
    (registration, written)
}

fn now() -> DateTime<Utc> {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbouring_updates_and_their_sums_do_not_wait_for_each_other() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let mut stores = Vec::new();
    for _ in 0..4 {
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        stores.push(DieselUserRepository::new(database));
    }
    // Each has written all its rows, and none of them has committed.
    let (mut held, mut registrations) = (Vec::new(), Vec::new());
    for (number, store) in (0..).zip(&stores) {
        let (hold, go) = channel();
        let (registration, written) = register(store, 1 + number, 1 + number, go);
        spawn_blocking(move || written.recv_timeout(PATIENCE)).await.unwrap().unwrap();
        held.push(hold);
        registrations.push(registration);
    }
    drop(held);
    for registration in registrations {
        assert!(!registration.await.unwrap());
    }
    let counted = stores[0].totals(&[Figure::Kind], now().date_naive()).await.unwrap();
    assert_eq!(counted, [4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_another_process_is_about_to_commit_counts_once() {
    let Some(throw_away) = ThrowAwayDatabase::postgres() else { return };
    let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let one = DieselUserRepository::new(database);
    let other = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
    let other = DieselUserRepository::new(other);
    // A new user, and then a known one.
    for update_id in [1, 2] {
        let (hold, go) = channel();
        let (first, written) = register(&one, 7, update_id, go);
        spawn_blocking(move || written.recv_timeout(PATIENCE)).await.unwrap().unwrap();
        let (go_on, go) = channel();
        let (second, _) = register(&other, 7, update_id, go);
        drop(go_on);
        drop(hold);
        assert_eq!([first.await.unwrap(), second.await.unwrap()], [false, true]);
    }
    let counted = one.totals(&[Figure::Kind], now().date_naive()).await.unwrap();
    assert_eq!(counted, [2]);
}
