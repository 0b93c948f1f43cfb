//! The contract of [`TransferRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Interaction, InteractionKind, LabelKind, LabelName, Profile,
    ProfileField, Reachability, SearchTerm, SortKey, TelegramId, TelegramUser, UnreachableReason,
    UserFilter, UserSort, Username,
};
use rollcall_repository::{
    CreatedLabel, DirectoryRepository, ImportEnd, Imported, ImportedUser, Incoming,
    LabelRepository, TransferRepository,
};
use tokio::task::block_in_place;

/// A store of users that can be exported and imported.
pub trait TransferStore:
    super::Store + DirectoryRepository + LabelRepository + TransferRepository
{
}

impl<S> TransferStore for S where
    S: super::Store + DirectoryRepository + LabelRepository + TransferRepository
{
}

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn TransferStore>; 2];

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! transfer_repository_contract {
    ($open:path) => {
        $crate::contract!($open, transfer:
            users_are_exported_by_id,
            a_cancelled_import_changes_nothing,
            imported_and_stored_data_are_merged,
            a_username_stays_with_the_user_seen_last,
            imported_users_get_tags_and_keep_theirs,
            a_tag_without_room_ends_an_import,
            a_recount_equals_the_imported_sums,
        );
    };
}

pub async fn users_are_exported_by_id([store, _]: Stores) {
    assert_eq!(store.users_after(None, 10).await.unwrap(), []);
    let users: Vec<_> = [7, 3, 1 << 51, 12].map(|n| user(n, 0, 5)).into();
    let reported = Arc::new(Mutex::new(Vec::new()));
    let progress = Arc::clone(&reported);
    let parts = parts([users[..3].to_vec(), users[3..].to_vec(), vec![]]);
    let progress = Box::new(move |it| progress.lock().unwrap().push(it));
    let imported = store.import(parts, at(0), progress);
    let created = |created| Imported { created, ..Imported::default() };
    assert_eq!(imported.await.unwrap(), ImportEnd::Done(created(4)));
    assert_eq!(*reported.lock().unwrap(), [created(3), created(4)]);

    let ids = async |after, limit| {
        let users = store.users_after(after, limit).await.unwrap();
        users.iter().map(|user| user.telegram_id.get()).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 3).await, [3, 7, 12]);
    assert_eq!(ids(Some(id(7)), 3).await, [12, 1 << 51]);
    assert_eq!(ids(Some(id(8)), 1).await, [12]);
    assert_eq!(ids(Some(id(1 << 51)), 1).await, []);
    assert_eq!(store.id_after(None, 3).await.unwrap(), Some(id(12)));
    assert_eq!(store.id_after(Some(id(7)), 1).await.unwrap(), Some(id(12)));
    assert_eq!(store.id_after(Some(id(7)), 3).await.unwrap(), None);
    let mut sorted = users;
    sorted.sort_by_key(|user| user.telegram_id);
    assert_eq!(store.users_after(None, 10).await.unwrap(), sorted);
}

pub async fn a_cancelled_import_changes_nothing([store, other]: Stores) {
    register(&*store, [seen(1, 5, "Ada")]);
    let before = store.users_after(None, 10).await.unwrap();
    let given_up = parts([vec![user(1, 0, 20), user(2, 0, 3)], vec![user(3, 0, 0)]]);
    let end = store.import(given_up, at(0), Box::new(drop)).await.unwrap();
    assert_eq!(end, ImportEnd::Cancelled);
    assert_eq!(other.users_after(None, 10).await.unwrap(), before);
    recount_finds_nothing(&*store).await;
}

