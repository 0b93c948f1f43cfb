//! Second factors: authenticator apps, passkeys and recovery codes.

pub(super) mod base32;
mod factor;
mod passkey;
mod recovery_code;
mod totp;

pub use factor::{FactorError, OfferedFactor, SecondFactors};
pub use passkey::{Passkey, PasskeyError, PasskeySite};
pub use recovery_code::RecoveryCode;
