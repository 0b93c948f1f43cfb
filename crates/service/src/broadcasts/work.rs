//! What the work on a broadcast needs, and how it ends early.

use std::sync::Arc;

use rollcall_domain::{Clock, PauseReason};
use rollcall_repository::{BroadcastRepository, RepositoryError};
use tokio::{sync::watch, time::Instant};

use super::{messenger::Messenger, pictures::PictureService};
use crate::{AudienceService, PreferencesService, ServiceError, UserService};

/// What the work on a broadcast needs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) broadcasts: Arc<dyn BroadcastRepository>,
    pub(super) audience: AudienceService,
    pub(super) pictures: PictureService,
    pub(super) users: UserService,
    pub(super) preferences: PreferencesService,
    pub(super) messenger: Arc<dyn Messenger>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) holder: String,
    /// Until when this process has the lease; `None` once it has lost it.
    pub(super) held_until: watch::Receiver<Option<Instant>>,
    /// Becomes true when the process should stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Why the work on a broadcast ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Another process has the lease.
    #[error("another process sends now")]
    LeaseLost,
    /// The storage fails.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<RepositoryError> for Stopped {
    fn from(error: RepositoryError) -> Self {
        Self::Service(error.into())
    }
}

impl Work {
    /// Pauses a broadcast, for this reason.
    pub(super) async fn pause(&self, id: i64, reason: PauseReason) -> Result<(), Stopped> {
        let paused = self.broadcasts.pause_broadcast(&self.holder, id, reason).await?;
        paused.ok_or(Stopped::LeaseLost)
    }
}

/// Waits until the process should stop.
pub(super) async fn requested(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
