use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::Admin;

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// The shared secret of a second factor (RFC 6238): 160 bits, as RFC 4226 recommends.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorSecret(pub [u8; FactorSecret::BYTES]);

impl FactorSecret {
    /// Its length.
    pub const BYTES: usize = 20;
}

// Keeps the secret out of logs.
impl fmt::Debug for FactorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorSecret(…)")
    }
}

/// The authenticator app of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFactor {
    /// The secret that the app has too.
    pub secret: FactorSecret,
    /// When it was enabled.
    pub enabled_at: DateTime<Utc>,
    /// The time step of the latest accepted code.
    pub last_step: i64,
}

/// The result of enabling an authenticator app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnabledFactor {
    /// It is the admin's first factor; the recovery codes are stored.
    First,
    /// It is a further factor; the admin has recovery codes already.
    Further,
    /// The session was offered another secret or none, or the admin has an app already.
    Refused,
}

/// A proof of an admin's identity, which can be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProof {
    /// A code of this time step; accepted only if it is later than the last one.
    Step(i64),
    /// The hash of a recovery code.
    RecoveryCode(Digest),
    /// A signature of a passkey.
    Passkey {
        /// Which passkey.
        id: Digest,
        /// The authenticator's counter; accepted only if it is higher than the last one, or both
        /// are 0 because the authenticator does not count.
        sign_count: u32,
    },
}

/// The second factors of admins. A change and its audit entry are one transaction.
#[async_trait]
pub trait SecondFactorRepository: Send + Sync {
    /// The authenticator app of an admin.
    async fn second_factor(&self, admin: &Admin) -> Result<Option<StoredFactor>, RepositoryError>;

    /// How many recovery codes an admin has not used.
    async fn recovery_codes(&self, admin: &Admin) -> Result<u32, RepositoryError>;

    /// The secret to show while this session sets up an app: the one offered before, or else
    /// `secret`, which is stored. `None` if there is no such session.
    async fn offer_secret(
        &self,
        session: Digest,
        secret: &FactorSecret,
    ) -> Result<Option<FactorSecret>, RepositoryError>;

    /// Enables an authenticator app, with these recovery codes if it is the admin's first factor.
    /// `secret` was offered to the session, and `step` is the time step of the code that proved
    /// that the app has it. The session counts as confirmed at the time of the entry, and the
    /// admin's other sessions end.
    async fn enable_second_factor(
        &self,
        session: Digest,
        admin: &Admin,
        secret: &FactorSecret,
        step: i64,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<EnabledFactor, RepositoryError>;

    /// Removes the authenticator app of an admin, and ends their sessions except `kept`; with the
    /// last factor, the recovery codes are removed too. Returns whether there was an app.
    async fn remove_second_factor(
        &self,
        admin: &Admin,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Removes all factors of an admin, passkeys included, and the recovery codes, and ends their
    /// sessions; returns whether there was a factor.
    async fn reset_second_factor(
        &self,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Replaces the recovery codes of an admin; returns whether the admin has a second factor.
    async fn replace_recovery_codes(
        &self,
        admin: &Admin,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Uses a proof, and confirms a session at the time of the entry. `new_token`, for a session
    /// that still owed its second factor, replaces the session's token and completes the session. A
    /// recovery code or passkey gets its own entry besides. Returns whether it was done: not if the
    /// proof was used before, or the session is gone; then nothing is used.
    async fn confirm_session(
        &self,
        session: Digest,
        admin: &Admin,
        proof: Option<FactorProof>,
        new_token: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;
}
