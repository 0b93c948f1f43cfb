use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::Admin;

use super::{digest::Digest, log::NewAuditEntry};
use crate::RepositoryError;

/// The shared secret of a second factor (RFC 6238): 160 bits, as RFC 4226 recommends.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorSecret(pub [u8; FactorSecret::BYTES]);

impl FactorSecret {
    /// How long it is.
    pub const BYTES: usize = 20;
}

// A secret has no business in a log.
impl fmt::Debug for FactorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorSecret(…)")
    }
}

/// The second factor of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFactor {
    /// What the admin's authenticator app has too.
    pub secret: FactorSecret,
    /// When it was switched on.
    pub enabled_at: DateTime<Utc>,
    /// The time step of the latest accepted code.
    pub last_step: i64,
    /// How many recovery codes have not been used.
    pub recovery_codes: u32,
}

/// Something that proves an admin's identity once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProof {
    /// A code of this time step; only accepted if it is later than the last one.
    Step(i64),
    /// The hash of a recovery code.
    RecoveryCode(Digest),
}

/// The second factors of admins. What is changed and its entry in the audit log are one
/// transaction.
#[async_trait]
pub trait SecondFactorRepository: Send + Sync {
    /// The second factor of an admin.
    async fn second_factor(&self, admin: &Admin) -> Result<Option<StoredFactor>, RepositoryError>;

    /// The secret to show while this session sets up a second factor: the one offered before, else
    /// `secret`, which is kept. `None` where there is no such session.
    async fn offer_secret(
        &self,
        session: Digest,
        secret: &FactorSecret,
    ) -> Result<Option<FactorSecret>, RepositoryError>;

    /// Switches a second factor on, with these recovery codes. `secret` was offered to the session,
    /// and `step` is the time step of the code that proved that it arrived. The session counts as
    /// confirmed at the time of the entry, and the admin's other sessions end. Answers whether it
    /// was done: not where the session was offered another secret or none, or the admin has a
    /// second factor.
    async fn enable_second_factor(
        &self,
        session: Digest,
        admin: &Admin,
        secret: &FactorSecret,
        step: i64,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Takes the second factor and its recovery codes from an admin, and ends every session of theirs
    /// but `kept`; answers whether there was one.
    async fn remove_second_factor(
        &self,
        admin: &Admin,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Replaces the recovery codes of an admin; answers whether the admin has a second factor.
    async fn replace_recovery_codes(
        &self,
        admin: &Admin,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Uses a proof up, and notes that a session's admin has proved their identity at the time of
    /// the entry. `new_token`, for a session that owed its second factor, replaces the session's
    /// token and makes the session a whole one. A recovery code has an entry of its own besides.
    /// Answers whether it was done: not where the proof was used before, or the session is gone; then
    /// nothing is used up.
    async fn confirm_session(
        &self,
        session: Digest,
        admin: &Admin,
        proof: Option<FactorProof>,
        new_token: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;
}
