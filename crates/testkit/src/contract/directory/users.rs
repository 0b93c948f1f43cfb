//! The data about a single user.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::{
    collection::vec,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Interaction, InteractionKind, NoteChange, Profile, ProfileField,
    UnreachableReason,
};
use tokio::task::block_in_place;

use super::store::{Stores, at, day, detail, found, id, index_all, register, text};

pub async fn an_erased_user_leaves_no_data_in_the_directory([store, other]: Stores) {
    register(&*store, [text(1, 0, "Augusta"), text(2, 0, "Charles")]).await;
    index_all(&*store).await;
    register(&*store, [text(1, 1, "Adelaide"), text(2, 1, "Babbage")]).await;
    store.set_note(id(1), "counts", "ada", at(2)).await.unwrap();
    other.delete(&[id(1)]).await.unwrap();
    assert_eq!(store.user(id(1), day(0)).await.unwrap(), None);
    assert_eq!(index_all(&*store).await, 1);
    assert_eq!(found(&*store, "adelaide").await, [0; 0]);
    assert_eq!(found(&*store, "babbage").await, [2]);

    // A user who returns is new.
    register(&*store, [text(1, 60, "Augusta")]).await;
    let detail = detail(&*store, 1).await;
    assert_eq!((detail.profile_changes, detail.note, detail.active_days), (vec![], None, 1));
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    index_all(&*other).await;
    assert_eq!(found(&*store, "augusta").await, [1]);
}

pub async fn notes_are_replaced_and_removed([store, other]: Stores) {
    register(&*store, [text(1, 0, "Ada")]).await;
    let write = async |text: &str, by: &str, second| {
        other.set_note(id(1), text, by, at(second)).await.unwrap()
    };
    let change = |old: Option<&str>, new: Option<&str>| {
        Some(NoteChange { old: old.map(str::to_owned), new: new.map(str::to_owned) })
    };
    assert_eq!(write("", "bob", 1).await, change(None, None));
    assert_eq!(write("first\n<b>", "bob", 2).await, change(None, Some("first\n<b>")));
    assert_eq!(write("second", "eve", 3).await, change(Some("first\n<b>"), Some("second")));
    let note = detail(&*store, 1).await.note.unwrap();
    assert_eq!((note.text.as_str(), note.by.as_str(), note.at), ("second", "eve", at(3)));
    assert_eq!(write("", "bob", 4).await, change(Some("second"), None));
    assert_eq!(detail(&*store, 1).await.note, None);
    assert_eq!(store.set_note(id(2), "x", "bob", at(5)).await.unwrap(), None);
}

pub async fn changes_of_profiles_are_recorded([store, _]: Stores) {
    use ProfileField::{FirstName, LanguageCode, LastName, Username};
    let shows = |second, profile| Interaction::new(at(second), profile, InteractionKind::Text);
    // The first profile of a user known by id only is not a change.
    register(&*store, [shows(0, Profile::of_id(id(1)))]).await;
    let ada = || Profile::new(id(1), "Ada").username("ada").language_code("en");
    register(&*store, [shows(1, ada()), shows(2, ada())]).await;
    assert_eq!(detail(&*store, 1).await.profile_changes, []);

    register(&*store, [shows(3, ada().last_name("Byron")), shows(4, ada().last_name("King"))])
        .await;
    register(&*store, [shows(5, Profile::new(id(1), "Augusta").language_code("de"))]).await;
    // A late profile is not recorded, and an absent language is not a change.
    register(&*store, [shows(4, ada()), shows(6, Profile::new(id(1), "Augusta"))]).await;
    // Changes at one time are one change, from the first to the last, in one batch and in two.
    register(&*store, [shows(7, Profile::new(id(1), "A")), shows(7, Profile::new(id(1), "B"))])
        .await;
    register(&*store, [shows(7, Profile::new(id(1), "C"))]).await;
    let changes: Vec<_> = detail(&*store, 1)
        .await
        .profile_changes
        .into_iter()
        .map(|it| (it.at, it.field, it.old.unwrap_or_default(), it.new.unwrap_or_default()))
        .collect();
    let change =
        |second, field, old: &str, new: &str| (at(second), field, old.to_owned(), new.to_owned());
    assert_eq!(
        changes,
        [
            change(7, FirstName, "Augusta", "C"),
            change(5, FirstName, "Ada", "Augusta"),
            change(5, LanguageCode, "en", "de"),
            change(5, LastName, "King", ""),
            change(5, Username, "ada", ""),
            change(4, LastName, "Byron", "King"),
            change(3, LastName, "", "Byron"),
        ]
    );
}

