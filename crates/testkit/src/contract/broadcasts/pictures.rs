//! Pictures that were uploaded.

use chrono::TimeDelta;
use rollcall_domain::{
    BroadcastContent, BroadcastPlan, Picture, PictureFile, PictureId, PictureKind, PictureShape,
};
use rollcall_repository::{BroadcastChange, StoredPicture};

use super::store::{BroadcastStore, Store, at, change, create, entries, plan};
use crate::png;

/// The picture of a number; its id is no hash here.
fn picture(n: u8) -> (PictureId, PictureFile) {
    let content = png(40 + u32::from(n), 30, [n, 0, 0]);
    (PictureId([n; 32]), PictureFile::new(content).unwrap())
}

async fn put(store: &dyn BroadcastStore, n: u8, second: i64) -> PictureId {
    let (id, file) = picture(n);
    store.put_picture(id, &file, at(second)).await.unwrap();
    id
}

fn with_picture(id: PictureId) -> BroadcastPlan {
    let mut plan = plan("news");
    if let BroadcastContent::Text { picture, .. } = &mut plan.content {
        *picture = Some(Picture::Stored(id));
    }
    plan
}

/// Which of the pictures 1 to 9 are stored.
async fn left(store: &dyn BroadcastStore) -> Vec<u8> {
    let mut left = Vec::new();
    for n in 1..10 {
        if store.picture(PictureId([n; 32])).await.unwrap().is_some() {
            left.push(n);
        }
    }
    left
}

pub async fn a_picture_is_stored_once([(store, _), (other, _)]: [Store; 2]) {
    let (id, file) = picture(1);
    assert_eq!(store.picture(id).await.unwrap(), None);
    assert_eq!(store.picture_content(id).await.unwrap(), None);
    let (one, two) =
        tokio::join!(store.put_picture(id, &file, at(1)), other.put_picture(id, &file, at(1)));
    one.unwrap();
    two.unwrap();
    let stored = StoredPicture {
        id,
        shape: PictureShape { kind: PictureKind::Png, width: 41, height: 30 },
        bytes: file.content().len().try_into().unwrap(),
        file_id: None,
    };
    assert_eq!(other.picture(id).await.unwrap(), Some(stored.clone()));
    assert_eq!(other.picture_content(id).await.unwrap().as_deref(), Some(file.content()));
    // What Telegram knows of it stays when it is stored again.
    store.set_picture_file(id, "AgAC-1").await.unwrap();
    put(&*other, 1, 2).await;
    let known = StoredPicture { file_id: Some("AgAC-1".to_owned()), ..stored };
    assert_eq!(store.picture(id).await.unwrap(), Some(known));
}

pub async fn the_file_of_a_picture_is_forgotten_unless_there_is_a_newer_one(
    [(store, _), (other, _)]: [Store; 2],
) {
    let id = put(&*store, 1, 1).await;
    let file = async || store.picture(id).await.unwrap().unwrap().file_id;
    store.set_picture_file(id, "old").await.unwrap();
    other.set_picture_file(id, "new").await.unwrap();
    store.forget_picture_file(id, "old").await.unwrap();
    assert_eq!(file().await.as_deref(), Some("new"));
    other.forget_picture_file(id, "new").await.unwrap();
    assert_eq!(file().await, None);
    // There is no such picture.
    store.set_picture_file(PictureId([2; 32]), "x").await.unwrap();
    store.forget_picture_file(PictureId([2; 32]), "x").await.unwrap();
}

pub async fn the_picture_of_a_broadcast_has_to_be_stored([(store, admins), _]: [Store; 2]) {
    let plan = with_picture(PictureId([1; 32]));
    assert_eq!(store.create_broadcast(&plan, None, at(0)).await.unwrap(), None);
    assert_eq!(store.broadcasts(None, 10).await.unwrap(), []);
    assert_eq!(entries(&*admins).await, []);
    put(&*store, 1, 1).await;
    assert_eq!(create(&*store, &plan).await.plan, plan);
}

pub async fn pictures_that_no_broadcast_needs_are_deleted([(store, _), (other, _)]: [Store; 2]) {
    for n in 1..=5 {
        put(&*store, n, i64::from(n)).await;
    }
    let id = |n: u8| PictureId([n; 32]);
    // 1 is in a draft and in a cancelled one, 2 in two cancelled ones.
    create(&*store, &with_picture(id(1))).await;
    for n in [1, 2, 2] {
        let cancelled = create(&*store, &with_picture(id(n))).await.id;
        change(&*store, cancelled, BroadcastChange::Cancel).await;
    }
    let delete = async |unused: i64, ended: i64, limit: u32| {
        store.delete_unneeded_pictures(at(unused), at(ended), limit).await.unwrap()
    };
    assert_eq!(delete(3, 10, 9).await, 0, "the cancelled ones ended at 10");
    assert_eq!(delete(4, 10, 9).await, 1);
    assert_eq!(left(&*other).await, [1, 2, 4, 5]);
    assert_eq!(delete(4, 11, 9).await, 1);
    assert_eq!(left(&*other).await, [1, 4, 5]);
    // It counts when one was stored last.
    put(&*other, 4, 100).await;
    assert_eq!(delete(50, 50, 1).await, 1);
    assert_eq!(left(&*other).await, [1, 4]);
    assert_eq!(delete(101, 50, 1).await, 1);
    assert_eq!(delete(101, 50, 9).await, 0);
    assert_eq!(left(&*other).await, [1]);
    assert_eq!(store.picture_content(id(2)).await.unwrap(), None);
}

pub async fn a_broadcast_and_the_deletion_of_its_picture_exclude_each_other(
    [(store, _), (other, _)]: [Store; 2],
) {
    for n in 1..=20 {
        let id = put(&*store, n, 0).await;
        let plan = with_picture(id);
        let later = at(0) + TimeDelta::days(1);
        let (created, deleted) = tokio::join!(
            store.create_broadcast(&plan, None, at(1)),
            other.delete_unneeded_pictures(later, later, 9),
        );
        let is_stored = store.picture(id).await.unwrap().is_some();
        assert_eq!(created.unwrap().is_some(), is_stored);
        assert_eq!(deleted.unwrap(), u64::from(!is_stored));
    }
}
