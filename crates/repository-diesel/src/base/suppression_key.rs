//! The key with which the ids of erased users are hashed.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use diesel::result::Error as DieselError;
use rollcall_repository::SuppressionKeyError;

use super::{error::Failure, secret::Secret};

/// A key for the ids of erased users: 32 bytes. There are few ids, so anyone with the key can try all of
/// them. Without the key, the hashes show nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SuppressionKey(Secret);

impl SuppressionKey {
    /// Reads the content of a file: 32 bytes, or 64 hexadecimal digits with any white space around them.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_content(content: &[u8]) -> Result<Self, InvalidSuppressionKey> {
        if let Ok(key) = content.try_into() {
            return Ok(Self(Secret(key)));
        }
        let invalid = InvalidSuppressionKey { bytes: content.len() };
        str::from_utf8(content).ok().and_then(Secret::from_hex).map(Self).ok_or(invalid)
    }

    /// The key as 64 hexadecimal digits, for a file.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }

    /// A new key.
    pub(crate) fn random() -> Result<Self, Failure> {
        let key = Secret::random();
        let key = key.map_err(|error| DieselError::SerializationError(error.to_string().into()))?;
        Ok(Self(key))
    }

    /// The key as its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.0
    }

    /// The hash of a user's id.
    pub(crate) fn hash(&self, id: i64) -> Vec<u8> {
        self.0.mac(&id.to_be_bytes())
    }

    /// What recognises the key. Its text is longer than an id, so it is the hash of none.
    pub(crate) fn check(&self) -> Vec<u8> {
        self.0.mac(b"the key of suppressed users")
    }
}

impl fmt::Debug for SuppressionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SuppressionKey(…)")
    }
}

/// Not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are not a key; expected 32 bytes, or 64 hexadecimal digits")]
pub struct InvalidSuppressionKey {
    /// How many bytes were given.
    pub bytes: usize,
}

/// Where the key of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionKeyPlace {
    /// No user was erased yet, and no key was given: the database will keep one.
    None,
    /// The database keeps it, beside the hashes.
    Database,
    /// It was given, and the database does not have it.
    Given,
}

/// Where connections find the key. Clones share what they have found.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySource {
    /// The key from outside the database.
    given: Option<SuppressionKey>,
    /// The key of the database. It never changes, once a transaction has committed it.
    known: Arc<OnceLock<SuppressionKey>>,
}

/// A key as the database has it.
pub(crate) struct StoredKey {
    pub(crate) check: Vec<u8>,
    pub(crate) secret: Option<Vec<u8>>,
}

impl KeySource {
    pub(crate) fn given(key: SuppressionKey) -> Self {
        Self { given: Some(key), known: Arc::default() }
    }

    pub(crate) fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// The key, if it was found before.
    pub(crate) fn known(&self) -> Option<&SuppressionKey> {
        self.known.get()
    }

    /// The key for a database that has none yet.
    pub(crate) fn first(&self) -> Result<SuppressionKey, Failure> {
        self.given.clone().map_or_else(SuppressionKey::random, Ok)
    }

    /// The key that a database has, which a transaction has committed.
    pub(crate) fn remember(&self, stored: &StoredKey) -> Result<SuppressionKey, Failure> {
        let key = self.find(stored)?;
        Ok(self.known.get_or_init(|| key).clone())
    }

    /// The key that a database has.
    pub(crate) fn find(&self, stored: &StoredKey) -> Result<SuppressionKey, Failure> {
        let kept = stored.secret.as_deref().and_then(|it| it.try_into().ok());
        let kept = kept.map(|it| SuppressionKey(Secret(it)));
        match (kept, &self.given) {
            (Some(kept), None) => Ok(kept),
            (Some(kept), Some(given)) if kept == *given => Ok(kept),
            (Some(_), Some(_)) => Err(SuppressionKeyError::Kept.into()),
            (None, Some(given)) if given.check() == stored.check => Ok(given.clone()),
            (None, Some(_)) => Err(SuppressionKeyError::Wrong.into()),
            (None, None) => Err(SuppressionKeyError::Missing.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::LENGTH;

    #[test]
    fn a_key_is_read_from_bytes_and_from_digits() {
        let key = SuppressionKey(Secret([0xa5; LENGTH]));
        assert_eq!(key.to_hex(), "a5".repeat(LENGTH));
        for content in [
            [0xa5; LENGTH].to_vec(),
            "a5".repeat(LENGTH).into_bytes(),
            format!(" {}\r\n", "A5".repeat(LENGTH)).into_bytes(),
        ] {
            assert_eq!(SuppressionKey::from_content(&content), Ok(key.clone()));
        }
        for content in [
            Vec::new(),
            vec![0xa5; LENGTH - 1],
            vec![0xa5; LENGTH + 1],
            "a5".repeat(LENGTH - 1).into_bytes(),
            "a5".repeat(LENGTH + 1).into_bytes(),
            "g5".repeat(LENGTH).into_bytes(),
        ] {
            let error = InvalidSuppressionKey { bytes: content.len() };
            assert_eq!(SuppressionKey::from_content(&content), Err(error));
        }
        assert_eq!(format!("{key:?}"), "SuppressionKey(…)");
    }

    /// Computed with Python's `hmac` module.
    #[test]
    fn ids_are_hashed_with_the_key() {
        let key = SuppressionKey(Secret([7; LENGTH]));
        let hash: String = key.hash(1815).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "a4ab548087ff4566f2bbd3ffec405e251655df8387555179b75328891f842219");
        assert_ne!(key.hash(1815), key.hash(1816));
        assert_ne!(key.hash(1815), SuppressionKey(Secret([8; LENGTH])).hash(1815));
    }
}
