//! Passkeys (WebAuthn) as a second factor: adding, removing and verifying them.

mod site;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Admin, AuditAction, is_steering, is_visible};
use rollcall_repository::{
    AddedPasskey, Digest, FactorProof, RemovedPasskey, RepositoryError, StoredPasskey,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use webauthn_rs::prelude::{
    Passkey as Credential, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};

pub use site::PasskeySite;

use super::recovery_code::RecoveryCode;
use crate::{
    ServiceError,
    admin::{
        audit_log::entry,
        service::AdminService,
        sessions::Standing,
        token::{TokenId, digest, hash},
    },
};

/// The most passkeys of one admin.
const MOST: u32 = 20;
/// The longest name of a passkey, in characters.
const LONGEST_NAME: usize = 64;
/// A challenge must be answered within this time.
const ANSWERED_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// The same time, for browsers.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

impl AdminService {
    /// The passkeys of an admin, in the order in which they were added.
    pub(in crate::admin) async fn passkeys(
        &self,
        admin: &Admin,
    ) -> Result<Vec<Passkey>, ServiceError> {
        let stored = self.storage.passkeys(admin, MOST).await?;
        Ok(stored.into_iter().map(Passkey::from).collect())
    }

    /// The challenge with which a browser creates a passkey in the session with this token: the
    /// argument of `navigator.credentials.create` as JSON, with binary values in base64url. Pass the
    /// browser's answer to [`AdminService::add_passkey`] within five minutes.
    ///
    /// # Errors
    /// When the admin has the most passkeys allowed, the session does not exist, or the storage fails.
    pub async fn offer_passkey(
        &self,
        token: &str,
        site: &PasskeySite,
    ) -> Result<String, PasskeyError> {
        let (session, admin) = self.own_session(token).await?;
        let stored = self.storage.passkeys(&admin, MOST).await?;
        if stored.len() >= usize::try_from(MOST).unwrap_or(usize::MAX) {
            return Err(PasskeyError::TooMany);
        }
        // An authenticator with one of them creates no second one.
        let known = credentials(&stored, site)?;
        let known = known.iter().map(|it| it.cred_id().clone()).collect();
        let name = admin.to_string();
        let (question, state) = site.webauthn(TIMEOUT)?.start_passkey_registration(
            user_handle(&admin),
            &name,
            &name,
            Some(known),
        )?;
        self.ask(session, site, State::Add(state)).await?;
        as_json(&question)
    }

    /// Adds the passkey that a browser created, and ends the admin's other sessions. Returns recovery
    /// codes if it is the admin's first factor. The codes cannot be shown again.
    ///
    /// # Errors
    /// When the name is invalid, the answer is late or not to the last challenge, the passkey exists
    /// already, or the storage fails.
    pub async fn add_passkey(
        &self,
        token: &str,
        name: &str,
        answer: &str,
    ) -> Result<Option<Vec<RecoveryCode>>, PasskeyError> {
        let name = read_name(name).ok_or(PasskeyError::InvalidName)?;
        let (session, admin) = self.own_session(token).await?;
        let (site, state) = self.asked(session).await?.ok_or(PasskeyError::NotVerified)?;
        let State::Add(state) = state else { return Err(PasskeyError::NotVerified) };
        let answer: RegisterPublicKeyCredential = read_answer(answer)?;
        let credential = site.webauthn(TIMEOUT)?.finish_passkey_registration(&answer, &state)?;
        let now = self.clock.now();
        let passkey = StoredPasskey {
            id: hash(credential.cred_id()),
            name: name.clone(),
            host: site.host().to_owned(),
            credential: as_json(&credential)?,
            added_at: now,
            last_used_at: None,
        };
        let codes = RecoveryCode::generate()?;
        let hashes: Vec<_> = codes.iter().map(|code| code.digest(&admin)).collect();
        let entry = entry(now, Some(&admin), AuditAction::AddedPasskey, Some(name));
        match self.storage.add_passkey(session, &admin, &passkey, &hashes, &entry).await? {
            AddedPasskey::First => Ok(Some(codes)),
            AddedPasskey::Further => Ok(None),
            AddedPasskey::Known => Err(PasskeyError::Known),
            AddedPasskey::NoSession => Err(PasskeyError::NoSession),
        }
    }

    /// Removes a passkey of the session's own admin, and ends their other sessions.
    ///
    /// # Errors
    /// When the passkey does not exist, it is the last factor and every admin needs one, or the
    /// storage fails.
    pub async fn remove_passkey(&self, token: &str, id: TokenId) -> Result<(), PasskeyError> {
        let (session, admin) = self.own_session(token).await?;
        let entry = entry(self.clock.now(), Some(&admin), AuditAction::RemovedPasskey, None);
        let is_required = self.requires_second_factor;
        let removed = self.storage.remove_passkey(&admin, id.0, is_required, session, &entry);
        match removed.await? {
            RemovedPasskey::Done => Ok(()),
            RemovedPasskey::NoSuchPasskey => Err(PasskeyError::NoSuchPasskey),
            RemovedPasskey::LastFactor => Err(PasskeyError::LastFactor),
        }
    }

    /// The challenge with which a browser asks for a passkey of the session's own admin: the argument
    /// of `navigator.credentials.get` as JSON, with binary values in base64url. Pass the browser's
    /// answer to [`AdminService::confirm_by_passkey`] within five minutes.
    ///
    /// # Errors
    /// When the admin has no passkey for this site, the session does not exist, or the storage fails.
    pub async fn ask_for_passkey(
        &self,
        token: &str,
        site: &PasskeySite,
    ) -> Result<String, PasskeyError> {
        let found = self.find_session(token).await?;
        let (session, admin) =
            found.map(|(digest, it, _)| (digest, it.admin)).ok_or(PasskeyError::NoSession)?;
        let known = credentials(&self.storage.passkeys(&admin, MOST).await?, site)?;
        if known.is_empty() {
            return Err(PasskeyError::NoSuchPasskey);
        }
        let (question, state) = site.webauthn(TIMEOUT)?.start_passkey_authentication(&known)?;
        self.ask(session, site, State::Prove(state)).await?;
        as_json(&question)
    }

    /// The proof in a browser's answer to [`AdminService::ask_for_passkey`], if it is valid. Each
    /// challenge can be answered once, correctly or not.
    pub(in crate::admin) async fn passkey_proof(
        &self,
        session: Digest,
        answer: &str,
    ) -> Result<Option<FactorProof>, ServiceError> {
        let Some((site, State::Prove(state))) = self.asked(session).await? else {
            return Ok(None);
        };
        let verified = read_answer(answer).and_then(|answer: PublicKeyCredential| {
            Ok(site.webauthn(TIMEOUT)?.finish_passkey_authentication(&answer, &state)?)
        });
        match verified {
            Ok(it) => Ok(Some(FactorProof::Passkey {
                id: hash(it.cred_id()),
                // The storage compares it with the last one.
                sign_count: it.counter(),
            })),
            Err(PasskeyError::Storage(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The session with this token and its admin, unless it owes its second factor.
    async fn own_session(&self, token: &str) -> Result<(Digest, Admin), PasskeyError> {
        let found = self.find_session(token).await?;
        let own = found.filter(|(_, session, _)| session.standing != Standing::OwesFactor);
        own.map(|(digest, session, _)| (digest, session.admin)).ok_or(PasskeyError::NoSession)
    }

    async fn ask(
        &self,
        session: Digest,
        site: &PasskeySite,
        state: State,
    ) -> Result<(), PasskeyError> {
        let challenge = as_json(&Challenge { origin: site.origin(), state })?;
        let is_set = self.storage.set_challenge(session, &challenge, self.clock.now()).await?;
        is_set.then_some(()).ok_or(PasskeyError::NoSession)
    }

    /// Takes the last challenge of a session with its site, if it can still be answered.
    async fn asked(&self, session: Digest) -> Result<Option<(PasskeySite, State)>, ServiceError> {
        let Some(stored) = self.storage.take_challenge(session).await? else {
            return Ok(None);
        };
        if (self.clock.now() - stored.set_at).abs() >= ANSWERED_WITHIN {
            return Ok(None);
        }
        // Another version of the program may have written it.
        let read: Option<Challenge> = serde_json::from_str(&stored.text).ok();
        Ok(read.and_then(|it| Some((PasskeySite::new(&it.origin)?, it.state))))
    }
}

/// A challenge as it is stored, because another process may get the answer.
#[derive(Serialize, Deserialize)]
struct Challenge {
    origin: String,
    state: State,
}

#[derive(Serialize, Deserialize)]
enum State {
    Add(PasskeyRegistration),
    Prove(PasskeyAuthentication),
}

/// A passkey of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The passkey's id.
    pub id: TokenId,
    /// The name that the admin gave it.
    pub name: String,
    /// The host for which it is valid.
    pub host: String,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// When it was last used; `None` if never.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<StoredPasskey> for Passkey {
    fn from(stored: StoredPasskey) -> Self {
        Self {
            id: TokenId(stored.id),
            name: stored.name,
            host: stored.host,
            added_at: stored.added_at,
            last_used_at: stored.last_used_at,
        }
    }
}

/// Why a passkey was not added, used or removed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The name has no visible character, has control characters, or is too long.
    #[error("the name of a passkey must have 1 to {LONGEST_NAME} visible characters")]
    InvalidName,
    /// The browser's answer is late, or not to the last challenge.
    #[error("the passkey could not be verified")]
    NotVerified,
    /// The passkey exists already, perhaps with another account.
    #[error("this passkey exists already")]
    Known,
    /// The admin has the most passkeys allowed.
    #[error("you have {MOST} passkeys already; remove one first")]
    TooMany,
    /// The admin has no such passkey, or none for this site.
    #[error("the passkey does not exist")]
    NoSuchPasskey,
    /// Every admin needs a second factor, and this is the last one.
    #[error("this passkey is your only second factor, and every admin needs one")]
    LastFactor,
    /// The session does not exist.
    #[error("the session does not exist")]
    NoSession,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for PasskeyError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        log::info!(error:% = error; "a passkey could not be verified");
        Self::NotVerified
    }
}

/// The credentials of the passkeys for a site.
fn credentials(
    stored: &[StoredPasskey],
    site: &PasskeySite,
) -> Result<Vec<Credential>, RepositoryError> {
    let read = |passkey: &StoredPasskey| {
        serde_json::from_str(&passkey.credential).map_err(|error| RepositoryError::Corrupt {
            table: "passkeys",
            column: "credential",
            key: TokenId(passkey.id).to_string(),
            reason: error.to_string(),
        })
    };
    stored.iter().filter(|it| it.host == site.host()).map(read).collect()
}

/// The id by which authenticators distinguish accounts. All passkeys of an admin share it, so that
/// an authenticator keeps only one. It does not reveal the admin.
fn user_handle(admin: &Admin) -> Uuid {
    let Digest(bytes) = digest(&["passkey user", &admin.to_string()]);
    let (handle, _) = bytes.split_at(16);
    Uuid::from_slice(handle).unwrap_or_default()
}

fn read_name(text: &str) -> Option<String> {
    let name = text.trim();
    let is_one =
        is_visible(name) && !name.contains(is_steering) && name.chars().count() <= LONGEST_NAME;
    is_one.then(|| name.to_owned())
}

fn read_answer<T: DeserializeOwned>(text: &str) -> Result<T, PasskeyError> {
    serde_json::from_str(text).map_err(|_| PasskeyError::NotVerified)
}

/// Cannot fail, because the values have only strings, numbers and lists.
fn as_json(value: &impl Serialize) -> Result<String, PasskeyError> {
    serde_json::to_string(value).map_err(|_| PasskeyError::NotVerified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_and_short() {
        assert_eq!(read_name(" Firefox on Linux "), Some("Firefox on Linux".to_owned()));
        assert_eq!(read_name(&"ж".repeat(64)), Some("ж".repeat(64)));
        for odd in ["", "  ", "\u{3164}", "a\0b", "a\nb", "\u{202e}abc", &"x".repeat(65)] {
            assert_eq!(read_name(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn each_admin_has_an_anonymous_handle() {
        let handle = |admin: &str| user_handle(&admin.parse().unwrap());
        assert_eq!(handle("ada"), handle("ADA"));
        assert_ne!(handle("ada"), handle("telegram:7"));
        assert!(!handle("ada").is_nil());
    }
}
