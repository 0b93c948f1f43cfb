//! The contract of users that the sums leave out: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::{Strategy, any},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Counted, Event, Figure, Interaction, InteractionKind, Profile,
    ReachabilityFilter, TelegramId, TelegramUser, UnreachableReason, UserFilter, UserSort,
};
use rollcall_repository::{DaySum, ImportEnd};
use tokio::task::{block_in_place, spawn_blocking};

use super::{
    activity,
    transfer::{Stores, TransferStore},
};

/// Generates a test of each contract on each database; see
/// [`activity_repository_contract!`](crate::activity_repository_contract).
#[macro_export]
macro_rules! uncounted_users_contract {
    ($open:path) => {
        $crate::contract!($open, uncounted:
            a_user_who_is_left_out_adds_to_no_sum,
            what_a_user_counted_before_stays_in_the_past,
            a_user_who_counts_again_counts_with_all_days,
            a_user_who_returns_after_being_erased_stays_left_out,
            lists_show_users_that_the_sums_leave_out,
            sums_equal_a_recount_while_other_users_are_left_out,
        );
    };
}

pub async fn a_user_who_is_left_out_adds_to_no_sum([store, other]: Stores) {
    store.leave_out(&ids([1])).await.unwrap();
    // In each way: new, known, alone as a call, later in the day, on another day, by a link, blocked.
    let command = Interaction { command: Some("start"), ..text(1, 0, 9) };
    let private = Some(Chat { id: 1, kind: ChatKind::Private });
    let start = Interaction {
        event: Some(Event::Start("ad".parse().unwrap())),
        kind: InteractionKind::Command,
        chat: private,
        ..command
    };
    register(&*other, [start]);
    for hour in [10, 11] {
        let call = Interaction { kind: InteractionKind::Call, ..text(1, 0, hour) };
        register(&*store, [call]);
    }
    register(&*other, [text(1, 3, 9), text(1, 1, 9), text(1, 3, 8)]);
    let blocked = Interaction { event: Some(Event::Blocked), chat: private, ..text(1, 4, 9) };
    register(&*store, [blocked, Interaction { chat: private, ..text(1, 5, 9) }]);
    store
        .mark_unreachable(id(1), UnreachableReason::Deactivated, at(6, 0), at(6, 0))
        .await
        .unwrap();
    let user =
        TelegramUser { language_code: Some("de".to_owned()), last_seen: at(9, 0), ..user(1) };
    import(&*store, vec![user]).await;
    assert_eq!(sums(&*store).await, []);
    assert_eq!(store.minutes(at(0, 0)).await.unwrap(), []);
    check_recount(&*store).await;

    register(&*store, [text(1, 9, 1), text(2, 9, 1)]);
    let kinds = store.totals(&[Figure::Kind, Figure::Users], LAST).await.unwrap();
    assert_eq!(kinds, [1, 1]);
    check_recount(&*other).await;
}

pub async fn what_a_user_counted_before_stays_in_the_past([store, other]: Stores) {
    let private = Some(Chat { id: 1, kind: ChatKind::Private });
    register(
        &*store,
        [Interaction { chat: private, ..text(1, 0, 9) }, text(2, 0, 9), text(1, 1, 9)],
    );
    let before = past(&*store).await;
    store.leave_out(&ids([1])).await.unwrap();
    register(&*other, [text(1, 1, 8), text(1, 2, 9), text(1, 0, 5)]);
    assert_eq!(past(&*store).await, before);
    let present = [Figure::Users, Figure::Reachable];
    assert_eq!(store.totals(&present, LAST).await.unwrap(), [1, 0]);
    check_recount(&*store).await;
    // Also after the user is erased.
    assert_eq!(store.delete(&[id(1)]).await.unwrap(), 1);
    assert_eq!(past(&*store).await, before);
    assert_eq!(store.totals(&present, LAST).await.unwrap(), [1, 0]);
    check_recount(&*store).await;
}

