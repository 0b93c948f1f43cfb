use std::fmt;

use rollcall_repository::Digest;

use crate::{
    ServiceError,
    admin::{
        factors::base32,
        token::{digest, random_bytes},
    },
};

/// The number of characters: 60 random bits, too many to find the code from its hash in time.
const CHARS: usize = 12;
/// A hyphen follows this many characters, so that people can read it.
const GROUP: usize = 4;
/// Each code has at least so many digits and letters, so that one typing error cannot remove the last.
const FEWEST_OF_EACH: usize = 2;

/// A code that makes a user the owner of the bot, such as `3KQ7-9Z0M-H2XV`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimCode(String);

impl ClaimCode {
    /// Creates a code.
    pub(super) fn generate() -> Result<Self, ServiceError> {
        loop {
            let bytes: [u8; 8] = random_bytes()?;
            let mut code = base32::encode(&bytes, base32::CROCKFORD);
            code.truncate(CHARS);
            // People may type 0 and 1 as letters, so these do not count as digits.
            let digits = code.bytes().filter(|byte| (b'2'..=b'9').contains(byte)).count();
            let letters = code.bytes().filter(u8::is_ascii_lowercase).count();
            // Almost every code has enough of both.
            if digits >= FEWEST_OF_EACH && letters >= FEWEST_OF_EACH {
                return Ok(Self(code));
            }
        }
    }

    /// Reads a text that has the form of a code, right or wrong: three groups of four letters and
    /// digits with hyphens between them, in upper or lower case. There must be a letter and a digit, so
    /// that neither words nor numbers of ordinary messages count. Letters that look like a digit count
    /// as the digit.
    pub fn read(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.trim().split('-').collect();
        let is_group = |group: &&str| {
            group.len() == GROUP && group.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if groups.len() != CHARS / GROUP || !groups.iter().all(is_group) {
            return None;
        }
        let typed = groups.concat().to_ascii_lowercase();
        let has_both = typed.bytes().any(|byte| byte.is_ascii_digit())
            && typed.bytes().any(|byte| byte.is_ascii_lowercase());
        let alike = |c| match c {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        };
        has_both.then(|| Self(typed.chars().map(alike).collect()))
    }

    /// The hash that is stored.
    pub(super) fn digest(&self) -> Digest {
        digest(&["claim code", &self.0])
    }
}

/// Shows the code with its hyphens, in upper case.
impl fmt::Display for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, character) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", character.to_ascii_uppercase())?;
        }
        Ok(())
    }
}

// Keeps the secret out of logs, except where it is shown on purpose.
impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_shown_or_typed() {
        for _ in 0..1000 {
            let code = ClaimCode::generate().unwrap();
            let shown = code.to_string();
            let typed = [&shown, &shown.to_lowercase(), &format!(" {shown}\n")].map(String::from);
            for text in typed.into_iter().chain([shown.replace('0', "O").replace('1', "l")]) {
                let read = ClaimCode::read(&text).unwrap();
                assert!(read == code && read.digest().is(&code.digest()), "{text}");
            }
            // With one wrong character it still looks like a code.
            for place in [0, 3, 13] {
                let mut wrong = shown.clone();
                let other = if wrong.as_bytes()[place] == b'A' { "B" } else { "A" };
                wrong.replace_range(place..=place, other);
                let wrong = ClaimCode::read(&wrong).unwrap();
                assert!(!wrong.digest().is(&code.digest()));
            }
        }
    }

    #[test]
    fn ordinary_texts_do_not_look_like_a_code() {
        for text in [
            "",
            "hello",
            "/start 3KQ7-9Z0M-H2XV",
            "my code is 3KQ7-9Z0M-H2XV",
            "3KQ7-9Z0M-H2XV!",
            "3KQ7-9Z0M",
            "3KQ7-9Z0M-H2XV-0000",
            "3KQ79Z0MH2XV",
            "3KQ7 9Z0M H2XV",
            "3KQ7--9Z0-H2XV",
            "3KQ-79Z0M-H2XV",
            "well-kept-pond",
            "5555-1234-5678",
            "3КQ7-9Z0M-H2XV",
            "ÄÄÄÄ-9Z0M-H2XV",
        ] {
            assert_eq!(ClaimCode::read(text), None, "{text:?}");
        }
    }
}
