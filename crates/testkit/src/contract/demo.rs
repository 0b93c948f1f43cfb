//! The contract of [`DemoRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    collection::{btree_map, vec},
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    ActiveDay, Chat, ChatKind, CommandUse, Event, Figure, Hour, Interaction, InteractionKind,
    LabelKind, Profile, Reachability, ReachabilityChange, StartPayload, TelegramId, TelegramUser,
    UnreachableReason,
};
use rollcall_repository::{
    BotRepository, CreatedLabel, DaySum, DemoRepository, History, LabelRepository, LabelSum,
    UseCount,
};
use tokio::task::block_in_place;

/// A store that can be filled with demo users.
pub trait DemoStore: super::Store + DemoRepository + LabelRepository {}

impl<S: super::Store + DemoRepository + LabelRepository> DemoStore for S {}

/// The users of one store, and the bot that it belongs to.
pub type Store = (Arc<dyn DemoStore>, Arc<dyn BotRepository>);

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! demo_repository_contract {
    ($open:path) => {
        $crate::contract!($open, demo:
            loaded_users_equal_registered_users,
            a_recount_equals_the_loaded_sums,
            counts_of_uses_add_up,
            minutes_are_counted_on_by_registrations,
            demo_data_replaces_demo_data,
            real_users_are_not_replaced,
            users_without_a_mark_are_not_demo_users,
            the_database_of_a_bot_is_not_filled,
        );
    };
}

pub async fn loaded_users_equal_registered_users([(store, _), (other, _)]: [Store; 2]) {
    let ada = Profile::new(id(1), "Ada").last_name("Lovelace").username("ada").language_code("en");
    let on = |time, kind, event| Interaction {
        chat: Some(Chat { id: id(1).get(), kind: ChatKind::Private }),
        event,
        ..Interaction::new(at(time), ada.clone(), kind)
    };
    let start = Some(Event::Start(payload("friend")));
    let used = |time, command| Interaction {
        command: Some(command),
        ..on(time, InteractionKind::Command, None)
    };
    let interactions = [
        Interaction {
            command: Some("start"),
            ..on("2026-10-30T10:00:00Z", InteractionKind::Command, start)
        },
        on("2026-10-30T11:00:00Z", InteractionKind::Text, None),
        on("2026-10-31T12:00:00Z", InteractionKind::MyChatMember, Some(Event::Blocked)),
        on("2026-11-07T12:00:00Z", InteractionKind::MyChatMember, Some(Event::Unblocked)),
        on("2026-11-29T12:00:00Z", InteractionKind::Text, None),
        used("2026-11-29T13:00:00Z", "help"),
    ];
    register(&*store, interactions);
    let registered = everything_about(&*store, id(1)).await;
    let uses = registered.0.iter().flat_map(|it| it.3.iter().map(|it| it.command.as_str()));
    assert_eq!(uses.collect::<BTreeSet<_>>(), ["/start", "/help"].into());
    store.delete(&[id(1)]).await.unwrap();

    let history = History {
        user: registered.0.clone().unwrap().0,
        days: [
            ("2026-10-30", 10, 2),
            ("2026-10-31", 12, 1),
            ("2026-11-07", 12, 1),
            ("2026-11-29", 12, 2),
        ]
        .map(|(day, hour, interactions)| (active(day.parse().unwrap(), hour), interactions))
        .into(),
        reach_changes: vec![
            ReachabilityChange {
                at: at("2026-10-31T12:00:00Z"),
                obstacle: Some(UnreachableReason::Blocked),
            },
            ReachabilityChange { at: at("2026-11-07T12:00:00Z"), obstacle: None },
        ],
        starts: vec![(at("2026-10-30T10:00:00Z"), payload("friend"))],
        uses: registered.0.clone().unwrap().3,
    };
    assert!(store.begin_demo().await.unwrap());
    store.load([history].into()).await.unwrap();
    assert_eq!(everything_about(&*other, id(1)).await, registered);
    recount_finds_nothing(&*other).await;

    // Later interactions of loaded users: on the latest day, on a new day and on past days.
    let more = [
        "2026-11-29T14:00:00Z",
        "2026-11-30T00:00:00Z",
        "2026-10-30T12:00:00Z",
        "2026-11-28T12:00:00Z",
    ];
    register(&*other, more.map(|time| on(time, InteractionKind::Text, None)));
    recount_finds_nothing(&*store).await;
}

/// A user with their history, and the nonzero sums that are counted from users.
type Everything = (
    Option<(
        TelegramUser,
        Vec<ReachabilityChange>,
        Vec<(DateTime<Utc>, StartPayload)>,
        Vec<CommandUse>,
    )>,
    Vec<DaySum>,
);

async fn everything_about(store: &dyn DemoStore, id: TelegramId) -> Everything {
    let figures: Vec<Figure> =
        Figure::ALL.into_iter().filter(|figure| figure.is_counted_from_users()).collect();
    let mut sums = store.sums_by_day(&figures, day(-1000), day(1000)).await.unwrap();
    sums.retain(|it| it.value != 0);
    let detail = super::detail_of(store, id).await;
    assert_eq!(detail.as_ref().map(|it| &it.user), store.find(id).await.unwrap().as_ref());
    let detail = detail.map(|it| (it.user, it.reach_history, it.starts, it.uses));
    (detail, sums)
}

