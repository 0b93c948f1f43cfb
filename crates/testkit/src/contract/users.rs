//! The contract of [`UserRepository`](rollcall_repository::UserRepository): each function tells its rule by its name.
#![expect(missing_docs, reason = "each function tells its rule by its name")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Figure, Interaction, InteractionKind, Profile, Reachability,
    ReachabilityChange, Registration, TelegramId, TelegramUser, UnreachableReason, Username,
};
use rollcall_repository::{Batch, PageRequest};
use tokio::task::{block_in_place, spawn_blocking};

use super::Store;

/// Two handles on one empty store, as two processes would have them.
pub type Stores = [Arc<dyn Store>; 2];

/// Generates a test for each contract on each database. `$open` is an async function from a
/// database's URL to a repository on it, which migrates the database if need be.
#[macro_export]
macro_rules! user_repository_contract {
    ($open:path) => {
        $crate::contract!($open, users:
            fifty_tasks_create_one_user,
            two_processes_create_one_user,
            a_user_may_stand_in_a_batch_several_times,
            an_empty_batch_is_fine,
            a_rehearsal_leaves_nothing,
            updated_at_moves_only_with_the_profile,
            a_late_interaction_changes_nothing,
            an_equal_time_counts_as_newer,
            a_removed_last_name_is_gone,
            an_absent_language_keeps_the_last_one,
            an_id_alone_changes_no_profile,
            odd_text_is_stored_as_sent,
            ids_of_every_size_are_kept,
            a_username_passes_within_a_batch,
            a_username_passes_across_batches,
            a_late_claim_to_a_username_fails,
            a_claim_that_fails_leaves_no_trace,
            a_username_passes_to_the_later_of_equal_times,
            a_username_passes_on_through_a_third,
            two_writers_give_a_username_to_one,
            two_writers_in_opposite_order_both_succeed,
            writers_who_take_names_from_each_other_are_not_held_up,
            usernames_are_found_ignoring_case,
            a_batch_equals_its_parts,
            an_update_that_comes_again_changes_nothing,
            an_update_that_comes_to_two_writers_counts_once,
            reach_is_kept_as_a_history,
            failed_messages_mark_users_until_they_come_back,
            deep_links_are_kept_and_the_first_is_the_source,
            lists_are_newest_first_with_the_total,
            deleted_users_are_gone,
        );
    };
}

pub async fn fifty_tasks_create_one_user([store, _]: Stores) {
    assert_eq!(created_by_tasks(&[store], 50).await, 1);
}

pub async fn two_processes_create_one_user(stores: Stores) {
    assert_eq!(created_by_tasks(&stores, 50).await, 1);
}

pub async fn a_user_may_stand_in_a_batch_several_times([store, _]: Stores) {
    let batch =
        [seen(1, 10, "Ada"), seen(2, 10, "Bob"), seen(1, 12, "Countess"), seen(1, 11, "Ada")];
    let answers = register(&*store, batch).await;

    let created: Vec<bool> = answers.iter().map(|answer| answer.created).collect();
    assert_eq!(created, [true, true, false, false]);
    let ada = user(&*store, 1).await;
    assert!(
        answers.iter().filter(|answer| answer.user.telegram_id == id(1)).all(|a| a.user == ada)
    );
    assert_eq!(ada.first_name, "Countess");
    assert_eq!((ada.created_at, ada.updated_at, ada.last_seen), (at(10), at(12), at(12)));
}

pub async fn an_empty_batch_is_fine([store, _]: Stores) {
    assert_eq!(register(&*store, []).await, []);
}

pub async fn a_rehearsal_leaves_nothing([store, _]: Stores) {
    register(&*store, [seen(1, 10, "Ada")]).await;
    let before = all_sums(&*store).await;
    for second in [20, 86_400] {
        store.rehearse(at(second)).await.unwrap();
    }
    assert_eq!(all_sums(&*store).await, before);
    assert_eq!(store.find(TelegramId::MAX).await.unwrap(), None);
    assert_eq!(store.list(PageRequest::new(1, 9).unwrap()).await.unwrap().total, 1);
}

