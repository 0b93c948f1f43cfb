//! The contract of [`DirectoryRepository`]: each function tells its rule by its name.
#![expect(missing_docs, reason = "each function tells its rule by its name")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Counted, Cursor, Days, Event, Figure, Interaction, InteractionKind, NoteChange,
    Profile, ProfileField, Reachability, ReachabilityFilter, SearchTerm, SortKey, TelegramId,
    TelegramUser, UnreachableReason, UserDetail, UserFilter, UserSlice, UserSort,
};
use rollcall_repository::{DemoRepository, DirectoryRepository, History};
use tokio::task::block_in_place;

/// A store of users with their directory.
pub trait DirectoryStore: super::Store + DemoRepository + DirectoryRepository {}

impl<S: super::Store + DemoRepository + DirectoryRepository> DirectoryStore for S {}

/// Two handles on one empty store, as two processes would have them.
pub type Stores = [Arc<dyn DirectoryStore>; 2];

/// Generates a test for each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! directory_repository_contract {
    ($open:path) => {
        $crate::contract!($open, directory:
            an_empty_store_lists_nobody,
            lists_have_whoever_meets_the_filter,
            lists_stay_in_place_while_users_change,
            a_page_that_looked_at_enough_goes_on,
            a_cursor_may_be_anything,
            conditions_may_be_anything,
            users_are_found_by_parts_of_their_names,
            users_are_found_by_the_names_that_they_have_now,
            who_is_erased_leaves_nothing_in_the_directory,
            notes_are_written_over_and_taken_away,
            changes_of_profiles_are_kept,
            who_loses_a_username_has_another_profile,
            several_take_names_into_the_search_at_once,
            active_days_are_those_of_the_facts,
            all_is_told_of_a_user,
        );
    };
}

pub async fn an_empty_store_lists_nobody([store, _]: Stores) {
    let filters = [
        UserFilter::new(),
        UserFilter::new().with_language("en"),
        UserFilter::new().with_reachability(ReachabilityFilter::Unreachable),
        UserFilter::new().matching(term("ada")),
        UserFilter::new().matching(term("1815")),
    ];
    let nobody = UserSlice {
        rows: vec![],
        previous: None,
        next: None,
        count: Counted::Exactly(0),
        is_partial: false,
    };
    for filter in filters {
        for sort in sorts() {
            assert_eq!(store.users(&filter, sort, None, 10).await.unwrap(), nobody, "{filter:?}");
        }
    }
    assert_eq!(store.index_names(10).await.unwrap(), 0);
    assert_eq!(store.user(id(1), day(0)).await.unwrap(), None);
    assert_eq!(store.set_note(id(1), "x", "ada", at(0)).await.unwrap(), None);
}

/// So many that some filters are met by more users than are looked at one by one.
const MANY: usize = 3200;