pub async fn losing_a_username_is_a_change_of_the_profile([store, _]: Stores) {
    let shows = |n, second, username: &str| {
        let profile = Profile::new(id(n), "x").username(username);
        Interaction::new(at(second), profile, InteractionKind::Text)
    };
    register(&*store, [shows(1, 1, "Name")]).await;
    // From a user outside the batch, and from a user within it.
    register(&*store, [shows(2, 2, "name"), shows(3, 3, "NAME")]).await;
    // The user seen later keeps it: nothing changes.
    register(&*store, [shows(4, 1, "name")]).await;
    let changes = async |n| -> Vec<_> {
        let changes = detail(&*store, n).await.profile_changes.into_iter();
        changes.map(|it| (it.at, it.old, it.new)).collect()
    };
    assert_eq!(changes(1).await, [(at(2), Some("Name".to_owned()), None)]);
    assert_eq!(changes(2).await, [(at(3), Some("name".to_owned()), None)]);
    assert_eq!(changes(3).await, []);
    assert_eq!(changes(4).await, []);
}

/// For any interactions, late and repeated, in batches of any size.
pub async fn active_days_are_those_of_the_interactions([store, other]: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 24, ..Config::default() };
        let interaction = (1..4_i64, 0..70_i64, 0..3_i64);
        TestRunner::new_with_rng(config, rng)
            .run(&vec(vec(interaction, 1..20), 1..4), |batches| {
                runtime.block_on(async {
                    let mut days: BTreeMap<i64, BTreeMap<NaiveDate, u32>> = BTreeMap::new();
                    for (batch, store) in batches.into_iter().zip([&store, &other, &store]) {
                        for &(n, on, _) in &batch {
                            *days.entry(n).or_default().entry(day(on)).or_default() += 1;
                        }
                        let seen = batch
                            .into_iter()
                            .map(|(n, on, hour)| text(n, on * 86_400 + hour * 3600, "Ada"));
                        register(&**store, seen).await;
                    }
                    for (n, days) in days {
                        let detail = detail(&*store, n).await;
                        let count = u32::try_from(days.len()).unwrap();
                        assert_eq!(detail.active_days, count);
                        assert_eq!(detail.days, days.into_iter().collect::<Vec<_>>());
                        store.delete(&[id(n)]).await.unwrap();
                    }
                });
                Ok(())
            })
            .unwrap();
    });
}

pub async fn a_user_is_shown_with_their_history([store, _]: Stores) {
    let private = |second, event| Interaction {
        chat: Some(Chat { id: 1, kind: ChatKind::Private }),
        event,
        ..text(1, second, "Ada")
    };
    let start =
        |second, payload: &str| private(second, Some(Event::Start(payload.parse().unwrap())));
    let day_of = |n: i64| n * 86_400;
    register(
        &*store,
        [
            start(0, "friend"),
            start(day_of(1), "ad"),
            private(day_of(2), Some(Event::Blocked)),
            private(day_of(5), Some(Event::Unblocked)),
            private(day_of(5) + 1, None),
        ],
    )
    .await;
    let detail = store.user(id(1), day(1)).await.unwrap().unwrap();
    assert_eq!(detail.user, store.find(id(1)).await.unwrap().unwrap());
    assert_eq!(detail.active_days, 4);
    assert_eq!(detail.days, [(day(1), 1), (day(2), 1), (day(5), 2)]);
    let blocked = Some(UnreachableReason::Blocked);
    let changes: Vec<_> = detail.reach_history.iter().map(|it| (it.at, it.obstacle)).collect();
    assert_eq!(changes, [(at(day_of(5)), None), (at(day_of(2)), blocked)]);
    let starts: Vec<_> = detail.starts.iter().map(|(at, it)| (*at, it.as_str())).collect();
    assert_eq!(starts, [(at(day_of(1)), "ad"), (at(0), "friend")]);
    assert_eq!((detail.profile_changes, detail.note), (vec![], None));
    assert_eq!(store.user(id(1), day(6)).await.unwrap().unwrap().days, []);
}
