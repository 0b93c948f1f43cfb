//! The store that the contracts of broadcasts use, and their steps.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    AuditAction, BROADCAST_LASTS, Broadcast, BroadcastContent, BroadcastPlan, BroadcastState, Chat,
    ChatKind, DeliveryTimes, Experiment, Interaction, InteractionKind, LabelName, OnUnknown,
    Profile, RecipientState, TelegramId,
};
use rollcall_repository::{
    AdminRepository, AuditFilter, BroadcastChange, BroadcastRepository, ChangedBroadcast,
    ComposingRepository, PictureRepository, PreferencesRepository, Recipient, RecipientOutcome,
    SenderLease,
};
use tokio::task::block_in_place;

/// A store of users and broadcasts.
pub trait BroadcastStore:
    crate::contract::Store + BroadcastRepository + ComposingRepository + PictureRepository
{
}

impl<S> BroadcastStore for S where
    S: crate::contract::Store + BroadcastRepository + ComposingRepository + PictureRepository
{
}

/// The users, the broadcasts and the audit log of one store.
pub type Store = (Arc<dyn BroadcastStore>, Arc<dyn AdminRepository>);

/// A store, and the preferences of its users, which have their time zones.
pub type WithZones = (Arc<dyn BroadcastStore>, Arc<dyn PreferencesRepository>);

/// The process that sends, in most tests.
pub(super) const ME: &str = "me";

/// A broadcast of a category that starts when an owner starts it.
pub(super) fn plan(category: &str) -> BroadcastPlan {
    BroadcastPlan {
        name: "Hello".to_owned(),
        category: name(category),
        filter: "".parse().unwrap(),
        zone: Tz::UTC,
        content: BroadcastContent::Text {
            texts: BTreeMap::from([(String::new(), "Hi".to_owned())]),
            buttons: String::new(),
            picture: None,
        },
        rate: None,
        is_paid: false,
        on_unknown: OnUnknown::Skip,
        starts_at: None,
        lasts: BROADCAST_LASTS,
        times: DeliveryTimes::default(),
        has_opt_out_button: false,
        experiment: Experiment::default(),
    }
}

pub(super) async fn create(store: &dyn BroadcastStore, plan: &BroadcastPlan) -> Broadcast {
    store.create_broadcast(plan, None, at(0)).await.unwrap().unwrap()
}

pub(super) async fn change(
    store: &dyn BroadcastStore,
    id: i64,
    change: BroadcastChange,
) -> Broadcast {
    match store.change_broadcast(id, change, None, at(10)).await.unwrap() {
        ChangedBroadcast::Changed(broadcast) => broadcast,
        other => panic!("{change:?}: {other:?}"),
    }
}

/// Takes the lease for a process, whatever it was.
pub(super) async fn take(store: &dyn BroadcastStore, holder: &str) {
    let seen = store.sender_lease().await.unwrap();
    assert!(store.take_sender_lease(holder, &seen, at(5)).await.unwrap());
}

pub(super) async fn lease(store: &dyn BroadcastStore) -> SenderLease {
    store.sender_lease().await.unwrap()
}

/// A started broadcast whose recipients are being added by [`ME`], who takes the lease.
pub(super) async fn preparing(store: &dyn BroadcastStore, plan: &BroadcastPlan) -> i64 {
    take(store, ME).await;
    let id = create(store, plan).await.id;
    change(store, id, BroadcastChange::Start).await;
    id
}

/// A broadcast that is being sent to these users.
pub(super) async fn sending(
    store: &dyn BroadcastStore,
    plan: &BroadcastPlan,
    users: impl IntoIterator<Item = i64>,
) -> i64 {
    let id = preparing(store, plan).await;
    add(store, id, &users.into_iter().collect::<Vec<_>>(), None).await;
    id
}

/// Adds recipients. Returns whether more may be added.
pub(super) async fn add(
    store: &dyn BroadcastStore,
    broadcast: i64,
    users: &[i64],
    last: Option<i64>,
) -> bool {
    let added = store.add_recipients(ME, broadcast, &ids(users), last.map(id), at(20)).await;
    added.unwrap().unwrap().is_preparing
}

/// Claims recipients a number of seconds after the start. Returns the ids.
pub(super) async fn claim_at(
    store: &dyn BroadcastStore,
    broadcast: i64,
    after: Option<i64>,
    limit: u32,
    second: i64,
) -> Vec<i64> {
    let claim = store.claim_recipients(ME, broadcast, after.map(id), limit, at(second)).await;
    let claim = claim.unwrap().unwrap();
    assert!(claim.is_sending);
    claim.users.iter().map(|user| user.telegram_id.get()).collect()
}

