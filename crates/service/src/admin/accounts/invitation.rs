use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Admin, AdminAccount, AdminName, AuditAction, Role};
use rollcall_repository::{Accepted, RepositoryError, StoredAccount, StoredInvitation};

use super::account::AccountError;
use crate::{
    ServiceError,
    admin::{
        audit_log::entry,
        devices::Device,
        service::AdminService,
        signing_in::{SignIn, SignInError},
        token::{InvitationToken, TokenId, new_token, read_token},
    },
};

/// The most invitations in a list.
const MAX_INVITATIONS: u32 = 100;

/// How long an invitation is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationLife {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
}

impl InvitationLife {
    fn span(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::hours(24),
            Self::Week => TimeDelta::days(7),
        }
    }
}

impl AdminService {
    /// Creates an invitation. Its token creates one account.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn invite(
        &self,
        role: Role,
        life: InvitationLife,
        by: &Admin,
    ) -> Result<InvitationToken, ServiceError> {
        let (text, token) = new_token()?;
        let at = self.clock.now();
        let invitation = StoredInvitation {
            token,
            role,
            invited_by: by.clone(),
            created_at: at,
            expires_at: at + life.span(),
        };
        let entry = entry(at, Some(by), AuditAction::InvitedAdmin, Some(role.to_string()));
        self.storage.create_invitation(&invitation, &entry).await?;
        Ok(InvitationToken(text))
    }

    /// Up to 100 invitations that can still be accepted, the newest first.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, ServiceError> {
        let stored = self.storage.invitations(MAX_INVITATIONS).await?;
        let mut good = Vec::new();
        for invitation in stored {
            if self.is_good(&invitation).await? {
                good.push(invitation.into());
            }
        }
        Ok(good)
    }

    /// The invitation with this token, if it can still be accepted.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn invitation(&self, token: &str) -> Result<Option<Invitation>, ServiceError> {
        Ok(self.find_invitation(token).await?.map(Invitation::from))
    }

    /// Withdraws an invitation. Returns whether it existed.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn withdraw_invitation(&self, id: TokenId, by: &Admin) -> Result<bool, ServiceError> {
        let TokenId(digest) = id;
        let Some(stored) = self.storage.invitation(digest).await? else { return Ok(false) };
        let action = AuditAction::WithdrewInvitation;
        let entry = entry(self.clock.now(), Some(by), action, Some(words(&stored)));
        Ok(self.storage.withdraw_invitation(digest, &entry).await?)
    }

    /// Creates an account by an invitation and signs it in. The invitation is used up.
    ///
    /// # Errors
    /// [`InvitationError::NotGood`] if the invitation does not exist, was used or withdrawn, has
    /// expired, or its creator may no longer invite. When the name is taken or the password is
    /// rejected, the invitation stays valid. Also when the storage fails.
    pub async fn accept_invitation(
        &self,
        token: &str,
        name: &AdminName,
        password: &str,
        device: impl Into<Device>,
    ) -> Result<SignIn, InvitationError> {
        let device = device.into();
        // First, so that no password is hashed without an invitation.
        let invitation = self.find_invitation(token).await?.ok_or(InvitationError::NotGood)?;
        let password_hash = self.hash_password(password, name).await?;
        let (at, role) = (self.clock.now(), invitation.role);
        let account = AdminAccount {
            name: name.clone(),
            role,
            is_disabled: false,
            has_second_factor: false,
            created_at: at,
            last_signed_in_at: None,
        };
        let admin = Admin::Account(name.clone());
        let action = AuditAction::AcceptedInvitation;
        let entry = entry(at, Some(&admin), action, Some(words(&invitation)));
        let account = StoredAccount { account, password_hash: password_hash.clone() };
        match self.storage.accept_invitation(invitation.token, &account, &entry).await? {
            Accepted::Done => {
                Ok(self.open_session(admin, role, Some(password_hash), device, at).await?)
            }
            Accepted::NameIsTaken => Err(AccountError::NameIsTaken(name.clone()).into()),
            Accepted::NoSuchInvitation => Err(InvitationError::NotGood),
        }
    }

    async fn find_invitation(&self, token: &str) -> Result<Option<StoredInvitation>, ServiceError> {
        let Some(digest) = read_token(token) else { return Ok(None) };
        let stored = self.storage.invitation(digest).await?;
        match stored {
            Some(invitation) if self.is_good(&invitation).await? => Ok(Some(invitation)),
            _ => Ok(None),
        }
    }

    /// Whether an invitation can be accepted. Those of accounts that may no longer invite are deleted.
    async fn is_good(&self, invitation: &StoredInvitation) -> Result<bool, ServiceError> {
        let may_invite = match &invitation.invited_by {
            Admin::Account(_) => true,
            Admin::Telegram(id) => self.is_telegram_owner(*id).await?,
            Admin::Program(_) => false,
        };
        Ok(may_invite && self.clock.now() < invitation.expires_at)
    }
}

/// An invitation to create an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The invitation's id.
    pub id: TokenId,
    /// The role of the account.
    pub role: Role,
    /// The admin who created it.
    pub invited_by: Admin,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

impl From<StoredInvitation> for Invitation {
    fn from(stored: StoredInvitation) -> Self {
        let StoredInvitation { token, role, invited_by, created_at, expires_at } = stored;
        Self { id: TokenId(token), role, invited_by, created_at, expires_at }
    }
}

/// Why an invitation created no account.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvitationError {
    /// It cannot be accepted.
    #[error("the invitation cannot be accepted")]
    NotGood,
    /// The account was not created.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The account was created, but not signed in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl From<RepositoryError> for InvitationError {
    fn from(error: RepositoryError) -> Self {
        Self::Account(error.into())
    }
}

impl From<ServiceError> for InvitationError {
    fn from(error: ServiceError) -> Self {
        Self::Account(error.into())
    }
}

/// An invitation as text for the audit log.
fn words(invitation: &StoredInvitation) -> String {
    format!("{}, invited by {}", invitation.role, invitation.invited_by)
}
