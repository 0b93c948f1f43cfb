//! Regular work in the background: deleting expired rows, indexing names for the search, and counting
//! segments once a day.

use std::time::Duration;

use rollcall_domain::{Backoff, error_chain};
use rollcall_service::{
    AdminService, DirectoryService, LabelService, Outage, SegmentService, ServiceError, UserService,
};

use crate::services::Services;

/// How often expired rows are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);
/// How often new names are added to the search index. A user who changed names several times meanwhile
/// is indexed once.
const INDEX_EVERY: Duration = Duration::from_secs(3);
/// How often the bot looks whether a day has begun on which segments were not counted yet.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// The longest pause while counting fails.
const LONGEST_COUNT_PAUSE: Duration = Duration::from_secs(10 * 60);
/// The longest pause while indexing fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Deletes expired rows, indexes new names and counts segments, in small batches, forever. Several
/// processes may do this at once: each finds only what the others have not done.
pub(crate) async fn run(
    users: UserService,
    admins: AdminService,
    services: &Services,
) -> std::convert::Infallible {
    let segments = services.segments();
    tokio::select! {
        never = forget_old(users, admins, services.labels(), segments.clone()) => never,
        never = index_names(services.directory()) => never,
        never = count_segments(segments) => never,
    }
}

async fn forget_old(
    users: UserService,
    admins: AdminService,
    labels: LabelService,
    segments: SegmentService,
) -> std::convert::Infallible {
    loop {
        batches("cannot delete expired update ids", || users.forget_old()).await;
        batches("cannot delete expired sessions", || admins.forget_old()).await;
        batches("cannot forget old changes of tags and groups", || labels.forget_old()).await;
        batches("cannot forget old users of segments", || segments.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

async fn index_names(directory: DirectoryService) -> std::convert::Infallible {
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

async fn count_segments(segments: SegmentService) -> std::convert::Infallible {
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
