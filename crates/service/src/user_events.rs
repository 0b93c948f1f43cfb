//! Events that are delivered to a program outside: at least once, by any number of processes.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Clock, EventRefusal, UserEvent};
use rollcall_repository::UserEventRepository;

use crate::ServiceError;

/// How long a process has for events that it claimed. If it ends meanwhile, another one delivers them
/// after that.
const CLAIM: TimeDelta = TimeDelta::seconds(30);
/// How many events are claimed at once.
const CLAIMED_AT_ONCE: u32 = 20;
/// How long an event waits for its delivery, before it is dropped.
const KEPT_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How many events are dropped in one transaction.
const DROPPED_AT_ONCE: u32 = 1000;

/// The events that are still to be delivered. Cheap to clone.
#[derive(Clone)]
pub struct UserEventService {
    events: Arc<dyn UserEventRepository>,
    clock: Arc<dyn Clock>,
}

impl UserEventService {
    /// The service on a store.
    pub fn new(events: impl UserEventRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self { events: Arc::new(events), clock: Arc::new(clock) }
    }

    /// Claims the next events for half a minute; none if there are none.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn claim(&self) -> Result<Vec<UserEvent>, ServiceError> {
        let now = self.clock.now();
        Ok(self.events.claim_events(now, now + CLAIM, CLAIMED_AT_ONCE).await?)
    }

    /// Forgets claimed events that were delivered, and gives back those that were refused. If others were
    /// delivered, the refused ones wait for half a minute, so that they do not hold up the next ones.
    ///
    /// # Errors
    /// If the storage fails. Then the events are delivered again.
    pub async fn settle(
        &self,
        delivered: &[UserEvent],
        refused: &[(UserEvent, EventRefusal)],
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let until = if delivered.is_empty() { now } else { now + CLAIM };
        if !delivered.is_empty() {
            self.events.forget_delivered(delivered).await?;
        }
        if !refused.is_empty() {
            self.events.postpone_events(refused, now, until).await?;
        }
        Ok(())
    }

    /// Drops events that waited for three days, in small transactions; returns how many.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn drop_old(&self) -> Result<usize, ServiceError> {
        let before = self.clock.now() - KEPT_FOR;
        let mut dropped = 0;
        loop {
            let some = self.events.forget_events(before, DROPPED_AT_ONCE).await?;
            dropped += some;
            if some == 0 {
                return Ok(dropped);
            }
        }
    }

    /// How long the oldest event has waited; none if no event waits.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn longest_wait(&self) -> Result<Option<Duration>, ServiceError> {
        let oldest = self.events.oldest_event().await?;
        Ok(oldest.map(|at| (self.clock.now() - at).to_std().unwrap_or_default()))
    }

    /// How long ago one of the events that wait was last refused, and why; none if none was.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn last_refusal(&self) -> Result<Option<(Duration, EventRefusal)>, ServiceError> {
        let last = self.events.last_refusal().await?;
        let ago = |at: DateTime<Utc>| (self.clock.now() - at).to_std().unwrap_or_default();
        Ok(last.map(|(at, refusal)| (ago(at), refusal)))
    }

    /// How many events wait.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn waiting(&self) -> Result<u64, ServiceError> {
        Ok(self.events.count_events().await?)
    }

    /// The present time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
