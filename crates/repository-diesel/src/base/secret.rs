//! Keys of 32 bytes, as files have them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The length of a key in bytes.
pub(crate) const LENGTH: usize = 32;

/// A key that nobody may guess.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) [u8; LENGTH]);

impl Secret {
    /// A new one.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes that 64 hexadecimal digits stand for.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut digits = text.trim().chars().map(|digit| digit.to_digit(16));
        let mut bytes = [0; LENGTH];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    pub(crate) fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The HMAC-SHA256 of a text, 32 bytes.
    pub(crate) fn mac(&self, text: &[u8]) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        // HMAC takes keys of every length.
        let mac = mac.map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec());
        mac.unwrap_or_default()
    }
}
