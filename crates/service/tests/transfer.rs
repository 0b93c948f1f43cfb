//! Exporting users: what is read, and when.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod unused;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{LabelName, SystemClock, TelegramId, TelegramUser, UserFilter};
use rollcall_repository::{ImportEnd, Imported, Incoming, RepositoryError, TransferRepository};
use rollcall_service::{Format, TransferService};

/// A storage with an endless number of users, which counts its reads.
#[derive(Clone, Default)]
struct Endless {
    reads: Arc<AtomicU32>,
}

#[async_trait]
impl TransferRepository for Endless {
    async fn users_after(
        &self,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<TelegramUser>, RepositoryError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let first = after.map_or(1, |id| id.get() + 1);
        let ids = (first..first + i64::from(limit)).map(|id| TelegramId::try_from(id).unwrap());
        Ok(ids.map(|id| TelegramUser::new(id, DateTime::UNIX_EPOCH)).collect())
    }

    async fn id_after(
        &self,
        after: Option<TelegramId>,
        place: u32,
    ) -> Result<Option<TelegramId>, RepositoryError> {
        let id = after.map_or(0, TelegramId::get) + i64::from(place);
        Ok(Some(id.try_into().unwrap()))
    }

    async fn tags_of(
        &self,
        _: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Vec<LabelName>>, RepositoryError> {
        Ok(BTreeMap::new())
    }

    async fn import(
        &self,
        _: Incoming,
        _: DateTime<Utc>,
        _: Box<dyn Fn(Imported) + Send>,
    ) -> Result<ImportEnd, RepositoryError> {
        unimplemented!("not part of these stories")
    }
}

unused_directory!(Endless);

/// Time is paused: it passes only once everything is idle.
#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_it_is_needed() {
    let endless = Endless::default();
    let reads = || endless.reads.load(Ordering::Relaxed);
    let export = TransferService::new(endless.clone(), SystemClock);
    let mut export = export.export(UserFilter::new(), Format::Csv);
    assert_eq!(reads(), 0, "nothing is read before the first request");
    let first = export.next().await.unwrap().unwrap();
    assert!(first.text.starts_with(b"telegram_id,"));
    let second = export.next().await.unwrap().unwrap();
    assert_eq!((first.users, second.users), (4000, 4000));
    let line = second.text.split(|byte| *byte == b'\n').next().unwrap();
    assert!(line.starts_with(b"4001,"), "{}", String::from_utf8_lossy(line));

    // Two parts are read ahead. No more are read until one is taken, or after the reader is dropped.
    let all_is_idle = || tokio::time::sleep(Duration::from_millis(1));
    all_is_idle().await;
    assert_eq!(reads(), 4);
    drop(export);
    all_is_idle().await;
    assert_eq!(reads(), 4);
}
