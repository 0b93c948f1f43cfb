use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, Role};

use super::{account::StoredAccount, digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// An invitation to create an account, expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    /// The hash of its token.
    pub token: Digest,
    /// The role of the account.
    pub role: Role,
    /// The admin who created it.
    pub invited_by: Admin,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The result of accepting an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The account is created, and the invitation is used.
    Done,
    /// The name is taken. The invitation stays valid.
    NameIsTaken,
    /// There is no such invitation.
    NoSuchInvitation,
}

/// The invitations to create an account. A change and its audit entry are one transaction.
#[async_trait]
pub trait InvitationRepository: Send + Sync {
    /// Stores an invitation.
    async fn create_invitation(
        &self,
        invitation: &StoredInvitation,
        entry: &NewAuditEntry,
    ) -> Result<(), RepositoryError>;

    /// The invitation with this token.
    async fn invitation(&self, token: Digest) -> Result<Option<StoredInvitation>, RepositoryError>;

    /// Up to `limit` invitations, the newest first.
    async fn invitations(&self, limit: u32) -> Result<Vec<StoredInvitation>, RepositoryError>;

    /// Withdraws an invitation; returns whether it existed.
    async fn withdraw_invitation(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Uses an invitation, and creates its account. Of several callers that accept it at once, one
    /// succeeds.
    async fn accept_invitation(
        &self,
        token: Digest,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<Accepted, RepositoryError>;
}
