use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_repository::Digest;
use sha2::{Digest as _, Sha256};

use crate::ServiceError;

/// The secret of a session, for a cookie: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(pub(super) String);

/// The secret of a sign-in link: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(pub(super) String);

/// The secret of an invitation: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationToken(pub(super) String);

impl SessionToken {
    /// The secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LinkToken {
    /// The secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InvitationToken {
    /// The secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a session, an invitation or a passkey: a SHA-256 hash as 64 digits, which does not
/// reveal the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenId(pub(super) Digest);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TokenId(Digest(bytes)) = self;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for TokenId {
    type Err = InvalidTokenId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(InvalidTokenId)?;
        let bytes =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
        let bytes: Vec<u8> = bytes.collect();
        let is_whole = digits.len() == 2 * bytes.len();
        let bytes = bytes.try_into().map_err(|_| InvalidTokenId)?;
        if is_whole { Ok(Self(Digest(bytes))) } else { Err(InvalidTokenId) }
    }
}

/// The text is not an id of a session or an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a session or an invitation; expected 64 digits of 0-9 a-f")]
pub struct InvalidTokenId;

// Keeps the secret out of logs.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationToken(…)")
    }
}

const TOKEN_BYTES: usize = 32;

/// A new secret, and its hash.
pub(super) fn new_token() -> Result<(String, Digest), ServiceError> {
    let bytes: [u8; TOKEN_BYTES] = random_bytes()?;
    Ok((BASE64_URL_SAFE_NO_PAD.encode(bytes), hash(&bytes)))
}

/// Bytes from the system's random generator, for a secret.
///
/// # Errors
/// When the system has no random bytes.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], ServiceError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ServiceError::NoRandomness)?;
    Ok(bytes)
}

/// The hash of a secret in a request; `None` if the text cannot be one of ours.
pub(super) fn read_token(text: &str) -> Option<Digest> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == TOKEN_BYTES).then(|| hash(&bytes))
}

/// The SHA-256 hash of bytes.
pub(super) fn hash(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The SHA-256 hash of texts, with U+0000 between them.
pub(super) fn digest(parts: &[&str]) -> Digest {
    hash(parts.join("\0").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_token_is_its_hash() {
        let (text, digest) = new_token().unwrap();
        assert_eq!(read_token(&text), Some(digest));
        let id = TokenId(digest).to_string();
        assert_eq!((id.len(), id.parse()), (64, Ok(TokenId(digest))));
        for odd in ["", "x", &id[1..], &format!("{id}0"), &format!("{id}00"), &"ä".repeat(32)] {
            assert_eq!(odd.parse::<TokenId>(), Err(InvalidTokenId), "{odd}");
        }
    }
}
