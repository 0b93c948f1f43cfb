use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// An authenticator app, which shows the codes of a secret (RFC 6238).
#[derive(Clone, Debug)]
pub struct Authenticator {
    secret: Vec<u8>,
}

impl Authenticator {
    /// An app with this secret (base32, with or without spaces).
    ///
    /// # Panics
    /// If it is not base32.
    pub fn new(secret: &str) -> Self {
        let digits = secret.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
            'A'..='Z' => u32::from(c) - u32::from('A'),
            '2'..='7' => u32::from(c) - u32::from('2') + 26,
            c => panic!("{c:?} is not base32"),
        });
        let bits: Vec<u32> =
            digits.flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1)).collect();
        let byte = |bits: &[u32]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
        let secret = bits.chunks_exact(8).map(|bits| byte(bits).try_into().unwrap()).collect();
        Self { secret }
    }

    /// The code at a time.
    pub fn code(&self, at: DateTime<Utc>) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret).unwrap();
        mac.update(&(at.timestamp() / 30).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 15);
        let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B.
    #[test]
    fn codes_are_as_in_the_rfc() {
        let app = Authenticator::new("GEZDGNBVGY3TQOJQ GEZDGNBVGY3TQOJQ");
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")]
        {
            assert_eq!(app.code(DateTime::from_timestamp(second, 0).unwrap()), code);
        }
    }
}
