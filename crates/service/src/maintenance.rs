//! Regular work in the background: deleting expired rows, indexing names for the search, changes of
//! tags and groups that admins began on the web, and counting segments once a day.

use std::{convert::Infallible, time::Duration};

use rollcall_domain::{Backoff, error_chain};
use tokio::task::JoinSet;

#[cfg(feature = "admin")]
use rollcall_repository::Expired;

#[cfg(feature = "admin")]
use crate::{AdminService, RetentionService};
use crate::{
    DirectoryService, LabelChange, LabelError, LabelService, Outage, PictureService,
    PrivacyRequestService, SegmentService, ServiceError, UserService,
};

/// How often expired rows are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);
/// How often new names are added to the search index. A user who changed names several times meanwhile
/// is indexed once.
const INDEX_EVERY: Duration = Duration::from_secs(3);
/// How often it looks whether a day has begun on which segments were not counted yet.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// The longest pause while counting fails.
const LONGEST_COUNT_PAUSE: Duration = Duration::from_secs(10 * 60);
/// The longest pause while indexing fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often changes are looked for that other processes began or left.
const TAKE_EVERY: Duration = Duration::from_secs(2);
/// How many changes of tags and groups are worked on at once.
const CHANGES_AT_ONCE: usize = 3;

/// Deletes expired rows, indexes new names, changes labels and counts segments, in small batches,
/// forever. Several processes may do this at once: each finds only what the others have not done.
pub async fn maintain(
    users: UserService,
    directory: DirectoryService,
    labels: LabelService,
    segments: SegmentService,
) -> Infallible {
    tokio::select! {
        never = forget_old(users, labels.clone(), segments.clone()) => never,
        never = change_labels(labels) => never,
        never = index_names(directory) => never,
        never = count_segments(segments) => never,
    }
}

/// Deletes expired sessions and sign-in failures, in small batches, forever.
#[cfg(feature = "admin")]
pub async fn forget_sessions(admins: AdminService) -> Infallible {
    loop {
        batches("cannot delete expired sessions", || admins.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// Deletes what has expired by the owner's settings, in small batches, forever.
#[cfg(feature = "admin")]
pub async fn retain(retention: RetentionService) -> Infallible {
    loop {
        match retention.delete_expired(&|_| {}).await {
            Ok(deleted) if deleted != Expired::default() => log::info!(
                users = deleted.users, notes = deleted.notes, audit_entries = deleted.audit_entries;
                "deleted what has expired"
            ),
            Ok(_) => {}
            Err(error) => {
                log::warn!(error = error_chain(&error); "cannot delete what has expired");
            }
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// Deletes pictures that no broadcast needs any more, forever.
pub async fn forget_pictures(pictures: PictureService) -> Infallible {
    loop {
        batches("cannot delete pictures that no broadcast needs", || pictures.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// Deletes requests about personal data that were done a year ago, forever.
pub async fn forget_privacy_requests(requests: PrivacyRequestService) -> Infallible {
    loop {
        batches("cannot delete old privacy requests", || requests.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

async fn forget_old(
    users: UserService,
    labels: LabelService,
    segments: SegmentService,
) -> Infallible {
    loop {
        batches("cannot delete expired update ids", || users.forget_old()).await;
        batches("cannot forget old changes of tags and groups", || labels.forget_old()).await;
        batches("cannot forget old users of segments", || segments.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

async fn index_names(directory: DirectoryService) -> Infallible {
    let pauses = Backoff::new(INDEX_EVERY, LONGEST_PAUSE);
    let mut outage = Outage::new("cannot add new names to the search index", pauses);
    loop {
        let pause = match work(|| directory.index_names()).await {
            Ok(()) => {
                outage.end();
                INDEX_EVERY
            }
            Err(error) => outage.record(&error),
        };
        tokio::time::sleep(pause).await;
    }
}

async fn count_segments(segments: SegmentService) -> Infallible {
    let pauses = Backoff::new(COUNT_EVERY, LONGEST_COUNT_PAUSE);
    let mut outage = Outage::new("cannot count the segments", pauses);
    loop {
        let pause = match segments.count_daily().await {
            Ok(counted) => {
                outage.end();
                if let Some(pass) = counted {
                    log::info!(users = pass.users; "counted the segments of today");
                }
                COUNT_EVERY
            }
            Err(error) => outage.record(&error),
        };
        tokio::time::sleep(pause).await;
    }
}

/// Works on changes of labels. A change that fails is taken over again after a while, by this process or
/// by another one.
async fn change_labels(labels: LabelService) -> Infallible {
    let pauses = Backoff::new(TAKE_EVERY, LONGEST_PAUSE);
    let mut outage = Outage::new("cannot look for changes of tags and groups", pauses);
    let mut changes = JoinSet::new();
    loop {
        let mut pause = TAKE_EVERY;
        while changes.len() < CHANGES_AT_ONCE {
            match labels.take_change().await {
                Ok(Some(change)) => drop(changes.spawn(change_one(labels.clone(), change))),
                Ok(None) => {
                    outage.end();
                    break;
                }
                Err(error) => {
                    pause = outage.record(&error);
                    break;
                }
            }
        }
        tokio::select! {
            Some(_) = changes.join_next() => {}
            () = labels.change_waits() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn change_one(labels: LabelService, change: LabelChange) {
    let id = change.id;
    log::info!(change = id; "a change of tags or groups goes on");
    match labels.work_on(change).await {
        Ok(done) => {
            log::info!(change = id, users = done.users; "a change of tags or groups is complete")
        }
        Err(LabelError::TakenOver | LabelError::Undone | LabelError::Deleted(..)) => {
            log::info!(change = id; "a change of tags or groups was taken over, undone or deleted");
        }
        Err(error) => {
            log::warn!(change = id, error = error_chain(&error); "a change of tags or groups has stopped");
        }
    }
}

/// Works batch by batch until nothing is left; logs an error.
async fn batches<F: Future<Output = Result<bool, ServiceError>>>(
    failed: &str,
    batch: impl FnMut() -> F,
) {
    if let Err(error) = work(batch).await {
        log::warn!(error = error_chain(&error); "{failed}");
    }
}

async fn work<F: Future<Output = Result<bool, ServiceError>>>(
    mut batch: impl FnMut() -> F,
) -> Result<(), ServiceError> {
    while batch().await? {}
    Ok(())
}
