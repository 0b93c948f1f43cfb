//! The store that the contracts use, and their steps.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Figure, Interaction, InteractionKind, Profile, Registration, TelegramId, TelegramUser, Username,
};
use rollcall_repository::Batch;
use tokio::task::block_in_place;

use crate::contract::Store;

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// All nonzero sums.
pub(super) async fn all_sums(store: &dyn Store) -> BTreeMap<(Figure, NaiveDate, String), i64> {
    let (first, last) = (at(-400 * 86_400).date_naive(), at(400 * 86_400).date_naive());
    let sums = store.sums_by_day(&Figure::ALL, first, last).await.unwrap();
    sums.into_iter().map(|it| ((it.figure, it.day, it.label), it.value)).collect()
}

pub(super) async fn register(
    store: &dyn Store,
    interactions: impl IntoIterator<Item = Interaction>,
) -> Vec<Registration> {
    block_in_place(|| store.register(&batch(interactions), now())).unwrap()
}

pub(super) fn batch(interactions: impl IntoIterator<Item = Interaction>) -> Batch {
    interactions.into_iter().collect::<Vec<_>>().into()
}

pub(super) async fn user(store: &dyn Store, n: i64) -> TelegramUser {
    store.find(id(n)).await.unwrap().unwrap_or_else(|| panic!("user {n} is stored"))
}

/// The usernames of users, "" for none. Each is also looked up, and must belong to its holder.
pub(super) async fn usernames(store: &dyn Store, ids: &[i64]) -> Vec<String> {
    let mut usernames = Vec::new();
    for &n in ids {
        let username = user(store, n).await.username;
        if let Some(username) = &username {
            let found = store.find_by_username(username).await.unwrap();
            assert_eq!(found.map(|user| user.telegram_id), Some(id(n)));
        }
        usernames.push(username.map(Username::into_string).unwrap_or_default());
    }
    usernames
}

pub(super) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// This number of seconds after the start of the tests.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

/// A time after all interactions of the tests.
pub(super) fn now() -> DateTime<Utc> {
    at(1_000_000)
}

pub(super) fn shown(second: i64, profile: Profile) -> Interaction {
    Interaction::new(at(second), profile, InteractionKind::Text)
}

pub(super) fn seen(n: i64, second: i64, first_name: &str) -> Interaction {
    shown(second, Profile::new(id(n), first_name))
}

pub(super) fn named(n: i64, second: i64, username: &str) -> Interaction {
    shown(second, Profile::new(id(n), "x").username(username))
}

pub(super) fn times(user: &TelegramUser) -> (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>) {
    (user.created_at, user.updated_at, user.last_seen)
}
