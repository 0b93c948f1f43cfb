//! Pages, filters and orders of the list.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use proptest::{
    collection::vec,
    sample::select,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Counted, Cursor, Days, Figure, Filter, LabelKind, ReachabilityFilter, Selection, SortKey,
    TelegramId, UserFilter, UserSlice, UserSort,
};
use tokio::task::block_in_place;

use super::{
    audience::label,
    people::{Person, any_filter, any_person, demo, index},
    store::{DirectoryStore, Stores, at, day, found, id, ids, register, sorts, term, text},
};

pub async fn an_empty_store_lists_no_users([store, _]: Stores) {
    let filters = [
        UserFilter::new(),
        UserFilter::new().with_language("en"),
        UserFilter::new().with_reachability(ReachabilityFilter::Unreachable),
        UserFilter::new().matching(term("ada")),
        UserFilter::new().matching(term("1815")),
    ];
    let empty = UserSlice {
        rows: vec![],
        previous: None,
        next: None,
        count: Counted::Exactly(0),
        is_partial: false,
    };
    for filter in filters {
        for sort in sorts() {
            assert_eq!(store.users(&filter, sort, None, 10).await.unwrap(), empty, "{filter:?}");
        }
    }
    assert_eq!(store.index_names(10).await.unwrap(), 0);
    assert_eq!(store.user(id(1), day(0)).await.unwrap(), None);
    assert_eq!(store.set_note(id(1), "x", "ada", at(0)).await.unwrap(), None);
}

/// Enough that some filters match more users than are read one by one.
const MANY: usize = 3200;

/// For any filter and order: the listed users and their order, the count, and the pages in both
/// directions.
pub async fn lists_contain_the_users_that_match_the_filter([store, _]: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 48, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let people = vec(any_person(), MANY).new_tree(&mut runner).unwrap().current();
        let people: Vec<Person> = (1..).zip(people).map(|(n, it)| it.numbered(n)).collect();
        runtime.block_on(async {
            assert!(store.begin_demo().await.unwrap());
            store.load(people.iter().map(Person::history).collect()).await.unwrap();
        });
        let asked = (any_filter(), select(sorts()), 300..900_u32);
        runner
            .run(&asked, |(filter, sort, size)| {
                runtime.block_on(compare(&*store, &people, &filter, sort, size));
                Ok(())
            })
            .unwrap();
    });
}

async fn compare(
    store: &dyn DirectoryStore,
    people: &[Person],
    filter: &UserFilter,
    sort: UserSort,
    size: u32,
) {
    let what = format!("{filter:?} {sort:?} {size}");
    let mut expected: Vec<&Person> = people.iter().filter(|it| it.meets(filter)).collect();
    expected.sort_by_key(|person| person.place(sort.key));
    if sort.descending {
        expected.reverse();
    }
    let expected: Vec<i64> = expected.iter().map(|person| person.id).collect();

    let filter_alone = UserFilter { search: None, ..filter.clone() };
    let users = people.iter().filter(|it| it.meets(&filter_alone)).count();
    let users = u64::try_from(users).unwrap();
    match store.count_up_to(&(&filter_alone).into(), size).await.unwrap() {
        Counted::Exactly(count) => assert_eq!(count, users, "{what}"),
        more => {
            assert_eq!(more, Counted::MoreThan(size.into()), "{what}");
            assert!(users > size.into(), "{what}: {users}");
        }
    }

    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let slice = store.users(filter, sort, cursor, size).await.unwrap();
        assert!(!slice.is_partial, "{what}");
        let users = u64::try_from(expected.len()).unwrap();
        match slice.count {
            Counted::Exactly(count) => assert_eq!(count, users, "{what}"),
            Counted::MoreThan(count) => assert!(count < users, "{what}: more than {count}"),
            Counted::About(count) => {
                assert!(count / 2 < users && users / 2 < count, "{what}: about {count}, {users}");
            }
        }
        assert_eq!(slice.previous.is_some(), cursor.is_some(), "{what}");
        for row in &slice.rows {
            let person = &people[index(row.user.telegram_id.get())];
            assert_eq!((&row.user, row.active_days), (&person.user(), person.active_days()));
        }
        cursor = slice.next;
        pages.push(slice);
        if cursor.is_none() {
            break;
        }
    }
    let listed: Vec<i64> = pages.iter().flat_map(ids).collect();
    assert_eq!(listed, expected, "{what}");

    for at in (1..pages.len()).rev() {
        let slice = store.users(filter, sort, pages[at].previous, size).await.unwrap();
        let before = &pages[at - 1];
        assert_eq!(slice.rows, before.rows, "{what}: back to page {at}");
        assert_eq!((slice.previous, slice.next), (before.previous, before.next), "{what}");
    }
}

