//! What has to be done now and then, beside everything else.

use std::time::Duration;

use rollcall_service::{AdminService, DirectoryService, ServiceError, UserService};

/// How often there is a look at what is to be forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(10 * 60);
/// How often there is a look for names that are not in the search yet. Who has got another name
/// several times by then comes into it once.
const INDEX_EVERY: Duration = Duration::from_secs(3);

/// Forgets what is kept for a while only, and takes new names into the search, in small parts, for
/// ever. Several processes may do it at once: what one has done, the others no longer find.
pub(crate) async fn run(
    users: UserService,
    admins: AdminService,
    directory: DirectoryService,
) -> std::convert::Infallible {
    tokio::select! {
        never = forget_old(users, admins) => never,
        never = index_names(directory) => never,
    }
}

async fn forget_old(users: UserService, admins: AdminService) -> std::convert::Infallible {
    loop {
        parts("cannot delete expired update ids", || users.forget_old()).await;
        parts("cannot delete expired sessions", || admins.forget_old()).await;
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

/// Nobody is waited for: where the database is away, that is told once, until it is back.
async fn index_names(directory: DirectoryService) -> std::convert::Infallible {
    let mut is_told = false;
    loop {
        let done = work(|| directory.index_names()).await;
        if let Err(error) = &done
            && !is_told
        {
            let error = format!("{:#}", anyhow::Error::from(error.clone()));
            log::warn!(error; "cannot add new names to the search index");
        }
        is_told = done.is_err();
        tokio::time::sleep(INDEX_EVERY).await;
    }
}

/// Does something part by part, until there is nothing more of it; tells where it fails.
async fn parts<F: Future<Output = Result<bool, ServiceError>>>(
    failed: &str,
    part: impl FnMut() -> F,
) {
    if let Err(error) = work(part).await {
        let error = format!("{:#}", anyhow::Error::from(error));
        log::warn!(error; "{failed}");
    }
}

async fn work<F: Future<Output = Result<bool, ServiceError>>>(
    mut part: impl FnMut() -> F,
) -> Result<(), ServiceError> {
    while part().await? {}
    Ok(())
}
