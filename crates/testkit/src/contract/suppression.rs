//! The contract of erasing: who was erased is not stored again until they agree. The name of each
//! function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Chat, ChatKind, Event, Figure, Interaction, InteractionKind, Profile, QuarantinedUpdate,
    Registration, TelegramId, TelegramUser,
};
use rollcall_repository::{Batch, ImportEnd, Imported, QuarantineRepository, UserEventRepository};
use tokio::task::{block_in_place, spawn_blocking};

use super::transfer::TransferStore;

/// A store of users that records every kind of event.
pub trait SuppressingStore: TransferStore + UserEventRepository {}

impl<S: TransferStore + UserEventRepository> SuppressingStore for S {}

/// The users, and the quarantine.
pub type Store = (Arc<dyn SuppressingStore>, Arc<dyn QuarantineRepository>);

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! suppression_contract {
    ($open:path) => {
        $crate::contract!($open, suppression:
            erased_users_are_not_registered_again,
            erased_users_take_no_username,
            interactions_of_erased_users_only_count,
            updates_of_erased_users_are_not_quarantined,
            erased_users_are_registered_once_they_agree,
            erased_users_are_registered_once_they_are_allowed,
            deleted_users_may_return,
            erased_users_are_not_imported,
            nobody_is_erased_and_stored,
            customers_of_business_accounts_are_not_registered,
        );
    };
}

pub async fn erased_users_are_not_registered_again([(store, _), (other, _)]: [Store; 2]) {
    register(&*store, [text(1, 1), text(2, 1), text(3, 1)]);
    // Ids without a user are not suppressed.
    assert_eq!(store.erase(&[3, 1, 9].map(id)).await.unwrap(), 2);
    assert_eq!(store.erase(&[3, 1, 9].map(id)).await.unwrap(), 0);

    let private = Some(Chat { id: 1, kind: ChatKind::Private });
    let start = Event::Start("ad".parse().unwrap());
    let ways = [None, Some(Event::Blocked), Some(Event::Unblocked), Some(start)];
    for (minute, event) in (2..).zip(ways) {
        for store in [&store, &other] {
            let way = Interaction { chat: private, event: event.clone(), ..text(1, minute) };
            let answers = register(&**store, [text(2, minute), way.clone(), text(9, minute), way]);
            let suppressed: Vec<bool> = answers.iter().map(|it| it.suppressed).collect();
            assert_eq!(suppressed, [false, true, false, true]);
            assert!(!answers[1].created && !answers[3].created);
            // The answer has what the interaction shows.
            assert_eq!(answers[1].user.first_name, "user 1");
        }
    }
    let suppressed = register(&*other, [text(3, 9)]).remove(0);
    assert!(suppressed.suppressed && !suppressed.repeated);

    // An update that comes again is still that of an erased user.
    let update = Interaction { update_id: Some(70), ..text(1, 9) };
    assert!(!register(&*store, [update.clone()])[0].repeated);
    let again = register(&*other, [update.clone()]).remove(0);
    assert!(again.suppressed && again.repeated);
    let again = register(&*other, [update, text(2, 9)]).remove(0);
    assert!(again.suppressed && again.repeated);

    assert_eq!(stored(&*store).await, [2, 9]);
    assert_eq!(store.user(id(1), DateTime::UNIX_EPOCH.date_naive()).await.unwrap(), None);
    let events = store.claim_events(at(100), at(200), 100).await.unwrap();
    assert!(events.iter().all(|event| [2, 9].contains(&event.telegram_id.get())), "{events:?}");
    check_recount(&*store).await;
}

pub async fn erased_users_take_no_username([(store, _), _]: [Store; 2]) {
    let named = |n, minute| {
        let profile = Profile::new(id(n), "x").username("ada");
        Interaction::new(at(minute), profile, InteractionKind::Text)
    };
    register(&*store, [named(1, 1)]);
    store.erase(&[id(1)]).await.unwrap();
    register(&*store, [named(2, 2)]);
    register(&*store, [named(1, 3)]);
    let holder = store.find_by_username(&"ada".parse().unwrap()).await.unwrap();
    assert_eq!(holder.map(|it| it.telegram_id), Some(id(2)));
}

pub async fn interactions_of_erased_users_only_count([(store, _), _]: [Store; 2]) {
    register(&*store, [text(1, 1)]);
    store.erase(&[id(1)]).await.unwrap();
    let day = at(0).date_naive();
    let figures = [
        Figure::Kind,
        Figure::InteractionHour,
        Figure::Command,
        Figure::New,
        Figure::Active,
        Figure::Users,
    ];
    let before = store.totals(&figures, day).await.unwrap();
    let command = Interaction {
        command: Some("start"),
        kind: InteractionKind::Command,
        event: Some(Event::Start("ad".parse().unwrap())),
        ..text(1, 2)
    };
    register(&*store, [command, text(1, 3), text(1, 26 * 60)]);
    let after = store.totals(&figures, day + TimeDelta::days(1)).await.unwrap();
    let added: Vec<i64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(added, [3, 3, 1, 0, 0, 0]);
    check_recount(&*store).await;
}

