//! How often the counts behind the filters of the list are read, and which callers wait, over a
//! storage that answers when the test lets it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod unused;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Figure, TelegramId};
use rollcall_repository::{ActivityRepository, DaySum, Difference, LabelSum, RepositoryError};
use rollcall_service::DirectoryService;
use rollcall_testkit::TestClock;
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};

/// The time limit for what should happen at once.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn counts_are_read_once_a_minute() {
    let (directory, storage, clock) = service();
    storage.may_answer.add_permits(100);
    let languages = async || directory.languages().await.unwrap().remove(0).count;
    assert_eq!([languages().await, languages().await], [1, 1]);
    clock.advance(59);
    assert_eq!(languages().await, 1);
    clock.advance(1);
    assert_eq!([languages().await, languages().await], [2, 2]);
    // Deep links have counts of their own.
    assert_eq!(directory.sources().await.unwrap().remove(0).count, 3);
    assert_eq!(languages().await, 2);
}

#[tokio::test]
async fn one_caller_reads_and_the_others_get_the_previous_counts() {
    let (directory, storage, clock) = service();
    let ask = || {
        let directory = directory.clone();
        tokio::spawn(async move { directory.languages().await.unwrap().remove(0).count })
    };
    // There are no counts yet, so both wait for the same read.
    let (first, second) = (ask(), ask());
    storage.is_asked.notified().await;
    storage.may_answer.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 1));

    clock.advance(60);
    let reader = ask();
    storage.is_asked.notified().await;
    assert_eq!(timeout(PATIENCE, ask()).await.unwrap().unwrap(), 1, "no caller waits for the read");
    storage.may_answer.add_permits(1);
    assert_eq!(reader.await.unwrap(), 2);
    assert_eq!(ask().await.unwrap(), 2);
    assert_eq!(storage.read.load(Ordering::SeqCst), 2);

    // If the reading caller is dropped, the next one reads.
    clock.advance(60);
    let gone = ask();
    storage.is_asked.notified().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    storage.may_answer.add_permits(1);
    assert_eq!(timeout(PATIENCE, ask()).await.unwrap().unwrap(), 4);
}

fn service() -> (DirectoryService, Slow, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
    let storage = Slow {
        read: Arc::default(),
        is_asked: Arc::default(),
        may_answer: Arc::new(Semaphore::new(0)),
    };
    (DirectoryService::new(storage.clone(), clock.clone()), storage, clock)
}

/// Returns how often it was read as the count.
#[derive(Clone)]
struct Slow {
    read: Arc<AtomicI64>,
    is_asked: Arc<Notify>,
    may_answer: Arc<Semaphore>,
}

#[async_trait]
impl ActivityRepository for Slow {
    async fn sums_by_label(
        &self,
        figures: &[Figure],
        _: NaiveDate,
        _: NaiveDate,
    ) -> Result<Vec<LabelSum>, RepositoryError> {
        let figures = figures.to_vec();
        let times = self.read.fetch_add(1, Ordering::SeqCst) + 1;
        self.is_asked.notify_one();
        self.may_answer.acquire().await.unwrap().forget();
        let sum = |figure| LabelSum { figure, label: "de".to_owned(), value: times };
        Ok(figures.into_iter().map(sum).collect())
    }

    async fn sums_by_day(
        &self,
        _: &[Figure],
        _: NaiveDate,
        _: NaiveDate,
    ) -> Result<Vec<DaySum>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn totals(&self, _: &[Figure], _: NaiveDate) -> Result<Vec<i64>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn minutes(
        &self,
        _: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, i64)>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn first_day(&self) -> Result<Option<NaiveDate>, RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn leave_out(&self, _: &BTreeSet<TelegramId>) -> Result<(), RepositoryError> {
        unimplemented!("not part of these stories")
    }

    async fn recount(
        &self,
        _: bool,
        _: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError> {
        unimplemented!("not part of these stories")
    }
}

unused_directory!(Slow);
