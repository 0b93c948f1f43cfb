//! Who may use the web admin and the API: accounts, signing in, sessions, second factors, keys, and the
//! audit log.

mod accounts;
mod api_keys;
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
pub use api_keys::{ApiKeyError, ApiKeySecret, ListedApiKey};
pub use devices::{Device, DeviceCookie};
pub use factors::{
    FactorError, OfferedFactor, Passkey, PasskeyError, PasskeySite, RecoveryCode, SecondFactors,
};
pub use owners::{ClaimCode, ClaimResult};
pub use service::AdminService;
pub use sessions::{Confirmed, OwnSession, Proof, Session, Standing};
pub use signing_in::{LastingLink, MiniAppKey, SignIn, SignInError};
pub use token::{InvalidTokenId, InvitationToken, LinkToken, SessionToken, TokenId, random_bytes};
