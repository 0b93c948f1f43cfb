use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::SignInLimit;

use super::digest::Digest;
use crate::error::RepositoryError;

/// Failed sign-ins.
#[async_trait]
pub trait SignInAttemptRepository: Send + Sync {
    /// Counts a sign-in as failed for each key, before its password is checked, so that parallel
    /// attempts are counted too. If some of the limits make it wait, nothing is counted or written;
    /// the result has the keys of those limits, each with the time left.
    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Vec<(Digest, TimeDelta)>, RepositoryError>;

    /// Undoes a recorded attempt after a successful sign-in: clears `forgotten`, decrements each of
    /// `eased`.
    async fn succeeded(
        &self,
        forgotten: &[Digest],
        eased: &[Digest],
    ) -> Result<(), RepositoryError>;
}
