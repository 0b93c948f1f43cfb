//! The contract of the sums by hour: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Figure, Hour, Interaction, InteractionKind, Profile, TelegramId,
};
use rollcall_repository::DaySum;
use tokio::task::{block_in_place, spawn_blocking};

use super::Store;

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test of each contract on each database; see
/// [`activity_repository_contract!`](crate::activity_repository_contract).
#[macro_export]
macro_rules! hourly_sums_contract {
    ($open:path) => {
        $crate::contract!($open, hours:
            a_user_counts_in_the_hour_of_the_first_interaction_of_the_day,
            a_late_interaction_moves_the_user_to_an_earlier_hour,
            a_repeated_update_counts_once,
            a_call_counts_in_its_hour,
            hours_of_erased_users_are_kept,
            sums_by_hour_are_those_of_the_interactions,
        );
    };
}

pub async fn a_user_counts_in_the_hour_of_the_first_interaction_of_the_day([store, _]: Stores) {
    register(&*store, [text(1, "2026-11-23T08:59:59.999999Z"), text(2, "2026-11-23T23:00:00Z")]);
    register(&*store, [text(1, "2026-11-23T09:00:00Z"), text(1, "2026-11-24T00:00:00Z")]);
    assert_eq!(hours(&*store, Figure::ActiveHour, "2026-11-23").await, [(8, 1), (23, 1)]);
    assert_eq!(hours(&*store, Figure::ActiveHour, "2026-11-24").await, [(0, 1)]);
    assert_eq!(hours(&*store, Figure::NewHour, "2026-11-23").await, [(8, 1), (23, 1)]);
    let interactions = hours(&*store, Figure::InteractionHour, "2026-11-23").await;
    assert_eq!(interactions, [(8, 1), (9, 1), (23, 1)]);
    check_recount(&*store).await;
}

pub async fn a_late_interaction_moves_the_user_to_an_earlier_hour([store, other]: Stores) {
    let on = async |day| hours(&*store, Figure::ActiveHour, day).await;
    register(&*store, [text(1, "2026-11-23T12:00:00Z")]);
    // On the latest day, then on one that is past.
    register(&*other, [text(1, "2026-11-23T07:00:00Z")]);
    assert_eq!(on("2026-11-23").await, [(7, 1)]);
    check_recount(&*store).await;
    register(&*other, [text(1, "2026-11-23T06:00:00Z"), text(1, "2026-11-25T10:00:00Z")]);
    assert_eq!(on("2026-11-23").await, [(6, 1)]);
    register(&*store, [text(1, "2026-11-23T05:30:00Z")]);
    register(&*store, [text(1, "2026-11-23T05:10:00Z"), text(1, "2026-11-23T22:00:00Z")]);
    assert_eq!(on("2026-11-23").await, [(5, 1)]);
    // A day that becomes past in the batch in which an earlier interaction of it arrives.
    register(&*store, [text(1, "2026-11-26T10:00:00Z"), text(1, "2026-11-25T03:00:00Z")]);
    register(&*store, [text(1, "2026-11-25T02:00:00Z")]);
    assert_eq!(on("2026-11-25").await, [(2, 1)]);
    assert_eq!(on("2026-11-26").await, [(10, 1)]);
    check_recount(&*store).await;
}

pub async fn a_repeated_update_counts_once([store, other]: Stores) {
    let update = |at| Interaction { update_id: Some(7), ..text(1, at) };
    register(&*store, [update("2026-11-23T12:00:00Z")]);
    register(&*other, [update("2026-11-23T11:00:00Z"), text(2, "2026-11-23T12:30:00Z")]);
    for figure in [Figure::ActiveHour, Figure::InteractionHour] {
        assert_eq!(hours(&*store, figure, "2026-11-23").await, [(12, 2)]);
    }
    check_recount(&*store).await;
}

/// A call alone is one statement on PostgreSQL.
pub async fn a_call_counts_in_its_hour([store, _]: Stores) {
    let call = |at: &str| {
        Interaction::new(at.parse().unwrap(), Profile::new(id(1), "x"), InteractionKind::Call)
    };
    for at in ["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z"] {
        register(&*store, [call(at)]);
    }
    let interactions = hours(&*store, Figure::InteractionHour, "2026-11-23").await;
    assert_eq!(interactions, [(9, 1), (10, 2)]);
    assert_eq!(hours(&*store, Figure::ActiveHour, "2026-11-23").await, [(9, 1)]);
    let day = day("2026-11-23");
    let calls = store.sums_by_label(&[Figure::Kind], day, day).await.unwrap();
    assert_eq!(calls.iter().map(|sum| sum.value).collect::<Vec<_>>(), [3]);
    check_recount(&*store).await;
}

