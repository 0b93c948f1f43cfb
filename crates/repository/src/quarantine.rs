use async_trait::async_trait;
use rollcall_domain::QuarantinedUpdate;

use crate::error::RepositoryError;

/// The quarantined updates, which could not be read in full or not registered.
/// [`UserRepository::register`](crate::UserRepository::register) writes them together with their
/// batch.
#[async_trait]
pub trait QuarantineRepository: Send + Sync {
    /// Up to `limit` updates with an id above `after`, sorted by id.
    async fn list(&self, after: i64, limit: u32)
    -> Result<Vec<QuarantinedUpdate>, RepositoryError>;

    /// One update.
    async fn find(&self, update_id: i64) -> Result<Option<QuarantinedUpdate>, RepositoryError>;

    /// How many updates there are.
    async fn count(&self) -> Result<u64, RepositoryError>;

    /// Notes that the bot behind has accepted an update, and replaces its payload, which no longer needs
    /// to be whole. One that does not exist is ignored.
    async fn mark_delivered(&self, update_id: i64, payload: &str) -> Result<(), RepositoryError>;

    /// Deletes one update; returns whether it existed.
    async fn remove(&self, update_id: i64) -> Result<bool, RepositoryError>;
}
