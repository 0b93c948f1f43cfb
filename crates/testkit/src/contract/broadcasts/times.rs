//! Recipients that wait for a time of their own clocks.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{BroadcastPlan, DeliveryTimes, OnUnknown, RecipientState};
use rollcall_repository::{
    BroadcastChange, PreferencesRepository, RecipientClaim, RecipientOutcome, Rest,
};

use super::store::{
    BroadcastStore, ME, WithZones, change, finish, id, name, outcome, pairs, plan, rows, sending,
    settle, state, states, sums, users,
};

const HOUR: i64 = 3_600;

/// This many hours after noon of the day on which the broadcasts start.
fn hours(hours: i64) -> DateTime<Utc> {
    super::store::at(hours * HOUR)
}

/// 18:00 on that day.
fn evening(category: &str) -> BroadcastPlan {
    let local_time = Some(hours(6).naive_utc());
    BroadcastPlan {
        zone: Tz::Europe__Berlin,
        times: DeliveryTimes { local_time, ..DeliveryTimes::default() },
        ..plan(category)
    }
}

async fn set_zones(preferences: &Arc<dyn PreferencesRepository>, zones: &[(i64, Tz)]) {
    for (n, zone) in zones {
        assert!(preferences.set_time_zone(id(*n), Some(*zone)).await.unwrap());
    }
}

async fn claim(
    store: &dyn BroadcastStore,
    id: i64,
    limit: u32,
    at: DateTime<Utc>,
) -> RecipientClaim {
    let claim = store.claim_recipients(ME, id, None, limit, at).await.unwrap().unwrap();
    assert!(claim.is_sending);
    claim
}

fn numbers(claim: &RecipientClaim) -> Vec<i64> {
    claim.users.iter().map(|it| it.telegram_id.get()).collect()
}

/// The hour at which each recipient is due.
async fn due(store: &dyn BroadcastStore, broadcast: i64) -> Vec<(i64, i64)> {
    let rows = rows(store, broadcast).await.into_iter();
    let due = rows.filter_map(|it| Some((it.telegram_id.get(), it.due_at?)));
    due.map(|(n, at)| (n, (at - hours(0)).num_hours())).collect()
}

pub async fn a_recipient_waits_for_the_local_time([(store, preferences), _]: [WithZones; 2]) {
    users(&*store, 1..=5);
    // 1 and 4 have the zone of the broadcast, where it is 18:00 at 17:00 UTC.
    set_zones(&preferences, &[(2, Tz::America__New_York), (3, Tz::Asia__Tokyo), (5, Tz::UTC)])
        .await;
    let broadcast = sending(&*store, &evening("news"), 1..=5).await;
    assert_eq!(store.next_due(broadcast).await.unwrap(), None);
    // In Tokyo it is 21:00 already.
    let first = claim(&*store, broadcast, 9, hours(0)).await;
    assert_eq!((numbers(&first), first.last, first.rest), (vec![3], Some(id(5)), Rest::More));
    assert_eq!(first.waited.len(), 0);
    assert_eq!(due(&*store, broadcast).await, [(1, 5), (2, 11), (4, 5), (5, 6)]);
    let expected = [(1, "queued"), (2, "queued"), (3, "claimed"), (4, "queued"), (5, "queued")];
    assert_eq!(states(&*store, broadcast).await, pairs(&expected));
    settle(&*store, broadcast, &[3], RecipientState::Sent, Some(5)).await;
    let none = claim(&*store, broadcast, 9, hours(1)).await;
    assert_eq!((numbers(&none), none.last, none.rest), (vec![], None, Rest::Waits(hours(5))));
    assert_eq!(store.next_due(broadcast).await.unwrap(), Some(hours(5)));
    assert!(!finish(&*store, broadcast).await, "four wait");

    let second = claim(&*store, broadcast, 1, hours(5)).await;
    assert_eq!((numbers(&second), second.last, second.rest), (vec![1], None, Rest::More));
    assert_eq!(second.waited, [id(1)].into());
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(5)).await), [4]);
    // One that is queued again is still due.
    settle(&*store, broadcast, &[1], RecipientState::Queued, None).await;
    settle(&*store, broadcast, &[4], RecipientState::Sent, None).await;
    assert_eq!(due(&*store, broadcast).await, [(1, 5), (2, 11), (5, 6)]);
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(6)).await), [1, 5]);
    settle(&*store, broadcast, &[1, 5], RecipientState::Sent, None).await;
    assert_eq!(claim(&*store, broadcast, 9, hours(10)).await.rest, Rest::Waits(hours(11)));
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(11)).await), [2]);
    settle(&*store, broadcast, &[2], RecipientState::Failed, None).await;
    assert_eq!(due(&*store, broadcast).await, []);
    assert_eq!(claim(&*store, broadcast, 9, hours(11)).await.rest, Rest::Nothing);
    assert!(finish(&*store, broadcast).await);
}

