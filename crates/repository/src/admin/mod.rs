//! The storage of admins, by part: accounts, invitations, owners from Telegram, sessions, second factors,
//! passkeys, known devices, failed sign-ins, keys of the API, and the audit log.

mod account;
mod api_key;
mod attempt;
mod digest;
mod factor;
mod invitation;
mod known_device;
mod log;
mod owner;
mod passkey;
mod session;

pub use account::{AccountChange, AdminAccountRepository, StoredAccount};
pub use api_key::{ApiKeyRepository, StoredApiKey};
pub use attempt::{SignInAttemptRepository, SignInWait};
pub use digest::Digest;
pub use factor::{EnabledFactor, FactorProof, FactorSecret, SecondFactorRepository, StoredFactor};
pub use invitation::{Accepted, InvitationRepository, StoredInvitation};
pub use known_device::{DeviceGeneration, DeviceSecret, KnownDeviceRepository};
pub use log::{AuditChain, AuditFault, AuditFilter, AuditLogRepository, NewAuditEntry};
pub use owner::{Claim, Claimed, NewClaimCode, OwnerRepository};
pub use passkey::{
    AddedPasskey, PasskeyRepository, RemovedPasskey, StoredChallenge, StoredPasskey,
};
pub use session::{
    AdminSessionRepository, Expiry, ListedSession, NewSession, Opened, StoredLink, StoredSession,
};

/// The whole storage of admins.
pub trait AdminRepository:
    AdminAccountRepository
    + ApiKeyRepository
    + InvitationRepository
    + OwnerRepository
    + AdminSessionRepository
    + SecondFactorRepository
    + KnownDeviceRepository
    + PasskeyRepository
    + SignInAttemptRepository
    + AuditLogRepository
{
}

impl<S> AdminRepository for S where
    S: AdminAccountRepository
        + ApiKeyRepository
        + InvitationRepository
        + OwnerRepository
        + AdminSessionRepository
        + SecondFactorRepository
        + KnownDeviceRepository
        + PasskeyRepository
        + SignInAttemptRepository
        + AuditLogRepository
{
}
