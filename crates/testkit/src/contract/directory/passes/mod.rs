//! The contract of [`SegmentPassRepository`](rollcall_repository::SegmentPassRepository): counting all
//! segments in passes over all users.
#![expect(missing_docs, reason = "the name of each function states its rule")]

mod store;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono_tz::Tz;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{LabelName, SegmentChanges, SegmentSize};
use rollcall_repository::BeginPass;

use super::{audience::any_text, store::at};

pub use store::{CountedStore, PassStore};

use store::{
    Dice, begin, count, days, ids, interaction, live, naive, name, register, save, selected,
    selection_of, with_everyone,
};

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! segment_pass_contract {
    ($open:path) => {
        $crate::contract!($open, directory:
            a_pass_finds_what_counting_one_by_one_finds,
            a_day_is_counted_once_unless_it_is_wanted_again,
            a_pass_goes_on_where_it_was_interrupted,
            two_processes_go_on_with_one_pass,
            segments_that_change_during_a_pass_are_not_mixed,
            a_segment_with_another_filter_is_compared_with_nothing,
            a_deleted_segment_leaves_no_sizes,
            an_erased_user_is_shown_nowhere,
            only_the_latest_memberships_are_kept,
            large_filters_are_split_into_several_queries,
            sizes_of_past_days_are_loaded_for_demos,
        );
    };
}

const TERMS: [&str; 24] = [
    "",
    "bot",
    "lang:de",
    "-lang:en",
    "-lang:*",
    "source:ad* or started:ad_2",
    "-started:ad*",
    "tag:vip",
    "-tag:vip group:team",
    "reachable",
    "blocked",
    "joined<2d",
    "seen<2d",
    "seen>=2d days>=2",
    "used:/schedule",
    "used:/schedule<2d or used:settings",
    "used:/schedule>=2",
    "zone:Europe/*",
    "team:TOR",
    "botlang:de",
    "has:note",
    "name:ada or @ada* tag:vip",
    "-ada random:50%:x",
    "id:7,700,7000",
];

/// For any segments, and users who come, change and go: members, joined and left are those that a
/// count of each segment by itself finds, whatever the size of the parts.
pub async fn a_pass_finds_what_counting_one_by_one_finds([store, other]: [CountedStore; 2]) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    save(&*store.0, "english", "lang:en", Tz::UTC, at(0)).await;
    save(&*store.0, "odd", "bot or -segment:english days>=2", Tz::UTC, at(0)).await;
    let mut texts: Vec<String> = TERMS.map(str::to_owned).to_vec();
    texts.extend((0..26).map(|_| any_text().new_tree(&mut runner).unwrap().current()));
    let mut dice = Dice(42);
    live(&store, &mut dice, 0).await;
    for (number, text) in texts.iter().enumerate() {
        let zone = [Tz::UTC, Tz::Asia__Tokyo, Tz::America__New_York][number % 3];
        save(&*store.0, &format!("s{number}"), text, zone, at(0)).await;
    }
    let mut before: BTreeMap<LabelName, BTreeSet<i64>> = BTreeMap::new();
    for (day, most) in [(1, 1_000), (2, 7), (3, 50), (4, 13), (5, 1_000), (9, 29)] {
        live(&store, &mut dice, day).await;
        let store = &*store.0;
        let pass = count(if day % 2 == 0 { store } else { &*other.0 }, day, most).await;
        let segments = store.segments().await.unwrap();
        for (segment, selection) in selected(store, &pass, &segments).await {
            let what = format!("day {day}, {segment}");
            let expected = naive(store, &selection).await;
            let old = before.insert(segment.clone(), expected.clone());
            let number = |set: BTreeSet<i64>| u64::try_from(set.len()).unwrap();
            let size = SegmentSize {
                day: pass.day,
                users: number(expected.clone()),
                changes: old.as_ref().map(|old| SegmentChanges {
                    joined: number(&expected - old),
                    left: number(old - &expected),
                }),
            };
            let sizes = store.segment_sizes(&segment, pass.day).await.unwrap();
            assert_eq!(sizes, [size], "{what}");
            let users = store.segment_users(&segment, 1_000, 1_000).await.unwrap().unwrap();
            assert_eq!(ids(&users.sample), expected, "{what}");
            let old = old.unwrap_or_else(|| expected.clone());
            assert_eq!(ids(&users.joined), &expected - &old, "{what}: joined");
            let everyone = selection_of("bot or -bot", pass.began_at);
            let existing = naive(store, &everyone).await;
            assert_eq!(ids(&users.left), &(&old - &expected) & &existing, "{what}: left");
            let few = store.segment_users(&segment, 5, 3).await.unwrap().unwrap();
            assert_eq!(few.sample.len(), expected.len().min(5), "{what}: a sample");
            assert!(ids(&few.sample).is_subset(&expected), "{what}: a sample");
            assert_eq!(few.joined.len(), (&expected - &old).len().min(3), "{what}: first joined");
        }
        if day == 9 {
            let selected = Arc::new(selected(store, &pass, &segments).await);
            for id in (0..40).map(|_| dice.id()) {
                let of = store.segments_of(id, selected.clone()).await.unwrap();
                let is_in = |name: &&LabelName| before[*name].contains(&id.get());
                let expected: Vec<LabelName> =
                    segments.iter().map(|it| &it.name).filter(is_in).cloned().collect();
                assert_eq!(of, expected, "the segments of {id}");
            }
        }
    }
    // Each is compared with something in this test.
    assert!(before.values().filter(|users| !users.is_empty()).count() > 30);
}

