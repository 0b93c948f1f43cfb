use async_trait::async_trait;
use rollcall_domain::QuarantinedUpdate;

use crate::RepositoryError;

/// The updates that were set aside because they could not be read in full. They are written by
/// [`UserRepository::register`](crate::UserRepository::register), together with their batch.
#[async_trait]
pub trait QuarantineRepository: Send + Sync {
    /// Up to `limit` updates whose id is above `after`, by their id.
    async fn list(&self, after: i64, limit: u32)
    -> Result<Vec<QuarantinedUpdate>, RepositoryError>;

    /// One update.
    async fn find(&self, update_id: i64) -> Result<Option<QuarantinedUpdate>, RepositoryError>;

    /// How many updates there are.
    async fn count(&self) -> Result<u64, RepositoryError>;

    /// Deletes one update; answers whether it was there.
    async fn remove(&self, update_id: i64) -> Result<bool, RepositoryError>;
}
