use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_repository::Digest;
use sha2::{Digest as _, Sha256};

use crate::ServiceError;

/// The secret of a session, for a cookie: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(pub(super) String);

/// The secret of a link to sign in with: 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(pub(super) String);

impl SessionToken {
    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LinkToken {
    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// A secret has no business in a log.
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

const TOKEN_BYTES: usize = 32;

/// A new secret, and its hash.
pub(super) fn new_token() -> Result<(String, Digest), ServiceError> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| ServiceError::NoRandomness)?;
    Ok((BASE64_URL_SAFE_NO_PAD.encode(bytes), hash(&bytes)))
}

/// The hash of a secret as somebody shows it; `None` where it cannot be one of ours.
pub(super) fn read_token(text: &str) -> Option<Digest> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == TOKEN_BYTES).then(|| hash(&bytes))
}

fn hash(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

pub(super) fn digest(parts: &[&str]) -> Digest {
    hash(parts.join("\0").as_bytes())
}