pub(super) async fn claim(
    store: &dyn BroadcastStore,
    broadcast: i64,
    after: Option<i64>,
    limit: u32,
) -> Vec<i64> {
    claim_at(store, broadcast, after, limit, 30).await
}

/// Gives claimed recipients an outcome.
pub(super) async fn settle(
    store: &dyn BroadcastStore,
    broadcast: i64,
    users: &[i64],
    state: RecipientState,
    settled_to: Option<i64>,
) {
    let outcomes: Vec<_> = users.iter().map(|n| outcome(*n, state)).collect();
    let settled = store.settle_recipients(ME, broadcast, &outcomes, settled_to.map(id)).await;
    assert_eq!(settled.unwrap(), Some(()));
}

pub(super) fn outcome(n: i64, state: RecipientState) -> RecipientOutcome {
    RecipientOutcome {
        telegram_id: id(n),
        state,
        reason: (state == RecipientState::Failed).then(|| "too_long".to_owned()),
        message_id: (state == RecipientState::Sent).then_some(1_000 + n),
        at: at(40),
    }
}

/// Each recipient of a broadcast with its state and reason.
pub(super) async fn states(store: &dyn BroadcastStore, broadcast: i64) -> Vec<(i64, String)> {
    let state = |it: Recipient| (it.telegram_id.get(), named(it.state, it.reason.as_deref()));
    rows(store, broadcast).await.into_iter().map(state).collect()
}

/// Every recipient of a broadcast, read in parts.
pub(super) async fn rows(store: &dyn BroadcastStore, broadcast: i64) -> Vec<Recipient> {
    let mut all: Vec<Recipient> = Vec::new();
    loop {
        let after = all.last().map(|it| it.telegram_id);
        let part = store.recipients(broadcast, after, 3).await.unwrap();
        assert!(part.len() <= 3);
        if part.is_empty() {
            return all;
        }
        all.extend(part);
    }
}

/// The sums of a broadcast's recipients: `state` or `state reason`, and how many.
pub(super) async fn sums(store: &dyn BroadcastStore, broadcast: i64) -> Vec<(String, u64)> {
    let mut sums = store.recipient_sums(&[broadcast]).await.unwrap();
    let sums = sums.remove(&broadcast).unwrap_or_default().0;
    sums.into_iter().map(|((state, reason), users)| (named(state, Some(&reason)), users)).collect()
}

pub(super) fn named(state: RecipientState, reason: Option<&str>) -> String {
    match reason {
        None | Some("") => state.name().to_owned(),
        Some(reason) => format!("{} {reason}", state.name()),
    }
}

pub(super) fn pairs<T: Copy>(expected: &[(T, &str)]) -> Vec<(T, String)> {
    expected.iter().map(|(key, text)| (*key, (*text).to_owned())).collect()
}

pub(super) fn counted(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(text, users)| ((*text).to_owned(), *users)).collect()
}

pub(super) async fn state(store: &dyn BroadcastStore, broadcast: i64) -> BroadcastState {
    store.broadcast(broadcast).await.unwrap().unwrap().state
}

pub(super) async fn finish(store: &dyn BroadcastStore, broadcast: i64) -> bool {
    store.finish_broadcast(ME, broadcast, at(50)).await.unwrap().unwrap()
}

/// Action, old and new value of each audit entry, the oldest first.
pub(super) async fn entries(admins: &dyn AdminRepository) -> Vec<(AuditAction, String, String)> {
    let log = admins.audit_log(&AuditFilter::all(), None, 1_000).await.unwrap();
    let values = |old: Option<String>| old.unwrap_or_default();
    log.into_iter().rev().map(|it| (it.action, values(it.old), values(it.new))).collect()
}

/// Registers users who have opened a chat with the bot.
pub(super) fn users(store: &dyn BroadcastStore, ids: impl IntoIterator<Item = i64>) {
    register(store, ids, ChatKind::Private);
}

/// Registers users by what they write in such a chat.
pub(super) fn register(
    store: &dyn BroadcastStore,
    ids: impl IntoIterator<Item = i64>,
    kind: ChatKind,
) {
    let user = |n| {
        let chat = Some(Chat { id: if kind == ChatKind::Private { n } else { -n }, kind });
        let profile = Profile::new(id(n), "x");
        Interaction { chat, ..Interaction::new(at(0), profile, InteractionKind::Text) }
    };
    let batch = ids.into_iter().map(user).collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(100))).unwrap();
}

pub(super) fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

pub(super) fn ids(ids: &[i64]) -> Vec<TelegramId> {
    ids.iter().copied().map(id).collect()
}

pub(super) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// This number of seconds after the start of the tests.
pub(super) fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
