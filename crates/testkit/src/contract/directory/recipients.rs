//! Recipients of a broadcast, for filters about them.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::{
    BROADCAST_LASTS, BroadcastButton, BroadcastContent, BroadcastPlan, DeliveryTimes, Experiment,
    OnUnknown, RecipientState, TelegramId,
};
use rollcall_repository::{BroadcastChange, RecipientOutcome};

use super::{
    people::Person,
    store::{DirectoryStore, NOW, at},
};

/// Sends the first broadcast to half of the people, and stores outcomes of every kind. Returns them as
/// they are listed.
pub(super) async fn of_a_broadcast(
    store: &dyn DirectoryStore,
    people: &[Person],
) -> BTreeMap<i64, RecipientState> {
    let plan = BroadcastPlan {
        name: "Hello".to_owned(),
        category: "news".parse().unwrap(),
        filter: "".parse().unwrap(),
        zone: chrono_tz::Tz::UTC,
        content: BroadcastContent::Text {
            texts: BTreeMap::new(),
            buttons: "A = press | B = press".to_owned(),
            picture: None,
        },
        rate: None,
        is_paid: false,
        on_unknown: OnUnknown::Skip,
        starts_at: None,
        lasts: BROADCAST_LASTS,
        times: DeliveryTimes::default(),
        has_opt_out_button: false,
        experiment: Experiment::default(),
    };
    let id = store.create_broadcast(&plan, None, at(0)).await.unwrap().unwrap().id;
    assert_eq!(id, 1);
    store.change_broadcast(id, BroadcastChange::Start, None, at(0)).await.unwrap();
    let seen = store.sender_lease().await.unwrap();
    assert!(store.take_sender_lease("me", &seen, at(0)).await.unwrap());
    let chosen = people.iter().map(|it| it.id).filter(|id| id % 2 == 0);
    let chosen: Vec<TelegramId> = chosen.map(|id| id.try_into().unwrap()).collect();
    store.add_recipients("me", id, &chosen, None, at(0)).await.unwrap().unwrap();
    let many = u32::try_from(chosen.len() / 2).unwrap();
    let claim = store.claim_recipients("me", id, None, many, at(0)).await.unwrap().unwrap();
    let states = [RecipientState::Sent, RecipientState::Failed, RecipientState::Unknown];
    let outcome = |(telegram_id, state)| RecipientOutcome {
        telegram_id,
        state,
        reason: None,
        message_id: None,
        at: at(if is_of_this_week(telegram_id.get()) { NOW - 86_400 } else { NOW - 8 * 86_400 }),
    };
    let claimed = claim.users.iter().map(|user| user.telegram_id);
    let outcomes: Vec<_> = claimed.zip(states.into_iter().cycle()).map(outcome).collect();
    store.settle_recipients("me", id, &outcomes, None).await.unwrap().unwrap();
    let rows = store.recipients(id, None, 10_000).await.unwrap();
    let states: BTreeMap<_, _> = rows.iter().map(|it| (it.telegram_id.get(), it.state)).collect();
    for state in [RecipientState::Sent, RecipientState::Unreachable, RecipientState::Queued] {
        let number = states.values().filter(|it| **it == state).count();
        assert!(number > 20, "{state:?}: {number}");
    }
    states
}

/// Whether a recipient got the message within the last seven days.
pub(super) fn is_of_this_week(id: i64) -> bool {
    id % 3 > 0
}

/// Opts some people out of `promo` and `news`, and caps `news` at one message a week. Returns who has opted
/// out of which.
pub(super) async fn opting_out(
    store: &dyn DirectoryStore,
    people: &[Person],
) -> BTreeMap<&'static str, BTreeSet<i64>> {
    let mut opted_out = BTreeMap::new();
    for (category, each) in [("promo", 7), ("news", 5)] {
        let ids: BTreeSet<i64> =
            people.iter().map(|it| it.id).filter(|id| id % each == 0).collect();
        let name = category.parse().unwrap();
        for id in &ids {
            let id = TelegramId::try_from(*id).unwrap();
            assert!(store.set_opt_out(id, &name, true, at(0)).await.unwrap());
        }
        opted_out.insert(category, ids);
    }
    assert!(!store.add_category(&"news".parse().unwrap(), Some(1), None, at(0)).await.unwrap());
    opted_out
}

/// Presses both buttons for every other recipient who may have the message. Returns them.
pub(super) async fn pressing(
    store: &dyn DirectoryStore,
    recipients: &BTreeMap<i64, RecipientState>,
) -> BTreeSet<i64> {
    let has = [RecipientState::Sent, RecipientState::Unknown];
    let with = recipients.iter().filter(|(_, state)| has.contains(*state)).map(|(id, _)| *id);
    let pressing: BTreeSet<i64> = with.step_by(2).collect();
    for id in &pressing {
        for button in [1, 2] {
            let button = BroadcastButton { broadcast: 1, button };
            let id = TelegramId::try_from(*id).unwrap();
            assert!(store.press_button(id, button, at(0)).await.unwrap());
        }
    }
    assert!(pressing.len() > 10);
    pressing
}