pub async fn a_day_is_counted_once_unless_it_is_wanted_again([store, other]: [CountedStore; 2]) {
    let nothing = store.0.begin_segment_pass(begin(1, true)).await.unwrap();
    assert!(nothing.is_none(), "there is no segment");
    with_everyone(&store).await;
    let first = count(&*store.0, 1, 50).await;
    assert!(other.0.begin_segment_pass(begin(1, false)).await.unwrap().is_none());
    // The clock was set back.
    assert!(other.0.begin_segment_pass(begin(0, false)).await.unwrap().is_none());
    let latest = other.0.segment_passes().await.unwrap();
    assert_eq!((latest.complete, latest.running), (Some(first), None));
    register(&*store.0, vec![interaction(&mut Dice(1_000), 1)]).await;
    // Until it is complete, the earlier one is shown.
    let (again, _) = other.0.begin_segment_pass(begin(1, true)).await.unwrap().unwrap();
    let latest = store.0.segment_passes().await.unwrap();
    assert_eq!((latest.complete, latest.running), (Some(first), Some(again)));
    assert_eq!(days(&*store.0, "all").await, [1]);
    let again = count(&*store.0, 1, 50).await;
    assert_eq!(days(&*store.0, "all").await, [1]);
    assert_eq!(store.0.segment_passes().await.unwrap().complete, Some(again));
    // The next day is compared with the day before, not with the first count of the same day.
    count(&*store.0, 2, 50).await;
    count(&*store.0, 2, 30).await;
    assert_eq!(days(&*store.0, "all").await, [1, 2]);
    let sizes = store.0.segment_sizes_on(at(2 * 86_400).date_naive()).await.unwrap();
    assert_eq!(sizes.len(), 1);
    assert_eq!(sizes[0].1.changes, Some(SegmentChanges { joined: 0, left: 0 }));
}

