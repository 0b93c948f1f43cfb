//! Passwords: rules for new ones, and hashing.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{AccountError, ServiceError, common_password::is_common};

/// The fewest characters of a password (NIST SP 800-63B requires 8).
const MIN_CHARS: usize = 10;
/// The most bytes of a password, so that a long one costs no more than its hash.
const MAX_BYTES: usize = 1024;
/// How many passwords are hashed at once. Each takes a processor and 19 MiB. At least half of the
/// processors stay free for registration.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 4))
}

/// A hash that no password matches, verified if there is no such account. It has the same
/// parameters as the others, so that it takes as long.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBwYXNzd29yZA\
                       $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes passwords with Argon2id (RFC 9106) and OWASP's parameters, a few at once.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once())) }
    }
}

impl Passwords {
    /// Hashes a new password with a new salt, in the PHC string format. Rejects a password that is
    /// too short, too long or too common for an account with this name.
    pub(crate) async fn hash(&self, password: &str, name: &str) -> Result<String, AccountError> {
        if password.chars().count() < MIN_CHARS {
            return Err(InvalidPassword::TooShort.into());
        }
        if password.len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong.into());
        }
        if is_common(password, name) {
            return Err(InvalidPassword::TooCommon.into());
        }
        let password = password.to_owned();
        let hashed = self.in_turn(move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        // It fails only without random bytes for the salt, because the password and the parameters
        // are valid.
        let hashed = hashed.await.and_then(Result::ok);
        hashed.ok_or(AccountError::Storage(ServiceError::NoRandomness))
    }

    /// Whether the password matches `hash`. Without a hash, the result is false and takes as long.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> bool {
        if password.len() > MAX_BYTES {
            return false;
        }
        let password = password.to_owned();
        let verified = self.in_turn(move || {
            let hash = hash.as_deref().unwrap_or(DUMMY_HASH);
            Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
        });
        verified.await.unwrap_or(false)
    }

    /// Runs processor-bound work on a blocking thread; `None` if it panicked. It continues if the
    /// caller goes away, and keeps its turn until it is done.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let work = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        work.await.ok()
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

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", "ada").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash("correct horse", "ada").await.unwrap(), hash, "each has a salt");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await);
        assert!(!passwords.verify("correct horsf", Some(hash)).await);
        assert!(!passwords.verify("correct horse", None).await);
        assert!(!passwords.verify("correct horse", Some("garbage".to_owned())).await);
    }

    #[test]
    fn the_dummy_hash_is_verified_in_full() {
        let hash = argon2::PasswordHash::new(DUMMY_HASH).unwrap();
        let ours = Argon2::default().hash_password(b"x").unwrap();
        assert_eq!((hash.algorithm, hash.version), (ours.algorithm, ours.version));
        assert_eq!(hash.params, ours.params);
        let lengths = |hash: &argon2::PasswordHash| {
            (hash.salt.as_ref().unwrap().len(), hash.hash.as_ref().unwrap().len())
        };
        assert_eq!(lengths(&hash), lengths(&ours));
    }

    #[tokio::test]
    async fn lengths_have_their_bounds() {
        let passwords = Passwords::default();
        for (password, error) in [
            ("жжжжжжжжж".to_owned(), "the password is too short; expected 10 characters or more"),
            ("x".repeat(1025), "the password is too long; expected 1024 bytes or less"),
        ] {
            assert_eq!(passwords.hash(&password, "ada").await.unwrap_err().to_string(), error);
        }
        assert!(passwords.hash("жжжжжжжжжя", "ada").await.is_ok());
        assert!(passwords.hash(&"xy z".repeat(256), "ada").await.is_ok());
    }
}