pub async fn a_user_who_counts_again_counts_with_all_days([store, other]: Stores) {
    for turn in [ids([]), ids([1]), ids([]), ids([1, 2]), ids([2, 3]), ids([])] {
        store.leave_out(&turn).await.unwrap();
        let day = i64::try_from(turn.len()).unwrap();
        register(&*other, [text(1, day, 9), text(2, day * 2, 9), text(1, 20 - day, 9)]);
        check_recount(&*store).await;
    }
    let active = store.totals(&[Figure::Active, Figure::Users], LAST).await.unwrap();
    assert_eq!(active, [6 + 3, 2]);
}

pub async fn a_user_who_returns_after_being_erased_stays_left_out([store, _]: Stores) {
    store.leave_out(&ids([1])).await.unwrap();
    for _ in 0..2 {
        register(&*store, [text(1, 0, 9)]);
        assert_eq!(store.delete(&[id(1)]).await.unwrap(), 1);
        assert_eq!(sums(&*store).await, []);
        check_recount(&*store).await;
    }
}

/// Lists count by the sums where users are many, as [`lists_show`](super::directory) states.
pub async fn lists_show_users_that_the_sums_leave_out([store, _]: Stores) {
    store.leave_out(&ids([5, 7, 9])).await.unwrap();
    let all: Vec<Interaction> = (1..=2100)
        .map(|n| {
            let chat = (n != 7).then_some(Chat { id: n, kind: ChatKind::Private });
            let profile = Profile::new(id(n), "x").language_code(if n == 9 { "de" } else { "en" });
            Interaction { chat, ..Interaction::new(at(0, 0), profile, InteractionKind::Text) }
        })
        .collect();
    for some in all.chunks(500) {
        register(&*store, some.to_vec());
    }
    let count = async |filter: UserFilter| {
        store.users(&filter, UserSort::default(), None, 10).await.unwrap().count
    };
    assert_eq!(count(UserFilter::new()).await, Counted::Exactly(2100));
    assert_eq!(count(UserFilter::new().with_language("en")).await, Counted::Exactly(2099));
    let reachable = UserFilter::new().with_reachability(ReachabilityFilter::Reachable);
    assert_eq!(count(reachable).await, Counted::Exactly(2099));
}

/// For any interactions from concurrent writers, imports, erased and unreachable users, while other
/// users are left out at any moment.
pub async fn sums_equal_a_recount_while_other_users_are_left_out(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 24, ..Config::default() };
        let update_id = AtomicI64::new(0);
        TestRunner::new_with_rng(config, rng)
            .run(&vec(any_round(), 1..5), |rounds| {
                runtime.block_on(async {
                    for round in rounds {
                        one_round(&stores, round, &update_id).await;
                        check_recount(&*stores[1]).await;
                    }
                    stores[0].leave_out(&ids([])).await.unwrap();
                    check_recount(&*stores[1]).await;
                });
                Ok(())
            })
            .unwrap();
    });
}

#[derive(Clone, Debug)]
struct Round {
    interactions: Vec<Interaction>,
    /// The users that are left out while the interactions are registered.
    left_out: Vec<BTreeSet<i64>>,
    /// The users that are left out after that.
    then: BTreeSet<i64>,
    imported: Option<(i64, i64)>,
    erased: Option<i64>,
    unreachable: i64,
}

