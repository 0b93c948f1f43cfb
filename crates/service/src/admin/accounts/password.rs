use std::sync::Arc;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::new_password::{MAX_BYTES, NewPassword};
use crate::ServiceError;

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
pub(in crate::admin) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once())) }
    }
}

impl Passwords {
    /// Hashes a new password with a new salt, in the PHC string format.
    pub(in crate::admin) async fn hash(
        &self,
        password: NewPassword,
    ) -> Result<String, ServiceError> {
        let hashed = self.in_turn(move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        // It fails only without random bytes for the salt, because the password and the parameters
        // are valid.
        hashed.await.and_then(Result::ok).ok_or(ServiceError::NoRandomness)
    }

    /// Whether the password matches `hash`. Without a hash, the result is false and takes as long.
    pub(in crate::admin) async fn verify(&self, password: &str, hash: Option<String>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let passwords = Passwords::default();
        let new = || NewPassword::parse("correct horse", "ada").unwrap();
        let hash = passwords.hash(new()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash(new()).await.unwrap(), hash, "each has a salt");
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
}