pub async fn updated_at_moves_only_with_the_profile([store, _]: Stores) {
    register(&*store, [seen(1, 10, "Ada")]).await;
    let again = register(&*store, [seen(1, 20, "Ada")]).await;
    assert_eq!(times(&again[0].user), (at(10), at(10), at(20)));
    let renamed = register(&*store, [seen(1, 30, "Augusta")]).await;
    assert_eq!(times(&renamed[0].user), (at(10), at(30), at(30)));
    assert_eq!(user(&*store, 1).await, renamed[0].user);
}

pub async fn a_late_interaction_changes_nothing([store, _]: Stores) {
    register(&*store, [seen(1, 20, "Ada")]).await;
    let before = user(&*store, 1).await;
    let answer = register(&*store, [seen(1, 19, "Old")]).await;
    assert!(!answer[0].created);
    assert_eq!((&answer[0].user, &user(&*store, 1).await), (&before, &before));
}

pub async fn an_equal_time_counts_as_newer([store, _]: Stores) {
    register(&*store, [seen(1, 20, "Ada")]).await;
    register(&*store, [seen(1, 20, "Augusta")]).await;
    assert_eq!(user(&*store, 1).await.first_name, "Augusta");
}

pub async fn a_removed_last_name_is_gone([store, _]: Stores) {
    let whole = Profile::new(id(1), "Ada").last_name("Lovelace").username("ada");
    register(&*store, [shown(10, whole), seen(2, 10, "Bob")]).await;
    register(&*store, [seen(1, 20, "Ada")]).await;
    let ada = user(&*store, 1).await;
    assert_eq!((ada.last_name, ada.username), (None, None));
    assert_eq!(ada.updated_at, at(20));
}

pub async fn an_absent_language_keeps_the_last_one([store, _]: Stores) {
    let told = Profile::new(id(1), "Ada").language_code("zh-hant-beta");
    register(&*store, [shown(10, told)]).await;
    register(&*store, [seen(1, 20, "Ada")]).await;
    let ada = user(&*store, 1).await;
    assert_eq!(ada.language_code.as_deref(), Some("zh-hant-beta"));
    assert_eq!(ada.updated_at, at(10));
}

pub async fn an_id_alone_changes_no_profile([store, _]: Stores) {
    register(&*store, [seen(1, 10, "Ada")]).await;
    let answers =
        register(&*store, [shown(20, Profile::of_id(id(1))), shown(20, Profile::of_id(id(2)))])
            .await;
    assert_eq!(answers[0].user.first_name, "Ada");
    assert_eq!(times(&answers[0].user), (at(10), at(10), at(20)));
    assert!(answers[1].created);
    assert_eq!(user(&*store, 2).await.to_string(), "User 2");
}

pub async fn odd_text_is_stored_as_sent([store, _]: Stores) {
    let names = [
        "",
        " ",
        "👩‍🚀🇩🇪",
        "مرحبا \u{202e}abc",
        "O'Brien; DROP TABLE--",
        "\"\\{}%_",
        "日本語",
        "a\u{7f}\u{1}\n",
    ];
    let interactions = names.iter().zip(1..).map(|(name, n)| {
        shown(10, Profile::new(id(n), name).last_name(name).username(&format!("u{n}{name}")))
    });
    register(&*store, interactions).await;
    for (name, n) in names.iter().zip(1..) {
        let stored = user(&*store, n).await;
        assert_eq!(stored.first_name, *name);
        assert_eq!(stored.last_name.as_deref(), Some(*name).filter(|name| !name.is_empty()));
        assert_eq!(stored.username.unwrap().as_str(), format!("u{n}{name}"));
    }

    let long = Profile::new(id(100), &"я".repeat(300)).last_name(&"𝄞".repeat(300));
    register(&*store, [shown(10, long), seen(101, 10, "nul\0led")]).await;
    let stored = user(&*store, 100).await;
    assert_eq!(stored.first_name, "я".repeat(255));
    assert_eq!(stored.last_name, Some("𝄞".repeat(255)));
    assert_eq!(user(&*store, 101).await.first_name, "nulled");
}