async fn one_round(stores: &Stores, round: Round, update_id: &AtomicI64) {
    let Round { interactions, left_out, then, imported, erased, unreachable } = round;
    let interactions: Vec<Interaction> = interactions
        .into_iter()
        .map(|interaction| {
            let update_id = Some(update_id.fetch_add(1, Ordering::Relaxed));
            Interaction { update_id, ..interaction }
        })
        .collect();
    let writers = [(0, 1), (1, 7), (1, 30)].map(|(writer, size)| {
        let (store, interactions) = (stores[writer].clone(), interactions.clone());
        spawn_blocking(move || {
            for part in interactions.chunks(size) {
                store.register(&part.to_vec().into(), at(1_000, 0)).unwrap();
            }
        })
    });
    let calls = (stores[0].clone(), interactions.clone());
    let calls = spawn_blocking(move || {
        let (store, interactions) = calls;
        for interaction in interactions {
            let call = Interaction {
                kind: InteractionKind::Call,
                update_id: None,
                chat: None,
                event: None,
                ..interaction
            };
            store.register(&vec![call].into(), at(1_000, 0)).unwrap();
        }
    });
    for (turn, users) in left_out.into_iter().enumerate() {
        stores[turn % 2].leave_out(&ids(users)).await.unwrap();
    }
    for writer in writers.into_iter().chain([calls]) {
        writer.await.unwrap();
    }
    // Without writers, leaving users out does not change the past.
    let counted = stores[0].recount(false, Arc::new(|_, _| {})).await.unwrap();
    assert_eq!(counted, []);
    stores[0].leave_out(&ids([])).await.unwrap();
    let before = past(&*stores[0]).await;
    stores[1].leave_out(&ids(then.clone())).await.unwrap();
    assert_eq!(past(&*stores[0]).await, before);
    let left_out = interactions.iter().filter(|it| then.contains(&it.telegram_id().get()));
    let left_out = left_out.cloned().map(|it| Interaction { update_id: None, ..it });
    register(&*stores[0], left_out);
    if let Some((n, day)) = imported {
        let language_code = Some("ru".to_owned());
        let imported = TelegramUser { language_code, last_seen: at(day, 3), ..user(n) };
        import(&*stores[0], vec![imported]).await;
    }
    let gone = UnreachableReason::Deactivated;
    stores[0].mark_unreachable(id(unreachable), gone, at(90, 0), at(90, 0)).await.unwrap();
    if let Some(n) = erased {
        stores[1].delete(&[id(n)]).await.unwrap();
    }
}

fn any_round() -> impl Strategy<Value = Round> {
    let users = || btree_set(1..6_i64, 0..4);
    let imported = option::of((1..6_i64, 0..70_i64));
    let erased = option::of(1..6_i64);
    let interactions = vec(any_interaction(), 1..30);
    (interactions, vec(users(), 0..4), users(), imported, erased, 1..6_i64).prop_map(
        |(interactions, left_out, then, imported, erased, unreachable)| Round {
            interactions,
            left_out,
            then,
            imported,
            erased,
            unreachable,
        },
    )
}

/// Interactions of a few users, some of them commands.
fn any_interaction() -> impl Strategy<Value = Interaction> {
    (activity::any_interaction(), any::<bool>()).prop_map(|(interaction, is_command)| {
        let kind = if is_command { InteractionKind::Command } else { interaction.kind };
        Interaction { kind, ..interaction }
    })
}

const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
const LAST: NaiveDate = NaiveDate::from_ymd_opt(2027, 12, 31).unwrap();

/// All sums that are not zero.
async fn sums(store: &dyn TransferStore) -> Vec<DaySum> {
    let sums = store.sums_by_day(&Figure::ALL, FIRST, LAST).await.unwrap();
    sums.into_iter().filter(|sum| sum.value != 0).collect()
}

/// Those of them that are about the past.
async fn past(store: &dyn TransferStore) -> Vec<DaySum> {
    sums(store).await.into_iter().filter(|sum| !sum.figure.is_of_the_present()).collect()
}

async fn check_recount(store: &dyn TransferStore) {
    assert_eq!(store.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
}

async fn import(store: &dyn TransferStore, users: Vec<TelegramUser>) {
    let users = users.into_iter().map(Into::into).collect();
    let parts = vec![users, vec![]].into_iter();
    let end = store.import(Box::new(parts), at(0, 0), Box::new(drop)).await.unwrap();
    assert!(matches!(end, ImportEnd::Done(_)), "{end:?}");
}

fn register(store: &dyn TransferStore, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(1_000, 0))).unwrap();
}

fn text(n: i64, day: i64, hour: i64) -> Interaction {
    Interaction::new(at(day, hour), Profile::new(id(n), "x"), InteractionKind::Text)
}

fn user(n: i64) -> TelegramUser {
    TelegramUser { first_name: "x".to_owned(), ..TelegramUser::new(id(n), at(0, 9)) }
}

fn at(day: i64, hour: i64) -> DateTime<Utc> {
    let begin: DateTime<Utc> = "2026-08-31T00:00:00Z".parse().unwrap();
    begin + TimeDelta::days(day) + TimeDelta::hours(hour)
}

fn ids(ids: impl IntoIterator<Item = i64>) -> BTreeSet<TelegramId> {
    ids.into_iter().map(id).collect()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
