//! The contract of [`SegmentRepository`].
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{LabelName, Segment};
use rollcall_repository::{DeletedSegment, SavedSegment, SegmentCheck, SegmentRepository};

/// Two handles on one empty store, like those of two processes.
pub type SegmentStores = [Arc<dyn SegmentRepository>; 2];

/// Generates a test of each contract on each database.
#[macro_export]
macro_rules! segment_repository_contract {
    ($open:path) => {
        $crate::contract!($open, segments:
            a_segment_is_saved_replaced_and_deleted,
            a_segment_that_is_refused_changes_nothing,
            a_segment_that_another_one_uses_stays,
            segments_saved_at_once_see_each_other,
        );
    };
}

fn name(text: &str) -> LabelName {
    text.parse().unwrap()
}

fn segment(label: &str, filter: &str) -> Segment {
    let created_at = "2026-11-27T10:00:00.123456Z".parse::<DateTime<Utc>>().unwrap();
    let filter = filter.parse().unwrap();
    let description = "für Ü \"x\"".to_owned();
    let (name, zone) = (name(label), Tz::Europe__Berlin);
    Segment { name, filter, description, created_at, zone, changed_at: None }
}

fn allowed() -> SegmentCheck {
    Arc::new(|_: &[Segment]| Ok(()))
}

pub async fn a_segment_is_saved_replaced_and_deleted([store, other]: SegmentStores) {
    assert_eq!(store.segments().await.unwrap(), []);
    let (b, a) = (segment("b-2", "lang:de or \"a b\""), segment("a", ""));
    for it in [&b, &a] {
        assert_eq!(store.save_segment(it, allowed()).await.unwrap(), SavedSegment::Saved(None));
    }
    assert_eq!(other.segments().await.unwrap(), [a.clone(), b.clone()]);
    let later = b.created_at + TimeDelta::days(1);
    let changed =
        Segment { created_at: later, description: String::new(), ..segment("b-2", "bot") };
    let saved = other.save_segment(&changed, allowed()).await.unwrap();
    assert_eq!(saved, SavedSegment::Saved(Some(Box::new(b.clone()))));
    let kept = Segment { created_at: b.created_at, changed_at: Some(later), ..changed };
    assert_eq!(store.segments().await.unwrap(), [a, kept.clone()]);
    let deleted = store.delete_segment(&kept.name).await.unwrap();
    assert_eq!(deleted, DeletedSegment::Deleted(Box::new(kept.clone())));
    assert_eq!(other.delete_segment(&kept.name).await.unwrap(), DeletedSegment::Unknown);
}

pub async fn a_segment_that_is_refused_changes_nothing([store, _]: SegmentStores) {
    let old = segment("a", "lang:de");
    store.save_segment(&old, allowed()).await.unwrap();
    let refused: SegmentCheck = Arc::new(|others| Err(format!("beside {}", others.len())));
    let saved = store.save_segment(&segment("a", "bot"), refused.clone()).await.unwrap();
    assert_eq!(saved, SavedSegment::Refused("beside 0".to_owned()));
    let saved = store.save_segment(&segment("b", "bot"), refused).await.unwrap();
    assert_eq!(saved, SavedSegment::Refused("beside 1".to_owned()));
    assert_eq!(store.segments().await.unwrap(), [old]);
}

pub async fn a_segment_that_another_one_uses_stays([store, other]: SegmentStores) {
    store.save_segment(&segment("a", "lang:de"), allowed()).await.unwrap();
    store.save_segment(&segment("b", "-segment:a bot"), allowed()).await.unwrap();
    let used = other.delete_segment(&name("a")).await.unwrap();
    assert_eq!(used, DeletedSegment::Used(vec![name("b")]));
    assert_eq!(store.segments().await.unwrap().len(), 2);
    store.delete_segment(&name("b")).await.unwrap();
    assert!(matches!(other.delete_segment(&name("a")).await.unwrap(), DeletedSegment::Deleted(_)));
}

/// Each save decides with all that were saved before it, so that two cannot make a cycle.
pub async fn segments_saved_at_once_see_each_other([store, other]: SegmentStores) {
    for round in 0..5 {
        let [a, b] = ["a", "b"].map(|it| format!("{it}{round}"));
        let unless = |taken: &str| -> SegmentCheck {
            let taken = taken.to_owned();
            Arc::new(move |others| match others.iter().any(|it| it.name.as_str() == taken) {
                true => Err("taken".to_owned()),
                false => Ok(()),
            })
        };
        let (segment_a, segment_b) = (segment(&a, "bot"), segment(&b, "bot"));
        let (first, second) = tokio::join!(
            store.save_segment(&segment_a, unless(&b)),
            other.save_segment(&segment_b, unless(&a)),
        );
        let saved = [first.unwrap(), second.unwrap()];
        let count = saved.iter().filter(|it| matches!(it, SavedSegment::Saved(None))).count();
        assert_eq!(count, 1, "{saved:?}");
    }
}