pub async fn ids_of_every_size_are_kept([store, _]: Stores) {
    let ids = [1, (1 << 31) - 1, 1 << 31, (1 << 32) + 5, 7_000_000_000, TelegramId::MAX.get()];
    register(&*store, ids.map(|id| seen(id, 10, "Ada"))).await;
    for id in ids {
        assert_eq!(user(&*store, id).await.telegram_id.get(), id);
    }
    assert_eq!(store.find(id(2)).await.unwrap(), None);
}

pub async fn a_username_passes_within_a_batch([store, _]: Stores) {
    let answers =
        register(&*store, [named(1, 10, "name"), named(2, 11, "NAME"), named(3, 10, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2, 3]).await, ["", "NAME", ""]);
    assert_eq!(answers[0].user, user(&*store, 1).await);
    assert_eq!(answers[1].user, user(&*store, 2).await);
}

pub async fn a_username_passes_across_batches([store, _]: Stores) {
    register(&*store, [named(1, 10, "name")]).await;
    register(&*store, [named(2, 11, "Name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["", "Name"]);
    assert_eq!(times(&user(&*store, 1).await), (at(10), at(11), at(10)));

    // The first one shows it again, later: it went back.
    register(&*store, [named(1, 12, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
}

pub async fn a_late_claim_to_a_username_fails([store, _]: Stores) {
    register(&*store, [named(1, 20, "name")]).await;
    let answer = register(&*store, [named(2, 19, "name")]).await;
    assert_eq!(answer[0].user.username, None);
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
}

pub async fn a_claim_that_fails_leaves_no_trace([store, _]: Stores) {
    register(&*store, [seen(2, 15, "x"), named(1, 20, "name")]).await;
    let claim = register(&*store, [named(2, 16, "name")]).await;
    assert_eq!(times(&claim[0].user), (at(15), at(15), at(16)));
    assert_eq!(user(&*store, 2).await, claim[0].user);
    // What else changed with it, changed.
    let renamed = Profile::new(id(2), "y").username("name");
    let claim = register(&*store, [shown(17, renamed)]).await;
    assert_eq!(times(&claim[0].user), (at(15), at(17), at(17)));
}

pub async fn a_username_passes_to_the_later_of_equal_times([store, _]: Stores) {
    register(&*store, [named(2, 20, "name")]).await;
    register(&*store, [named(1, 20, "name")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["name", ""]);
    register(&*store, [named(4, 20, "other"), named(3, 20, "other")]).await;
    assert_eq!(usernames(&*store, &[3, 4]).await, ["other", ""]);
}

/// Whoever showed a name later than its holder has had it, even if not for long.
pub async fn a_username_passes_on_through_a_third([store, _]: Stores) {
    register(&*store, [named(1, 10, "name")]).await;
    register(&*store, [named(2, 11, "name"), named(2, 12, "else")]).await;
    assert_eq!(usernames(&*store, &[1, 2]).await, ["", "else"]);
}

pub async fn two_writers_give_a_username_to_one(stores: Stores) {
    for round in 0..40 {
        let [one, other] = stores.clone();
        let name = format!("name{round}");
        let (first, second) = (2 * round + 1, 2 * round + 2);
        let writer = |store: Arc<dyn Store>, id| {
            let claim = named(id, 10, &name);
            tokio::spawn(async move { register(&*store, [claim]).await })
        };
        let (a, b) = (writer(one, first), writer(other, second));
        a.await.unwrap();
        b.await.unwrap();
        let held = usernames(&*stores[0], &[first, second]).await;
        assert_eq!(held.iter().filter(|held| **held == name).count(), 1, "{held:?}");
    }
}

pub async fn two_writers_in_opposite_order_both_succeed(stores: Stores) {
    let tasks: Vec<_> = stores
        .iter()
        .cloned()
        .zip([false, true])
        .map(|(store, reversed)| {
            spawn_blocking(move || {
                for second in 0..30 {
                    let mut batch: Vec<_> = (1..=40)
                        .map(|n| named(n, second, &format!("u{}", (n + second) % 41)))
                        .collect();
                    if reversed {
                        batch.reverse();
                    }
                    store.register(&batch.into(), now()).expect("a deadlock is tried again");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let held = usernames(&*stores[0], &(1..=40).collect::<Vec<_>>()).await;
    let mut distinct: Vec<_> = held.iter().filter(|name| !name.is_empty()).collect();
    let holders = distinct.len();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), holders, "no username twice: {held:?}");
}

/// Each locks its own users and then wants names of the other's, which PostgreSQL would only look
/// into after a second.
pub async fn writers_who_take_names_from_each_other_are_not_held_up(stores: Stores) {
    let writers = stores.iter().cloned().zip([0, 1]).map(|(store, parity)| {
        spawn_blocking(move || {
            let mut slow = 0;
            for second in 0..60 {
                let names = |n: i64| format!("u{}", (n + second) % 40);
                let batch: Vec<_> = (1..=20)
                    .map(|n| 2 * n + parity)
                    .map(|user| named(user, second, &names(user)))
                    .collect();
                let begun = Instant::now();
                store.register(&batch.into(), now()).unwrap();
                slow += u32::from(begun.elapsed() > Duration::from_secs(1));
            }
            slow
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut slow = 0;
    for writer in writers {
        slow += writer.await.unwrap();
    }
    // A machine may pause.
    assert!(slow < 3, "{slow} of 120 batches took longer than a second");
}

pub async fn usernames_are_found_ignoring_case([store, _]: Stores) {
    register(&*store, [named(1, 10, "Ada_L"), named(2, 10, "bob")]).await;
    for typed in ["ada_l", "@ADA_L", "Ada_L"] {
        let username: Username = typed.parse().unwrap();
        assert_eq!(store.find_by_username(&username).await.unwrap().unwrap().telegram_id, id(1));
    }
    assert_eq!(store.find_by_username(&"adaXl".parse().unwrap()).await.unwrap(), None);

    // Only ASCII letters are folded: the same on every database, whatever its collation.
    register(&*store, [named(3, 10, "Жук"), named(4, 11, "жук")]).await;
    assert_eq!(usernames(&*store, &[3, 4]).await, ["Жук", "жук"]);
}

/// A batch leaves what its interactions would leave one by one.
pub async fn a_batch_equals_its_parts(stores: Stores) {
    tokio::task::block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 150, ..Config::default() };
        TestRunner::new_with_rng(config, rng)
            .run(&vec(any_interaction(), 1..12), |interactions| {
                runtime.block_on(compare_with_parts(&stores, interactions));
                Ok(())
            })
            .unwrap();
    });
}

pub async fn lists_are_newest_first_with_the_total([store, _]: Stores) {
    let page = async |number, size| {
        let page = store.list(PageRequest::new(number, size).unwrap()).await.unwrap();
        let ids: Vec<i64> = page.items.iter().map(|user| user.telegram_id.get()).collect();
        (ids, page.total, page.next())
    };
    assert_eq!(page(1, 3).await, (vec![], 0, None));

    register(&*store, [(5, 10), (3, 30), (4, 20), (2, 20), (1, 5)].map(|(n, s)| seen(n, s, "x")))
        .await;
    assert_eq!(page(1, 3).await, (vec![3, 4, 2], 5, Some(2)));
    assert_eq!(page(2, 3).await, (vec![5, 1], 5, None));
    assert_eq!(page(9, 3).await, (vec![], 5, None));
    assert_eq!(page(u32::MAX, 1000).await, (vec![], 5, None));
}

pub async fn deleted_users_are_gone([store, _]: Stores) {
    register(&*store, [named(1, 10, "one"), named(2, 10, "two"), named(3, 10, "three")]).await;
    assert_eq!(store.delete(&[id(1), id(3), id(4)]).await.unwrap(), 2);
    assert_eq!(store.find(id(1)).await.unwrap(), None);
    assert_eq!(store.find_by_username(&"three".parse().unwrap()).await.unwrap(), None);
    assert_eq!(user(&*store, 2).await.telegram_id, id(2));
    assert_eq!(store.delete(&[]).await.unwrap(), 0);
    // Who comes back is new.
    assert!(register(&*store, [named(1, 20, "one")]).await[0].created);
}

pub async fn an_update_that_comes_again_changes_nothing([store, other]: Stores) {
    let update = |update_id: i64, interaction: Interaction| Interaction {
        update_id: Some(update_id),
        ..interaction
    };
    let first = update(7, seen(1, 10, "Ada"));
    assert!(register(&*store, [first.clone()]).await[0].created);
    let before = user(&*store, 1).await;
    // Again by itself, with another content, beside new ones, twice in a batch.
    assert!(!register(&*other, [first.clone()]).await[0].created);
    let answers =
        register(&*other, [update(7, seen(1, 90, "Later")), update(8, seen(2, 20, "Bob"))]).await;
    assert_eq!((&answers[0].user, answers[1].created), (&before, true));
    let twice = [update(9, seen(3, 30, "Eve")), update(9, seen(3, 31, "Mallory"))];
    let answers = register(&*store, twice).await;
    assert_eq!([answers[0].created, answers[1].created], [true, false]);
    assert_eq!(user(&*store, 3).await.first_name, "Eve");
    assert_eq!(user(&*store, 1).await, before);
    assert_eq!(counted(&*store).await, 3);
    // Ids need not grow: Telegram begins anew at random after a quiet week.
    register(&*store, [update(5, seen(1, 40, "Ada"))]).await;
    assert_eq!(counted(&*store).await, 4);

    // Of somebody deleted meanwhile it is answered, and nobody is created.
    store.delete(&[id(3)]).await.unwrap();
    let answer = register(&*store, [update(9, seen(3, 30, "Eve"))]).await;
    assert_eq!((answer[0].created, answer[0].user.first_name.as_str()), (false, "Eve"));
    assert_eq!(store.find(id(3)).await.unwrap(), None);
}

pub async fn an_update_that_comes_to_two_writers_counts_once(stores: Stores) {
    for round in 0..20 {
        let writers = stores.clone().map(|store| {
            let batch = batch((0..50).map(|n| Interaction {
                update_id: Some(round * 50 + n),
                ..seen(n + 1, round, "x")
            }));
            spawn_blocking(move || store.register(&batch, now()).unwrap())
        });
        let mut created = 0;
        for writer in writers {
            created += writer.await.unwrap().iter().filter(|answer| answer.created).count();
        }
        assert_eq!(created, if round == 0 { 50 } else { 0 });
    }
    assert_eq!(counted(&*stores[0]).await, 1000);
}

pub async fn reach_is_kept_as_a_history([store, _]: Stores) {
    assert_eq!(reachable(&*store).await, 0);
    register(&*store, [in_chat(1, 10, ChatKind::Group, None)]).await;
    assert_eq!(reachable(&*store).await, 0, "a group is not a private chat");
    let story = [
        in_chat(1, 11, ChatKind::Private, None),
        in_chat(1, 12, ChatKind::Private, Some(Event::Blocked)),
        in_chat(1, 13, ChatKind::Private, Some(Event::Unblocked)),
    ];
    register(&*store, story).await;
    assert_eq!(reachable(&*store).await, 1);
    register(&*store, [in_chat(1, 20, ChatKind::Private, Some(Event::Blocked))]).await;
    register(&*store, [in_chat(1, 21, ChatKind::Group, None)]).await;
    assert_eq!(reachable(&*store).await, 0, "what happens in a group clears nothing");
    let stored = user(&*store, 1).await;
    let expected = Reachability {
        has_private_chat: true,
        obstacle: Some(UnreachableReason::Blocked),
        blocked_at: Some(at(20)),
        unblocked_at: Some(at(13)),
    };
    assert_eq!(stored.reachability, expected);
    let changes = store.reach_history(id(1), 10).await.unwrap();
    let change = |second, obstacle| ReachabilityChange { at: at(second), obstacle };
    let blocked = Some(UnreachableReason::Blocked);
    assert_eq!(changes, [change(20, blocked), change(13, None), change(12, blocked)]);
    assert_eq!(store.reach_history(id(1), 1).await.unwrap(), changes[..1]);
    assert_eq!(store.reach_history(id(2), 10).await.unwrap(), []);

    store.delete(&[id(1)]).await.unwrap();
    assert_eq!(store.reach_history(id(1), 10).await.unwrap(), []);
}

pub async fn failed_messages_mark_users_until_they_come_back([store, _]: Stores) {
    let gone = UnreachableReason::Deactivated;
    assert!(!store.mark_unreachable(id(1), gone, at(5), now()).await.unwrap(), "nobody is there");
    register(&*store, [in_chat(1, 10, ChatKind::Private, None)]).await;
    assert!(!store.mark_unreachable(id(1), gone, at(9), now()).await.unwrap(), "was seen since");
    assert!(store.mark_unreachable(id(1), gone, at(11), now()).await.unwrap());
    assert!(!store.mark_unreachable(id(1), gone, at(12), now()).await.unwrap(), "is known");
    assert_eq!(reachable(&*store).await, 0);
    let marked = user(&*store, 1).await;
    assert_eq!((marked.last_seen, marked.reachability.obstacle), (at(10), Some(gone)));

    register(&*store, [in_chat(1, 20, ChatKind::Private, None)]).await;
    assert_eq!(reachable(&*store).await, 1);
    let changes = store.reach_history(id(1), 10).await.unwrap();
    let change = |second, obstacle| ReachabilityChange { at: at(second), obstacle };
    assert_eq!(changes, [change(20, None), change(11, Some(gone))]);
}

pub async fn deep_links_are_kept_and_the_first_is_the_source([store, _]: Stores) {
    let start = |n, second, payload: &str| {
        let event = Event::Start(payload.parse().unwrap());
        in_chat(n, second, ChatKind::Private, Some(event))
    };
    register(&*store, [start(1, 10, "ad_1"), start(1, 11, "ad_2"), seen(2, 10, "x")]).await;
    register(&*store, [start(1, 12, "ad_1"), start(2, 12, "ad_1")]).await;
    let source = async |n| user(&*store, n).await.source.map(|it| it.as_str().to_owned());
    assert_eq!(source(1).await.as_deref(), Some("ad_1"));
    assert_eq!(source(2).await, None, "it came before the link");
    let starts = store.starts(id(1), 10).await.unwrap();
    let starts: Vec<_> = starts.iter().map(|(at, payload)| (*at, payload.as_str())).collect();
    assert_eq!(starts, [(at(12), "ad_1"), (at(11), "ad_2"), (at(10), "ad_1")]);
    store.delete(&[id(1)]).await.unwrap();
    assert_eq!(store.starts(id(1), 10).await.unwrap(), []);
}

fn in_chat(n: i64, second: i64, kind: ChatKind, event: Option<Event>) -> Interaction {
    let chat = Some(Chat { id: n, kind });
    Interaction { chat, event, ..seen(n, second, "x") }
}

async fn reachable(store: &dyn Store) -> i64 {
    store.totals(&[Figure::Reachable], at(0).date_naive()).await.unwrap()[0]
}

/// How many interactions were counted in all.
async fn counted(store: &dyn Store) -> i64 {
    store.totals(&[Figure::Kind], at(1_000_000).date_naive()).await.unwrap()[0]
}

/// Registers one new user from many tasks at once; answers how many were told that they created it.
async fn created_by_tasks(stores: &[Arc<dyn Store>], tasks: usize) -> usize {
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let store = stores[task % stores.len()].clone();
            spawn_blocking(move || store.register(&batch([seen(1, 10, "Ada")]), now()).unwrap())
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += task.await.unwrap().iter().filter(|answer| answer.created).count();
    }
    let page = stores[0].list(PageRequest::new(1, 10).unwrap()).await.unwrap();
    assert_eq!(page.total, 1);
    created
}

/// Interactions of a few users with a few names at a few moments, so that they collide.
fn any_interaction() -> impl Strategy<Value = Interaction> {
    let username = prop_oneof![Just(""), Just("x"), Just("X"), Just("y"), Just("z")];
    let language = prop_oneof![Just(""), Just("en"), Just("de")];
    let profile = (1..5_i64, any::<bool>(), username, language, 0..10).prop_map(
        |(n, named, username, language, bare)| match bare {
            0 => Profile::of_id(id(n)),
            _ => Profile::new(id(n), if named { "A" } else { "" })
                .username(username)
                .language_code(language),
        },
    );
    let link = prop_oneof![4 => Just(None), 1 => Just(Some("ad")), 1 => Just(Some("friend"))];
    (0..8_i64, profile, link).prop_map(|(second, profile, link)| Interaction {
        event: link.map(|payload| Event::Start(payload.parse().unwrap())),
        ..shown(second * 20_000, profile)
    })
}

async fn compare_with_parts(stores: &Stores, interactions: Vec<Interaction>) {
    let everybody: Vec<TelegramId> = (1..5).map(id).collect();
    let store = &*stores[0];
    let mut left = Vec::new();
    // In two halves, so that the second one finds users and names in the database.
    for batch_size in [1, interactions.len().div_ceil(2)] {
        store.delete(&everybody).await.unwrap();
        let before = all_sums(store).await;
        let mut created = Vec::new();
        for batch in interactions.chunks(batch_size) {
            let answers = register(store, batch.to_vec()).await;
            created.extend(answers.iter().map(|answer| answer.created));
        }
        let users = store.list(PageRequest::new(1, 10).unwrap()).await.unwrap().items;
        let mut added = all_sums(store).await;
        for (key, value) in before {
            *added.entry(key).or_default() -= value;
        }
        added.retain(|_, value| *value != 0);
        left.push((created, users, added));
    }
    assert_eq!(left[0], left[1], "{interactions:#?}");
}

/// Every sum that is not zero.
async fn all_sums(store: &dyn Store) -> BTreeMap<(Figure, NaiveDate, String), i64> {
    let (first, last) = (at(-400 * 86_400).date_naive(), at(400 * 86_400).date_naive());
    let sums = store.sums_by_day(&Figure::ALL, first, last).await.unwrap();
    sums.into_iter().map(|(figure, day, label, value)| ((figure, day, label), value)).collect()
}

async fn register(
    store: &dyn Store,
    interactions: impl IntoIterator<Item = Interaction>,
) -> Vec<Registration> {
    block_in_place(|| store.register(&batch(interactions), now())).unwrap()
}

fn batch(interactions: impl IntoIterator<Item = Interaction>) -> Batch {
    interactions.into_iter().collect::<Vec<_>>().into()
}

async fn user(store: &dyn Store, n: i64) -> TelegramUser {
    store.find(id(n)).await.unwrap().unwrap_or_else(|| panic!("user {n} is stored"))
}

/// The usernames of users, "" for none; each is also looked up, and must lead to its holder.
async fn usernames(store: &dyn Store, ids: &[i64]) -> Vec<String> {
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

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// So many seconds after the moment at which these stories begin.
fn at(second: i64) -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

/// After all that happens in these stories.
fn now() -> DateTime<Utc> {
    at(1_000_000)
}

fn shown(second: i64, profile: Profile) -> Interaction {
    Interaction::new(at(second), profile, InteractionKind::Text)
}

fn seen(n: i64, second: i64, first_name: &str) -> Interaction {
    shown(second, Profile::new(id(n), first_name))
}

fn named(n: i64, second: i64, username: &str) -> Interaction {
    shown(second, Profile::new(id(n), "x").username(username))
}

fn times(user: &TelegramUser) -> (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>) {
    (user.created_at, user.updated_at, user.last_seen)
}
