use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::Admin;

use super::{digest::Digest, log::NewAuditEntry};
use crate::RepositoryError;

/// A passkey (WebAuthn) of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The SHA-256 hash of the credential's id.
    pub id: Digest,
    /// What its owner calls it.
    pub name: String,
    /// The host that it is for.
    pub host: String,
    /// The credential, with its public key, as text that only the service reads.
    pub credential: String,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// When it was last used; `None` for never.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What came of adding a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedPasskey {
    /// It is the admin's first factor; the recovery codes are stored.
    First,
    /// It is one factor more; the admin has recovery codes already.
    Further,
    /// There is no such session, or it owes a second factor.
    NoSession,
    /// Somebody has this passkey already.
    Known,
}

/// What came of removing a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedPasskey {
    /// It is gone.
    Done,
    /// The admin has no such passkey.
    NoSuchPasskey,
    /// It is the admin's only factor, and they have to keep one.
    LastFactor,
}

/// The passkeys of admins. What is changed and its entry in the audit log are one transaction.
#[async_trait]
pub trait PasskeyRepository: Send + Sync {
    /// Up to `limit` passkeys of an admin, in the order in which they were added.
    async fn passkeys(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<StoredPasskey>, RepositoryError>;

    /// Keeps what a passkey is asked to sign in a session, in place of what it was asked before.
    /// Answers whether there is such a session.
    async fn set_challenge(
        &self,
        session: Digest,
        challenge: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Takes the challenge of a session away; answers it, and when it was set. Of several who take
    /// it at once, one gets it.
    async fn take_challenge(
        &self,
        session: Digest,
    ) -> Result<Option<(String, DateTime<Utc>)>, RepositoryError>;

    /// Adds a passkey of the admin of a session, which counts as confirmed from then on, and ends
    /// the admin's other sessions. The recovery codes are stored where it is the admin's first
    /// factor.
    async fn add_passkey(
        &self,
        session: Digest,
        admin: &Admin,
        passkey: &StoredPasskey,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<AddedPasskey, RepositoryError>;

    /// Removes a passkey of an admin, and ends every session of theirs but `kept`; with the last
    /// factor, the recovery codes go too. The entry's old value becomes the passkey's name. Where
    /// `must_keep_one`, the last factor is not removed.
    async fn remove_passkey(
        &self,
        admin: &Admin,
        id: Digest,
        must_keep_one: bool,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<RemovedPasskey, RepositoryError>;
}
