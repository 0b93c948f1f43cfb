use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::SignInLimit;

use super::digest::Digest;
use crate::error::RepositoryError;

/// A key whose limit makes a sign-in wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInWait {
    /// The key.
    pub key: Digest,
    /// The time left.
    pub left: TimeDelta,
}

/// Failed sign-ins.
#[async_trait]
pub trait SignInAttemptRepository: Send + Sync {
    /// Counts a sign-in as failed for each key, before its password is checked, so that parallel
    /// attempts are counted too. If some of the limits make it wait, nothing is counted or written;
    /// the result has the keys of those limits.
    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Vec<SignInWait>, RepositoryError>;

    /// Undoes a recorded attempt after a successful sign-in: clears `forgotten`, decrements each of
    /// `eased`.
    async fn succeeded(
        &self,
        forgotten: &[Digest],
        eased: &[Digest],
    ) -> Result<(), RepositoryError>;
}
