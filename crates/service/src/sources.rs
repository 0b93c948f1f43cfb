use std::sync::Arc;

use rollcall_domain::{Clock, LabelledSource, StartPayload};
use rollcall_repository::{Allowed, SourceRepository, SourceTag};

use crate::ServiceError;

/// Knows which deep links have labels, under which they have figures of their own. Cheap to clone.
#[derive(Clone)]
pub struct SourceService {
    sources: Arc<dyn SourceRepository>,
    clock: Arc<dyn Clock>,
}

impl SourceService {
    /// A service over `sources`.
    pub fn new(sources: impl SourceRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self { sources: Arc::new(sources), clock: Arc::new(clock) }
    }

    /// The links that have labels, at most [`MAX_SOURCES`](crate::MAX_SOURCES). Links by which most
    /// users joined come first.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn labelled(&self) -> Result<Vec<LabelledSource>, ServiceError> {
        Ok(self.sources.labelled_sources().await?)
    }

    /// Puts links on the owner's list: they have labels from now on, whether they bring users or not.
    /// Users who open them from now on get the tag.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn allow(
        &self,
        payloads: &[StartPayload],
        tag: &SourceTag,
    ) -> Result<Allowed, ServiceError> {
        Ok(self.sources.allow_sources(payloads, tag, self.clock.now()).await?)
    }

    /// Takes the labels of links; what counts under them counts as `(other)` from now on. Answers
    /// which of the links had one.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn drop(&self, payloads: &[StartPayload]) -> Result<Vec<StartPayload>, ServiceError> {
        Ok(self.sources.drop_sources(payloads, self.clock.now()).await?)
    }

    /// Does the same with all links that are not on the owner's list and by which no user came who is
    /// still there.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn drop_without_users(&self) -> Result<Vec<StartPayload>, ServiceError> {
        Ok(self.sources.drop_sources_without_users(self.clock.now()).await?)
    }
}