pub async fn a_pass_goes_on_where_it_was_interrupted([store, other]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let (pass, segments) = store.0.begin_segment_pass(begin(1, false)).await.unwrap().unwrap();
    let all = Arc::new(selected(&*store.0, &pass, &segments).await);
    let part = store.0.continue_segment_pass(&pass, all.clone(), 10, at(90_000)).await;
    let part = part.unwrap().unwrap();
    assert_eq!((part.users, part.is_complete), (10, false));
    assert_eq!(days(&*store.0, "all").await, [0; 0], "what is not complete is not shown");
    // Its process may still be at work.
    let early = BeginPass { idle_since: at(89_000), ..begin(1, false) };
    assert!(other.0.begin_segment_pass(early).await.unwrap().is_none());
    let late = BeginPass { idle_since: at(90_001), ..begin(1, false) };
    let (resumed, segments) = other.0.begin_segment_pass(late).await.unwrap().unwrap();
    assert_eq!((resumed, segments.len()), (part, 1));
    let mut pass = resumed;
    while !pass.is_complete {
        let part = other.0.continue_segment_pass(&pass, all.clone(), 10, at(90_002)).await;
        pass = part.unwrap().unwrap();
    }
    let expected = naive(&*store.0, &selection_of("", pass.began_at)).await;
    let users = other.0.segment_users(&name("all"), 1_000, 10).await.unwrap().unwrap();
    assert_eq!(ids(&users.sample), expected);

    // One of a day that is over is given up.
    let (old, _) = store.0.begin_segment_pass(begin(2, false)).await.unwrap().unwrap();
    let (new, _) = other.0.begin_segment_pass(begin(3, false)).await.unwrap().unwrap();
    assert_ne!(old.number, new.number);
    let dropped = store.0.continue_segment_pass(&old, all, 10, at(3 * 86_400)).await.unwrap();
    assert_eq!(dropped, None);
}

pub async fn two_processes_go_on_with_one_pass([store, other]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let (pass, segments) = store.0.begin_segment_pass(begin(1, false)).await.unwrap().unwrap();
    let all = Arc::new(selected(&*store.0, &pass, &segments).await);
    let work = |store: Arc<dyn PassStore>| {
        let all = all.clone();
        async move {
            let mut pass = pass;
            while !pass.is_complete {
                let part = store.continue_segment_pass(&pass, all.clone(), 9, at(90_000)).await;
                pass = part.unwrap().unwrap();
            }
            pass
        }
    };
    let (one, two) = tokio::join!(work(store.0.clone()), work(other.0.clone()));
    assert_eq!(one, two);
    let expected = naive(&*store.0, &selection_of("", pass.began_at)).await;
    let sizes = store.0.segment_sizes(&name("all"), pass.day).await.unwrap();
    assert_eq!(sizes[0].users, u64::try_from(expected.len()).unwrap());
    let users = store.0.segment_users(&name("all"), 1_000, 10).await.unwrap().unwrap();
    assert_eq!(ids(&users.sample), expected);
}

pub async fn segments_that_change_during_a_pass_are_not_mixed([store, other]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let (pass, segments) = store.0.begin_segment_pass(begin(1, false)).await.unwrap().unwrap();
    let all = Arc::new(selected(&*store.0, &pass, &segments).await);
    let part = store.0.continue_segment_pass(&pass, all.clone(), 10, at(90_000)).await;
    let part = part.unwrap().unwrap();
    // A new segment waits for the next pass.
    save(&*other.0, "new", "lang:de", Tz::UTC, at(90_000)).await;
    let (same, segments) = other.0.begin_segment_pass(begin(1, false)).await.unwrap().unwrap();
    assert_eq!((same, segments.len()), (part, 1));
    // A changed one makes the pass begin again, unless its process still knows the old filter.
    save(&*other.0, "all", "lang:en", Tz::UTC, at(90_001)).await;
    let (next, segments) = other.0.begin_segment_pass(begin(1, false)).await.unwrap().unwrap();
    assert_eq!((next.users, segments.len()), (0, 2));
    let dropped = store.0.continue_segment_pass(&part, all, 10, at(90_002)).await.unwrap();
    assert_eq!(dropped, None);
    count(&*other.0, 1, 10).await;
    let expected = naive(&*store.0, &selection_of("lang:en", pass.began_at)).await;
    let users = other.0.segment_users(&name("all"), 1_000, 10).await.unwrap().unwrap();
    assert_eq!(ids(&users.sample), expected);
}

