//! The store that the contracts use, and their steps.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Counted, Interaction, InteractionKind, Profile, SearchTerm, SortKey, TelegramId, UserDetail,
    UserFilter, UserSlice, UserSort,
};
use rollcall_repository::{
    AudienceRepository, BroadcastRepository, DemoRepository, LabelRepository,
};
use tokio::task::block_in_place;

use crate::contract::Store;

/// A store of users with their directory.
pub trait DirectoryStore:
    Store + DemoRepository + AudienceRepository + LabelRepository + BroadcastRepository
{
}

impl<S> DirectoryStore for S where
    S: Store + DemoRepository + AudienceRepository + LabelRepository + BroadcastRepository
{
}

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn DirectoryStore>; 2];

pub(super) fn sorts() -> Vec<UserSort> {
    [SortKey::FirstSeen, SortKey::LastSeen, SortKey::ActiveDays, SortKey::Id]
        .into_iter()
        .flat_map(|key| [true, false].map(|descending| UserSort { key, descending }))
        .collect()
}

/// The ids of all users that a search finds, in order.
pub(super) async fn found(store: &dyn DirectoryStore, text: &str) -> Vec<i64> {
    let by_id = UserSort { key: SortKey::Id, descending: false };
    let filter = UserFilter::new().matching(term(text));
    let slice = store.users(&filter, by_id, None, 1000).await.unwrap();
    assert_eq!(slice.count, Counted::Exactly(u64::try_from(slice.rows.len()).unwrap()));
    ids(&slice)
}

pub(super) async fn index_all(store: &dyn DirectoryStore) -> usize {
    let mut taken = 0;
    loop {
        match store.index_names(100).await.unwrap() {
            0 => return taken,
            some => taken += some,
        }
    }
}

pub(super) async fn detail(store: &dyn DirectoryStore, n: i64) -> UserDetail {
    store.user(id(n), day(-1000)).await.unwrap().unwrap()
}

pub(super) fn ids(slice: &UserSlice) -> Vec<i64> {
    slice.rows.iter().map(|row| row.user.telegram_id.get()).collect()
}

pub(super) async fn register(
    store: &dyn DirectoryStore,
    interactions: impl IntoIterator<Item = Interaction>,
) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(100 * 86_400))).unwrap();
}

pub(super) fn text(n: i64, second: i64, name: &str) -> Interaction {
    Interaction::new(at(second), Profile::new(id(n), name), InteractionKind::Text)
}

pub(super) fn written_by(n: i64, profile: Profile) -> Interaction {
    Interaction::new(at(n), profile, InteractionKind::Text)
}

pub(super) fn term(text: &str) -> SearchTerm {
    SearchTerm::new(text).unwrap()
}

/// When filters are evaluated: some days after the last users joined.
pub(super) const NOW: i64 = 25 * 86_400 + 80_000;

pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-10-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

pub(super) fn day(n: i64) -> NaiveDate {
    at(n * 86_400).date_naive()
}

pub(super) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