pub async fn updates_of_erased_users_are_not_quarantined([(store, quarantine), _]: [Store; 2]) {
    register(&*store, [text(1, 1), text(2, 1)]);
    store.erase(&[id(1)]).await.unwrap();
    let update = |update_id, user: Option<i64>| QuarantinedUpdate {
        update_id,
        received_at: at(2),
        reason: "odd".to_owned(),
        registered: true,
        telegram_id: user.map(id),
        payload: "{}".to_owned(),
        undelivered: false,
    };
    let quarantined = vec![update(1, Some(1)), update(2, Some(2)), update(3, None)];
    let batch = Batch { interactions: vec![text(1, 2), text(2, 2)], quarantined };
    block_in_place(|| store.register(&batch, at(2))).unwrap();
    // Without its interaction, which the database refused.
    let batch = Batch { interactions: Vec::new(), quarantined: vec![update(4, Some(1))] };
    block_in_place(|| store.register(&batch, at(2))).unwrap();
    let kept = quarantine.list(0, 9).await.unwrap();
    assert_eq!(kept.iter().map(|it| it.update_id).collect::<Vec<_>>(), [2, 3]);
}

pub async fn erased_users_are_registered_once_they_agree([(store, _), (other, _)]: [Store; 2]) {
    register(&*store, [text(1, 1), text(2, 1)]);
    store.erase(&[1, 2].map(id)).await.unwrap();
    let agreed = Interaction { event: Some(Event::Agreed), ..text(1, 5) };
    let answers = register(&*other, [agreed.clone(), text(2, 5)]);
    assert!(answers[0].created && !answers[0].suppressed && answers[1].suppressed);
    let user = store.find(id(1)).await.unwrap().unwrap();
    assert_eq!((user.created_at, user.first_name.as_str()), (at(5), "user 1"));
    // Agreeing again is an interaction like others, and so is that of a user who was never erased.
    let strange = Interaction { event: Some(Event::Agreed), ..text(3, 6) };
    let answers = register(&*store, [agreed, text(1, 6), strange]);
    assert!(answers.iter().all(|it| !it.suppressed));
    assert_eq!(stored(&*store).await, [1, 3]);
    // Erased once more.
    assert_eq!(store.erase(&[id(1)]).await.unwrap(), 1);
    assert!(register(&*store, [text(1, 7)])[0].suppressed);
    check_recount(&*store).await;
}

pub async fn erased_users_are_registered_once_they_are_allowed(
    [(store, _), (other, _)]: [Store; 2],
) {
    assert!(!store.allow(id(1)).await.unwrap());
    register(&*store, [text(1, 1)]);
    assert!(!store.allow(id(1)).await.unwrap());
    store.erase(&[id(1)]).await.unwrap();
    assert!(other.allow(id(1)).await.unwrap());
    assert!(!other.allow(id(1)).await.unwrap());
    assert!(stored(&*store).await.is_empty());
    assert!(register(&*store, [text(1, 2)])[0].created);
}

pub async fn deleted_users_may_return([(store, _), _]: [Store; 2]) {
    register(&*store, [text(1, 1), text(2, 1)]);
    store.erase(&[id(2)]).await.unwrap();
    assert_eq!(store.delete(&[id(1), id(2)]).await.unwrap(), 1);
    let answers = register(&*store, [text(1, 2), text(2, 2)]);
    assert!(answers[0].created && answers[1].suppressed);
}

pub async fn erased_users_are_not_imported([(store, _), (other, _)]: [Store; 2]) {
    register(&*store, [text(1, 1), text(2, 1), text(3, 1)]);
    store.erase(&[1, 2].map(id)).await.unwrap();
    let users = [1, 2, 3, 4].map(|n| TelegramUser::new(id(n), at(0)));
    // A file may have a user twice.
    let twice = TelegramUser::new(id(1), at(2));
    let parts = vec![users.map(Into::into).to_vec(), vec![twice.into()], vec![]].into_iter();
    let end = other.import(Box::new(parts), at(3), Box::new(drop)).await.unwrap();
    let expected = Imported { created: 1, updated: 1, suppressed: 3, ..Imported::default() };
    assert_eq!(end, ImportEnd::Done(expected));
    assert_eq!(stored(&*store).await, [3, 4]);
    check_recount(&*store).await;
}

