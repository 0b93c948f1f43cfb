//! The contract of [`UserEventRepository`], on a store that records every kind of event.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Chat, ChatKind, Event, EventRefusal, Interaction, InteractionKind, Profile, TelegramId,
    UnreachableReason, UserEvent, UserEventKind,
};
use rollcall_repository::{UserEventRepository, UserRepository};
use tokio::task::block_in_place;

/// A store of users and of their events.
pub trait EventStore: UserRepository + UserEventRepository {}

impl<S: UserRepository + UserEventRepository> EventStore for S {}

/// Two handles on one empty store, like those of two processes.
pub type Stores = [Arc<dyn EventStore>; 2];

/// Generates a test for each contract; see [`contract!`](crate::contract!).
#[macro_export]
macro_rules! user_event_contract {
    ($open:path) => {
        $crate::contract!($open, user_events:
            events_are_recorded_with_what_they_are_about,
            a_claimed_event_is_not_claimed_again_before_its_time,
            a_refused_event_waits_and_shows_why,
            events_are_forgotten_when_delivered_old_or_of_a_deleted_user,
        );
    };
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn id(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

fn happened(user: i64, second: i64, kind: UserEventKind) -> UserEvent {
    UserEvent { telegram_id: id(user), at: at(second), kind }
}

fn interaction(user: i64, second: i64, event: Option<Event>) -> Interaction {
    let profile = Profile::new(id(user), "Ann");
    let mut interaction = Interaction::new(at(second), profile, InteractionKind::Message);
    interaction.chat = Some(Chat { id: user, kind: ChatKind::Private });
    interaction.event = event;
    interaction
}

fn register(store: &dyn EventStore, interactions: Vec<Interaction>, now: DateTime<Utc>) {
    block_in_place(|| store.register(&interactions.into(), now)).unwrap();
}

async fn claim(store: &dyn EventStore, second: i64) -> Vec<UserEvent> {
    store.claim_events(at(second), at(second + 60), 100).await.unwrap()
}

/// Each event is recorded once, in the transaction of what it is about.
pub async fn events_are_recorded_with_what_they_are_about([store, _]: Stores) {
    use UserEventKind::{Blocked, Created, Unblocked};
    register(&*store, vec![interaction(1, 0, None), interaction(2, 1, None)], at(5));
    register(&*store, vec![interaction(1, 2, None)], at(6));
    register(&*store, vec![interaction(2, 3, Some(Event::Blocked))], at(7));
    register(&*store, vec![interaction(2, 4, None)], at(8));
    assert!(store.mark_unreachable(id(1), UnreachableReason::Blocked, at(9), at(9)).await.unwrap());
    let deactivated = UnreachableReason::Deactivated;
    assert!(store.mark_unreachable(id(2), deactivated, at(10), at(10)).await.unwrap());
    assert_eq!(store.oldest_event().await.unwrap(), Some(at(5)));
    assert_eq!(store.count_events().await.unwrap(), 5);
    let events = claim(&*store, 20).await;
    assert_eq!(
        events,
        [
            happened(1, 0, Created),
            happened(2, 1, Created),
            happened(2, 3, Blocked),
            happened(2, 4, Unblocked),
            happened(1, 9, Blocked),
        ]
    );
}

/// Two processes share the events. What one of them left is claimed again when its time is over.
pub async fn a_claimed_event_is_not_claimed_again_before_its_time([one, two]: Stores) {
    register(&*one, (1..=10).map(|user| interaction(user, user, None)).collect(), at(20));
    let first = one.claim_events(at(30), at(90), 4).await.unwrap();
    assert_eq!(first.len(), 4);
    let second = claim(&*two, 30).await;
    assert_eq!(second.len(), 6);
    assert!(first.iter().all(|event| !second.contains(event)));
    assert_eq!(claim(&*two, 89).await, []);
    // Its process has ended.
    assert_eq!(claim(&*two, 91).await.len(), 10);
    assert_eq!(one.count_events().await.unwrap(), 10, "claimed ones wait, too");
}

/// The reason is that of the last attempt, and stays until the event is delivered.
pub async fn a_refused_event_waits_and_shows_why([one, two]: Stores) {
    register(&*one, (1..=3).map(|user| interaction(user, user, None)).collect(), at(20));
    assert_eq!(one.last_refusal().await.unwrap(), None);
    let events = claim(&*one, 30).await;
    let refused = |range: std::ops::Range<usize>, refusal: EventRefusal| -> Vec<_> {
        events[range].iter().rev().map(|event| (*event, refusal)).collect()
    };
    let (away, late) = (EventRefusal::NoConnection, EventRefusal::Timeout);
    one.postpone_events(&refused(0..2, away), at(31), at(31)).await.unwrap();
    assert_eq!(two.last_refusal().await.unwrap(), Some((at(31), away)));
    assert_eq!(claim(&*two, 32).await, events[..2]);
    two.postpone_events(&refused(0..1, EventRefusal::Status(503)), at(33), at(63)).await.unwrap();
    two.postpone_events(&refused(1..2, late), at(34), at(64)).await.unwrap();
    assert_eq!(one.last_refusal().await.unwrap(), Some((at(34), late)));
    assert_eq!(claim(&*one, 62).await, []);
    assert_eq!(claim(&*one, 64).await, events[..1]);
    one.forget_delivered(&events[1..]).await.unwrap();
    let first = Some((at(33), EventRefusal::Status(503)));
    assert_eq!(one.last_refusal().await.unwrap(), first);
    one.delete(&[id(1)]).await.unwrap();
    assert_eq!(one.last_refusal().await.unwrap(), None);
}

/// Events do not stay for ever.
pub async fn events_are_forgotten_when_delivered_old_or_of_a_deleted_user([store, _]: Stores) {
    for user in 1..=4 {
        register(&*store, vec![interaction(user, user, None)], at(10 * user));
    }
    let events = claim(&*store, 100).await;
    store.forget_delivered(&events[..1]).await.unwrap();
    store.delete(&[id(2)]).await.unwrap();
    assert_eq!(store.forget_events(at(40), 100).await.unwrap(), 1);
    assert_eq!(store.forget_events(at(40), 100).await.unwrap(), 0);
    assert_eq!(claim(&*store, 200).await, [happened(4, 4, UserEventKind::Created)]);
    assert_eq!(store.oldest_event().await.unwrap(), Some(at(40)));
    assert_eq!(store.count_events().await.unwrap(), 1);
}
