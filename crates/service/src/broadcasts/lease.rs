//! The lease of the process that sends.
//!
//! Processes do not compare their clocks: a process takes the lease over when it has seen for a while
//! that nobody renewed it.

use std::{sync::Arc, time::Duration};

use rollcall_domain::Clock;
use rollcall_repository::{BroadcastRepository, RepositoryError, SenderLease};
use tokio::time::Instant;

/// When a lease is renewed and taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How often its holder renews it.
    pub renew_every: Duration,
    /// How long after the last renewal another process takes it over.
    pub taken_after: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self { renew_every: Duration::from_secs(2), taken_after: Duration::from_secs(10) }
    }
}

impl LeaseTimes {
    /// Times whose lease lasts so long: it is renewed five times meanwhile.
    pub fn lasting(taken_after: Duration) -> Self {
        Self { renew_every: taken_after / 5, taken_after }
    }
}

/// The lease as this process knows it.
pub(super) struct Lease {
    broadcasts: Arc<dyn BroadcastRepository>,
    clock: Arc<dyn Clock>,
    pub(super) holder: String,
    pub(super) times: LeaseTimes,
    /// What was seen last, and since when it has been so.
    seen: Option<(SenderLease, Instant)>,
    /// Until when no other process takes it; `None` if this process does not have it.
    held_until: Option<Instant>,
}

impl Lease {
    pub(super) fn new(
        broadcasts: Arc<dyn BroadcastRepository>,
        clock: Arc<dyn Clock>,
        times: LeaseTimes,
    ) -> Self {
        let holder = format!("{:016x}", fastrand::u64(..));
        Self { broadcasts, clock, holder, times, seen: None, held_until: None }
    }

    /// Until when this process has the lease for certain.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// Takes the lease if it is free, or if its holder has not renewed it for long enough, or renews it.
    /// Returns whether this process has it.
    pub(super) async fn take(&mut self) -> Result<bool, RepositoryError> {
        // The time before the request, so that it never ends later than others think.
        let now = Instant::now();
        let is_fresh =
            |until: Instant| now + self.times.taken_after < until + self.times.renew_every;
        if self.held_until.is_some_and(is_fresh) {
            return Ok(true);
        }
        let lease = self.broadcasts.sender_lease().await?;
        let is_free = match &lease.holder {
            None => true,
            Some(holder) if *holder == self.holder => true,
            Some(_) => match &self.seen {
                Some((seen, since)) if *seen == lease => now - *since >= self.times.taken_after,
                _ => false,
            },
        };
        if !is_free {
            self.held_until = None;
            if self.seen.as_ref().is_none_or(|(seen, _)| *seen != lease) {
                self.seen = Some((lease, now));
            }
            return Ok(false);
        }
        let is_held =
            self.broadcasts.take_sender_lease(&self.holder, &lease, self.clock.now()).await?;
        self.held_until = is_held.then(|| now + self.times.taken_after);
        Ok(is_held)
    }

    /// Gives the lease to whichever process wants it next.
    pub(super) async fn end(&mut self) -> Result<(), RepositoryError> {
        self.held_until = None;
        self.broadcasts.end_sender_lease(&self.holder).await
    }
}