pub async fn a_segment_with_another_filter_is_compared_with_nothing([store, _]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let store = &*store.0;
    save(store, "others", "-segment:all bot", Tz::UTC, at(0)).await;
    save(store, "same", "lang:de", Tz::UTC, at(0)).await;
    count(store, 1, 50).await;
    let hour = at(86_400 + 3_600);
    save(store, "all", "lang:en", Tz::UTC, hour).await;
    // Neither a description nor the same filter changes anything.
    save(store, "same", "lang:de", Tz::UTC, hour).await;
    count(store, 2, 50).await;
    let sizes = store.segment_sizes_on(at(2 * 86_400).date_naive()).await.unwrap();
    let compared: BTreeMap<&str, bool> =
        sizes.iter().map(|(name, size)| (name.as_str(), size.changes.is_some())).collect();
    assert_eq!(compared, [("all", false), ("others", false), ("same", true)].into());
    count(store, 3, 50).await;
    let sizes = store.segment_sizes_on(at(3 * 86_400).date_naive()).await.unwrap();
    assert!(sizes.iter().all(|(_, size)| size.changes.is_some()));
    let changed: Vec<bool> =
        store.segments().await.unwrap().iter().map(|it| it.changed_at == Some(hour)).collect();
    assert_eq!(changed, [true, true, false]);
}

pub async fn a_deleted_segment_leaves_no_sizes([store, other]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let store = &*store.0;
    save(store, "gone", "lang:de", Tz::UTC, at(0)).await;
    count(store, 1, 50).await;
    // Also not if it is deleted during a pass, and saved again.
    let (pass, segments) = store.begin_segment_pass(begin(2, false)).await.unwrap().unwrap();
    let selected = Arc::new(selected(store, &pass, &segments).await);
    let part = store.continue_segment_pass(&pass, selected.clone(), 10, at(180_000)).await;
    let mut pass = part.unwrap().unwrap();
    other.0.delete_segment(&name("gone")).await.unwrap();
    save(&*other.0, "gone", "lang:en", Tz::UTC, at(180_000)).await;
    while !pass.is_complete {
        let part = store.continue_segment_pass(&pass, selected.clone(), 10, at(180_001)).await;
        pass = part.unwrap().unwrap();
    }
    assert_eq!(days(store, "gone").await, [0; 0]);
    assert!(store.segment_users(&name("gone"), 10, 10).await.unwrap().is_none());
    assert_eq!(days(store, "all").await, [1, 2]);
    count(store, 3, 50).await;
    let sizes = store.segment_sizes(&name("gone"), at(0).date_naive()).await.unwrap();
    assert_eq!(sizes.len(), 1);
    assert_eq!(sizes[0].changes, None);
}

pub async fn an_erased_user_is_shown_nowhere([store, _]: [CountedStore; 2]) {
    with_everyone(&store).await;
    let store = &*store.0;
    count(store, 1, 50).await;
    save(store, "all", "-bot", Tz::UTC, at(0)).await;
    let before = store.segment_users(&name("all"), 1_000, 1_000).await.unwrap().unwrap();
    let erased = before.sample[3].telegram_id;
    store.delete(&[erased]).await.unwrap();
    let after = store.segment_users(&name("all"), 1_000, 1_000).await.unwrap().unwrap();
    assert_eq!(ids(&after.sample).len(), before.sample.len() - 1);
    assert!(!ids(&after.sample).contains(&erased.get()));
    count(store, 2, 50).await;
    count(store, 3, 50).await;
    let after = store.segment_users(&name("all"), 1_000, 1_000).await.unwrap().unwrap();
    assert!(after.left.is_empty());
}

