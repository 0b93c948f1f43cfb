use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{ApiKey, TelegramId};

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// A key of the API, with the hash of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiKey {
    /// The hash.
    pub hash: Digest,
    /// The key.
    pub key: ApiKey,
}

/// The keys of the API. A change and its audit entry are one transaction.
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Stores a key. Returns whether its name was free.
    async fn create_api_key(
        &self,
        key: &StoredApiKey,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// The key with this hash, revoked or not.
    async fn api_key(&self, hash: Digest) -> Result<Option<ApiKey>, RepositoryError>;

    /// The bot that the database belongs to, and so the keys; `None` if no bot has claimed it.
    async fn bot_of_api_keys(&self) -> Result<Option<TelegramId>, RepositoryError>;

    /// Up to `limit` keys in the order of their creation; those that are revoked come last.
    async fn api_keys(&self, limit: u32) -> Result<Vec<StoredApiKey>, RepositoryError>;

    /// Revokes a key. Returns whether there was one that was not revoked.
    async fn revoke_api_key(
        &self,
        hash: Digest,
        at: DateTime<Utc>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Notes that a key is used at `at`, if its last use was before `before`.
    async fn note_use_of_api_key(
        &self,
        hash: Digest,
        at: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;
}