pub async fn hours_of_erased_users_are_kept([store, _]: Stores) {
    let blocked = Interaction {
        chat: Some(Chat { id: 1, kind: ChatKind::Private }),
        event: Some(Event::Blocked),
        ..text(1, "2026-11-23T14:00:00Z")
    };
    let unblocked = Interaction {
        event: Some(Event::Unblocked),
        at: at("2026-11-23T16:00:00Z"),
        ..blocked.clone()
    };
    register(&*store, [text(1, "2026-11-22T09:00:00Z"), blocked, unblocked]);
    let by_hour = [
        (Figure::ActiveHour, "2026-11-22", 9),
        (Figure::ActiveHour, "2026-11-23", 14),
        (Figure::NewHour, "2026-11-22", 9),
        (Figure::BlockedHour, "2026-11-23", 14),
        (Figure::UnblockedHour, "2026-11-23", 16),
    ];
    for erased in [0, 1] {
        for (figure, day, hour) in by_hour {
            assert_eq!(
                hours(&*store, figure, day).await,
                [(hour, 1)],
                "{figure:?}, {erased} erased"
            );
        }
        check_recount(&*store).await;
        store.delete(&[id(1)]).await.unwrap();
    }
}

/// For any interactions, late and repeated, from two writers at once in batches of any size.
pub async fn sums_by_hour_are_those_of_the_interactions(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 24, ..Config::default() };
        let mut all: Vec<Interaction> = Vec::new();
        let mut users = 0;
        let interactions = vec((1..6_i64, any_time()), 1..60);
        let run = |interactions: Vec<(i64, DateTime<Utc>)>| {
            // Other users each time.
            let new: Vec<_> = (0..)
                .zip(interactions)
                .map(|(n, (user, at))| Interaction {
                    update_id: Some(users * 1_000 + n),
                    ..Interaction::new(
                        at,
                        Profile::new(id(users + user), "x"),
                        InteractionKind::Text,
                    )
                })
                .collect();
            users += 10;
            all.extend(new.iter().cloned());
            runtime.block_on(async {
                register_twice(&stores, new).await;
                check_hours(&*stores[0], &all).await;
                check_recount(&*stores[0]).await;
            });
            Ok(())
        };
        let run = std::cell::RefCell::new(run);
        let run = |interactions| (run.borrow_mut())(interactions);
        TestRunner::new_with_rng(config, rng).run(&interactions, run).unwrap();
    });
}

async fn register_twice(stores: &Stores, interactions: Vec<Interaction>) {
    let writers: Vec<_> = [(0, 3), (1, 17)]
        .into_iter()
        .map(|(writer, size)| {
            let (store, interactions) = (stores[writer].clone(), interactions.clone());
            spawn_blocking(move || {
                for part in interactions.chunks(size) {
                    store.register(&part.to_vec().into(), at("2026-12-31T00:00:00Z")).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn check_hours(store: &dyn Store, all: &[Interaction]) {
    let mut first = BTreeMap::<(TelegramId, NaiveDate), Hour>::new();
    let mut expected = BTreeMap::<(Figure, NaiveDate, String), i64>::new();
    for interaction in all {
        let (day, hour) = (interaction.at.date_naive(), Hour::of(interaction.at));
        let key = (Figure::InteractionHour, day, hour.number().to_string());
        *expected.entry(key).or_default() += 1;
        let first = first.entry((interaction.telegram_id(), day)).or_insert(hour);
        *first = hour.min(*first);
    }
    for ((_, day), hour) in first {
        *expected.entry((Figure::ActiveHour, day, hour.number().to_string())).or_default() += 1;
    }
    let figures = [Figure::ActiveHour, Figure::InteractionHour];
    let sums = store.sums_by_day(&figures, day("2026-01-01"), day("2027-12-31")).await.unwrap();
    let sums = sums.into_iter().filter(|sum| sum.value != 0);
    let sums: BTreeMap<_, _> =
        sums.map(|sum| ((sum.figure, sum.day, sum.label), sum.value)).collect();
    assert_eq!(sums, expected);
}

/// Times on few days, in any order.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    let day = prop_oneof![Just(0), 0..3_i64, 0..40_i64];
    let begin = at("2026-11-01T00:00:00Z");
    (day, 0..24_i64, 0..60_i64).prop_map(move |(day, hour, minute)| {
        begin + TimeDelta::days(day) + TimeDelta::hours(hour) + TimeDelta::minutes(minute)
    })
}

/// The sums of a figure by hour on a day, sorted; without zeros.
async fn hours(store: &dyn Store, figure: Figure, on: &str) -> Vec<(u32, i64)> {
    let sums = store.sums_by_day(&[figure], day(on), day(on)).await.unwrap();
    let hour = |sum: DaySum| (sum.label.parse().unwrap(), sum.value);
    let mut hours: Vec<_> = sums.into_iter().map(hour).filter(|(_, value)| *value != 0).collect();
    hours.sort_unstable();
    hours
}

async fn check_recount(store: &dyn Store) {
    let differences = store.recount(false, Arc::new(|_, _| {})).await.unwrap();
    assert_eq!(differences, []);
}

fn register(store: &dyn Store, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at("2026-12-31T00:00:00Z"))).unwrap();
}

fn text(n: i64, time: &str) -> Interaction {
    Interaction::new(at(time), Profile::new(id(n), "x"), InteractionKind::Text)
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn day(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
