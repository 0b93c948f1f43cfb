use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::TelegramId;

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// A claim code to store.
#[derive(Clone, Copy, Debug)]
pub struct NewClaimCode {
    /// Its hash.
    pub code: Digest,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Codes created before then are deleted.
    pub forgotten_before: DateTime<Utc>,
}

/// An attempt to become the owner with a claim code.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The hash of the typed code.
    pub code: Digest,
    /// The user who sent it.
    pub user: TelegramId,
    /// Codes created before then have expired.
    pub expired_before: DateTime<Utc>,
    /// After this many wrong codes, a code is no longer valid.
    pub most_wrong: u32,
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The user is the owner now.
    Owner,
    /// The code is wrong; it counts against the valid ones.
    Wrong {
        /// Whether no valid code is left.
        ended: bool,
    },
    /// No code is valid, or this one no longer is.
    Nothing,
}

/// The owners who claimed the bot with a code, and the codes.
#[async_trait]
pub trait OwnerRepository: Send + Sync {
    /// All owners who claimed the bot.
    async fn claimed_owners(&self) -> Result<Vec<TelegramId>, RepositoryError>;

    /// Whether a user claimed the bot.
    async fn is_claimed_owner(&self, user: TelegramId) -> Result<bool, RepositoryError>;

    /// Stores a code beside the other ones, unless there is an owner. Returns whether it was stored.
    async fn add_claim_code(&self, new: NewClaimCode) -> Result<bool, RepositoryError>;

    /// Makes a user the owner if the code is valid and there is no owner. Of several callers at once,
    /// one succeeds. All codes are deleted then, and the entry is added to the audit log.
    ///
    /// The comparison of codes takes the same time whatever they are.
    async fn claim(&self, claim: Claim, entry: &NewAuditEntry) -> Result<Claimed, RepositoryError>;

    /// Ends a code, which stays known, so that it does not count as wrong later. Returns whether it
    /// was valid: created at `expired_before` or later, and with fewer than `most_wrong` wrong codes.
    async fn end_claim_code(
        &self,
        code: Digest,
        expired_before: DateTime<Utc>,
        most_wrong: u32,
    ) -> Result<bool, RepositoryError>;

    /// Removes an owner who claimed the bot, and ends their sessions. Returns whether there was one. If
    /// not, there is no audit entry.
    async fn remove_owner(
        &self,
        user: TelegramId,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;
}
