//! New users, their profiles, and batches.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{Event, Interaction, Profile, TelegramId};
use tokio::task::{block_in_place, spawn_blocking};

use super::store::{Stores, all_sums, at, batch, id, now, register, seen, shown, times, user};
use crate::contract::{Store, all_users};

pub async fn fifty_tasks_create_one_user([store, _]: Stores) {
    assert_eq!(created_by_tasks(&[store], 50).await, 1);
}

pub async fn two_processes_create_one_user(stores: Stores) {
    assert_eq!(created_by_tasks(&stores, 50).await, 1);
}

pub async fn a_batch_may_contain_a_user_several_times([store, _]: Stores) {
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

pub async fn an_empty_batch_is_accepted([store, _]: Stores) {
    assert_eq!(register(&*store, []).await, []);
}

pub async fn a_batch_that_is_no_longer_wanted_is_not_recorded([store, _]: Stores) {
    let batch = batch([seen(1, 10, "Ada"), seen(2, 10, "Bob")]);
    let unwanted = block_in_place(|| store.register_while(&batch, now(), &|| false));
    assert!(unwanted.is_err());
    assert_eq!(all_users(&*store).await, []);
    let again = block_in_place(|| store.register_while(&batch, now(), &|| true)).unwrap();
    assert!(again.iter().all(|it| it.created && !it.repeated));
}

pub async fn a_rehearsal_stores_nothing([store, _]: Stores) {
    register(&*store, [seen(1, 10, "Ada")]).await;
    let before = all_sums(&*store).await;
    for second in [20, 86_400] {
        store.rehearse(at(second)).await.unwrap();
    }
    assert_eq!(all_sums(&*store).await, before);
    assert_eq!(store.find(TelegramId::MAX).await.unwrap(), None);
    assert_eq!(all_users(&*store).await.len(), 1);
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

pub async fn a_removed_last_name_is_deleted([store, _]: Stores) {
    let whole = Profile::new(id(1), "Ada").last_name("Lovelace").username("ada");
    register(&*store, [shown(10, whole), seen(2, 10, "Bob")]).await;
    register(&*store, [seen(1, 20, "Ada")]).await;
    let ada = user(&*store, 1).await;
    assert_eq!((ada.last_name, ada.username), (None, None));
    assert_eq!(ada.updated_at, at(20));
}

pub async fn an_absent_language_keeps_the_stored_one([store, _]: Stores) {
    let known = Profile::new(id(1), "Ada").language_code("zh-hant-beta");
    register(&*store, [shown(10, known)]).await;
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

pub async fn unusual_text_is_stored_unchanged([store, _]: Stores) {
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

pub async fn ids_of_every_size_are_stored([store, _]: Stores) {
    let ids = [1, (1 << 31) - 1, 1 << 31, (1 << 32) + 5, 7_000_000_000, TelegramId::MAX.get()];
    register(&*store, ids.map(|id| seen(id, 10, "Ada"))).await;
    for id in ids {
        assert_eq!(user(&*store, id).await.telegram_id.get(), id);
    }
    assert_eq!(store.find(id(2)).await.unwrap(), None);
}

/// A batch has the same effect as its interactions one by one.
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

/// Registers one new user from many tasks at once, and returns how many of them created it.
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
    assert_eq!(all_users(&*stores[0]).await.len(), 1);
    created
}

/// Interactions of a few users with a few names at a few times, so that they collide.
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
    let users: Vec<TelegramId> = (1..5).map(id).collect();
    let store = &*stores[0];
    let mut results = Vec::new();
    // In two halves, so that the second one meets stored users and names.
    for batch_size in [1, interactions.len().div_ceil(2)] {
        store.delete(&users).await.unwrap();
        let before = all_sums(store).await;
        let mut created = Vec::new();
        for batch in interactions.chunks(batch_size) {
            let answers = register(store, batch.to_vec()).await;
            created.extend(answers.iter().map(|answer| answer.created));
        }
        let users = all_users(store).await;
        let mut added = all_sums(store).await;
        for (key, value) in before {
            *added.entry(key).or_default() -= value;
        }
        added.retain(|_, value| *value != 0);
        results.push((created, users, added));
    }
    assert_eq!(results[0], results[1], "{interactions:#?}");
}
