//! What has to be done now and then, beside everything else.

use std::time::Duration;

use rollcall_service::UserService;

/// How often there is a look at what is to be done.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Forgets what is kept for a while only, in small parts, for ever. Several processes may do it at
/// once: what one has forgotten, the others no longer find.
pub(crate) async fn run(users: UserService) -> std::convert::Infallible {
    loop {
        loop {
            match users.forget_old().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    log::warn!(error = format!("{:#}", anyhow::Error::from(error)); "old updates cannot be forgotten");
                    break;
                }
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
