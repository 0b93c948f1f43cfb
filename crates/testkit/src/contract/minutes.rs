//! The contract of the sums by minute: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::prop_oneof,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{Interaction, InteractionKind, Profile, TelegramId};
use tokio::task::block_in_place;

use super::Store;

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test of each contract on each database; see
/// [`activity_repository_contract!`](crate::activity_repository_contract).
#[macro_export]
macro_rules! minute_sums_contract {
    ($open:path) => {
        $crate::contract!($open, minutes:
            interactions_of_the_last_hour_are_counted_by_minute,
            an_hour_later_a_minute_is_overwritten,
            a_repeated_update_is_not_counted_again,
            a_call_counts_in_its_minute,
            minutes_are_those_of_the_interactions,
        );
    };
}

pub async fn interactions_of_the_last_hour_are_counted_by_minute([store, other]: Stores) {
    let now = at("2026-11-23T12:30:20Z");
    assert_eq!(store.minutes(at("2026-11-23T00:00:00Z")).await.unwrap(), []);
    let times =
        ["12:30:00", "12:29:59", "12:29:00", "11:31:00", "11:30:59", "12:45:00", "03:00:00"];
    register(&*store, now, times.map(|time| text(1, &format!("2026-11-23T{time}Z"))));
    register(&*other, now, [text(2, "2026-11-23T12:29:30Z")]);
    // 12:45 is in the future, so it counts now; the oldest two are more than an hour ago.
    let expected = [("11:31", 1), ("12:29", 3), ("12:30", 2)].map(|(at, sum)| (at.to_owned(), sum));
    assert_eq!(minutes(&*store, "2026-11-23T11:00:00Z").await, expected);
    assert_eq!(minutes(&*store, "2026-11-23T12:29:40Z").await, expected[1..]);
}

pub async fn an_hour_later_a_minute_is_overwritten([store, other]: Stores) {
    register(&*store, at("2026-11-23T11:30:00Z"), [text(1, "2026-11-23T11:30:00Z")]);
    register(&*store, at("2026-11-23T12:30:00Z"), [text(1, "2026-11-23T12:30:00Z")]);
    assert_eq!(minutes(&*store, "2026-11-23T00:00:00Z").await, [("12:30".to_owned(), 1)]);
    // A process whose clock is behind leaves the later minute as it is.
    register(&*store, at("2026-11-23T11:30:00Z"), [text(1, "2026-11-23T11:30:00Z")]);
    register(&*other, at("2026-11-23T12:30:00Z"), [text(1, "2026-11-23T12:30:30Z")]);
    let later = minutes(&*store, "2026-11-23T12:00:00Z").await;
    assert_eq!(later, [("12:30".to_owned(), 2)]);
}

pub async fn a_repeated_update_is_not_counted_again([store, other]: Stores) {
    let now = at("2026-11-23T12:30:00Z");
    let update = Interaction { update_id: Some(7), ..text(1, "2026-11-23T12:29:00Z") };
    register(&*store, now, [update.clone(), update.clone()]);
    register(&*other, now, [update]);
    assert_eq!(minutes(&*store, "2026-11-23T12:00:00Z").await, [("12:29".to_owned(), 1)]);
}

/// A call alone is one statement on PostgreSQL.
pub async fn a_call_counts_in_its_minute([store, _]: Stores) {
    for time in ["2026-11-23T12:28:00Z", "2026-11-23T12:29:00Z", "2026-11-23T12:29:59Z"] {
        let call = Interaction::new(at(time), Profile::new(id(1), "x"), InteractionKind::Call);
        register(&*store, at(time), [call]);
    }
    let counted = minutes(&*store, "2026-11-23T12:00:00Z").await;
    assert_eq!(counted, [("12:28".to_owned(), 1), ("12:29".to_owned(), 2)]);
}

/// For any interactions, late and in the future, in batches of any size while time goes on.
pub async fn minutes_are_those_of_the_interactions(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 24, ..Config::default() };
        let mut now = at("2026-11-23T00:00:00Z");
        let mut counts = BTreeMap::<DateTime<Utc>, i64>::new();
        let batch = vec(prop_oneof![0..5_i64, 0..4_000_i64, -100..0_i64], 1..30);
        let run = |(passed, ages): (i64, Vec<i64>)| {
            now += TimeDelta::seconds(passed);
            let times: Vec<_> = ages.iter().map(|age| now - TimeDelta::seconds(*age)).collect();
            for time in &times {
                let minute = minute((*time).min(now));
                if minute > hour_ago(now) {
                    *counts.entry(minute).or_default() += 1;
                }
            }
            let interactions = times.into_iter().map(|time| {
                Interaction::new(time, Profile::new(id(1), "x"), InteractionKind::Text)
            });
            let store = &stores[usize::from(passed % 2 == 0)];
            register(&**store, now, interactions);
            counts.retain(|minute, _| *minute > hour_ago(now));
            let first = hour_ago(now) + TimeDelta::minutes(1);
            let stored = runtime.block_on(store.minutes(first)).unwrap();
            assert_eq!(stored.into_iter().collect::<BTreeMap<_, _>>(), counts);
            Ok(())
        };
        let run = std::cell::RefCell::new(run);
        let passed = prop_oneof![0..100_i64, 0..5_000_i64];
        TestRunner::new_with_rng(config, rng)
            .run(&(passed, batch), |rounds| (run.borrow_mut())(rounds))
            .unwrap();
    });
}

fn minute(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp() / 60 * 60, 0).unwrap()
}

/// The latest minute that is no longer part of the last hour.
fn hour_ago(now: DateTime<Utc>) -> DateTime<Utc> {
    minute(now) - TimeDelta::hours(1)
}

/// The sums since a time, with the minutes as `HH:MM`.
async fn minutes(store: &dyn Store, first: &str) -> Vec<(String, i64)> {
    let sums = store.minutes(at(first)).await.unwrap();
    sums.into_iter().map(|(minute, sum)| (minute.format("%H:%M").to_string(), sum)).collect()
}

fn register(
    store: &dyn Store,
    now: DateTime<Utc>,
    interactions: impl IntoIterator<Item = Interaction>,
) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, now)).unwrap();
}

fn text(n: i64, time: &str) -> Interaction {
    Interaction::new(at(time), Profile::new(id(n), "x"), InteractionKind::Text)
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