pub async fn a_recipient_waits_for_the_end_of_the_quiet_hours(
    [(store, preferences), _]: [WithZones; 2],
) {
    users(&*store, 1..=4);
    set_zones(&preferences, &[(2, Tz::Asia__Tokyo), (3, Tz::America__New_York)]).await;
    store.set_opt_out(id(4), &name("promo"), true, hours(0)).await.unwrap();
    let quiet_hours = Some("20:00-08:00".parse().unwrap());
    let times = DeliveryTimes { quiet_hours, ..DeliveryTimes::default() };
    let broadcast = sending(&*store, &BroadcastPlan { times, ..plan("promo") }, 1..=4).await;
    // It is 12:00 in UTC, 21:00 in Tokyo and 07:00 in New York.
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(0)).await), [1]);
    assert_eq!(due(&*store, broadcast).await, [(2, 11), (3, 1)]);
    let expected = [(1, "claimed"), (2, "queued"), (3, "queued"), (4, "skipped opted_out")];
    assert_eq!(states(&*store, broadcast).await, pairs(&expected));
    // It was paused until the next quiet hours: at 21:00 in New York, it is 02:00 in UTC.
    settle(&*store, broadcast, &[1], RecipientState::Queued, None).await;
    let late = claim(&*store, broadcast, 9, hours(14)).await;
    assert_eq!((numbers(&late), late.rest), (vec![2], Rest::More));
    assert_eq!(due(&*store, broadcast).await, [(1, 20), (2, 11), (3, 25)]);
    settle(&*store, broadcast, &[2], RecipientState::Sent, Some(4)).await;
    assert_eq!(claim(&*store, broadcast, 9, hours(15)).await.rest, Rest::Waits(hours(20)));
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(20)).await), [1]);
}

pub async fn a_changed_zone_counts_when_the_time_has_come(
    [(store, preferences), _]: [WithZones; 2],
) {
    users(&*store, 1..=2);
    let broadcast = sending(&*store, &evening("news"), 1..=2).await;
    assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(0)).await), [0; 0]);
    set_zones(&preferences, &[(2, Tz::America__New_York)]).await;
    let later = claim(&*store, broadcast, 9, hours(5)).await;
    assert_eq!((numbers(&later), later.rest), (vec![1], Rest::More));
    assert_eq!(due(&*store, broadcast).await, [(1, 5), (2, 11)]);
    assert_eq!(claim(&*store, broadcast, 9, hours(5)).await.rest, Rest::Waits(hours(11)));
}

pub async fn recipients_that_wait_expire_with_the_broadcast(
    [(store, preferences), _]: [WithZones; 2],
) {
    users(&*store, 1..=3);
    set_zones(&preferences, &[(3, Tz::Asia__Tokyo)]).await;
    let lasts = TimeDelta::hours(2);
    // The time of the last zone is 18 hours after noon.
    let local = sending(&*store, &BroadcastPlan { lasts, ..evening("news") }, 1..=1).await;
    let known = store.broadcast(local).await.unwrap().unwrap();
    assert_eq!(known.expires_at(), Some(hours(20)));

    let quiet_hours = Some("20:00-08:00".parse().unwrap());
    let times = DeliveryTimes { quiet_hours, ..DeliveryTimes::default() };
    let quiet = BroadcastPlan { lasts, times, zone: Tz::Asia__Tokyo, ..plan("news") };
    let broadcast = sending(&*store, &quiet, 1..=3).await;
    let expires_at = store.broadcast(broadcast).await.unwrap().unwrap().expires_at().unwrap();
    // At 21:00, all wait until 08:00.
    assert_eq!(claim(&*store, broadcast, 9, hours(0)).await.last, Some(id(3)));
    assert_eq!(claim(&*store, broadcast, 9, hours(1)).await.rest, Rest::Waits(expires_at));
    assert_eq!(numbers(&claim(&*store, broadcast, 2, expires_at).await), [0; 0]);
    let expired = "skipped expired";
    let expected = [(1, expired), (2, expired), (3, "queued")];
    assert_eq!(states(&*store, broadcast).await, pairs(&expected));
    assert_eq!(due(&*store, broadcast).await, [(3, 11)]);
    assert_eq!(claim(&*store, broadcast, 2, hours(30)).await.rest, Rest::More);
    assert_eq!(claim(&*store, broadcast, 2, hours(30)).await.rest, Rest::Nothing);
    assert!(finish(&*store, broadcast).await);
}