/// For any users, loaded in parts and concurrently, and any later interactions.
pub async fn a_recount_equals_the_loaded_sums(stores: [Store; 2]) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 12, ..Config::default() };
        TestRunner::new_with_rng(config, rng)
            .run(&vec(any_history(), 1..60), |histories| {
                runtime.block_on(load_in_parts(&stores, histories));
                Ok(())
            })
            .unwrap();
    });
}

async fn load_in_parts([(store, _), (other, _)]: &[Store; 2], histories: Vec<History>) {
    let people: Vec<History> = (1..).zip(histories).map(|(n, it)| numbered(n, it)).collect();
    let (some, others) = people.split_at(people.len() / 3);
    assert!(store.begin_demo().await.unwrap());
    let (some, others) = tokio::join!(store.load(some.into()), other.load(others.into()));
    some.and(others).unwrap();
    for History { user, .. } in &people {
        assert_eq!(store.find(user.telegram_id).await.unwrap().as_ref(), Some(user));
    }
    recount_finds_nothing(&**store).await;

    let days = [0, 3, 45, 61].map(|n| day(n).and_hms_opt(12, 0, 0).unwrap().and_utc());
    let profile = |n| Profile::new(id(n), "x").language_code("uk");
    register(
        &**other,
        days.into_iter().flat_map(|at| {
            (1..20).map(move |n| Interaction::new(at, profile(n), InteractionKind::Text))
        }),
    );
    recount_finds_nothing(&**store).await;
}

/// A user with any days, obstacles and deep links.
fn any_history() -> impl Strategy<Value = History> {
    let days = btree_map(prop_oneof![0..10_i64, 0..70_i64], 1..30_u32, 1..12);
    let obstacle = prop_oneof![
        Just(None),
        Just(Some(UnreachableReason::Blocked)),
        Just(Some(UnreachableReason::Deactivated)),
        Just(Some(UnreachableReason::NeverStarted)),
    ];
    let changes = btree_map(0..70_i64, obstacle, 0..4);
    let starts = btree_map(0..70_i64, 0..30_u32, 0..3);
    let has_private_chat = any::<bool>();
    let language = prop_oneof![Just(None), Just(Some("en")), Just(Some("de"))];
    (days, changes, starts, has_private_chat, language).prop_map(
        |(days, changes, starts, has_private_chat, language)| {
            let noon = |n| day(n).and_hms_opt(12, 0, 0).unwrap().and_utc();
            let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
            let mut user = TelegramUser::new(id(1), noon(first));
            user.last_seen = noon(last) + TimeDelta::microseconds(1);
            user.language_code = language.map(str::to_owned);
            let obstacle = changes.values().last().copied().flatten();
            user.reachability =
                Reachability { has_private_chat, obstacle, ..Reachability::default() };
            let starts: Vec<_> = starts
                .into_iter()
                .map(|(day, link)| (noon(day), payload(&format!("link-{link}"))))
                .collect();
            user.source = starts.first().map(|(_, payload)| payload.clone());
            History {
                user,
                days: days
                    .into_iter()
                    .map(|(n, interactions)| (active(day(n), 12), interactions))
                    .collect(),
                reach_changes: changes
                    .into_iter()
                    .map(|(day, obstacle)| ReachabilityChange { at: noon(day), obstacle })
                    .collect(),
                starts,
                uses: Vec::new(),
            }
        },
    )
}

pub async fn counts_of_uses_add_up([(store, _), _]: [Store; 2]) {
    assert!(store.begin_demo().await.unwrap());
    let uses = [
        (Figure::Kind, day(0), "text", 3),
        (Figure::Kind, day(1), "text", 4),
        (Figure::Command, day(1), "start", 2),
    ]
    .map(|(figure, day, label, count)| UseCount { figure, day, label: label.into(), count });
    store.count_uses(&uses).await.unwrap();
    store.count_uses(&uses[1..]).await.unwrap();
    let figures = [Figure::Kind, Figure::Command];
    assert_eq!(
        store.sums_by_label(&figures, day(0), day(1)).await.unwrap(),
        [(Figure::Command, "start", 4), (Figure::Kind, "text", 11)]
            .map(|(figure, label, value)| LabelSum { figure, label: label.to_owned(), value })
    );
}

pub async fn minutes_are_counted_on_by_registrations([(store, _), (other, _)]: [Store; 2]) {
    assert!(store.begin_demo().await.unwrap());
    let now = at(REGISTERED_AT);
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    store.count_minutes(&[(ago(59), 2), (ago(1), 3), (now, 1)]).await.unwrap();
    let minutes = async || store.minutes(ago(59)).await.unwrap();
    assert_eq!(minutes().await, [(ago(59), 2), (ago(1), 3), (now, 1)]);
    register(
        &*store,
        [Interaction::new(ago(1), Profile::new(id(1), "Ada"), InteractionKind::Text)],
    );
    assert!(minutes().await.contains(&(ago(1), 4)));
    assert!(other.begin_demo().await.unwrap());
    assert_eq!(minutes().await, []);
}

