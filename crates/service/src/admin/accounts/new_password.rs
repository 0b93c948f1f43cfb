use super::common_password::is_common;

/// The fewest characters of a password (NIST SP 800-63B requires 8).
const MIN_CHARS: usize = 10;
/// The most bytes of a password, so that a long one costs no more than its hash.
pub(super) const MAX_BYTES: usize = 1024;

/// A password that follows the rules for new ones.
pub(in crate::admin) struct NewPassword(String);

impl NewPassword {
    /// Rejects a password that is too short, too long, or too common for an account with this name.
    pub(super) fn parse(password: &str, name: &str) -> Result<Self, InvalidPassword> {
        if password.chars().count() < MIN_CHARS {
            return Err(InvalidPassword::TooShort);
        }
        if password.len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        if is_common(password, name) {
            return Err(InvalidPassword::TooCommon);
        }
        Ok(Self(password.to_owned()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a password is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// It is too short.
    #[error("the password is too short; expected {MIN_CHARS} characters or more")]
    TooShort,
    /// It is among an attacker's first guesses.
    #[error(
        "the password is too easy to guess; expected one that is not a common word, a row of keys \
         or the account's name"
    )]
    TooCommon,
    /// It is longer than people type.
    #[error("the password is too long; expected {MAX_BYTES} bytes or less")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_passwords_are_rejected() {
        for (password, error) in [
            ("жжжжжжжжж".to_owned(), "the password is too short; expected 10 characters or more"),
            ("x".repeat(1025), "the password is too long; expected 1024 bytes or less"),
        ] {
            assert_eq!(NewPassword::parse(&password, "ada").err().unwrap().to_string(), error);
        }
        assert!(NewPassword::parse("жжжжжжжжжя", "ada").is_ok());
        assert!(NewPassword::parse(&"xy z".repeat(256), "ada").is_ok());
    }
}