pub async fn pages_stay_in_place_while_users_change([store, other]: Stores) {
    register(&*store, (1..=9).map(|n| text(n, n, &format!("User {n}")))).await;
    let newest = UserSort::default();
    let all = UserFilter::new();
    let list = async |sort, cursor| store.users(&all, sort, cursor, 3).await.unwrap();
    let first = list(newest, None).await;
    assert_eq!(ids(&first), [9, 8, 7]);

    // A user joins, the user next to the cursor is erased, others are active.
    register(&*other, [text(10, 60, "User 10"), text(2, 61, "User 2")]).await;
    other.delete(&[id(7), id(5)]).await.unwrap();
    let second = list(newest, first.next).await;
    assert_eq!(ids(&second), [6, 4, 3]);
    assert_eq!(ids(&list(newest, second.next).await), [2, 1]);
    // Too few users are left for a previous page, so this is the first page.
    let back = list(newest, second.previous).await;
    assert_eq!((ids(&back), back.previous), (vec![10, 9, 8], None));
    assert_eq!(ids(&list(newest, back.next).await), [6, 4, 3]);

    // In an order by days, only the users who are active meanwhile move.
    let longest_ago = UserSort { key: SortKey::LastSeen, descending: false };
    let first = list(longest_ago, None).await;
    assert_eq!(ids(&first), [1, 2, 3]);
    register(&*other, [text(1, 86_400, "User 1"), text(4, 86_400, "User 4")]).await;
    assert_eq!(ids(&list(longest_ago, first.next).await), [6, 8, 9]);
    // A cursor of another order is ignored.
    assert_eq!(ids(&list(newest, first.next).await), [10, 9, 8]);
}

/// More users than are read for a page, of which only the first and the last match.
pub async fn a_partial_page_can_be_continued([store, _]: Stores) {
    const ALL: i64 = 5_700;
    let people = (1..=ALL).map(|n| {
        let mut person = Person::sample();
        person.has_private_chat = !(n == 1 || n == ALL);
        person.first = n / 60;
        person.numbered(n).history()
    });
    assert!(store.begin_demo().await.unwrap());
    store.load(people.collect()).await.unwrap();
    let unreachable = UserFilter::new().with_reachability(ReachabilityFilter::Unreachable);
    for key in [SortKey::FirstSeen, SortKey::LastSeen, SortKey::Id] {
        let sort = UserSort { key, descending: true };
        let list = async |cursor| {
            let slice = store.users(&unreachable, sort, cursor, 10).await.unwrap();
            (ids(&slice), slice.is_partial, slice)
        };
        let (found, is_partial, first) = list(None).await;
        assert_eq!((found, is_partial, first.previous), (vec![demo(ALL)], true, None));
        assert_ne!(first.count, Counted::Exactly(1));
        let (found, is_partial, second) = list(first.next).await;
        assert_eq!((found, is_partial, second.next), (vec![demo(1)], false, None));

        // The way back takes as many pages.
        let (found, is_partial, back) = list(second.previous).await;
        assert_eq!((found, is_partial), (vec![], true));
        let (found, is_partial, back) = list(back.previous).await;
        assert_eq!((found, is_partial, back.previous), (vec![demo(ALL)], true, None));
        assert_eq!(list(back.next).await.0, [demo(1)]);
    }

    // A label's users, or those with a note, are found at once if they are few.
    let rare = label(&*store, LabelKind::Tag, "rare").await;
    let id = TelegramId::try_from(demo(1)).unwrap();
    assert_eq!(store.label_user(&rare, id, true, None, at(0)).await.unwrap(), Some(true));
    for (text, is_found) in [("tag:rare", true), ("tag:rare days>=2", false)] {
        let filter: Filter = text.parse().unwrap();
        let rare = Selection::new(&filter, &BTreeMap::new(), Tz::UTC, at(0)).unwrap();
        for sort in sorts() {
            let slice = store.select(&rare, sort, None, 10).await.unwrap();
            let expected = if is_found { vec![demo(1)] } else { Vec::new() };
            assert_eq!((ids(&slice), slice.is_partial), (expected, false), "{text}");
            assert_eq!(slice.count, Counted::Exactly(is_found.into()));
        }
    }
}