pub async fn demo_data_replaces_demo_data([(store, _), (other, _)]: [Store; 2]) {
    assert!(store.begin_demo().await.unwrap());
    store.load([any_user(1), any_user(2)].into()).await.unwrap();
    let texts = UseCount { figure: Figure::Kind, day: day(0), label: "text".into(), count: 3 };
    store.count_uses(&[texts]).await.unwrap();
    let (name, now) = ("vip".parse().unwrap(), at("2026-11-23T12:00:00Z"));
    let tag = store.create_label(LabelKind::Tag, &name, "", None, now).await.unwrap();
    let CreatedLabel::New(tag) = tag else { panic!("a new database has no tags: {tag:?}") };
    store.label_user(&tag, id(1), true, None, now).await.unwrap();

    assert!(other.begin_demo().await.unwrap());
    assert_eq!(store.find(id(1)).await.unwrap(), None);
    assert_eq!(store.sums_by_day(&Figure::ALL, day(-1000), day(1000)).await.unwrap(), []);
    other.load([any_user(1)].into()).await.unwrap();
    // The tag is there, but no new user has it.
    assert_eq!(store.labels(LabelKind::Tag).await.unwrap(), [tag]);
    assert_eq!(store.labels_of(&[id(1)]).await.unwrap(), [].into());
    assert_eq!(store.totals(&[Figure::Users], day(1000)).await.unwrap(), [1]);
    recount_finds_nothing(&*store).await;
}

pub async fn real_users_are_not_replaced([(store, _), _]: [Store; 2]) {
    let real = TelegramId::try_from(1815).unwrap();
    let comes = async || {
        let at = at("2026-11-23T12:00:00Z");
        register(&*store, [Interaction::new(at, Profile::new(real, "Ada"), InteractionKind::Text)]);
        let before = everything_about(&*store, real).await;
        assert!(!store.begin_demo().await.unwrap());
        // A refused attempt does not mark them as demo users.
        assert!(!store.begin_demo().await.unwrap());
        assert_eq!(everything_about(&*store, real).await, before);
        assert_eq!(store.totals(&[Figure::Kind], day(1000)).await.unwrap(), [1]);
        store.delete(&[real]).await.unwrap();
    };
    comes().await;
    assert!(store.begin_demo().await.unwrap());
    store.load([any_user(1)].into()).await.unwrap();
    comes().await;
    assert!(store.begin_demo().await.unwrap());
}

pub async fn users_without_a_mark_are_not_demo_users([(store, _), _]: [Store; 2]) {
    // A user of `manage test-users`.
    let profile = Profile::new(id(1), "Test User");
    let at = at("2026-11-23T12:00:00Z");
    register(&*store, [Interaction::new(at, profile, InteractionKind::Text)]);
    assert!(!store.begin_demo().await.unwrap());
    assert!(store.find(id(1)).await.unwrap().is_some());
}

pub async fn the_database_of_a_bot_is_not_filled([(store, bots), _]: [Store; 2]) {
    assert!(store.begin_demo().await.unwrap());
    store.load([any_user(1)].into()).await.unwrap();
    bots.claim(id(5), at("2026-11-23T12:00:00Z")).await.unwrap();
    let before = everything_about(&*store, id(1)).await;
    assert!(!store.begin_demo().await.unwrap());
    assert_eq!(everything_about(&*store, id(1)).await, before);
}

fn any_user(n: i64) -> History {
    let noon = day(0).and_hms_opt(12, 0, 0).unwrap().and_utc();
    History {
        user: TelegramUser::new(id(n), noon),
        days: vec![(active(day(0), 12), 1)],
        reach_changes: Vec::new(),
        starts: Vec::new(),
        uses: Vec::new(),
    }
}

fn numbered(n: i64, history: History) -> History {
    History { user: TelegramUser { telegram_id: id(n), ..history.user }, ..history }
}

async fn recount_finds_nothing(store: &dyn DemoStore) {
    let differences = store.recount(false, Arc::new(|_, _| {})).await.unwrap();
    assert_eq!(differences, []);
}

/// The time of the clock at which [`register`] registers.
const REGISTERED_AT: &str = "2026-12-31T00:00:00Z";

fn register(store: &dyn DemoStore, interactions: impl IntoIterator<Item = Interaction>) {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(REGISTERED_AT))).unwrap();
}

fn payload(text: &str) -> StartPayload {
    text.parse().unwrap()
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn day(n: i64) -> NaiveDate {
    at("2026-10-01T00:00:00Z").date_naive() + TimeDelta::days(n)
}

fn active(day: NaiveDate, hour: u32) -> ActiveDay {
    ActiveDay { day, first_hour: Hour::new(hour) }
}

/// The id of a demo user.
fn id(n: i64) -> TelegramId {
    (History::REAL_IDS_END + n).try_into().unwrap()
}