pub async fn only_the_latest_memberships_are_kept([store, other]: [CountedStore; 2]) {
    with_everyone(&store).await;
    assert!(!store.0.forget_segment_parts(1).await.unwrap());
    for day in 1..=4 {
        count(&*store.0, day, 20).await;
        let mut steps = 0;
        while store.0.forget_segment_parts(1).await.unwrap() {
            steps += 1;
        }
        assert_eq!(steps > 0, day > 2, "day {day}");
    }
    // Those of a pass that was given up go, too.
    let (pass, segments) = store.0.begin_segment_pass(begin(5, false)).await.unwrap().unwrap();
    let all = Arc::new(selected(&*store.0, &pass, &segments).await);
    store.0.continue_segment_pass(&pass, all.clone(), 10, at(0)).await.unwrap();
    let rest = store.0.continue_segment_pass(&pass, all, 10, at(0)).await.unwrap();
    assert_eq!(rest.unwrap().users, 10, "another process has stored this part");
    while other.0.forget_segment_parts(1).await.unwrap() {}
    register(&*store.0, vec![interaction(&mut Dice(5), 6)]).await;
    let pass = count(&*other.0, 6, 20).await;
    while store.0.forget_segment_parts(3).await.unwrap() {}
    assert_eq!(days(&*store.0, "all").await, [1, 2, 3, 4, 6]);
    let sizes = store.0.segment_sizes(&name("all"), pass.day).await.unwrap();
    assert!(sizes[0].changes.is_some(), "it is still compared with day 4");
    // Without segments, no membership is needed.
    store.0.delete_segment(&name("all")).await.unwrap();
    assert!(store.0.begin_segment_pass(begin(7, false)).await.unwrap().is_none());
    assert!(store.0.forget_segment_parts(1).await.unwrap());
    while store.0.forget_segment_parts(3).await.unwrap() {}
    assert_eq!(store.0.segment_passes().await.unwrap().complete, None);
}

pub async fn sizes_of_past_days_are_loaded_for_demos([(store, _), (other, _)]: [CountedStore; 2]) {
    assert!(store.begin_demo().await.unwrap());
    save(&*store, "all", "", Tz::UTC, at(0)).await;
    count(&*store, 3, 50).await;
    let size = |day: i64, users: u64| {
        let changes = Some(SegmentChanges { joined: users, left: 1 });
        (name("all"), SegmentSize { day: at(day * 86_400).date_naive(), users, changes })
    };
    let sizes = [size(1, 7), size(2, 9), size(3, 5)];
    store.load_segment_sizes(&sizes).await.unwrap();
    let stored = other.segment_sizes(&name("all"), at(0).date_naive()).await.unwrap();
    assert_eq!(stored, sizes.each_ref().map(|(_, size)| *size));
    // The latest count is still the one that has users.
    assert_eq!(other.segment_passes().await.unwrap().complete.unwrap().day, sizes[2].1.day);
    count(&*store, 4, 50).await;
    assert_eq!(days(&*other, "all").await, [1, 2, 3, 4]);
    assert!(other.begin_demo().await.unwrap());
    assert_eq!(days(&*store, "all").await, [0; 0]);
}

/// SQLite bounds the size, the parameters and the depth of a statement.
pub async fn large_filters_are_split_into_several_queries([store, _]: [CountedStore; 2]) {
    live(&store, &mut Dice(9), 0).await;
    let store = &*store.0;
    for number in 0..200 {
        let links: Vec<String> = (0..90).map(|link| format!("{number}_{link}")).collect();
        let links = links.join(",");
        let days = number % 3 + 1;
        let filter = format!("source:{links} or started:{links} or days:{days} days<{number}9");
        save(store, &format!("s{number}"), &filter, Tz::UTC, at(0)).await;
    }
    let pass = count(store, 1, 1_000).await;
    for (segment, days) in [("s0", "days:1"), ("s1", "days:2"), ("s199", "days:2")] {
        let expected = naive(store, &selection_of(days, pass.began_at)).await;
        let users = store.segment_users(&name(segment), 1_000, 10).await.unwrap().unwrap();
        assert_eq!(ids(&users.sample), expected, "{segment}");
    }
}