/// Also if the order of ids is long past it, and although many others wait.
pub async fn a_claimed_recipient_that_has_waited_is_recovered(
    [(store, preferences), (other, _)]: [WithZones; 2],
) {
    users(&*store, 1..=1_500);
    set_zones(&preferences, &[(2, Tz::UTC), (4, Tz::UTC)]).await;
    for (on_unknown, last, expected) in [
        (OnUnknown::Skip, None, "unknown"),
        (OnUnknown::Resend, None, "queued"),
        (OnUnknown::Skip, Some(BroadcastChange::Pause), "unknown"),
        (OnUnknown::Resend, Some(BroadcastChange::Cancel), "unknown"),
    ] {
        let local_time = Some(hours(6).naive_utc());
        let times = DeliveryTimes { local_time, ..DeliveryTimes::default() };
        let zone = Tz::America__New_York;
        let plan = BroadcastPlan { zone, times, on_unknown, ..plan("system") };
        let broadcast = sending(&*store, &plan, 1..=1_500).await;
        while claim(&*store, broadcast, 9, hours(1)).await.rest == Rest::More {}
        settle(&*store, broadcast, &[], RecipientState::Sent, Some(1_500)).await;
        assert_eq!(numbers(&claim(&*store, broadcast, 9, hours(6)).await), [2, 4]);
        settle(&*store, broadcast, &[4], RecipientState::Sent, None).await;
        if let Some(last) = last {
            change(&*store, broadcast, last).await;
        }
        let recover =
            async || other.recover_recipients(ME, broadcast, false, hours(6)).await.unwrap();
        assert_eq!((recover().await, recover().await), (Some(1), Some(0)));
        assert_eq!(states(&*store, broadcast).await[1].1, expected);
        let due = due(&*store, broadcast).await;
        let again = if expected == "queued" { vec![(2, 6)] } else { vec![] };
        assert_eq!(due.into_iter().filter(|(n, _)| [2, 4].contains(n)).collect::<Vec<_>>(), again);
        if last.is_none() {
            // When all are due, those with the longest wait are first, then the smallest ids.
            let next: Vec<_> = again.iter().map(|(n, _)| *n).chain([1, 3]).collect();
            let claim = claim(&*store, broadcast, u32::try_from(next.len()).unwrap(), hours(11));
            let claim = claim.await;
            assert_eq!((numbers(&claim), claim.last), (next, None));
            let recovered = store.recover_recipients(ME, broadcast, true, hours(11)).await;
            assert_eq!(recovered.unwrap(), Some(u64::try_from(claim.users.len()).unwrap()));
        }
        if last != Some(BroadcastChange::Cancel) {
            change(&*store, broadcast, BroadcastChange::Cancel).await;
        }
    }
}

pub async fn a_recipient_that_waits_can_be_erased([(store, _), (other, _)]: [WithZones; 2]) {
    users(&*store, 1..=3);
    let broadcast = sending(&*store, &evening("news"), 1..=3).await;
    assert_eq!(claim(&*store, broadcast, 9, hours(0)).await.last, Some(id(3)));
    other.delete(&[id(1)]).await.unwrap();
    let claimed = claim(&*store, broadcast, 1, hours(5)).await;
    assert_eq!(numbers(&claimed), [2]);
    other.delete(&[id(2), id(3)]).await.unwrap();
    assert_eq!(store.next_due(broadcast).await.unwrap(), None);
    let late = [RecipientOutcome { at: hours(5), ..outcome(2, RecipientState::Sent) }];
    store.settle_recipients(ME, broadcast, &late, None).await.unwrap().unwrap();
    assert_eq!(claim(&*store, broadcast, 9, hours(6)).await.rest, Rest::Nothing);
    assert!(finish(&*store, broadcast).await);
    assert_eq!(state(&*store, broadcast).await.name(), "finished");
    assert_eq!(sums(&*store, broadcast).await, [("skipped erased".to_owned(), 3)]);
}
