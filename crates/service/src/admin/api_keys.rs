use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Admin, ApiKey, ApiScopes, AuditAction, LabelName, TelegramId, error_chain};
use rollcall_repository::{Digest, NewAuditEntry, RepositoryError, StoredApiKey};

use super::{
    audit_log::entry,
    service::AdminService,
    token::{TokenId, new_token, read_token},
};
use crate::ServiceError;

/// What every key begins with, so that people and secret scanners recognise one.
const PREFIX: &str = "rollcall_";
/// The most keys that are not revoked.
const MAX_API_KEYS: usize = 200;
/// The most keys that are listed.
const MAX_LISTED: u32 = 1000;
/// How exactly the last use of a key is known.
const USE_IS_NOTED: TimeDelta = TimeDelta::minutes(1);
/// How many digits of the hash of a key are its id.
const ID_DIGITS: usize = 12;

/// The secret of an API key: `rollcall_` and 43 characters of `A-Z a-z 0-9 _ -`. Only its hash is
/// stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    /// The secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Keeps the secret out of logs.
impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret(…)")
    }
}

/// A key of the API, with the id by which it can be named without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedApiKey {
    /// 12 digits of `0-9 a-f`.
    pub id: String,
    /// The key.
    pub key: ApiKey,
}

impl ListedApiKey {
    fn new(StoredApiKey { hash, key }: StoredApiKey) -> Self {
        Self { id: TokenId(hash).to_string().chars().take(ID_DIGITS).collect(), key }
    }

    fn is_valid(&self) -> bool {
        self.key.revoked_at.is_none()
    }
}

impl fmt::Display for ListedApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ApiKey { name, scopes, .. } = &self.key;
        write!(f, "{name} {} ({scopes})", self.id)
    }
}

impl AdminService {
    /// Creates a key of the API. `by` is the admin who does it; `None` for a management command.
    ///
    /// # Errors
    /// If a key of this name is valid, if there are 200 valid keys, or if the storage fails.
    pub async fn create_api_key(
        &self,
        name: &LabelName,
        scopes: ApiScopes,
        by: Option<&Admin>,
    ) -> Result<(ApiKeySecret, ListedApiKey), ApiKeyError> {
        let (secret, hash) = new_token()?;
        let created_at = self.clock.now();
        let key =
            ApiKey { name: name.clone(), scopes, created_at, last_used_at: None, revoked_at: None };
        let valid = self.api_keys().await?.iter().filter(|it| it.is_valid()).count();
        if valid >= MAX_API_KEYS {
            return Err(ApiKeyError::Full);
        }
        let stored = StoredApiKey { hash, key };
        let listed = ListedApiKey::new(stored.clone());
        let entry = entry(created_at, by, AuditAction::CreatedApiKey, Some(listed.to_string()));
        match self.storage.create_api_key(&stored, &entry).await? {
            true => Ok((ApiKeySecret(format!("{PREFIX}{secret}")), listed)),
            false => Err(ApiKeyError::NameIsTaken(name.clone())),
        }
    }

    /// Up to 1,000 keys in the order of their creation; those that are revoked come last.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn api_keys(&self) -> Result<Vec<ListedApiKey>, ServiceError> {
        Ok(self.stored_api_keys().await?.into_iter().map(ListedApiKey::new).collect())
    }

    async fn stored_api_keys(&self) -> Result<Vec<StoredApiKey>, RepositoryError> {
        self.storage.api_keys(MAX_LISTED).await
    }

    /// Revokes the valid key of this name or id, and returns it. From then on, it is refused.
    ///
    /// # Errors
    /// If there is none, or the storage fails.
    pub async fn revoke_api_key(
        &self,
        name_or_id: &str,
        by: Option<&Admin>,
    ) -> Result<ListedApiKey, ApiKeyError> {
        let keys = self.stored_api_keys().await?;
        let keys: Vec<(Digest, ListedApiKey)> =
            keys.into_iter().map(|it| (it.hash, ListedApiKey::new(it))).collect();
        let named = |it: &&(_, ListedApiKey)| it.1.key.name.as_str() == name_or_id;
        let valid = || keys.iter().filter(|(_, it)| it.is_valid());
        let found = valid().find(named).or_else(|| valid().find(|(_, it)| it.id == name_or_id));
        let Some((hash, key)) = found else {
            let revoked = keys.iter().rev().find(|it| named(it) || it.1.id == name_or_id);
            return Err(match revoked.and_then(|(_, it)| it.key.revoked_at) {
                Some(at) => ApiKeyError::Revoked(name_or_id.to_owned(), at),
                None => ApiKeyError::Unknown(name_or_id.to_owned()),
            });
        };
        let at = self.clock.now();
        let entry = NewAuditEntry {
            old: Some(key.to_string()),
            ..entry(at, by, AuditAction::RevokedApiKey, None)
        };
        match self.storage.revoke_api_key(*hash, at, &entry).await? {
            true => Ok(key.clone()),
            false => Err(ApiKeyError::Revoked(name_or_id.to_owned(), at)),
        }
    }

    /// The valid key with this secret; `None` if there is none. Its use is noted at most once a minute.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn api_key(&self, secret: &str) -> Result<Option<ApiKey>, ServiceError> {
        let hash = secret.strip_prefix(PREFIX).and_then(read_token);
        let Some(hash) = hash else { return Ok(None) };
        let key = self.storage.api_key(hash).await?.filter(|key| key.revoked_at.is_none());
        if let Some(key) = &key {
            self.note_use(hash, key);
        }
        Ok(key)
    }

    /// The bot that the keys belong to; `None` before there is one.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn bot_of_api_keys(&self) -> Result<Option<TelegramId>, ServiceError> {
        Ok(self.storage.bot_of_api_keys().await?)
    }

    /// Notes in the background that a key is used, because a locked database must not delay reading.
    fn note_use(&self, hash: Digest, key: &ApiKey) {
        let at = self.clock.now();
        let before = at - USE_IS_NOTED;
        if key.last_used_at.is_some_and(|last| last >= before) {
            return;
        }
        let Ok(turn) = self.noting_use.clone().try_acquire_owned() else { return };
        let storage = self.storage.clone();
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = storage.note_use_of_api_key(hash, at, before).await {
                log::debug!(error = error_chain(&error); "could not note the use of an API key");
            }
        });
    }
}

/// Why a key was not created or revoked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// A valid key has this name.
    #[error("a key named {0} exists; choose another name, or revoke it first")]
    NameIsTaken(LabelName),
    /// There is no room for another key.
    #[error("there are {MAX_API_KEYS} keys already, which is the most; revoke some first")]
    Full,
    /// There is no key of this name or id.
    #[error("there is no key with the name or id {0}; `manage api-keys list` shows them")]
    Unknown(String),
    /// The key was revoked earlier.
    #[error("the key {0} was revoked already, at {at} UTC", at = .1.format("%Y-%m-%d %H:%M:%S"))]
    Revoked(String, DateTime<Utc>),
    /// The storage failed, or the system has no random bytes.
    #[error(transparent)]
    Storage(#[from] ServiceError),
}

impl From<RepositoryError> for ApiKeyError {
    fn from(error: RepositoryError) -> Self {
        Self::Storage(error.into())
    }
}
