//! Who may use the web admin: accounts, signing in, sessions, second factors, and the audit log.

mod accounts;
mod audit_log;
mod devices;
mod factors;
mod owners;
mod service;
mod sessions;
mod signing_in;
mod token;

pub use accounts::{
    AccountError, InvalidPassword, Invitation, InvitationError, InvitationLife, PasswordError,
};
pub use devices::{Device, DeviceCookie};
pub use factors::{
    FactorError, OfferedFactor, Passkey, PasskeyError, PasskeySite, RecoveryCode, SecondFactors,
};
pub use owners::{ClaimCode, ClaimResult};
pub use service::AdminService;
pub use sessions::{Confirmed, OwnSession, Proof, Session, Standing};
pub use signing_in::{LastingLink, MiniAppKey, SignIn, SignInError};
pub use token::{InvalidTokenId, InvitationToken, LinkToken, SessionToken, TokenId, random_bytes};