/// A URL can contain any cursor.
pub async fn any_cursor_is_accepted([store, _]: Stores) {
    register(&*store, (1..=3).map(|n| text(n, n, "Ada"))).await;
    for sort in sorts() {
        for backwards in [false, true] {
            for value in [i64::MIN, -1, 0, 1, i64::MAX] {
                for telegram_id in [i64::MIN, 2, i64::MAX] {
                    let cursor = Cursor { key: sort.key, backwards, value, telegram_id };
                    for filter in [UserFilter::new(), UserFilter::new().matching(term("ada"))] {
                        let slice = store.users(&filter, sort, Some(cursor), 2).await.unwrap();
                        assert!(slice.rows.len() <= 2);
                    }
                }
            }
        }
    }
}

/// A value that no row can contain matches no row, on every database.
pub async fn any_conditions_are_accepted([store, _]: Stores) {
    register(&*store, (1..=3).map(|n| text(n, n, "Ada"))).await;
    let ends = [
        NaiveDate::MIN,
        NaiveDate::from_ymd_opt(0, 1, 1).unwrap(),
        NaiveDate::from_ymd_opt(1, 1, 1).unwrap(),
        NaiveDate::from_ymd_opt(9999, 12, 31).unwrap(),
        NaiveDate::from_ymd_opt(10_000, 1, 1).unwrap(),
        NaiveDate::MAX,
    ];
    let all = async |filter: UserFilter| {
        let slice = store.users(&filter, UserSort::default(), None, 10).await.unwrap();
        slice.rows.len() == 3
    };
    for (first, has_begun) in ends.into_iter().zip([true, true, true, false, false, false]) {
        for (last, is_over) in ends.into_iter().zip([true, true, true, false, false, false]) {
            let days = Days::between(first, last);
            let expected = has_begun && !is_over;
            assert_eq!(all(UserFilter::new().first_seen_on(days)).await, expected, "{days:?}");
            assert_eq!(all(UserFilter::new().last_seen_on(days)).await, expected, "{days:?}");
            let sums = store.sums_by_day(&Figure::ALL, first, last).await.unwrap();
            assert_eq!(sums.is_empty(), !expected, "{days:?}");
            let sums = store.sums_by_label(&Figure::ALL, first, last).await.unwrap();
            assert_eq!(sums.is_empty(), !expected, "{days:?}");
        }
        let totals = store.totals(&[Figure::Users], first).await.unwrap();
        assert_eq!(totals, [if has_begun { 0 } else { 3 }], "{first}");
    }
    for odd in ["\0", "e\0n", "\u{fffd}", &"x".repeat(10_000)] {
        for filter in [UserFilter::new().with_language(odd), UserFilter::new().with_source(odd)] {
            let slice = store.users(&filter, UserSort::default(), None, 10).await.unwrap();
            assert_eq!((ids(&slice), slice.count), (vec![], Counted::Exactly(0)), "{filter:?}");
        }
    }
    let filter = UserFilter::new().active_on_at_least(u32::MAX).active_on_at_most(u32::MAX);
    assert!(!all(filter).await);
    assert_eq!(found(&*store, "a\0da").await, [0; 0]);
}
