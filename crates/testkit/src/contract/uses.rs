//! The contract of the days on which users used commands and buttons: the name of each function states
//! its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, any, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{DaysOfUse, Interaction, InteractionKind, Profile, TelegramId, Used};
use tokio::task::{block_in_place, spawn_blocking};

use super::{Store, detail_of};

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test of each contract on each database; see
/// [`activity_repository_contract!`](crate::activity_repository_contract).
#[macro_export]
macro_rules! command_use_contract {
    ($open:path) => {
        $crate::contract!($open, uses:
            a_use_counts_on_its_day,
            commands_and_buttons_of_one_name_are_apart,
            other_interactions_are_no_uses,
            a_repeated_update_counts_once,
            a_call_with_a_command_counts,
            days_of_one_batch_count_each,
            late_days_count_once,
            a_day_that_is_too_late_does_not_count,
            writers_at_once_lose_no_day,
            uses_go_with_the_user,
            days_are_those_of_the_interactions,
        );
    };
}

pub async fn a_use_counts_on_its_day([store, other]: Stores) {
    register(&*store, [used(1, SCHEDULE, "2026-11-20T23:59:59Z")]);
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-20", "2026-11-20", 1)]);
    register(&*other, [used(1, SCHEDULE, "2026-11-20T08:00:00Z")]);
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-20", "2026-11-20", 1)]);
    register(&*other, [used(1, SCHEDULE, "2026-11-21T00:00:00Z")]);
    register(&*store, [used(1, SCHEDULE, "2026-11-23T12:00:00Z")]);
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-20", "2026-11-23", 3)]);
    assert_eq!(uses(&*store, 2).await, []);
}

pub async fn commands_and_buttons_of_one_name_are_apart([store, _]: Stores) {
    register(
        &*store,
        [
            used(1, Used::Button("schedule"), "2026-11-20T10:00:00Z"),
            used(1, SCHEDULE, "2026-11-20T10:00:00Z"),
            used(1, Used::Button("schedule"), "2026-11-21T10:00:00Z"),
            used(2, SCHEDULE, "2026-11-22T10:00:00Z"),
        ],
    );
    let expected =
        [("schedule", "2026-11-20", "2026-11-21", 2), ("/schedule", "2026-11-20", "2026-11-20", 1)];
    assert_eq!(uses(&*store, 1).await, expected, "the latest first");
    assert_eq!(uses(&*store, 2).await, [("/schedule", "2026-11-22", "2026-11-22", 1)]);
}

pub async fn other_interactions_are_no_uses([store, _]: Stores) {
    use InteractionKind::{CallbackQuery, Command, Text};
    // An unknown command, and a button of another bot.
    let kinds = [Command, CallbackQuery, Text];
    register(&*store, kinds.map(|kind| interaction(1, kind, "2026-11-20T10:00:00Z")));
    assert_eq!(uses(&*store, 1).await, []);
}

pub async fn a_repeated_update_counts_once([store, other]: Stores) {
    let update =
        |id| Interaction { update_id: Some(id), ..used(1, SCHEDULE, "2026-11-20T10:00:00Z") };
    register(&*store, [update(7), update(7)]);
    // It comes again, with a time of receipt on the next day.
    let again = Interaction { at: at("2026-11-21T10:00:00Z"), ..update(7) };
    register(&*other, [again]);
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-20", "2026-11-20", 1)]);
}

/// A call alone is one statement on PostgreSQL, unless it has more to change.
pub async fn a_call_with_a_command_counts([store, _]: Stores) {
    for time in ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z"] {
        let call = interaction(1, InteractionKind::Call, time);
        register(&*store, [Interaction { button: Some("help"), ..call.clone() }]);
        register(&*store, [Interaction { command: Some("help"), ..call }]);
    }
    let expected =
        [("/help", "2026-11-20", "2026-11-20", 1), ("help", "2026-11-20", "2026-11-20", 1)];
    assert_eq!(uses(&*store, 1).await, expected);
}

pub async fn days_of_one_batch_count_each([store, _]: Stores) {
    let times = ["21T10", "20T10", "23T10", "20T11", "23T09"];
    register(&*store, times.map(|time| used(1, SCHEDULE, &format!("2026-11-{time}:00:00Z"))));
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-20", "2026-11-23", 3)]);
    let times = ["19T10", "22T10", "24T10", "21T11"];
    register(&*store, times.map(|time| used(1, SCHEDULE, &format!("2026-11-{time}:00:00Z"))));
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-19", "2026-11-24", 6)]);
}

/// Also at the ends of what is known day by day.
pub async fn late_days_count_once([store, other]: Stores) {
    let last = day("2026-11-23");
    register(&*store, [used_on(1, SCHEDULE, last)]);
    let mut number = 1;
    for before in [1, 31, 32, 62, 63] {
        number += 1;
        for store in [&store, &other, &store] {
            register(&**store, [used_on(1, SCHEDULE, last - Days::new(before))]);
            let days = days(&**store, 1, SCHEDULE).await;
            assert_eq!((days.last, days.number), (last, number), "{before}");
            assert_eq!(days.first, last - Days::new(before));
        }
    }
}

pub async fn a_day_that_is_too_late_does_not_count([store, _]: Stores) {
    let last = day("2026-11-23");
    let before = |days| used_on(1, SCHEDULE, last - Days::new(days));
    register(&*store, [before(100)]);
    register(&*store, [before(0)]);
    for (late, number) in [(64, 2), (99, 2), (63, 3), (100, 3), (101, 4), (4_000, 5), (101, 5)] {
        register(&*store, [before(late)]);
        assert_eq!(days(&*store, 1, SCHEDULE).await.number, number, "{late}");
    }
    // And a day of today's, long after: nothing of before is known any more but the first day.
    register(&*store, [used_on(1, SCHEDULE, last + Days::new(64))]);
    register(&*store, [before(0)]);
    let days = days(&*store, 1, SCHEDULE).await;
    assert_eq!((days.first, days.number), (last - Days::new(4_000), 6));
}

