//! Who may use the web admin: accounts, signing in, sessions, links by Telegram, and the audit log.

mod account;
mod attempt;
mod base32;
mod confirm;
mod device;
mod factor;
mod log;
mod recovery_code;
mod secret;
mod service;
mod session;
mod sign_in;
mod throttle;
mod totp;

pub use account::AccountError;
pub use attempt::SignInError;
pub use confirm::Confirmed;
pub use device::Device;
pub use factor::{FactorError, OfferedFactor, SecondFactor};
pub use recovery_code::RecoveryCode;
pub use secret::{LinkToken, SessionToken};
pub use service::AdminService;
pub use session::{Proof, Session, Standing};
pub use sign_in::SignIn;
