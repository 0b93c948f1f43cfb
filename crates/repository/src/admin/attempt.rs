use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::SignInLimit;

use super::digest::Digest;
use crate::RepositoryError;

/// Failures to sign in.
#[async_trait]
pub trait SignInAttemptRepository: Send + Sync {
    /// Counts an attempt to sign in as a failure of each key, before anything else is known of it, so
    /// that attempts at once are counted too. Where some of the limits make it wait, nothing is
    /// counted or written; the answer has the keys of those limits, each with the time left.
    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Vec<(Digest, TimeDelta)>, RepositoryError>;

    /// An attempt was none: forgets the failures of each of `forgotten`, and takes one from those of
    /// each of `eased`.
    async fn succeeded(
        &self,
        forgotten: &[Digest],
        eased: &[Digest],
    ) -> Result<(), RepositoryError>;
}
