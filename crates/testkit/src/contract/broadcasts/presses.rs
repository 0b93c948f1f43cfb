use std::collections::BTreeMap;

use rollcall_domain::{
    BroadcastButton, BroadcastContent, BroadcastPlan, BroadcastResponse, Chat, ChatKind, Event,
    Interaction, InteractionKind, Profile, RecipientState,
};
use tokio::task::{JoinSet, block_in_place, spawn_blocking};

use super::store::{BroadcastStore, Store, at, claim, id, plan, rows, sending, settle, users};

/// A broadcast with three buttons, of which the last two count presses.
fn with_buttons() -> BroadcastPlan {
    let content = BroadcastContent::Text {
        texts: BTreeMap::from([(String::new(), "Hi".to_owned())]),
        buttons: "Shop = https://example.org | Yes = press:Great!\nGo = /start go".to_owned(),
        picture: None,
    };
    BroadcastPlan { content, ..plan("news") }
}

/// The users who pressed a button, the first, the second and the third one.
async fn presses(store: &dyn BroadcastStore, broadcast: i64) -> [u64; 4] {
    let sums = store.responses(broadcast).await.unwrap();
    let [one, two, three] = [1, 2, 3].map(|number| sums.of(BroadcastResponse::Button(number)));
    [sums.of(BroadcastResponse::Pressed), one, two, three]
}

async fn press(store: &dyn BroadcastStore, n: i64, broadcast: i64, button: u16) -> bool {
    let button = BroadcastButton { broadcast, button };
    store.press_button(id(n), button, at(100)).await.unwrap()
}

/// A user comes by a deep link that names its button.
fn arrival(n: i64, broadcast: i64, button: u16, second: i64) -> Interaction {
    let mut it = Interaction::new(at(second), Profile::new(id(n), "x"), InteractionKind::Command);
    it.chat = Some(Chat { id: n, kind: ChatKind::Private });
    it.command = Some("start");
    it.event = Some(Event::Start("go".parse().unwrap()));
    it.pressed = Some(BroadcastButton { broadcast, button });
    it
}

fn arrive(store: &dyn BroadcastStore, arrivals: Vec<Interaction>) {
    block_in_place(|| store.register(&arrivals.into(), at(1_000))).unwrap();
}

pub async fn presses_count_for_recipients_who_may_have_the_message([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=9);
    let news = sending(&*store, &with_buttons(), 1..=8).await;
    assert_eq!(claim(&*store, news, None, 7).await, [1, 2, 3, 4, 5, 6, 7]);
    settle(&*store, news, &[1, 2], RecipientState::Sent, None).await;
    settle(&*store, news, &[3], RecipientState::Unknown, None).await;
    settle(&*store, news, &[4], RecipientState::Failed, None).await;
    settle(&*store, news, &[5], RecipientState::Unreachable, None).await;
    settle(&*store, news, &[7], RecipientState::Queued, None).await;
    // 6 is claimed, 7 and 8 are queued, 9 is no recipient, and 10 is not stored.
    for n in 1..=10 {
        assert_eq!(press(&*store, n, news, 2).await, [1, 2, 3, 6].contains(&n), "{n}");
    }
    assert_eq!(presses(&*store, news).await, [4, 0, 4, 0]);
    // A button of another broadcast, one that opens an address, and ones that are not there.
    for (broadcast, button) in [(news + 1, 2), (news, 1), (news, 4), (news, 0)] {
        assert!(!press(&*store, 1, broadcast, button).await, "{broadcast} {button}");
    }
    assert_eq!(presses(&*store, news).await, [4, 0, 4, 0]);
}

pub async fn each_recipient_counts_once_for_each_button([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let news = sending(&*store, &with_buttons(), 1..=3).await;
    claim(&*store, news, None, 9).await;
    settle(&*store, news, &[1, 2, 3], RecipientState::Sent, None).await;
    assert!(press(&*store, 1, news, 2).await && !press(&*store, 1, news, 2).await);
    assert_eq!(presses(&*store, news).await, [1, 0, 1, 0]);
    assert!(press(&*store, 1, news, 3).await);
    assert_eq!(presses(&*store, news).await, [1, 0, 1, 1]);
    let pressed: Vec<_> = rows(&*store, news).await.iter().map(|it| it.pressed_at).collect();
    assert_eq!(pressed, [Some(at(100)), None, None]);
    store.delete(&[id(1)]).await.unwrap();
    assert_eq!(presses(&*store, news).await, [1, 0, 1, 1], "what erased users did stays");
    users(&*store, [1]);
    assert!(!press(&*store, 1, news, 2).await, "the recipient was erased");
    assert_eq!(rows(&*store, news).await.len(), 2);
}

pub async fn deep_links_of_buttons_count_like_presses([(store, _), _]: [Store; 2]) {
    users(&*store, 1..=3);
    let news = sending(&*store, &with_buttons(), 1..=3).await;
    claim(&*store, news, None, 9).await;
    settle(&*store, news, &[1, 2], RecipientState::Sent, None).await;
    settle(&*store, news, &[3], RecipientState::Failed, None).await;
    // The same update again, a second arrival, two buttons at once, and users who were no recipients.
    let first = Interaction { update_id: Some(7), ..arrival(1, news, 3, 300) };
    arrive(&*store, vec![first.clone(), arrival(1, news, 3, 200)]);
    arrive(&*store, vec![first, arrival(2, news, 2, 400), arrival(2, news, 3, 500)]);
    arrive(&*store, vec![arrival(3, news, 3, 300), arrival(4, news, 3, 300)]);
    assert_eq!(presses(&*store, news).await, [2, 0, 1, 2]);
    let pressed: Vec<_> = rows(&*store, news).await.iter().map(|it| it.pressed_at).collect();
    assert_eq!(pressed, [Some(at(300)), Some(at(400)), None]);
    let source = store.find(id(4)).await.unwrap().unwrap().source;
    assert_eq!(source.unwrap().as_str(), "go", "forwarded buttons count as a source only");
}

pub async fn concurrent_presses_of_users_count_once([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=6);
    let [first, second] = [
        sending(&*store, &with_buttons(), 1..=6).await,
        sending(&*store, &with_buttons(), 1..=6).await,
    ];
    for broadcast in [first, second] {
        claim(&*store, broadcast, None, 9).await;
        settle(&*store, broadcast, &[1, 2, 3, 4, 5, 6], RecipientState::Sent, None).await;
    }
    let mut tasks = JoinSet::new();
    for round in 0..12 {
        let store = [&store, &other][round % 2].clone();
        let buttons = [(first, 2), (first, 3), (second, 3), (second, 2)];
        let (broadcast, button) = buttons[round % 4];
        tasks.spawn(async move {
            let batch: Vec<_> = (1..=6).map(|n| arrival(n, broadcast, button, 200)).collect();
            let storage = store.clone();
            spawn_blocking(move || storage.register(&batch.into(), at(900)))
                .await
                .unwrap()
                .unwrap();
            for n in 1..=6 {
                press(&*store, n, broadcast, 5 - button).await;
            }
        });
    }
    tasks.join_all().await;
    for broadcast in [first, second] {
        assert_eq!(presses(&*store, broadcast).await, [6, 0, 6, 6]);
    }
}
