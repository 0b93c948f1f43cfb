//! Repeated updates, the reach and the source of users, and deletion.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use rollcall_domain::{
    Chat, ChatKind, Event, Figure, Interaction, Reachability, ReachabilityChange, UnreachableReason,
};
use tokio::task::spawn_blocking;

use super::store::{Stores, at, batch, id, named, now, register, seen, user};
use crate::contract::{Store, detail_of};

pub async fn users_are_deleted_with_their_usernames([store, _]: Stores) {
    register(&*store, [named(1, 10, "one"), named(2, 10, "two"), named(3, 10, "three")]).await;
    let some = [4, 3, 1, 3].map(id);
    assert_eq!(store.existing(&some).await.unwrap(), [id(1), id(3)]);
    assert_eq!(store.existing(&[]).await.unwrap(), []);
    assert_eq!(store.delete(&[id(1), id(3), id(4)]).await.unwrap(), 2);
    assert_eq!(store.existing(&some).await.unwrap(), []);
    assert_eq!(store.find(id(1)).await.unwrap(), None);
    assert_eq!(store.find_by_username(&"three".parse().unwrap()).await.unwrap(), None);
    assert_eq!(user(&*store, 2).await.telegram_id, id(2));
    assert_eq!(store.delete(&[]).await.unwrap(), 0);
    // A user who returns is new.
    assert!(register(&*store, [named(1, 20, "one")]).await[0].created);
}

pub async fn a_repeated_update_changes_nothing([store, other]: Stores) {
    let update = |update_id: i64, interaction: Interaction| Interaction {
        update_id: Some(update_id),
        ..interaction
    };
    let first = update(7, seen(1, 10, "Ada"));
    assert!(register(&*store, [first.clone()]).await[0].created);
    let before = user(&*store, 1).await;
    // Alone, with other content, with new updates, and twice in a batch.
    assert!(!register(&*other, [first.clone()]).await[0].created);
    let answers =
        register(&*other, [update(7, seen(1, 90, "Later")), update(8, seen(2, 20, "Bob"))]).await;
    assert_eq!((&answers[0].user, answers[1].created), (&before, true));
    let twice = [update(9, seen(3, 30, "Eve")), update(9, seen(3, 31, "Mallory"))];
    let answers = register(&*store, twice).await;
    assert_eq!([answers[0].created, answers[1].created], [true, false]);
    assert_eq!(user(&*store, 3).await.first_name, "Eve");
    assert_eq!(user(&*store, 1).await, before);
    assert_eq!(counted(&*store).await, 3);
    // Ids need not grow: Telegram continues with a random id after a quiet week.
    register(&*store, [update(5, seen(1, 40, "Ada"))]).await;
    assert_eq!(counted(&*store).await, 4);

    // A repeated update of a deleted user is answered, and no user is created.
    store.delete(&[id(3)]).await.unwrap();
    let answer = register(&*store, [update(9, seen(3, 30, "Eve"))]).await;
    assert_eq!((answer[0].created, answer[0].user.first_name.as_str()), (false, "Eve"));
    assert_eq!(store.find(id(3)).await.unwrap(), None);
}

pub async fn an_update_at_two_writers_counts_once(stores: Stores) {
    for round in 0..20 {
        let writers = stores.clone().map(|store| {
            let batch = batch((0..50).map(|n| Interaction {
                update_id: Some(round * 50 + n),
                ..seen(n + 1, round, "x")
            }));
            spawn_blocking(move || store.register(&batch, now()).unwrap())
        });
        let mut created = 0;
        for writer in writers {
            created += writer.await.unwrap().iter().filter(|answer| answer.created).count();
        }
        assert_eq!(created, if round == 0 { 50 } else { 0 });
    }
    assert_eq!(counted(&*stores[0]).await, 1000);
}

