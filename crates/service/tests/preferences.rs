//! How preferences are read, over a storage that answers when the test lets it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};
use rollcall_repository::{PreferencesRepository, RepositoryError};
use rollcall_service::PreferencesService;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
    time::timeout,
};

/// The time limit for what should happen at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// A user whose row cannot be read.
const SPOILT: i64 = 13;
/// A user whose row makes the storage panic.
const FATAL: i64 = 17;

#[tokio::test]
async fn requests_during_a_read_are_read_together() {
    let (service, storage) = service();
    let first = ask(&service, 1);
    storage.is_asked.notified().await;
    let others: Vec<_> = (2..=5).map(|user| ask(&service, user)).collect();
    tokio::task::yield_now().await;
    storage.may_answer.add_permits(100);
    assert_eq!(answer(first).await.language, Some(Language::German), "the id is odd");
    for (other, user) in others.into_iter().zip(2..) {
        assert_eq!(answer(other).await.language.is_some(), user % 2 == 1, "{user}");
    }
    assert_eq!(*storage.readings.lock().unwrap(), [vec![1], vec![2, 3, 4, 5]]);
    // A later request is read too.
    assert_eq!(answer(ask(&service, 6)).await, Preferences::default());
}

#[tokio::test]
async fn the_first_caller_can_be_dropped() {
    let (service, storage) = service();
    let first = ask(&service, 1);
    storage.is_asked.notified().await;
    let second = ask(&service, 3);
    tokio::task::yield_now().await;
    first.abort();
    storage.may_answer.add_permits(100);
    assert_eq!(answer(second).await.language, Some(Language::German));
}

#[tokio::test]
async fn an_unreadable_row_affects_only_its_own_user() {
    let (service, storage) = service();
    let first = ask(&service, 1);
    storage.is_asked.notified().await;
    let (spoilt, other) = (ask(&service, SPOILT), ask(&service, 3));
    tokio::task::yield_now().await;
    storage.may_answer.add_permits(100);
    answer(first).await;
    assert!(timeout(PATIENCE, spoilt).await.unwrap().unwrap().is_none());
    assert_eq!(answer(other).await.language, Some(Language::German));
}

#[tokio::test]
async fn a_panic_of_the_storage_leaves_no_caller_waiting() {
    let (service, storage) = service();
    let fatal = ask(&service, FATAL);
    storage.is_asked.notified().await;
    let other = ask(&service, 3);
    tokio::task::yield_now().await;
    storage.may_answer.add_permits(100);
    for asking in [fatal, other] {
        assert!(timeout(PATIENCE, asking).await.unwrap().unwrap().is_none());
    }
    assert_eq!(answer(ask(&service, 3)).await.language, Some(Language::German));
}

type Asking = JoinHandle<Option<Preferences>>;

fn ask(service: &PreferencesService, user: i64) -> Asking {
    let service = service.clone();
    tokio::spawn(async move { service.preferences(user.try_into().unwrap()).await.ok() })
}

async fn answer(asking: Asking) -> Preferences {
    timeout(PATIENCE, asking).await.unwrap().unwrap().unwrap()
}

fn service() -> (PreferencesService, Arc<Storage>) {
    let storage = Arc::new(Storage {
        is_asked: Notify::new(),
        may_answer: Semaphore::new(0),
        readings: Mutex::default(),
    });
    (PreferencesService::new(Shared(storage.clone())), storage)
}

/// Users with odd ids prefer German.
struct Storage {
    is_asked: Notify,
    may_answer: Semaphore,
    readings: Mutex<Vec<Vec<i64>>>,
}

struct Shared(Arc<Storage>);

#[async_trait]
impl PreferencesRepository for Shared {
    async fn preferences(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Preferences>, RepositoryError> {
        self.0.is_asked.notify_one();
        self.0.may_answer.acquire().await.unwrap().forget();
        self.0.readings.lock().unwrap().push(ids.iter().map(|id| id.get()).collect());
        assert!(ids.iter().all(|id| id.get() != FATAL), "on purpose");
        if ids.iter().any(|id| id.get() == SPOILT) {
            return Err(RepositoryError::Rejected("spoilt".into()));
        }
        let chosen = Preferences { language: Some(Language::German), ..Preferences::default() };
        let odd = ids.iter().filter(|id| id.get() % 2 == 1);
        Ok(odd.map(|id| (*id, chosen.clone())).collect())
    }

    async fn set_language(
        &self,
        _: TelegramId,
        _: Option<Language>,
    ) -> Result<bool, RepositoryError> {
        unreachable!("nothing is chosen here")
    }

    async fn set_time_zone(&self, _: TelegramId, _: Option<Tz>) -> Result<bool, RepositoryError> {
        unreachable!("nothing is chosen here")
    }

    async fn set_favourite(&self, _: TelegramId, _: i64, _: bool) -> Result<bool, RepositoryError> {
        unreachable!("nothing is chosen here")
    }
}
