//! The contract of [`PersonalDataRepository`] and [`PrivacyRequestRepository`]. That no table is missing is a test of each storage, because
//! only it knows its tables.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    DataValue, Interaction, InteractionKind, PersonalTable, Profile, QuarantinedUpdate,
    REQUEST_IS_DUE_AFTER, RequestKind, TelegramId,
};
use rollcall_repository::{
    AddedRequest, Batch, NewPrivacyRequest, PersonalDataRepository, PrivacyRequestRepository,
    UserRepository,
};
use tokio::task::block_in_place;

/// A store of users and of what is stored about them.
pub trait PersonalStore:
    UserRepository + PersonalDataRepository + PrivacyRequestRepository
{
}

impl<S: UserRepository + PersonalDataRepository + PrivacyRequestRepository> PersonalStore for S {}

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn PersonalStore>; 2];

/// Generates a test for each contract; see [`contract!`](crate::contract!).
#[macro_export]
macro_rules! personal_data_contract {
    ($open:path) => {
        $crate::contract!($open, personal_data:
            rows_are_those_of_one_person,
            rows_come_in_parts,
            a_quarantined_update_of_an_unknown_person_is_found,
            requests_are_counted_and_finished_once,
            a_person_asks_again_only_after_a_while,
            concurrent_requests_of_one_person_are_one,
            erasing_finishes_the_open_requests_of_these_people,
            finished_requests_are_forgotten,
        );
    };
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn id(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

fn seen(user: i64, day: i64) -> Interaction {
    let profile = Profile::new(id(user), &format!("Name {user}"));
    Interaction::new(at(day * 86_400), profile, InteractionKind::Text)
}

fn register(store: &dyn PersonalStore, batch: &Batch) {
    block_in_place(|| store.register(batch, at(100 * 86_400))).unwrap();
}

/// Each row has names and values, and is about the person only.
pub async fn rows_are_those_of_one_person([store, other]: Stores) {
    register(&*store, &vec![seen(1, 0), seen(2, 0), seen(1, 1), seen(2, 2)].into());
    let rows = other.personal_rows(PersonalTable::TelegramUsers, id(1), 0, 10).await.unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let value = |name: &str| row.iter().find(|(column, _)| *column == name).unwrap().1.clone();
    assert_eq!(value("first_name"), Some(DataValue::Text("Name 1".to_owned())));
    assert_eq!(value("is_bot"), Some(DataValue::Flag(false)));
    assert_eq!(value("last_seen"), Some(DataValue::Time(at(86_400))));
    assert_eq!(value("active_day"), Some(DataValue::Day(at(86_400).date_naive())));
    assert_eq!(value("active_days"), Some(DataValue::Number(2)));
    assert_eq!(value("username"), None);
    let days = other.personal_rows(PersonalTable::ActiveDays, id(1), 0, 10).await.unwrap();
    let day = ("day", Some(DataValue::Day(at(0).date_naive())));
    assert!(days.len() == 1 && days[0].contains(&day), "{days:?}");
    assert_eq!(
        other.personal_rows(PersonalTable::ActiveDays, id(3), 0, 10).await.unwrap(),
        [[]; 0]
    );
}

/// Parts are in one order, and end.
pub async fn rows_come_in_parts([store, _]: Stores) {
    register(&*store, &(0..8).map(|day| seen(1, day)).collect::<Vec<_>>().into());
    let read = async |skipped, limit| {
        store.personal_rows(PersonalTable::ActiveDays, id(1), skipped, limit).await.unwrap()
    };
    let all = read(0, 100).await;
    assert_eq!(all.len(), 7);
    let mut parts = Vec::new();
    for skipped in [0, 3, 6, 9] {
        parts.extend(read(skipped, 3).await);
    }
    assert_eq!(parts, all);
}

/// Somebody who is no user may have a copy, too.
pub async fn a_quarantined_update_of_an_unknown_person_is_found([store, _]: Stores) {
    let quarantined = QuarantinedUpdate {
        update_id: 5,
        received_at: at(0),
        reason: "odd".to_owned(),
        telegram_id: Some(id(7)),
        registered: false,
        payload: "{}".to_owned(),
        undelivered: false,
    };
    register(&*store, &Batch { interactions: Vec::new(), quarantined: vec![quarantined] });
    let rows = store.personal_rows(PersonalTable::Quarantine, id(7), 0, 10).await.unwrap();
    let payload = ("payload", Some(DataValue::Text("{}".to_owned())));
    assert!(rows.len() == 1 && rows[0].contains(&payload), "{rows:?}");
    assert_eq!(
        store.personal_rows(PersonalTable::Quarantine, id(8), 0, 10).await.unwrap(),
        [[]; 0]
    );
}

fn asked(person: i64, kind: RequestKind, second: i64) -> NewPrivacyRequest {
    NewPrivacyRequest {
        person: id(person),
        kind,
        asked_at: at(second),
        due_at: at(second) + REQUEST_IS_DUE_AFTER,
        not_after: None,
    }
}

/// The same, unless there was one within the last hour.
fn asked_again(person: i64, kind: RequestKind, second: i64) -> NewPrivacyRequest {
    NewPrivacyRequest { not_after: Some(at(second - 3_600)), ..asked(person, kind, second) }
}

async fn open(store: &dyn PersonalStore) -> Vec<i64> {
    store.open_privacy_requests(100).await.unwrap().iter().map(|it| it.id).collect()
}

/// Requests have numbers, show no id, and are finished once.
pub async fn requests_are_counted_and_finished_once([store, other]: Stores) {
    for (number, kind) in (1..).zip(RequestKind::ALL) {
        let added = other.add_privacy_request(asked(7, kind, number)).await.unwrap();
        assert_eq!(added, AddedRequest::Added(number));
    }
    let others = store.add_privacy_request(asked(8, RequestKind::Copy, 0)).await.unwrap();
    assert_eq!(others, AddedRequest::Added(4));
    // Those first that are due first.
    let listed = store.open_privacy_requests(100).await.unwrap();
    let ids: Vec<i64> = listed.iter().map(|it| it.id).collect();
    assert_eq!(ids, [4, 1, 2, 3]);
    let [of_another, first, second, _] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(first.person, second.person);
    assert_ne!(first.person, of_another.person);
    assert_eq!((first.kind, first.asked_at), (RequestKind::Copy, at(1)));
    assert_eq!((first.due_at, first.done_at), (at(1) + REQUEST_IS_DUE_AFTER, None));

    assert!(store.finish_privacy_request(1, at(50)).await.unwrap());
    assert!(!other.finish_privacy_request(1, at(51)).await.unwrap());
    assert!(!store.finish_privacy_request(9, at(51)).await.unwrap());
    assert_eq!(open(&*store).await, [4, 2, 3]);
    let done = store.done_privacy_requests(100).await.unwrap();
    assert_eq!((done.len(), done[0].id, done[0].done_at), (1, 1, Some(at(50))));
}

/// Within an hour nothing is added, for this kind and this person. Afterwards an open request goes on.
pub async fn a_person_asks_again_only_after_a_while([store, _]: Stores) {
    let ask = async |request| store.add_privacy_request(request).await.unwrap();
    let copy = RequestKind::Copy;
    assert_eq!(ask(asked_again(7, copy, 0)).await, AddedRequest::Added(1));
    assert_eq!(ask(asked_again(7, copy, 10)).await, AddedRequest::Recent(at(0)));
    assert_eq!(ask(asked_again(8, copy, 10)).await, AddedRequest::Added(2));
    assert_eq!(ask(asked_again(7, RequestKind::Erasure, 10)).await, AddedRequest::Added(3));
    // It was never finished, so it is the same request, and still due at the same time.
    assert_eq!(ask(asked_again(7, copy, 3_700)).await, AddedRequest::Added(1));
    assert_eq!(ask(asked_again(7, copy, 3_800)).await, AddedRequest::Recent(at(3_700)));
    let listed = store.open_privacy_requests(1).await.unwrap();
    assert_eq!((listed[0].id, listed[0].due_at), (1, at(0) + REQUEST_IS_DUE_AFTER));
    store.finish_privacy_request(1, at(3_900)).await.unwrap();
    assert_eq!(ask(asked_again(7, copy, 4_000)).await, AddedRequest::Recent(at(3_700)));
    assert_eq!(ask(asked_again(7, copy, 9_000)).await, AddedRequest::Added(4));
}

/// Two processes that get the same request at once add one.
pub async fn concurrent_requests_of_one_person_are_one(stores: Stores) {
    for round in 1..20 {
        let asks = stores.clone().map(|store| {
            let request = asked_again(round, RequestKind::Copy, 0);
            tokio::spawn(async move { store.add_privacy_request(request).await.unwrap() })
        });
        let mut added = 0;
        for ask in asks {
            added += usize::from(matches!(ask.await.unwrap(), AddedRequest::Added(_)));
        }
        assert_eq!(added, 1, "{round}");
    }
    assert_eq!(open(&*stores[0]).await.len(), 19);
}

/// Erasures are finished, and those that Telegram asked for; a copy is still to be sent.
pub async fn erasing_finishes_the_open_requests_of_these_people([store, other]: Stores) {
    for person in [7, 8, 9] {
        for kind in RequestKind::ALL {
            store.add_privacy_request(asked(person, kind, person)).await.unwrap();
        }
    }
    assert_eq!(other.finish_erasures(&[id(7), id(9), id(10)], at(100)).await.unwrap(), 4);
    assert_eq!(other.finish_erasures(&[id(7), id(9)], at(100)).await.unwrap(), 0);
    // The copies of all, and the erasures of the second one.
    assert_eq!(open(&*store).await, [1, 4, 5, 6, 7]);
}

/// Only those that are done, and were done before a time.
pub async fn finished_requests_are_forgotten([store, _]: Stores) {
    for person in 1..=4 {
        store.add_privacy_request(asked(person, RequestKind::Copy, 0)).await.unwrap();
    }
    for (number, second) in [(1, 10), (2, 20), (3, 30)] {
        store.finish_privacy_request(number, at(second)).await.unwrap();
    }
    assert_eq!(store.forget_privacy_requests(at(30), 1).await.unwrap(), 1);
    assert_eq!(store.forget_privacy_requests(at(30), 10).await.unwrap(), 1);
    assert_eq!(store.forget_privacy_requests(at(30), 10).await.unwrap(), 0);
    let done = store.done_privacy_requests(10).await.unwrap();
    assert_eq!((done.len(), done[0].id, open(&*store).await), (1, 3, vec![4]));
}