pub async fn changes_of_reach_are_recorded([store, _]: Stores) {
    assert_eq!(reachable(&*store).await, 0);
    register(&*store, [in_chat(1, 10, ChatKind::Group, None)]).await;
    assert_eq!(reachable(&*store).await, 0, "a group is not a private chat");
    let story = [
        in_chat(1, 11, ChatKind::Private, None),
        in_chat(1, 12, ChatKind::Private, Some(Event::Blocked)),
        in_chat(1, 13, ChatKind::Private, Some(Event::Unblocked)),
    ];
    register(&*store, story).await;
    assert_eq!(reachable(&*store).await, 1);
    register(&*store, [in_chat(1, 20, ChatKind::Private, Some(Event::Blocked))]).await;
    register(&*store, [in_chat(1, 21, ChatKind::Group, None)]).await;
    assert_eq!(reachable(&*store).await, 0, "an interaction in a group does not unblock");
    let stored = user(&*store, 1).await;
    let expected = Reachability {
        has_private_chat: true,
        obstacle: Some(UnreachableReason::Blocked),
        blocked_at: Some(at(20)),
        unblocked_at: Some(at(13)),
    };
    assert_eq!(stored.reachability, expected);
    let change = |second, obstacle| ReachabilityChange { at: at(second), obstacle };
    let blocked = Some(UnreachableReason::Blocked);
    let changes = [change(20, blocked), change(13, None), change(12, blocked)];
    assert_eq!(reach_history(&*store, 1).await, changes);

    store.delete(&[id(1)]).await.unwrap();
    register(&*store, [seen(1, 30, "x"), seen(2, 30, "x")]).await;
    assert_eq!(reach_history(&*store, 1).await, []);
    assert_eq!(reach_history(&*store, 2).await, []);
}

pub async fn failed_messages_mark_users_until_they_return([store, _]: Stores) {
    let gone = UnreachableReason::Deactivated;
    assert!(
        !store.mark_unreachable(id(1), gone, at(5), now()).await.unwrap(),
        "there is no such user"
    );
    register(&*store, [in_chat(1, 10, ChatKind::Private, None)]).await;
    assert!(
        !store.mark_unreachable(id(1), gone, at(9), now()).await.unwrap(),
        "the user was seen since"
    );
    assert!(store.mark_unreachable(id(1), gone, at(11), now()).await.unwrap());
    assert!(
        !store.mark_unreachable(id(1), gone, at(12), now()).await.unwrap(),
        "it is recorded already"
    );
    assert_eq!(reachable(&*store).await, 0);
    let marked = user(&*store, 1).await;
    assert_eq!((marked.last_seen, marked.reachability.obstacle), (at(10), Some(gone)));

    register(&*store, [in_chat(1, 20, ChatKind::Private, None)]).await;
    assert_eq!(reachable(&*store).await, 1);
    let change = |second, obstacle| ReachabilityChange { at: at(second), obstacle };
    assert_eq!(reach_history(&*store, 1).await, [change(20, None), change(11, Some(gone))]);
}

pub async fn deep_links_are_stored_and_the_first_is_the_source([store, _]: Stores) {
    let start = |n, second, payload: &str| {
        let event = Event::Start(payload.parse().unwrap());
        in_chat(n, second, ChatKind::Private, Some(event))
    };
    register(&*store, [start(1, 10, "ad_1"), start(1, 11, "ad_2"), seen(2, 10, "x")]).await;
    register(&*store, [start(1, 12, "ad_1"), start(2, 12, "ad_1")]).await;
    let source = async |n| user(&*store, n).await.source.map(|it| it.as_str().to_owned());
    assert_eq!(source(1).await.as_deref(), Some("ad_1"));
    assert_eq!(source(2).await, None, "the user joined before the link");
    let starts = async || -> Vec<_> {
        let starts = detail_of(&*store, id(1)).await.unwrap().starts.into_iter();
        starts.map(|(at, payload)| (at, payload.to_string())).collect()
    };
    let expected = [(12, "ad_1"), (11, "ad_2"), (10, "ad_1")];
    assert_eq!(starts().await, expected.map(|(second, link)| (at(second), link.to_owned())));
    store.delete(&[id(1)]).await.unwrap();
    register(&*store, [seen(1, 20, "x")]).await;
    assert_eq!(starts().await, []);
}

async fn reach_history(store: &dyn Store, n: i64) -> Vec<ReachabilityChange> {
    detail_of(store, id(n)).await.unwrap().reach_history
}

fn in_chat(n: i64, second: i64, kind: ChatKind, event: Option<Event>) -> Interaction {
    let chat = Some(Chat { id: n, kind });
    Interaction { chat, event, ..seen(n, second, "x") }
}

async fn reachable(store: &dyn Store) -> i64 {
    store.totals(&[Figure::Reachable], at(0).date_naive()).await.unwrap()[0]
}

/// The number of counted interactions.
async fn counted(store: &dyn Store) -> i64 {
    store.totals(&[Figure::Kind], at(1_000_000).date_naive()).await.unwrap()[0]
}
