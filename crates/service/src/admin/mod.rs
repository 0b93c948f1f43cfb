//! Who may use the web admin: accounts, signing in, sessions, links by Telegram, and the audit log.

mod account;
mod attempt;
mod base32;
mod confirm;
mod device;
mod device_token;
mod factor;
mod invitation;
mod known_device;
mod log;
mod passkey;
mod recovery_code;
mod secret;
mod service;
mod session;
mod sign_in;
mod throttle;
mod totp;
mod watch;

pub use account::{AccountError, PasswordError};
pub use attempt::SignInError;
pub use confirm::Confirmed;
pub use device::Device;
pub use device_token::DeviceCookie;
pub use factor::{FactorError, OfferedFactor, SecondFactors};
pub use invitation::{Invitation, InvitationError, InvitationLife};
pub use passkey::{Passkey, PasskeyError, PasskeySite};
pub use recovery_code::RecoveryCode;
pub use secret::{InvalidTokenId, InvitationToken, LinkToken, SessionToken, TokenId};
pub use service::AdminService;
pub use session::{OwnSession, Proof, Session, Standing};
pub use sign_in::SignIn;
