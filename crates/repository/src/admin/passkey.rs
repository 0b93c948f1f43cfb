use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::Admin;

use super::{digest::Digest, log::NewAuditEntry};
use crate::error::RepositoryError;

/// A passkey (WebAuthn) of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The SHA-256 hash of the credential's id.
    pub id: Digest,
    /// Its name, chosen by the admin.
    pub name: String,
    /// The host that it belongs to.
    pub host: String,
    /// The credential, with its public key, as text that only the service reads.
    pub credential: String,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// When it was last used; `None` if never.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The challenge of a session, which a passkey has to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChallenge {
    /// The challenge, as text that only the service reads.
    pub text: String,
    /// When it was set.
    pub set_at: DateTime<Utc>,
}

/// The result of adding a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedPasskey {
    /// It is the admin's first factor; the recovery codes are stored.
    First,
    /// It is a further factor; the admin has recovery codes already.
    Further,
    /// There is no such session, or it owes a second factor.
    NoSession,
    /// This passkey is registered already.
    Known,
}

/// The result of removing a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedPasskey {
    /// It is removed.
    Done,
    /// The admin has no such passkey.
    NoSuchPasskey,
    /// It is the admin's only factor, and they must keep one.
    LastFactor,
}

/// The passkeys of admins. A change and its audit entry are one transaction.
#[async_trait]
pub trait PasskeyRepository: Send + Sync {
    /// Up to `limit` passkeys of an admin, the oldest first.
    async fn passkeys(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<StoredPasskey>, RepositoryError>;

    /// Stores the challenge for a passkey in a session, in place of an older one. Returns whether
    /// there is such a session.
    async fn set_challenge(
        &self,
        session: Digest,
        challenge: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Removes and returns the challenge of a session. Of several callers at once, one gets it.
    async fn take_challenge(
        &self,
        session: Digest,
    ) -> Result<Option<StoredChallenge>, RepositoryError>;

    /// Adds a passkey for the admin of a session, which counts as confirmed from then on, and ends
    /// the admin's other sessions. The recovery codes are stored if it is the admin's first factor.
    async fn add_passkey(
        &self,
        session: Digest,
        admin: &Admin,
        passkey: &StoredPasskey,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<AddedPasskey, RepositoryError>;

    /// Removes a passkey of an admin, and ends their sessions except `kept`; with the last factor,
    /// the recovery codes are removed too. The entry's old value becomes the passkey's name. If
    /// `must_keep_one` is set, the last factor is not removed.
    async fn remove_passkey(
        &self,
        admin: &Admin,
        id: Digest,
        must_keep_one: bool,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<RemovedPasskey, RepositoryError>;
}