pub async fn writers_at_once_lose_no_day(stores: Stores) {
    let first = day("2026-10-01");
    let mut writers = Vec::new();
    for writer in 0..4_u64 {
        let store = stores[usize::from(writer % 2 == 0)].clone();
        writers.push(spawn_blocking(move || {
            // All of them use what the others use, each on days of its own and on a shared one.
            for round in 0..10 {
                let of = |user| {
                    [0, 1 + round * 4 + writer]
                        .map(|n| used_on(user, SCHEDULE, first + Days::new(n)))
                };
                register_here(&*store, (1..=3).flat_map(of));
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for user in 1..=3 {
        let days = days(&*stores[0], user, SCHEDULE).await;
        assert_eq!((days.first, days.last, days.number), (first, first + Days::new(40), 41));
    }
}

pub async fn uses_go_with_the_user([store, other]: Stores) {
    for user in [1, 2] {
        register(&*store, [used(user, SCHEDULE, "2026-11-20T10:00:00Z")]);
    }
    assert_eq!(other.delete(&[id(1)]).await.unwrap(), 1);
    register(&*store, [used(1, SCHEDULE, "2026-11-23T10:00:00Z")]);
    assert_eq!(uses(&*store, 1).await, [("/schedule", "2026-11-23", "2026-11-23", 1)]);
    assert_eq!(uses(&*store, 2).await, [("/schedule", "2026-11-20", "2026-11-20", 1)]);
}

/// For any uses of a few users, in batches of any size and through both handles: repeated, and up to 63
/// days late.
pub async fn days_are_those_of_the_interactions(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 40, ..Config::default() };
        let today = RefCell::new(day("2026-01-01"));
        let all = RefCell::new(BTreeMap::<(i64, Used), BTreeSet<NaiveDate>>::new());
        let late = prop_oneof![3 => 0..3_u64, 1 => 0..=63_u64];
        let what = prop_oneof![
            Just(SCHEDULE),
            Just(Used::Command("start")),
            Just(Used::Button("schedule")),
        ];
        let passed = prop_oneof![3 => 0..3_u64, 1 => 0..200_u64];
        let batch = vec((1..4_i64, what, late), 1..20);
        TestRunner::new_with_rng(config, rng)
            .run(&(any::<bool>(), passed, batch), |(which, passed, batch)| {
                today.replace_with(|today| *today + Days::new(passed));
                let interactions: Vec<_> = batch
                    .into_iter()
                    .map(|(user, used, late)| {
                        let day = *today.borrow() - Days::new(late);
                        all.borrow_mut().entry((user, used)).or_default().insert(day);
                        used_on(user, used, day)
                    })
                    .collect();
                register(&*stores[usize::from(which)], interactions);
                for ((user, used), expected) in &*all.borrow() {
                    let stored = runtime.block_on(days(&*stores[0], *user, *used));
                    let number = u32::try_from(expected.len()).unwrap();
                    assert_eq!(
                        (Some(&stored.first), Some(&stored.last), stored.number),
                        (expected.first(), expected.last(), number),
                        "{user} {used}"
                    );
                }
                Ok(())
            })
            .unwrap();
    });
}

const SCHEDULE: Used = Used::Command("schedule");

/// What a user used, with the first and the last day and the number of days.
async fn uses(
    store: &dyn Store,
    user: i64,
) -> Vec<(&'static str, &'static str, &'static str, u32)> {
    let uses = detail_of(store, id(user)).await.map(|detail| detail.uses).unwrap_or_default();
    let shown = |text: String| -> &'static str { text.leak() };
    let of = |used: rollcall_domain::CommandUse| {
        let DaysOfUse { first, last, number, .. } = used.days;
        (shown(used.command), shown(first.to_string()), shown(last.to_string()), number)
    };
    uses.into_iter().map(of).collect()
}

async fn days(store: &dyn Store, user: i64, used: Used) -> DaysOfUse {
    let uses = detail_of(store, id(user)).await.unwrap().uses;
    uses.into_iter().find(|it| it.command == used.to_string()).unwrap().days
}

fn register(store: &dyn Store, interactions: impl IntoIterator<Item = Interaction>) {
    block_in_place(|| register_here(store, interactions));
}

/// On a thread that may block.
fn register_here(store: &dyn Store, interactions: impl IntoIterator<Item = Interaction>) {
    let interactions: Vec<_> = interactions.into_iter().collect();
    let now = interactions.iter().map(|it| it.at).max().unwrap() + TimeDelta::seconds(1);
    store.register(&interactions.into(), now).unwrap();
}

fn used(user: i64, used: Used, time: &str) -> Interaction {
    match used {
        Used::Command(name) => {
            Interaction { command: Some(name), ..interaction(user, InteractionKind::Command, time) }
        }
        Used::Button(family) => Interaction {
            button: Some(family),
            ..interaction(user, InteractionKind::CallbackQuery, time)
        },
    }
}

fn used_on(user: i64, what: Used, day: NaiveDate) -> Interaction {
    let at = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(user);
    Interaction { at, ..used(user, what, "2026-11-20T10:00:00Z") }
}

fn interaction(user: i64, kind: InteractionKind, time: &str) -> Interaction {
    Interaction::new(at(time), Profile::new(id(user), "x"), kind)
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
