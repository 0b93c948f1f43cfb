//! Regular work in the background: deleting expired rows, and indexing names for the search.

use std::time::Duration;

use rollcall_domain::{Backoff, error_chain};
use rollcall_service::{
    AdminService, DirectoryService, LabelService, Outage, ServiceError, UserService,
};

/// How often expired rows are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);
/// How often new names are added to the search index. A user who changed names several times meanwhile
/// is indexed once.
const INDEX_EVERY: Duration = Duration::from_secs(3);
/// The longest pause while indexing fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Deletes expired rows and indexes new names, in small batches, forever. Several processes may do this
/// at once: each finds only what the others have not done.
pub(crate) async fn run(
    users: UserService,
    admins: AdminService,
    directory: DirectoryService,
    labels: LabelService,
) -> std::convert::Infallible {
    tokio::select! {
        never = forget_old(users, admins, labels) => never,
        never = index_names(directory) => never,
    }
}

async fn forget_old(
    users: UserService,
    admins: AdminService,
    labels: LabelService,
) -> std::convert::Infallible {
    loop {
        batches("cannot delete expired update ids", || users.forget_old()).await;
        batches("cannot delete expired sessions", || admins.forget_old()).await;
        batches("cannot forget old changes of tags and groups", || labels.forget_old()).await;
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
