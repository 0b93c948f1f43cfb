//! What has to be done now and then, beside everything else.

use std::time::Duration;

use rollcall_service::{AdminService, ServiceError, UserService};

/// How often there is a look at what is to be done.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Forgets what is kept for a while only, in small parts, for ever. Several processes may do it at
/// once: what one has forgotten, the others no longer find.
pub(crate) async fn run(users: UserService, admins: AdminService) -> std::convert::Infallible {
    loop {
        forget("updates", || users.forget_old()).await;
        forget("sessions", || admins.forget_old()).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// Forgets old `what`, part by part, until there is nothing more of it.
async fn forget<F: Future<Output = Result<bool, ServiceError>>>(
    what: &str,
    mut part: impl FnMut() -> F,
) {
    loop {
        match part().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                log::warn!(error; "old {what} cannot be forgotten");
                return;
            }
        }
    }
}
