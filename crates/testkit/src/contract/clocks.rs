//! The contract of [`UserRepository`](rollcall_repository::UserRepository) with wrong clocks: the name
//! of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Interaction, InteractionKind, Profile, TelegramId, TelegramUser,
    UnreachableReason,
};
use tokio::task::block_in_place;

use super::Store;

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! clock_contract {
    ($open:path) => {
        $crate::contract!($open, clocks:
            a_profile_can_change_after_a_clock_was_ahead,
            clocks_that_differ_a_little_change_nothing,
            a_single_interaction_follows_the_same_rules,
            a_username_passes_from_a_holder_seen_in_the_future,
            blocks_are_recorded_after_one_from_the_future,
            the_order_of_arrival_does_not_matter,
        );
    };
}

/// How far the clock was ahead.
const HOUR: i64 = 3600;

pub async fn a_profile_can_change_after_a_clock_was_ahead([store, other]: Stores) {
    register(&*store, 0, [seen(1, 0, "Ada")]);
    // The clock is one hour ahead, and then right again.
    register(&*store, HOUR, [seen(1, HOUR, "Ada A.")]);
    let renamed = register(&*store, 10, [seen(1, 9, "Augusta")]);
    let (augusta, ahead) = (shown(&renamed), at(HOUR));
    assert_eq!(augusta, ("Augusta", ahead, Some(at(9)), at(9)), "last_seen never goes back");

    // Among interactions by right clocks, a late one changes nothing, whatever else is in its batch.
    let late = register(&*other, 20, [seen(1, 8, "Ada"), seen(1, 19, "Augusta"), seen(1, 18, "A")]);
    assert_eq!(shown(&late), ("Augusta", ahead, Some(at(19)), at(9)));
    assert_eq!(*store.find(id(1)).await.unwrap().as_ref().unwrap(), late);

    // After that hour, the usual rules apply.
    let after = register(&*store, HOUR + 60, [seen(1, HOUR + 50, "King")]);
    assert_eq!(shown(&after), ("King", at(HOUR + 50), None, at(HOUR + 50)));
    let late = register(&*store, HOUR + 60, [seen(1, HOUR + 49, "Late")]);
    assert_eq!(late, after);
}

pub async fn clocks_that_differ_a_little_change_nothing([store, _]: Stores) {
    register(&*store, 10, [seen(1, 10, "Ada")]);
    let late = register(&*store, 0, [seen(1, 0, "Late")]);
    assert_eq!(shown(&late), ("Ada", at(10), None, at(10)));
    let certain = register(&*store, -1, [seen(1, -1, "Augusta")]);
    assert_eq!(shown(&certain), ("Augusta", at(10), Some(at(-1)), at(-1)));
}

/// PostgreSQL has a separate statement for a single interaction.
pub async fn a_single_interaction_follows_the_same_rules([store, _]: Stores) {
    register(&*store, HOUR, [seen(1, HOUR, "Ada")]);
    let same = register(&*store, 5, [seen(1, 5, "Ada")]);
    assert_eq!(shown(&same), ("Ada", at(HOUR), Some(at(5)), at(HOUR)));
    let late = register(&*store, 6, [seen(1, 4, "Late")]);
    assert_eq!(late, same);
    let passed = register(&*store, HOUR, [seen(1, HOUR, "Ada")]);
    assert_eq!(shown(&passed), ("Ada", at(HOUR), None, at(HOUR)));
    assert_eq!(store.find(id(1)).await.unwrap(), Some(passed));
}

pub async fn a_username_passes_from_a_holder_seen_in_the_future([store, _]: Stores) {
    let named = |n: i64, second, username: &str| {
        let profile = Profile::new(id(n), "x").username(username);
        Interaction::new(at(second), profile, InteractionKind::Text)
    };
    let username = async |n: i64| {
        let user = store.find(id(n)).await.unwrap().unwrap();
        user.username.map(|it| it.as_str().to_owned()).unwrap_or_default()
    };
    register(&*store, HOUR, [named(1, HOUR, "name"), named(2, HOUR, "other")]);
    register(&*store, 10, [named(3, 10, "name")]);
    assert_eq!([username(1).await, username(3).await], ["", "name"]);
    // Among right clocks the later claim counts, within a batch and across batches.
    register(&*store, 30, [named(2, 20, "other")]);
    register(&*store, 30, [named(3, 15, "other")]);
    assert_eq!([username(2).await, username(3).await], ["other", ""]);
    register(&*store, 30, [named(3, 21, "other"), named(2, 20, "other")]);
    assert_eq!([username(2).await, username(3).await], ["", "other"]);
}

