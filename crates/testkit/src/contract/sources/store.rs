//! The store that the contracts use, and their steps.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Chat, ChatKind, Event, Interaction, InteractionKind, Profile, StartPayload, TelegramId,
};
use rollcall_repository::{AdminRepository, LabelRepository, SourceRepository};
use tokio::task::block_in_place;

/// A store of users and of the deep links that brought them.
pub trait SourceStore: crate::contract::Store + LabelRepository + SourceRepository {}

impl<S: crate::contract::Store + LabelRepository + SourceRepository> SourceStore for S {}

/// The users and the audit log of one store.
pub type Store = (Arc<dyn SourceStore>, Arc<dyn AdminRepository>);

/// Registers this number of people, each by a separate link, which receives a label.
pub(super) async fn fill(store: &dyn SourceStore, labels: usize) {
    let labels = i64::try_from(labels).unwrap();
    let people: Vec<_> =
        (1..=labels).map(|n| start(10_000 + n, -n, &format!("full_{n}"))).collect();
    for some in people.chunks(400) {
        register(store, some.to_vec()).await;
    }
}

/// The payloads that have labels, sorted.
pub(super) async fn labels(store: &dyn SourceStore) -> Vec<String> {
    let sources = store.labelled_sources().await.unwrap();
    let mut labels: Vec<_> = sources.iter().map(|it| it.payload.to_string()).collect();
    labels.sort_unstable();
    labels
}

pub(super) async fn recount_finds_nothing(store: &dyn SourceStore) {
    let differences = store.recount(false, Arc::new(|_, _| {})).await.unwrap();
    assert_eq!(differences, []);
}

pub(super) async fn register(
    store: &dyn SourceStore,
    interactions: impl IntoIterator<Item = Interaction>,
) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(100 * 86_400))).unwrap();
}

pub(super) fn start(n: i64, second: i64, link: &str) -> Interaction {
    Interaction { event: Some(Event::Start(payload(link))), ..text(n, second) }
}

pub(super) fn text(n: i64, second: i64) -> Interaction {
    let chat = Some(Chat { id: n, kind: ChatKind::Private });
    let profile = Profile::new(id(n), "x");
    Interaction { chat, ..Interaction::new(at(second), profile, InteractionKind::Text) }
}

pub(super) fn payload(link: &str) -> StartPayload {
    link.parse().unwrap()
}

/// This number of seconds after the start of the tests.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

pub(super) fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

pub(super) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
