//! Which process works on a change, and how far the change is.

use rollcall_domain::{Admin, LabelKind};
use rollcall_repository::{LabelChange, LabelChangeState};
use tokio::task::JoinSet;

use super::store::{LabelStore, Store, at, begin, create, holders, part_of_undo, step, users};

pub async fn one_process_at_a_time_takes_a_change_over([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=4);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    // The clock shows the same time everywhere, and that of the latest step.
    let mut claims = JoinSet::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        let begun = begun.clone();
        claims.spawn(async move {
            store.claim_label_change(&begun, None, begun.touched_at).await.unwrap()
        });
    }
    let claims = claims.join_all().await;
    assert_eq!(claims.iter().filter(|it| **it).count(), 1, "{claims:?}");
    let claimed = only(&*store).await;
    assert!(claimed.touched_at > begun.touched_at);
    assert_eq!(LabelChange { touched_at: begun.touched_at, ..claimed.clone() }, begun);
    // As it is now, it can be taken over again, also as the change of another admin.
    let ada = Admin::Account("ada".parse().unwrap());
    assert!(other.claim_label_change(&claimed, Some(&ada), at(60)).await.unwrap());
    let claimed = only(&*store).await;
    assert_eq!((claimed.by, claimed.touched_at), (Some(ada), at(60)));
}

pub async fn a_change_that_went_on_is_not_taken_over([(store, _), (other, _)]: [Store; 2]) {
    users(&*store, 1..=4);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    let first = step(&*store, &begun, &[1, 2], 2, false).await.unwrap();
    assert!(!other.claim_label_change(&begun, None, at(60)).await.unwrap());
    part_of_undo(&*store, &first, 1).await;
    assert!(!other.claim_label_change(&first, None, at(60)).await.unwrap());
    part_of_undo(&*store, &first, 9).await;
    assert!(!other.claim_label_change(&first, None, at(60)).await.unwrap(), "it is gone");
}

pub async fn a_change_that_is_marked_as_undone_keeps_its_users_for_now(
    [(store, _), _]: [Store; 2],
) {
    users(&*store, 1..=4);
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    step(&*store, &begun, &[1, 2], 2, true).await.unwrap();
    let done = only(&*store).await;
    let ada = Admin::Account("ada".parse().unwrap());
    let marked = store.undo_label_change(&done, 0, Some(&ada), at(5)).await.unwrap().result;
    assert_eq!(marked, Some(false));
    let marked = only(&*store).await;
    assert_eq!(
        (marked.state, marked.by, marked.touched_at),
        (LabelChangeState::Undoing, Some(ada), at(5))
    );
    assert_eq!(holders(&*store, &vip).await, [1, 2]);
}

pub async fn progress_follows_the_ids([(store, _), _]: [Store; 2]) {
    let vip = create(&*store, LabelKind::Tag, "vip").await;
    let begun = begin(&*store, &vip, true).await;
    assert_eq!(progress(&*store).await, [0], "without users");
    users(&*store, [11, 12, 13, 14, 15, 20]);
    assert_eq!(progress(&*store).await, [0]);
    let first = step(&*store, &begun, &[11, 12], 12, false).await.unwrap();
    assert_eq!(progress(&*store).await, [200]);
    let second = step(&*store, &first, &[15], 15, false).await.unwrap();
    assert_eq!(progress(&*store).await, [500]);
    let done = step(&*store, &second, &[20], 20, true).await.unwrap();
    let newer = begin(&*store, &vip, false).await;
    assert_eq!(progress(&*store).await, [0, 1000], "the newest first");
    assert_eq!(part_of_undo(&*store, &newer, 9).await, Some(true));
    // Undoing forgets the users that it has passed: 11 and 12 here.
    assert_eq!(part_of_undo(&*store, &done, 2).await, Some(false));
    assert_eq!(progress(&*store).await, [400]);
    assert_eq!(store.label_change_progress(&[]).await.unwrap().len(), 0);
}

/// How far the changes of tags are, the newest first.
async fn progress(store: &dyn LabelStore) -> Vec<u16> {
    let changes = store.label_changes(LabelKind::Tag).await.unwrap();
    let progress = store.label_change_progress(&changes).await.unwrap();
    changes.iter().map(|change| progress[&change.id]).collect()
}

/// The only change of a tag.
async fn only(store: &dyn LabelStore) -> LabelChange {
    let [change] = store.label_changes(LabelKind::Tag).await.unwrap().try_into().unwrap();
    change
}
