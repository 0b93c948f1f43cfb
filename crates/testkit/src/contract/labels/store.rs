//! The store that the contracts of labels use, and their steps.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    Admin, AuditAction, Interaction, InteractionKind, LabelKind, LabelName, LabelsOfUser, Profile,
    TelegramId, UserLabel,
};
use rollcall_repository::{
    AdminRepository, AuditFilter, CreatedLabel, DeletedLabel, LabelChange, LabelChoice,
    LabelRepository, LabelStep, NewLabelChange, SegmentRepository,
};
use tokio::task::block_in_place;

/// A store of users and their labels.
pub trait LabelStore: crate::contract::Store + LabelRepository + SegmentRepository {}

impl<S: crate::contract::Store + LabelRepository + SegmentRepository> LabelStore for S {}

/// The users and the audit log of one store.
pub type Store = (Arc<dyn LabelStore>, Arc<dyn AdminRepository>);

pub(super) async fn create(store: &dyn LabelStore, kind: LabelKind, text: &str) -> UserLabel {
    let about = format!("about {text}");
    match store.create_label(kind, &name(text), &about, None, at(0)).await.unwrap() {
        CreatedLabel::New(label) => label,
        other => panic!("{text}: {other:?}"),
    }
}

pub(super) async fn delete(store: &dyn LabelStore, label: &UserLabel, limit: u32) -> bool {
    match store.delete_label(label, 5, limit, None, at(0)).await.unwrap().result {
        DeletedLabel::Deleted => true,
        DeletedLabel::Shrunk => false,
        DeletedLabel::Used(segments) => panic!("{segments:?}"),
    }
}

pub(super) async fn begin(
    store: &dyn LabelStore,
    label: &UserLabel,
    is_added: bool,
) -> LabelChange {
    let label = label.clone();
    let new = NewLabelChange { label, is_added, choice: LabelChoice::Ids, by: None };
    store.begin_label_change(&new, at(10)).await.unwrap()
}

pub(super) async fn step(
    store: &dyn LabelStore,
    change: &LabelChange,
    ids: &[i64],
    last: i64,
    is_last: bool,
) -> Option<LabelChange> {
    let step = LabelStep {
        change: change.id,
        after: change.last,
        ids: ids.iter().copied().map(id).collect(),
        last: Some(id(last)),
        is_last,
    };
    store.continue_label_change(&step, at(20)).await.unwrap().result
}

/// A complete change of these users.
pub(super) async fn changed(
    store: &dyn LabelStore,
    label: &UserLabel,
    is_added: bool,
    ids: &[i64],
) -> LabelChange {
    let begun = begin(store, label, is_added).await;
    step(store, &begun, ids, 100, true).await.unwrap()
}

pub(super) async fn part_of_undo(
    store: &dyn LabelStore,
    change: &LabelChange,
    limit: u32,
) -> Option<bool> {
    store.undo_label_change(change, limit, None, at(30)).await.unwrap().result
}

/// What each part of an undo returns.
pub(super) async fn undo(
    store: &dyn LabelStore,
    change: &LabelChange,
    limit: u32,
) -> Vec<Option<bool>> {
    let mut parts = Vec::new();
    loop {
        parts.push(part_of_undo(store, change, limit).await);
        if matches!(parts.last(), Some(None | Some(true))) {
            return parts;
        }
    }
}

pub(super) async fn counts(store: &dyn LabelStore) -> Vec<(i32, u64)> {
    // Also those of labels that were deleted.
    let labels: Vec<i32> = (1..100).collect();
    store.count_labelled_users(&labels).await.unwrap().into_iter().collect()
}

/// The users that have a label.
pub(super) async fn holders(store: &dyn LabelStore, label: &UserLabel) -> Vec<i64> {
    let everybody: Vec<_> = (1..20).map(id).collect();
    let labels = store.labels_of(&everybody).await.unwrap();
    let has = |labels: &LabelsOfUser| match label.kind {
        LabelKind::Tag => labels.tags.contains(&label.name),
        LabelKind::Group => labels.groups.contains(&label.name),
    };
    labels.iter().filter(|(_, labels)| has(labels)).map(|(id, _)| id.get()).collect()
}

/// Action, old and new value of each audit entry, the oldest first.
pub(super) async fn entries(admins: &dyn AdminRepository) -> Vec<(AuditAction, String, String)> {
    let log = admins.audit_log(&AuditFilter::all(), None, 1_000).await.unwrap();
    let values = |old: Option<String>| old.unwrap_or_default();
    log.into_iter().rev().map(|it| (it.action, values(it.old), values(it.new))).collect()
}

pub(super) async fn log_of(admins: &dyn AdminRepository, admin: &Admin) -> Vec<String> {
    let log = admins.audit_log(&AuditFilter::all().by(admin.clone()), None, 10).await.unwrap();
    log.iter().map(|it| format!("{}: {}", it.action.name(), it.new.as_deref().unwrap())).collect()
}

pub(super) fn users(store: &dyn LabelStore, ids: impl IntoIterator<Item = i64>) {
    let user = |n| Interaction::new(at(0), Profile::new(id(n), "x"), InteractionKind::Text);
    let batch = ids.into_iter().map(user).collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(100))).unwrap();
}

pub(super) fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

pub(super) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// This number of seconds after the start of the tests.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
