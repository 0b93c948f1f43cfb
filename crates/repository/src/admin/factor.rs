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

/// The authenticator app of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFactor {
    /// What the admin's authenticator app has too.
    pub secret: FactorSecret,
    /// When it was switched on.
    pub enabled_at: DateTime<Utc>,
    /// The time step of the latest accepted code.
    pub last_step: i64,
}

/// What came of switching an authenticator app on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnabledFactor {
    /// It is the admin's first factor; the recovery codes are stored.
    First,
    /// It is one factor more; the admin has recovery codes already.
    Further,
    /// The session was offered another secret or none, or the admin has an app.
    Refused,
}

/// Something that proves an admin's identity once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProof {
    /// A code of this time step; only accepted if it is later than the last one.
    Step(i64),
    /// The hash of a recovery code.
    RecoveryCode(Digest),
    /// A signature of a passkey.
    Passkey {
        /// Of which one.
        id: Digest,
        /// The authenticator's counter; only accepted if it is higher than the last one, or both
        /// are 0, as they are where an authenticator does not count.
        sign_count: u32,
    },
}

/// The second factors of admins. What is changed and its entry in the audit log are one
/// transaction.
#[async_trait]
pub trait SecondFactorRepository: Send + Sync {
    /// The authenticator app of an admin.
    async fn second_factor(&self, admin: &Admin) -> Result<Option<StoredFactor>, RepositoryError>;

    /// How many recovery codes an admin has not used.
    async fn recovery_codes(&self, admin: &Admin) -> Result<u32, RepositoryError>;

    /// The secret to show while this session sets up a second factor: the one offered before, else
    /// `secret`, which is kept. `None` where there is no such session.
    async fn offer_secret(
        &self,
        session: Digest,
        secret: &FactorSecret,
    ) -> Result<Option<FactorSecret>, RepositoryError>;

    /// Switches an authenticator app on, with these recovery codes where it is the admin's first
    /// factor. `secret` was offered to the session, and `step` is the time step of the code that
    /// proved that it arrived. The session counts as confirmed at the time of the entry, and the
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

    /// Takes the authenticator app from an admin, and ends every session of theirs but `kept`; with
    /// the last factor, the recovery codes go too. Answers whether there was an app.
    async fn remove_second_factor(
        &self,
        admin: &Admin,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError>;

    /// Takes every factor, passkeys included, and the recovery codes from an admin, and ends their
    /// sessions; answers whether there was a factor.
    async fn reset_second_factor(
        &self,
        admin: &Admin,
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
    /// token and makes the session a whole one. A recovery code or passkey has an entry of its own
    /// besides.
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
