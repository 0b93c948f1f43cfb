use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, Role};

use super::{account::StoredAccount, digest::Digest, log::NewAuditEntry};
use crate::RepositoryError;

/// An invitation to make an account, whether it has expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    /// The hash of its token.
    pub token: Digest,
    /// The role of the account.
    pub role: Role,
    /// Who invited.
    pub invited_by: Admin,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it stops being good.
    pub expires_at: DateTime<Utc>,
}

/// What came of accepting an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The account is there, and the invitation is used up.
    Done,
    /// There is an account of this name. The invitation can be accepted still.
    NameIsTaken,
    /// There is no such invitation.
    NoSuchInvitation,
}

/// The invitations to make an account. What is changed and its entry in the audit log are one
/// transaction.
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

    /// Takes an invitation back; answers whether there was one.
    async fn withdraw_invitation(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Uses an invitation up, and makes its account. Of several who accept it at once, one does.
    async fn accept_invitation(
        &self,
        token: Digest,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<Accepted, RepositoryError>;
}