pub async fn imported_and_stored_data_are_merged([store, _]: Stores) {
    let mut start = seen(1, 5, "Ada");
    start.event = Some(Event::Start("ad".parse().unwrap()));
    register(&*store, [start, seen(1, 9, "Augusta"), seen(2, 9, "Bob")]);
    index(&*store).await;

    let mut older = user(1, 2, 7);
    older.source = Some("friend".parse().unwrap());
    let mut newer = user(2, 9, 30);
    newer.last_name = Some("Builder".to_owned());
    newer.updated_at = at(25);
    newer.reachability = Reachability {
        has_private_chat: true,
        obstacle: Some(UnreachableReason::Blocked),
        blocked_at: Some(at(28)),
        unblocked_at: None,
    };
    let imported = import(&*store, vec![older.clone(), newer.clone()]).await;
    assert_eq!(imported, Imported { updated: 2, ..Imported::default() });

    // Older data: an earlier first visit by another link. Later data stay.
    let detail = store.user(id(1), at(0).date_naive()).await.unwrap().unwrap();
    assert_eq!(detail.user.first_name, "Augusta");
    assert_eq!((detail.user.created_at, detail.user.last_seen), (at(2), at(9)));
    assert_eq!(detail.user.source, older.source);
    // The days of 2, 5 and 9.
    assert_eq!(detail.active_days, 3);
    assert!(detail.profile_changes.iter().all(|change| change.at <= at(9)));
    // Newer data: another name, by which the user is found, and unreachable.
    let detail = store.user(id(2), at(0).date_naive()).await.unwrap().unwrap();
    assert_eq!(detail.user, newer);
    assert_eq!(detail.active_days, 2);
    assert!(detail.profile_changes.iter().any(|change| {
        change.field == ProfileField::LastName && change.new.as_deref() == Some("Builder")
    }));
    index(&*store).await;
    assert_eq!(found(&*store, "builder").await, [2]);
    recount_finds_nothing(&*store).await;

    let again = import(&*store, vec![newer.clone(), older, newer]).await;
    assert_eq!(again, Imported { unchanged: 3, ..Imported::default() });
    // Later interactions have their usual effect.
    register(&*store, [seen(1, 31, "Ada"), seen(2, 31, "Bob"), seen(2, 3, "Bob")]);
    recount_finds_nothing(&*store).await;
}

pub async fn a_username_stays_with_the_user_seen_last([store, _]: Stores) {
    let named = |mut user: TelegramUser, name: &str| {
        user.username = Username::from_telegram(name);
        user
    };
    let with_name = |n, day, name: &str| Interaction {
        profile: Profile::new(id(n), "x").username(name),
        ..seen(n, day, "x")
    };
    register(&*store, [with_name(1, 5, "Ada"), with_name(2, 20, "Bob")]);
    let incoming = vec![
        named(user(3, 0, 9), "ADA"),
        named(user(4, 0, 9), "bob"),
        named(user(5, 0, 3), "eve"),
        named(user(6, 0, 4), "Eve"),
    ];
    import(&*store, incoming.clone()).await;
    let names: Vec<_> = store.users_after(None, 10).await.unwrap();
    let names: Vec<_> =
        names.iter().map(|user| user.username.as_ref().map(|it| it.as_str())).collect();
    assert_eq!(names, [None, Some("Bob"), Some("ADA"), None, None, Some("Eve")]);
    index(&*store).await;
    assert_eq!(found(&*store, "@ada").await, [3]);
    let again = import(&*store, incoming).await;
    assert_eq!(again, Imported { unchanged: 4, ..Imported::default() });
}

pub async fn imported_users_get_tags_and_keep_theirs([store, other]: Stores) {
    register(&*store, [seen(1, 5, "Ada"), seen(2, 5, "Bob")]);
    let vip = name("vip");
    let vip = store.create_label(LabelKind::Tag, &vip, "important", None, at(0)).await.unwrap();
    let CreatedLabel::New(vip) = vip else { panic!("a new database has no tags: {vip:?}") };
    store.label_user(&vip, id(1), true, None, at(0)).await.unwrap();
    let group = store.create_label(LabelKind::Group, &name("new"), "", None, at(0)).await.unwrap();
    assert!(matches!(group, CreatedLabel::New(_)));
    check_tags(&*store, &[1, 2, 3], &[(1, "vip")]).await;

    let ada = store.users_after(None, 1).await.unwrap().remove(0);
    let incoming = || {
        vec![
            // Known users that only get a tag, one of them by two lines.
            tagged(ada.clone(), "ne-w new"),
            tagged(ada.clone(), "vip"),
            tagged(user(2, 5, 30), "vip"),
            // A new one, by two lines.
            tagged(user(3, 0, 9), "vip"),
            tagged(user(3, 0, 9), "new vip"),
            tagged(user(4, 0, 9), ""),
        ]
    };
    let imported = import(&*store, incoming()).await;
    let expected = Imported { created: 2, updated: 2, unchanged: 2, tagged: 5, suppressed: 0 };
    assert_eq!(imported, expected);
    let all = [(1, "ne-w new vip"), (2, "vip"), (3, "new vip")];
    check_tags(&*other, &[4, 3, 2, 1], &all).await;
    let labels = store.labels(LabelKind::Tag).await.unwrap();
    let described: Vec<_> =
        labels.iter().map(|it| (it.name.as_str(), it.description.as_str())).collect();
    assert_eq!(described, [("ne-w", ""), ("new", ""), ("vip", "important")]);
    recount_finds_nothing(&*store).await;

    // Again, and without tags: nothing is removed.
    let again = import(&*store, incoming()).await;
    assert_eq!(again, Imported { unchanged: 6, ..Imported::default() });
    let newer = vec![TelegramUser { updated_at: at(40), ..user(2, 5, 40) }];
    assert_eq!(import(&*store, newer).await, Imported { updated: 1, ..Imported::default() });
    check_tags(&*other, &[1, 2, 3], &all).await;
}