pub async fn blocks_are_recorded_after_one_from_the_future([store, _]: Stores) {
    let chat = |second, event| Interaction {
        chat: Some(Chat { id: 1, kind: ChatKind::Private }),
        event,
        ..seen(1, second, "Ada")
    };
    let gone = UnreachableReason::Deactivated;
    register(&*store, 0, [chat(0, None)]);
    assert!(store.mark_unreachable(id(1), gone, at(HOUR), at(HOUR)).await.unwrap());
    assert!(register(&*store, 10, [chat(10, None)]).reachability.is_reachable());
    let blocked = register(&*store, 20, [chat(20, Some(Event::Blocked))]);
    assert_eq!(blocked.reachability.obstacle, Some(UnreachableReason::Blocked));
    assert!(register(&*store, 30, [chat(30, Some(Event::Unblocked))]).reachability.is_reachable());
    // A block before the return has no effect.
    let late = register(&*store, 40, [chat(25, Some(Event::Blocked))]);
    assert!(late.reachability.is_reachable());

    // A user last seen in the future may be unreachable now.
    register(&*store, HOUR, [chat(HOUR, None)]);
    assert!(store.mark_unreachable(id(1), gone, at(50), at(50)).await.unwrap());
    register(&*store, 60, [chat(60, None)]);
    assert!(
        !store.mark_unreachable(id(1), gone, at(55), at(70)).await.unwrap(),
        "the user was seen since"
    );
}

/// In any order of arrival, and with or without a clock ahead before, the latest one decides.
pub async fn the_order_of_arrival_does_not_matter(stores: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 60, ..Config::default() };
        let seconds = Just((1..=24_i64).collect::<Vec<_>>()).prop_shuffle();
        let stories = (seconds, 1..24_usize, vec(1..4_i64, 24), 1..9_usize, any::<bool>());
        TestRunner::new_with_rng(config, rng)
            .run(&stories, |(mut seconds, number, people, size, was_ahead)| {
                seconds.truncate(number);
                let arriving: Vec<Interaction> = seconds
                    .iter()
                    .zip(people)
                    .map(|(&second, n)| seen(n, second, &format!("Name {}", second / 2)))
                    .collect();
                runtime.block_on(arrive(&stores, &arriving, size, was_ahead));
                Ok(())
            })
            .unwrap();
    });
}

async fn arrive(stores: &Stores, arriving: &[Interaction], size: usize, was_ahead: bool) {
    let store = &*stores[0];
    store.delete(&(1..4).map(id).collect::<Vec<_>>()).await.unwrap();
    if was_ahead {
        register(store, HOUR, (1..4).map(|n| seen(n, HOUR, "Ahead")));
    }
    for (part, store) in arriving.chunks(size).zip(stores.iter().cycle()) {
        register(&**store, 30, part.to_vec());
    }
    for n in 1..4 {
        let its = arriving.iter().filter(|it| it.telegram_id() == id(n));
        let Some(latest) = its.max_by_key(|it| it.at) else { continue };
        let user = store.find(id(n)).await.unwrap().unwrap();
        let (last_seen, profile_seen) =
            if was_ahead { (at(HOUR), Some(latest.at)) } else { (latest.at, None) };
        assert!(!user.differs_from(&latest.profile), "{user:?} of {arriving:#?}");
        assert_eq!((user.last_seen, user.profile_seen), (last_seen, profile_seen), "{arriving:#?}");
    }
}

/// Registers interactions at the time `now`, and returns the user of the last one.
fn register(
    store: &dyn Store,
    now: i64,
    interactions: impl IntoIterator<Item = Interaction>,
) -> TelegramUser {
    let interactions: Vec<Interaction> = interactions.into_iter().collect();
    let answers = block_in_place(|| store.register(&interactions.into(), at(now))).unwrap();
    answers.last().unwrap().user.clone()
}

fn shown(user: &TelegramUser) -> (&str, DateTime<Utc>, Option<DateTime<Utc>>, DateTime<Utc>) {
    (&user.first_name, user.last_seen, user.profile_seen, user.updated_at)
}

fn seen(n: i64, second: i64, first_name: &str) -> Interaction {
    Interaction::new(at(second), Profile::new(id(n), first_name), InteractionKind::Text)
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T23:30:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}