/// Whatever is asked for: who is in the list, in which order, how many there are said to be, and
/// which pages there are, forwards and backwards.
pub async fn lists_have_whoever_meets_the_filter([store, _]: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 48, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let everybody = vec(any_person(), MANY).new_tree(&mut runner).unwrap().current();
        let people: Vec<Person> = (1..).zip(everybody).map(|(n, it)| it.numbered(n)).collect();
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

pub async fn lists_stay_in_place_while_users_change([store, other]: Stores) {
    register(&*store, (1..=9).map(|n| text(n, n, &format!("User {n}")))).await;
    let newest = UserSort::default();
    let everybody = UserFilter::new();
    let list = async |sort, cursor| store.users(&everybody, sort, cursor, 3).await.unwrap();
    let first = list(newest, None).await;
    assert_eq!(ids(&first), [9, 8, 7]);

    // Somebody comes, the one next to the cursor goes, others are active.
    register(&*other, [text(10, 60, "User 10"), text(2, 61, "User 2")]).await;
    other.delete(&[id(7), id(5)]).await.unwrap();
    let second = list(newest, first.next).await;
    assert_eq!(ids(&second), [6, 4, 3]);
    assert_eq!(ids(&list(newest, second.next).await), [2, 1]);
    // Too few are left for a page before this one: then it is the first page.
    let back = list(newest, second.previous).await;
    assert_eq!((ids(&back), back.previous), (vec![10, 9, 8], None));
    assert_eq!(ids(&list(newest, back.next).await), [6, 4, 3]);

    // In an order of days those who are active meanwhile move, and nobody else.
    let longest_ago = UserSort { key: SortKey::LastSeen, descending: false };
    let first = list(longest_ago, None).await;
    assert_eq!(ids(&first), [1, 2, 3]);
    register(&*other, [text(1, 86_400, "User 1"), text(4, 86_400, "User 4")]).await;
    assert_eq!(ids(&list(longest_ago, first.next).await), [6, 8, 9]);
    // A cursor of another order counts as none.
    assert_eq!(ids(&list(newest, first.next).await), [10, 9, 8]);
}

/// More than are looked at for a page, of whom the first and the last one are wanted.
pub async fn a_page_that_looked_at_enough_goes_on([store, _]: Stores) {
    const ALL: i64 = 5_700;
    let people = (1..=ALL).map(|n| {
        let mut person = Person::anybody();
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

        // The way back is as far.
        let (found, is_partial, back) = list(second.previous).await;
        assert_eq!((found, is_partial), (vec![], true));
        let (found, is_partial, back) = list(back.previous).await;
        assert_eq!((found, is_partial, back.previous), (vec![demo(ALL)], true, None));
        assert_eq!(list(back.next).await.0, [demo(1)]);
    }
}

/// Somebody may have changed the URL.
pub async fn a_cursor_may_be_anything([store, _]: Stores) {
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

/// What no row can hold is held by no row, on either database.
pub async fn conditions_may_be_anything([store, _]: Stores) {
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

pub async fn users_are_found_by_parts_of_their_names([store, _]: Stores) {
    let people = [
        (1, Profile::new(id(1), "Zoë").last_name("Ångström").username("Zed_99")),
        (2, Profile::new(id(2), "Анна").last_name("Чайковская").username("anna_ch")),
        (3, Profile::new(id(3), "anna").last_name("O'Neill")),
        (4, Profile::new(id(4), "李").last_name("小龍").username("bruce")),
        (5, Profile::new(id(5), "")),
        (1815, Profile::new(id(1815), "Ada 99").last_name("Lovelace")),
    ];
    let written = people.map(|(n, profile)| written_by(n, profile));
    register(&*store, written).await;
    assert_eq!(found(&*store, "anna").await, [0; 0]);
    assert_eq!(index_all(&*store).await, 6);
    for (text, expected) in [
        ("zoe", &[1][..]),
        ("ZOË", &[1]),
        ("strom", &[1]),
        ("анна", &[2]),
        ("ЧАЙ", &[2]),
        ("иковск", &[2]),
        ("anna", &[2, 3]),
        ("nna", &[2, 3]),
        ("ann nei", &[3]),
        ("neill anna", &[3]),
        ("anna zoe", &[]),
        ("@ann", &[2]),
        ("@nna", &[]),
        ("@", &[]),
        ("@z", &[1]),
        ("d_9", &[1]),
        ("99", &[1815]),
        ("an", &[1, 2, 3]),
        ("nn", &[]),
        ("o'", &[3]),
        ("a", &[1, 2, 3, 1815]),
        ("zo an", &[1]),
        ("龍", &[]),
        ("小龍", &[4]),
        ("李", &[4]),
        ("1815", &[1815]),
        ("5", &[5]),
        ("815", &[]),
        ("%", &[]),
        ("a_n", &[]),
        ("'; --", &[]),
        ("\" OR \"", &[]),
    ] {
        let term = SearchTerm::new(text);
        let expected = if term.is_some() { expected } else { &[] };
        if term.is_some() {
            assert_eq!(found(&*store, text).await, expected, "{text}");
        }
    }
    let filter = UserFilter::new().matching(term("anna")).with_language("de");
    let slice = store.users(&filter, UserSort::default(), None, 10).await.unwrap();
    assert_eq!((ids(&slice), slice.count), (vec![], Counted::Exactly(0)));
}

pub async fn users_are_found_by_the_names_that_they_have_now([store, other]: Stores) {
    let called = |n, second, name: &str, username: &str| {
        let profile = Profile::new(id(n), name).username(username);
        Interaction::new(at(second), profile, InteractionKind::Text)
    };
    register(&*store, [called(1, 0, "Augusta", "byron"), called(2, 0, "Charles", "")]).await;
    assert_eq!(index_all(&*store).await, 2);
    // The same names again are no work.
    register(&*store, [called(1, 1, "Augusta", "byron")]).await;
    assert_eq!(index_all(&*other).await, 0);

    register(&*other, [called(1, 2, "Adelaide", "byron"), called(2, 3, "Charles", "Byron")]).await;
    // Until then they are found by neither name, but never by a name that they no longer have.
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    assert_eq!(index_all(&*store).await, 2);
    assert_eq!(found(&*store, "adel").await, [1]);
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    assert_eq!(found(&*store, "@byron").await, [2]);
    // Who loses a name is found by the others.
    assert_eq!(found(&*other, "ade").await, [1]);
}

pub async fn who_is_erased_leaves_nothing_in_the_directory([store, other]: Stores) {
    register(&*store, [text(1, 0, "Augusta"), text(2, 0, "Charles")]).await;
    index_all(&*store).await;
    register(&*store, [text(1, 1, "Adelaide"), text(2, 1, "Babbage")]).await;
    store.set_note(id(1), "counts", "ada", at(2)).await.unwrap();
    other.delete(&[id(1)]).await.unwrap();
    assert_eq!(store.user(id(1), day(0)).await.unwrap(), None);
    assert_eq!(index_all(&*store).await, 1);
    assert_eq!(found(&*store, "adelaide").await, [0; 0]);
    assert_eq!(found(&*store, "babbage").await, [2]);

    // Who comes back is new.
    register(&*store, [text(1, 60, "Augusta")]).await;
    let detail = detail(&*store, 1).await;
    assert_eq!((detail.profile_changes, detail.note, detail.active_days), (vec![], None, 1));
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    index_all(&*other).await;
    assert_eq!(found(&*store, "augusta").await, [1]);
}

pub async fn notes_are_written_over_and_taken_away([store, other]: Stores) {
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

pub async fn changes_of_profiles_are_kept([store, _]: Stores) {
    use ProfileField::{FirstName, LanguageCode, LastName, Username};
    let shows = |second, profile| Interaction::new(at(second), profile, InteractionKind::Text);
    // Of somebody of whom only the id was known, nothing changes.
    register(&*store, [shows(0, Profile::of_id(id(1)))]).await;
    let ada = || Profile::new(id(1), "Ada").username("ada").language_code("en");
    register(&*store, [shows(1, ada()), shows(2, ada())]).await;
    assert_eq!(detail(&*store, 1).await.profile_changes, []);

    register(&*store, [shows(3, ada().last_name("Byron")), shows(4, ada().last_name("King"))])
        .await;
    register(&*store, [shows(5, Profile::new(id(1), "Augusta").language_code("de"))]).await;
    // Late, and so not told; nor does an absent language change it.
    register(&*store, [shows(4, ada()), shows(6, Profile::new(id(1), "Augusta"))]).await;
    // Of one moment: from the first to the last one, in one batch and in two.
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

pub async fn who_loses_a_username_has_another_profile([store, _]: Stores) {
    let shows = |n, second, username: &str| {
        let profile = Profile::new(id(n), "x").username(username);
        Interaction::new(at(second), profile, InteractionKind::Text)
    };
    register(&*store, [shows(1, 1, "Name")]).await;
    // From somebody outside the batch, and from somebody within it.
    register(&*store, [shows(2, 2, "name"), shows(3, 3, "NAME")]).await;
    // Who was seen later keeps it: nothing changes.
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

pub async fn several_take_names_into_the_search_at_once(stores: Stores) {
    const USERS: i64 = 400;
    register(&*stores[0], (1..=USERS).map(|n| text(n, 0, "Somebody"))).await;
    let mut tasks = Vec::new();
    for store in stores.iter().cycle().take(4) {
        let store = Arc::clone(store);
        tasks.push(tokio::spawn(async move {
            let mut taken = 0;
            loop {
                match store.index_names(7).await.unwrap() {
                    0 => return taken,
                    some => taken += some,
                }
            }
        }));
    }
    // Others take new names meanwhile.
    let other = stores[1].clone();
    let changing = tokio::spawn(async move {
        for n in 1..=USERS / 4 {
            register(&*other, [text(n * 4, 60, "Another")]).await;
        }
    });
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    changing.await.unwrap();
    taken += index_all(&*stores[0]).await;
    let users = usize::try_from(USERS).unwrap();
    assert!((users..=users + users / 4).contains(&taken), "{taken}");
    assert_eq!(found(&*stores[1], "another").await.len(), users / 4);
    assert_eq!(found(&*stores[0], "somebody").await.len(), users - users / 4);
}

/// Whatever comes, late and twice, and in batches of any size.
pub async fn active_days_are_those_of_the_facts([store, other]: Stores) {
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

pub async fn all_is_told_of_a_user([store, _]: Stores) {
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
    assert_eq!(detail.reach_history, store.reach_history(id(1), 10).await.unwrap());
    assert_eq!(detail.reach_history.len(), 2);
    let starts: Vec<_> = detail.starts.iter().map(|(at, it)| (*at, it.as_str())).collect();
    assert_eq!(starts, [(at(day_of(1)), "ad"), (at(0), "friend")]);
    assert_eq!((detail.profile_changes, detail.note), (vec![], None));
    assert_eq!(store.user(id(1), day(6)).await.unwrap().unwrap().days, []);
}

/// Somebody who is made up.
#[derive(Clone, Debug)]
struct Person {
    id: i64,
    /// First name, last name and username, and how they are searched.
    names: &'static (&'static str, &'static str, &'static str, &'static [&'static str]),
    has_username: bool,
    language: Option<&'static str>,
    source: Option<&'static str>,
    has_private_chat: bool,
    obstacle: Option<UnreachableReason>,
    is_bot: bool,
    /// The day of the first interaction.
    first: i64,
    /// The seconds of that day.
    second: i64,
    /// How many days later the others were.
    later: BTreeSet<i64>,
}

const NAMES: [(&str, &str, &str, &[&str]); 4] = [
    ("Анна", "Smith", "nick", &["анна", "smith"]),
    ("ZOË", "Ångström", "anna", &["zoe", "angstrom"]),
    ("Annabel Lee", "", "zed", &["annabel", "lee"]),
    ("Иван", "Жук", "vanya", &["иван", "жук"]),
];

fn any_person() -> impl Strategy<Value = Person> {
    let names = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    let language = prop_oneof![8 => Just(Some("en")), 1 => Just(Some("de")), 1 => Just(None)];
    let source = prop_oneof![8 => Just(Some("ad")), 1 => Just(Some("friend")), 1 => Just(None)];
    let obstacle = prop_oneof![
        3 => Just(None),
        9 => Just(Some(UnreachableReason::Blocked)),
        1 => Just(Some(UnreachableReason::Deactivated)),
    ];
    let is_bot = prop_oneof![1 => Just(false), 6 => Just(true)];
    let first = prop_oneof![0..20_i64, 20..22_i64];
    let later = proptest::collection::btree_set(1..12_i64, 0..4);
    let chances = (any::<bool>(), prop_oneof![5 => Just(true), 1 => Just(false)], is_bot);
    // Few seconds, so that many are equal.
    (names, language, source, obstacle, chances, first, 0..3_i64, later).prop_map(
        |(names, language, source, obstacle, chances, first, second, later)| {
            let (has_username, has_private_chat, is_bot) = chances;
            Person {
                id: 0,
                names: &NAMES[names],
                has_username,
                language,
                source,
                has_private_chat,
                obstacle,
                is_bot,
                first,
                second,
                later,
            }
        },
    )
}

fn any_filter() -> impl Strategy<Value = UserFilter> {
    let terms =
        ["anna", "an", "a", "ann smi", "нна", "zoe", "@nick", "@an", "жу", "lee ann", "qqq"];
    let reachability = [
        ReachabilityFilter::Reachable,
        ReachabilityFilter::Unreachable,
        ReachabilityFilter::Blocked,
    ];
    let days = || {
        option::weighted(0.3, (0..25_i64, 0..25_i64, 0..3)).prop_map(|range| match range {
            None => Days::default(),
            Some((a, b, 0)) => Days::between(day(a.min(b)), day(a.max(b))),
            Some((a, _, 1)) => Days { first: Some(day(a)), last: None },
            Some((_, b, _)) => Days { first: None, last: Some(day(b)) },
        })
    };
    let words = (
        option::weighted(0.3, select(vec!["en", "de", "", "xx"])),
        option::weighted(0.3, select(vec!["ad", "friend", "", "nobody"])),
        option::weighted(0.4, select(terms.to_vec())),
    );
    let days = (days(), days(), option::weighted(0.2, 0..4_u32), option::weighted(0.2, 1..5_u32));
    let kinds = (
        option::weighted(0.3, select(reachability.to_vec())),
        option::weighted(0.3, any::<bool>()),
    );
    (words, days, kinds).prop_map(|((language, source, search), days, (reachability, is_bot))| {
        let (first_seen, last_seen, min_active_days, max_active_days) = days;
        UserFilter {
            language: language.map(str::to_owned),
            source: source.map(str::to_owned),
            reachability,
            first_seen,
            last_seen,
            min_active_days,
            max_active_days,
            is_bot,
            search: search.map(term),
        }
    })
}

impl Person {
    fn anybody() -> Self {
        Self {
            id: 0,
            names: &NAMES[0],
            has_username: false,
            language: None,
            source: None,
            has_private_chat: true,
            obstacle: None,
            is_bot: false,
            first: 0,
            second: 0,
            later: BTreeSet::new(),
        }
    }

    fn numbered(self, n: i64) -> Self {
        Self { id: demo(n), ..self }
    }

    fn username(&self) -> Option<String> {
        self.has_username.then(|| format!("{}{}", self.names.2, self.id % 100_000))
    }

    fn created_at(&self) -> DateTime<Utc> {
        at(self.first * 86_400 + self.second)
    }

    fn last_seen(&self) -> DateTime<Utc> {
        self.created_at() + TimeDelta::days(self.later.last().copied().unwrap_or_default())
    }

    fn active_days(&self) -> u32 {
        u32::try_from(self.later.len()).unwrap() + 1
    }

    fn user(&self) -> TelegramUser {
        let mut user = TelegramUser::new(TelegramId::try_from(self.id).unwrap(), self.created_at());
        let (first, last, ..) = self.names;
        user.first_name = (*first).to_owned();
        user.last_name = (!last.is_empty()).then(|| (*last).to_owned());
        user.username = self.username().map(|username| username.parse().unwrap());
        user.language_code = self.language.map(str::to_owned);
        user.source = self.source.map(|payload| payload.parse().unwrap());
        user.is_bot = self.is_bot;
        user.last_seen = self.last_seen();
        user.reachability = Reachability {
            has_private_chat: self.has_private_chat,
            obstacle: self.obstacle,
            ..Reachability::default()
        };
        user
    }

    fn history(&self) -> History {
        let first = self.created_at().date_naive();
        let later = self.later.iter().map(|days| first + TimeDelta::days(*days));
        History {
            user: self.user(),
            days: [first].into_iter().chain(later).map(|day| (day, 1)).collect(),
            reach_changes: vec![],
            starts: vec![],
        }
    }

    fn place(&self, key: SortKey) -> (i64, i64) {
        let value = match key {
            SortKey::FirstSeen => self.created_at().timestamp(),
            SortKey::LastSeen => self.last_seen().timestamp() / 86_400,
            SortKey::ActiveDays => self.active_days().into(),
            SortKey::Id => 0,
        };
        (value, self.id)
    }

    fn meets(&self, filter: &UserFilter) -> bool {
        let within = |at: DateTime<Utc>, days: Days| {
            let day = at.date_naive();
            days.first.is_none_or(|it| day >= it) && days.last.is_none_or(|it| day <= it)
        };
        let is_reachable = self.has_private_chat && self.obstacle.is_none();
        let is = |wanted: &Option<String>, there: Option<&str>| {
            wanted.as_deref().is_none_or(|it| it == there.unwrap_or_default())
        };
        is(&filter.language, self.language)
            && is(&filter.source, self.source)
            && filter.reachability.is_none_or(|it| match it {
                ReachabilityFilter::Reachable => is_reachable,
                ReachabilityFilter::Unreachable => !is_reachable,
                ReachabilityFilter::Blocked => self.obstacle == Some(UnreachableReason::Blocked),
            })
            && within(self.created_at(), filter.first_seen)
            && within(self.last_seen(), filter.last_seen)
            && filter.min_active_days.is_none_or(|it| self.active_days() >= it)
            && filter.max_active_days.is_none_or(|it| self.active_days() <= it)
            && filter.is_bot.is_none_or(|it| it == self.is_bot)
            && filter.search.as_ref().is_none_or(|term| self.matches(term))
    }

    fn matches(&self, term: &SearchTerm) -> bool {
        let username = self.username().unwrap_or_default();
        let names = self.names.3;
        term.words().iter().all(|word| match word.strip_prefix('@') {
            Some(word) => self.has_username && username.starts_with(word),
            None if word.chars().count() < 3 => {
                names.iter().any(|name| name.starts_with(word)) || username.starts_with(word)
            }
            None => names.iter().any(|name| name.contains(word)) || username.contains(word),
        })
    }
}

fn sorts() -> Vec<UserSort> {
    [SortKey::FirstSeen, SortKey::LastSeen, SortKey::ActiveDays, SortKey::Id]
        .into_iter()
        .flat_map(|key| [true, false].map(|descending| UserSort { key, descending }))
        .collect()
}

/// Whom a search finds, all of them by id.
async fn found(store: &dyn DirectoryStore, text: &str) -> Vec<i64> {
    let by_id = UserSort { key: SortKey::Id, descending: false };
    let filter = UserFilter::new().matching(term(text));
    let slice = store.users(&filter, by_id, None, 1000).await.unwrap();
    assert_eq!(slice.count, Counted::Exactly(u64::try_from(slice.rows.len()).unwrap()));
    ids(&slice)
}

async fn index_all(store: &dyn DirectoryStore) -> usize {
    let mut taken = 0;
    loop {
        match store.index_names(100).await.unwrap() {
            0 => return taken,
            some => taken += some,
        }
    }
}

async fn detail(store: &dyn DirectoryStore, n: i64) -> UserDetail {
    store.user(id(n), day(-1000)).await.unwrap().unwrap()
}

fn ids(slice: &UserSlice) -> Vec<i64> {
    slice.rows.iter().map(|row| row.user.telegram_id.get()).collect()
}

async fn register(store: &dyn DirectoryStore, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(100 * 86_400))).unwrap();
}

fn text(n: i64, second: i64, name: &str) -> Interaction {
    Interaction::new(at(second), Profile::new(id(n), name), InteractionKind::Text)
}

fn written_by(n: i64, profile: Profile) -> Interaction {
    Interaction::new(at(n), profile, InteractionKind::Text)
}

fn term(text: &str) -> SearchTerm {
    SearchTerm::new(text).unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    "2026-10-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

fn day(n: i64) -> NaiveDate {
    at(n * 86_400).date_naive()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// The id of the n-th of those who are made up.
fn demo(n: i64) -> i64 {
    History::REAL_IDS_END + n
}

/// The place of one of those in their list.
fn index(id: i64) -> usize {
    usize::try_from(id - History::REAL_IDS_END - 1).unwrap()
}