pub async fn a_tag_without_room_ends_an_import([store, other]: Stores) {
    register(&*store, [seen(1, 5, "Ada")]);
    for n in 1..LabelKind::Tag.most() {
        let name = name(&format!("tag-{n}"));
        store.create_label(LabelKind::Tag, &name, "", None, at(0)).await.unwrap();
    }
    let before = store.users_after(None, 10).await.unwrap();
    let end = |lines: Vec<(i64, &str, u64)>| {
        let part = |(n, tags, line)| vec![ImportedUser { line, ..tagged(user(n, 0, 20), tags) }];
        let parts = parts(lines.into_iter().map(part).chain([vec![]]));
        store.import(parts, at(0), Box::new(drop))
    };
    let full = end(vec![(1, "tag-1 last", 2), (2, "", 3), (3, "last one-more tag-2", 4)]).await;
    assert_eq!(full.unwrap(), ImportEnd::NoRoom { tag: name("one-more"), line: 4 });
    assert_eq!(other.users_after(None, 10).await.unwrap(), before);
    assert_eq!(other.labels(LabelKind::Tag).await.unwrap().len(), LabelKind::Tag.most() - 1);
    check_tags(&*other, &[1, 2, 3], &[]).await;
    recount_finds_nothing(&*store).await;
    // The last one fits.
    let fits = end(vec![(1, "tag-1 last", 2), (3, "last", 3)]).await.unwrap();
    let expected = Imported { created: 1, updated: 1, unchanged: 0, tagged: 3, suppressed: 0 };
    assert_eq!(fits, ImportEnd::Done(expected));
    check_tags(&*other, &[1, 3], &[(1, "last tag-1"), (3, "last")]).await;
}

/// For any users, imported in parts of any size and over any stored users: the sums equal a recount.
/// An export can be imported into another database, and again, without a change.
pub async fn a_recount_equals_the_imported_sums([store, other]: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 12, ..Config::default() };
        TestRunner::new_with_rng(config, rng)
            .run(
                &(vec(any_user(), 1..60), vec((1..40_i64, 0..60_i64), 0..40)),
                |(users, seen_on)| {
                    runtime.block_on(come_in(&*store, &*other, users, &seen_on));
                    Ok(())
                },
            )
            .unwrap();
    });
}

async fn come_in(
    store: &dyn TransferStore,
    other: &dyn TransferStore,
    users: Vec<TelegramUser>,
    seen_on: &[(i64, i64)],
) {
    register(other, seen_on.iter().map(|&(n, day)| seen(n, day, "x")));
    let parts = parts(users.chunks(7).map(<[_]>::to_vec).chain([vec![]]));
    let end = store.import(parts, at(0), Box::new(drop)).await.unwrap();
    assert!(matches!(end, ImportEnd::Done(_)), "{end:?}");
    recount_finds_nothing(store).await;
    let all = store.users_after(None, 1000).await.unwrap();
    let count = u64::try_from(all.len()).unwrap();
    let again = import(store, all.clone()).await;
    assert_eq!(again, Imported { unchanged: count, ..Imported::default() });
    assert_eq!(other.users_after(None, 1000).await.unwrap(), all);
    recount_finds_nothing(store).await;
}