pub async fn customers_of_business_accounts_are_not_registered([(store, _), _]: [Store; 2]) {
    let written = |n, minute, kind| Interaction { kind, ..text(n, minute) };
    let (new, edited) = (InteractionKind::BusinessMessage, InteractionKind::EditedBusinessMessage);
    let batch = [written(1, 1, new), text(2, 1), written(1, 2, edited), written(2, 2, new)];
    let answers = register(&*store, batch);
    let is_stored: Vec<bool> = answers.iter().map(|it| it.stored).collect();
    assert_eq!(is_stored, [false, true, false, true]);
    assert!(answers.iter().all(|it| !it.suppressed));
    assert_eq!(stored(&*store).await, [2]);
    assert_eq!(store.totals(&[Figure::Kind], at(1).date_naive()).await.unwrap(), [4]);
    // A user who is stored already is updated.
    assert!(register(&*store, [written(2, 5, new)])[0].stored);
    assert_eq!(store.find(id(2)).await.unwrap().unwrap().last_seen, at(5));
    // A customer who writes to the bot is a user.
    assert!(register(&*store, [text(1, 6)])[0].created);
    check_recount(&*store).await;
}

/// What happens to a user in a round, each on its own thread.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register,
    Erase,
    Agree,
}

/// Several writers register users while others erase them, and they agree to be stored again. A
/// user who was erased and has not agreed is not stored, and one who is stored is not suppressed.
pub async fn nobody_is_erased_and_stored(stores: [Store; 2]) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 40, ..Config::default() };
        let step = prop_oneof![
            4 => Just(Step::Register),
            3 => Just(Step::Erase),
            1 => Just(Step::Agree),
        ];
        let rounds = vec(vec((step, 1..4_i64), 1..12), 1..4);
        TestRunner::new_with_rng(config, rng)
            .run(&rounds, |rounds| {
                runtime.block_on(async {
                    for steps in rounds {
                        one_round(&stores, &steps).await;
                    }
                });
                Ok(())
            })
            .unwrap();
    });
}

async fn one_round(stores: &[Store; 2], steps: &[(Step, i64)]) {
    let mut tasks = Vec::new();
    for (place, &(step, n)) in steps.iter().enumerate() {
        let store = stores[place % 2].0.clone();
        tasks.push(tokio::spawn(async move {
            let event = match step {
                Step::Erase => return (n, store.erase(&[id(n)]).await.unwrap()),
                Step::Register => None,
                Step::Agree => Some(Event::Agreed),
            };
            // In a batch with another user, so that batches wait for each other.
            let batch = [Interaction { event, ..text(n, 1) }, text(n % 3 + 1, 1)];
            let register = move || store.register(&batch.to_vec().into(), at(1)).unwrap();
            spawn_blocking(register).await.unwrap();
            (n, 0)
        }));
    }
    let mut erased: BTreeMap<i64, usize> = BTreeMap::new();
    for task in tasks {
        let (n, users) = task.await.unwrap();
        *erased.entry(n).or_default() += users;
    }
    let store = &stores[0].0;
    let is_stored = stored(&**store).await;
    for n in 1..4 {
        let has_agreed = steps.iter().any(|&(step, user)| matches!(step, Step::Agree) && user == n);
        let was_erased = erased.get(&n).is_some_and(|&times| times > 0);
        let is_stored = is_stored.contains(&n);
        assert!(!(was_erased && is_stored) || has_agreed, "user {n} is stored: {steps:?}");
        // Nothing but a suppressed user is refused, and nobody else.
        let answer = register(&*stores[1].0, [text(n, 1)]).remove(0);
        assert!(!(is_stored && answer.suppressed), "user {n} is stored and suppressed: {steps:?}");
        assert!(!was_erased || is_stored || answer.suppressed, "user {n} returned: {steps:?}");
    }
    check_recount(&**store).await;
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

/// This number of minutes after the start of the tests.
fn at(minute: i64) -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
}

fn text(n: i64, minute: i64) -> Interaction {
    let profile = Profile::new(id(n), &format!("user {n}"));
    Interaction::new(at(minute), profile, InteractionKind::Text)
}

fn register(
    store: &dyn SuppressingStore,
    interactions: impl IntoIterator<Item = Interaction>,
) -> Vec<Registration> {
    let batch = interactions.into_iter().collect::<Vec<_>>().into();
    block_in_place(|| store.register(&batch, at(48 * 60))).unwrap()
}

/// The ids of the users that are stored.
async fn stored(store: &dyn SuppressingStore) -> Vec<i64> {
    let users = store.users_after(None, 100).await.unwrap();
    users.iter().map(|user| user.telegram_id.get()).collect()
}

async fn check_recount(store: &dyn SuppressingStore) {
    assert_eq!(store.recount(false, Arc::new(|_, _| {})).await.unwrap(), []);
}
