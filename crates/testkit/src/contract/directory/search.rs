//! The search by names.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use rollcall_domain::{
    Counted, Interaction, InteractionKind, Profile, SearchTerm, UserFilter, UserSort,
};

use super::store::{Stores, at, found, id, ids, index_all, register, term, text, written_by};

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

pub async fn users_are_found_by_their_current_names([store, other]: Stores) {
    let called = |n, second, name: &str, username: &str| {
        let profile = Profile::new(id(n), name).username(username);
        Interaction::new(at(second), profile, InteractionKind::Text)
    };
    register(&*store, [called(1, 0, "Augusta", "byron"), called(2, 0, "Charles", "")]).await;
    assert_eq!(index_all(&*store).await, 2);
    // Unchanged names are not indexed again.
    register(&*store, [called(1, 1, "Augusta", "byron")]).await;
    assert_eq!(index_all(&*other).await, 0);

    register(&*other, [called(1, 2, "Adelaide", "byron"), called(2, 3, "Charles", "Byron")]).await;
    // Until they are indexed, they are found by neither name, and never by an old one.
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    assert_eq!(index_all(&*store).await, 2);
    assert_eq!(found(&*store, "adel").await, [1]);
    assert_eq!(found(&*store, "augusta").await, [0; 0]);
    assert_eq!(found(&*store, "@byron").await, [2]);
    // A user who loses a username is found by their other names.
    assert_eq!(found(&*other, "ade").await, [1]);
}

pub async fn names_are_indexed_concurrently(stores: Stores) {
    const USERS: i64 = 400;
    register(&*stores[0], (1..=USERS).map(|n| text(n, 0, "Original"))).await;
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
    // Users are renamed meanwhile.
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
    assert_eq!(found(&*stores[0], "original").await.len(), users - users / 4);
}