fn any_user() -> impl Strategy<Value = TelegramUser> {
    let times = (0..60_i64, 0..30_i64, 0..60_i64);
    let reach = (any::<bool>(), option::of(0..60_i64), option::of(0..60_i64));
    let username = prop_oneof![Just(None), select(vec!["ada", "Ada", "bob", "eve"]).prop_map(Some)];
    let words = (select(vec!["Ada", "Жук", "x"]), username, option::of(select(vec!["en", "ru"])));
    let source = option::of(select(vec!["ad", "friend"]));
    (1..40_i64, times, reach, words, source).prop_map(
        |(n, (first, more, changed), reach, words, source)| {
            let (has_private_chat, blocked, unblocked) = reach;
            let (name, username, language) = words;
            let is_blocked = blocked > unblocked;
            TelegramUser {
                first_name: name.to_owned(),
                username: username.and_then(Username::from_telegram),
                language_code: language.map(str::to_owned),
                updated_at: at(first + changed.min(more)),
                source: source.map(|payload| payload.parse().unwrap()),
                reachability: Reachability {
                    has_private_chat,
                    obstacle: is_blocked.then_some(UnreachableReason::Blocked),
                    blocked_at: blocked.map(at),
                    unblocked_at: unblocked.map(at),
                },
                ..user(n, first, first + more)
            }
        },
    )
}

async fn import<U: Into<ImportedUser>>(store: &dyn TransferStore, users: Vec<U>) -> Imported {
    let parts = parts([users, Vec::new()]);
    match store.import(parts, at(0), Box::new(drop)).await.unwrap() {
        ImportEnd::Done(imported) => imported,
        end => panic!("{end:?}"),
    }
}

fn parts<U: Into<ImportedUser>>(parts: impl IntoIterator<Item = Vec<U>>) -> Incoming {
    let part = |users: Vec<U>| users.into_iter().map(Into::into).collect();
    let parts: Vec<Vec<ImportedUser>> = parts.into_iter().map(part).collect();
    Box::new(parts.into_iter())
}

fn tagged(user: TelegramUser, tags: &str) -> ImportedUser {
    ImportedUser { tags: tags.split_whitespace().map(name).collect(), ..user.into() }
}

async fn check_tags(store: &dyn TransferStore, ids: &[i64], expected: &[(i64, &str)]) {
    let ids: Vec<TelegramId> = ids.iter().copied().map(id).collect();
    let tags = store.tags_of(&ids).await.unwrap();
    let names = |text: &str| text.split_whitespace().map(name).collect();
    let expected = expected.iter().map(|&(n, tags)| (id(n), names(tags)));
    assert_eq!(tags, expected.collect::<BTreeMap<TelegramId, Vec<LabelName>>>());
}

fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

async fn index(store: &dyn TransferStore) {
    while store.index_names(1000).await.unwrap() > 0 {}
}

async fn found(store: &dyn TransferStore, term: &str) -> Vec<i64> {
    let filter = UserFilter::new().matching(SearchTerm::new(term).unwrap());
    let sort = UserSort { key: SortKey::Id, descending: false };
    let slice = store.users(&filter, sort, None, 10).await.unwrap();
    slice.rows.iter().map(|row| row.user.telegram_id.get()).collect()
}

async fn recount_finds_nothing(store: &dyn TransferStore) {
    assert_eq!(store.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
}

fn register(store: &dyn TransferStore, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(1_000))).unwrap();
}

fn seen(n: i64, day: i64, name: &str) -> Interaction {
    let chat = Chat { id: n, kind: ChatKind::Private };
    let profile = Profile::new(id(n), name);
    Interaction { chat: Some(chat), ..Interaction::new(at(day), profile, InteractionKind::Text) }
}

/// A user who was first seen on one day and last seen on another.
fn user(n: i64, first: i64, last: i64) -> TelegramUser {
    TelegramUser {
        first_name: format!("User {n}"),
        last_seen: at(last),
        ..TelegramUser::new(id(n), at(first))
    }
}

fn at(day: i64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2026-08-31T12:00:00.123456Z".parse().unwrap();
    first + TimeDelta::days(day)
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
