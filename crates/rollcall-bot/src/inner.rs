use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

#[cfg(any(feature = "admin", feature = "bot"))]
use rollcall_repository_diesel::Database;
#[cfg(feature = "admin")]
use rollcall_service::LabelService;
use rollcall_service::{AudienceService, UserService};
use rollcall_telegram::Intake;
use tokio::task::JoinSet;

use crate::error::Error;

/// What the clones of a [`Rollcall`](crate::Rollcall) share.
pub(crate) struct Inner {
    #[cfg(any(feature = "admin", feature = "bot"))]
    pub(crate) database: Database,
    pub(crate) users: UserService,
    pub(crate) audience: AudienceService,
    #[cfg(feature = "admin")]
    pub(crate) labels: LabelService,
    pub(crate) intake: Intake,
    pub(crate) is_closed: AtomicBool,
    /// The work in the background. It ends when this is dropped.
    pub(crate) work: Mutex<JoinSet<()>>,
    /// Becomes true when it is closed.
    #[cfg(feature = "admin")]
    pub(crate) stopping: tokio::sync::watch::Sender<bool>,
}

impl Inner {
    /// Does work in the background until it is closed or dropped.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).spawn(work);
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        match self.is_closed.load(Ordering::Acquire) {
            true => Err(Error::Closed),
            false => Ok(()),
        }
    }
}
