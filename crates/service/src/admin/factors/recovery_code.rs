use std::fmt;

use rollcall_domain::Admin;
use rollcall_repository::Digest;

use super::base32;
use crate::{
    ServiceError,
    admin::token::{digest, random_bytes},
};

/// How many recovery codes an admin gets.
const CODES: usize = 10;
/// The random bytes in a code: too many to find it from its hash.
const BYTES: usize = 10;
/// The number of characters of a code.
const CHARS: usize = 16;
/// A hyphen follows this many characters, so that people can read it.
const GROUP: usize = 4;

/// A code that replaces the second factor once, such as `3kq7-9z0m-h2xv-w8ta`. Only its hash is
/// stored.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// Creates the codes of one admin.
    pub(super) fn generate() -> Result<Vec<Self>, ServiceError> {
        let new = || {
            let bytes: [u8; BYTES] = random_bytes()?;
            Ok(Self(base32::encode(&bytes, base32::CROCKFORD)))
        };
        (0..CODES).map(|_| new()).collect()
    }

    /// Parses a typed code, in upper or lower case and with or without hyphens. Letters that look like
    /// a digit count as the digit.
    pub(super) fn read(text: &str) -> Option<Self> {
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                c => c,
            })
            .collect();
        let is_one = code.len() == CHARS && code.bytes().all(|b| base32::CROCKFORD.contains(&b));
        is_one.then_some(Self(code))
    }

    /// The hash that is stored. It differs between admins.
    pub(super) fn digest(&self, admin: &Admin) -> Digest {
        digest(&["recovery code", &admin.to_string(), &self.0])
    }
}

/// Shows the code with its hyphens.
impl fmt::Display for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, character) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

// Keeps the secret out of logs.
impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_parsed_as_shown_or_typed() {
        let codes = RecoveryCode::generate().unwrap();
        let texts: BTreeSet<String> = codes.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), CODES, "all codes differ");
        for code in &codes {
            let text = code.to_string();
            assert_eq!(text.len(), CHARS + 3);
            for typed in [text.to_uppercase(), text.replace('-', " "), text.replace('-', "")] {
                assert_eq!(RecoveryCode::read(&typed).as_ref(), Some(code), "{typed}");
            }
        }
        let code = RecoveryCode("10ab10ab10ab10ab".to_owned());
        assert_eq!(RecoveryCode::read(" lOab-ioAB-10ab-10ab "), Some(code));
        for odd in ["", "123456", "10ab-10ab-10ab-10a", "10ab10ab10ab10abc", "u0ab10ab10ab10ab"] {
            assert_eq!(RecoveryCode::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_hash_of_a_code_depends_on_the_admin() {
        let code = RecoveryCode::read("10ab10ab10ab10ab").unwrap();
        let digest = |admin: &str| code.digest(&admin.parse().unwrap());
        assert_ne!(digest("ada"), digest("bob"));
        assert_eq!(digest("ada"), digest("ADA"));
    }
}
