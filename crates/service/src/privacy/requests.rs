//! The list of what people asked about their data.

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_domain::{Clock, PrivacyRequest, REQUEST_IS_DUE_AFTER, RequestKind, TelegramId};
use rollcall_repository::{AddedRequest, NewPrivacyRequest, PrivacyRequestRepository};

use crate::ServiceError;

/// How long a finished request is kept, to show that it was done in time.
const KEPT: TimeDelta = TimeDelta::days(365);
/// How many are forgotten at once.
const FORGET: u32 = 1_000;

/// The number of a request.
pub type RequestId = i64;

/// Records what people ask about their data, without their names and ids. Cheap to clone.
#[derive(Clone)]
pub struct PrivacyRequestService {
    requests: Arc<dyn PrivacyRequestRepository>,
    clock: Arc<dyn Clock>,
}

impl PrivacyRequestService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl PrivacyRequestRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        Self { requests: Arc::new(storage), clock: Arc::new(clock) }
    }

    /// Records a request, which is due in 30 days. Returns its number.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn add(
        &self,
        person: TelegramId,
        kind: RequestKind,
    ) -> Result<RequestId, ServiceError> {
        match self.add_unless(person, kind, None).await? {
            AddedRequest::Added(id) => Ok(id),
            // Only with a time may there be one.
            AddedRequest::Recent(_) => Err(ServiceError::Stopped),
        }
    }

    /// Records a request, unless the person has made one of this kind within a time.
    pub(super) async fn add_unless(
        &self,
        person: TelegramId,
        kind: RequestKind,
        within: Option<TimeDelta>,
    ) -> Result<AddedRequest, ServiceError> {
        let asked_at = self.clock.now();
        let new = NewPrivacyRequest {
            person,
            kind,
            asked_at,
            due_at: asked_at + REQUEST_IS_DUE_AFTER,
            not_after: within.map(|within| asked_at - within),
        };
        Ok(self.requests.add_privacy_request(new).await?)
    }

    /// Marks a request as done. Returns whether it was open.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn finish(&self, id: RequestId) -> Result<bool, ServiceError> {
        Ok(self.requests.finish_privacy_request(id, self.clock.now()).await?)
    }

    /// Marks the open requests for the erasure of people, who are erased, as done.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn finish_erasures(&self, people: &[TelegramId]) -> Result<(), ServiceError> {
        self.requests.finish_erasures(people, self.clock.now()).await?;
        Ok(())
    }

    /// Up to `limit` open requests, those first that are due first.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn open(&self, limit: u32) -> Result<Vec<PrivacyRequest>, ServiceError> {
        Ok(self.requests.open_privacy_requests(limit).await?)
    }

    /// Up to `limit` requests that are done, the latest first. They are forgotten after a year.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn done(&self, limit: u32) -> Result<Vec<PrivacyRequest>, ServiceError> {
        Ok(self.requests.done_privacy_requests(limit).await?)
    }

    /// Forgets some requests that were done more than a year ago. Returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let before = self.clock.now() - KEPT;
        Ok(self.requests.forget_privacy_requests(before, FORGET).await? > 0)
    }
}
